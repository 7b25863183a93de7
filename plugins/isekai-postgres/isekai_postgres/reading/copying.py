"""COPY … TO STDOUT as fast as a server sends it: rows are gathered without a step of Python for each.

The driver gives one row at a time, which costs more than all else that is done for a row. So the data is taken from
the connection's socket, and the library below the driver is left to read what comes before and after it. Where the
connection is encrypted, the library reads everything.
"""

import socket
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import repeat, takewhile
from operator import itemgetter, lt
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.waiting import Ready, Wait

from isekai_postgres.reading.frames import Frames, is_plain

PIECE = 128 * 1024
"""How many bytes are handed on at once, at least."""

_BUFFER = 128 * 1024
_MOMENT = 0.0003
"""Seconds that a server gets to send more when little has come: being woken for each 8 kB that it sends costs both
sides more than copying them."""
_HEADER_IN_TEXT = 15_00_00
_CANCEL_SECONDS = 5.0
_PATIENCE = 3600.0
"""Seconds after which it is asked again whether something has come: with no limit, the library would block, too."""

_is_data: Callable[[tuple[int, Any]], bool] = partial(lt, (1,))
"""Whether a received (length, data) has data: its length is 1 at least."""
_data: Callable[[tuple[int, Any]], Any] = itemgetter(1)

Lines = tuple[int, bytes]
"""Some lines of a CSV: their number, and their bytes, which may end within one."""


def copied(
    connection: psycopg.Connection,
    select: sql.Composable,
    told: Callable[[int, int], None],
    *,
    is_bare: bool = False,
) -> Generator[bytes, None, int]:
    """The CSV of what `select` gives, header first, in pieces; returns the number of rows, which the server counted.

    told: is called with the rows and bytes of each piece.
    is_bare: whether nothing in it can need quotes.

    All that has arrived is taken in one go, and that is never more than a buffer: memory stays small, whatever the
    size of a table.
    """
    # Without quotes, both formats are the same bytes; for the second, the server does not look for what needs some,
    # which is an eighth of its time.
    as_text = is_bare and connection.info.server_version >= _HEADER_IN_TEXT
    form = sql.SQL("FORMAT text, DELIMITER ',', NULL ''" if as_text else "FORMAT csv")
    statement = sql.SQL("COPY ({}) TO STDOUT ({}, HEADER, ENCODING 'UTF8')").format(select, form)
    waiting: list[bytes] = []
    size, rows = 0, -1  # the header is no row
    with _asked(connection, statement):
        for count, data in _received(connection):
            waiting.append(data)
            size, rows = size + len(data), rows + count
            if size >= PIECE:
                yield b"".join(waiting)
                told(max(rows, 0), size)
                waiting, size, rows = [], 0, min(rows, 0)
        if waiting:
            yield b"".join(waiting)
            told(max(rows, 0), size)
        return _ended(connection)


@contextmanager
def _asked(connection: psycopg.Connection, statement: sql.Composed) -> Iterator[None]:
    """The statement is sent; when its answer is not taken to the end, the server is told to stop."""
    pgconn = connection.pgconn
    pgconn.send_query(statement.as_bytes(connection))
    while pgconn.flush():
        connection.wait(_until(Wait.W))
    try:
        yield
    except psycopg.Error:
        raise
    except BaseException:
        with suppress(psycopg.Error):
            connection.cancel_safe(timeout=_CANCEL_SECONDS)
        raise


def _received(connection: psycopg.Connection) -> Iterator[Lines]:
    # The library's socket, which is not ours to close.
    there = socket.socket(fileno=connection.pgconn.socket)
    try:
        there.settimeout(_PATIENCE)
        start = memoryview(bytearray(1))
        if _peek(there, start) and is_plain(start[0]):
            yield from _from_socket(there)
            return
    finally:
        there.detach()
    yield from _from_library(connection)


# From the socket


def _from_socket(there: socket.socket) -> Iterator[Lines]:
    """What the library would have to copy row by row; it is left what is no data.

    What has come is looked at first, and taken away when it is known to be data.
    """
    frames = Frames()
    block = bytearray(_BUFFER)
    view = memoryview(block)
    while not frames.is_over:
        start, rows = len(frames.pending), frames.rows
        view[:start] = frames.pending
        size = _peek(there, view[start:])
        if not size:
            return
        data, end = frames.take(block, start + size)
        if data:
            yield frames.rows - rows, data
        while start < end:
            start += there.recv_into(view[start:end])
        if size < _BUFFER // 2 and not frames.is_over:
            time.sleep(_MOMENT)


def _peek(there: socket.socket, buffer: memoryview) -> int:
    """How many bytes are waiting now, which are in `buffer`; 0 when the connection is gone, which the library tells."""
    while True:
        try:
            return there.recv_into(buffer, flags=socket.MSG_PEEK)
        except TimeoutError:
            continue
        except OSError:
            return 0


# From the library


def _from_library(connection: psycopg.Connection) -> Iterator[Lines]:
    """Each time that some lines have arrived, until there are no more."""
    if (result := _result(connection)) is None or result.status != ExecStatus.COPY_OUT:
        raise _error(result)
    receive = connection.pgconn.get_copy_data
    while True:
        lines = list(takewhile(_is_data, map(receive, repeat(1))))
        if lines:
            yield len(lines), b"".join(map(_data, lines))
        # Which of the two it was that ended the lines, "none yet" or "no more", is asked again: after the end,
        # the library says that there is no COPY.
        try:
            length, data = receive(1)
        except psycopg.OperationalError:
            return
        if length > 0:
            yield 1, bytes(data)
            continue
        connection.wait(_until(Wait.R))
        connection.pgconn.consume_input()


def _ended(connection: psycopg.Connection) -> int:
    """The rows that the server says it sent; its error, when it stopped before the end."""
    result = _result(connection)
    if result is None or result.status != ExecStatus.COMMAND_OK or result.command_tuples is None:
        raise _error(result)
    while _result(connection):
        pass
    return result.command_tuples


def _result(connection: psycopg.Connection) -> PGresult | None:
    """What the library says next, without waiting in it, where nothing could interrupt it."""
    pgconn = connection.pgconn
    while pgconn.is_busy():
        connection.wait(_until(Wait.R))
        pgconn.consume_input()
    return pgconn.get_result()


def _until(wanted: Wait) -> Generator[Wait, Ready | int, None]:
    while not (yield wanted):
        pass


def _error(result: PGresult | None) -> psycopg.Error:
    if result is not None and result.status == ExecStatus.FATAL_ERROR:
        return errors.error_from_result(result)
    return psycopg.OperationalError("the server stopped in the middle of a table")
