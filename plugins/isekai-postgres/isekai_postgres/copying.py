"""COPY … TO STDOUT as fast as the driver's own library: rows are gathered without a step of Python for each."""

from collections.abc import Callable, Generator, Iterator
from functools import partial
from itertools import repeat, takewhile
from operator import itemgetter, lt
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.pq import ExecStatus
from psycopg.waiting import Ready, Wait

PIECE = 128 * 1024
"""How many bytes are handed on at once, at least."""

_is_data: Callable[[tuple[int, Any]], bool] = partial(lt, (1,))
"""Whether a received (length, data) has data: its length is 1 at least."""
_data: Callable[[tuple[int, Any]], Any] = itemgetter(1)


def copied(
    connection: psycopg.Connection, select: sql.Composable, told: Callable[[int, int], None]
) -> Generator[bytes, None, int]:
    """The CSV of what `select` gives, header first, in pieces; returns the number of rows, which the server counted.

    told: is called with the rows and bytes of each piece.

    The driver's own `Copy.read` takes twice the time of psql, as it waits for each row anew. Here, all rows that have
    arrived are taken in one go; that is never more than the library's buffer, so memory stays small.
    """
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')").format(select)
    with connection.cursor() as cursor, cursor.copy(statement):
        waiting: list[bytes] = []
        size, rows = 0, -1  # the header is no row
        for count, data in _arrived(connection):
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


def _arrived(connection: psycopg.Connection) -> Iterator[tuple[int, bytes]]:
    """Number of lines and their bytes, each time that some have arrived, until there are no more."""
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
        connection.wait(_readable())
        connection.pgconn.consume_input()


def _readable() -> Generator[Wait, Ready | int, None]:
    while not (yield Wait.R):
        pass


def _ended(connection: psycopg.Connection) -> int:
    """The rows that the server says it sent; its error, when it stopped before the end."""
    results = list(iter(connection.pgconn.get_result, None))
    for result in results:
        if result.status != ExecStatus.COMMAND_OK:
            raise errors.error_from_result(result)
    if not results or results[-1].command_tuples is None:
        msg = "the server stopped in the middle of a table"
        raise psycopg.OperationalError(msg)
    return results[-1].command_tuples
