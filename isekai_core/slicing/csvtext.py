"""PostgreSQL's CSV, read and written: NULL and an empty text stay apart, and what is read is written byte for byte.

Python's own module knows no NULL. Rows here are `str | None`: NULL is a field with nothing in it, an empty text
is `""`. A field is quoted when PostgreSQL would quote it, and not otherwise.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from isekai_core.errors import BundleError

BLOCK = 256 * 1024
"""About so many bytes are written at once."""

_SPECIAL = re.compile('[,"\r\n]')
_FIELDS = re.compile(r'(?:\A|,)("[^"]*(?:""[^"]*)*"|[^",\r\n]*)(?=,|\Z)')
_END_OF_DATA = "\\."


def read_rows(chunks: Iterable[bytes]) -> Iterator[list[str | None]]:
    r"""The rows of a CSV, header first; None for NULL.

    chunks: pieces of it, which need not end where rows do; only about one of them is in memory, and one row.

    >>> list(read_rows([b'id,name\n1,"a,', b'b"\n2,\n3,""\n']))
    [['id', 'name'], ['1', 'a,b'], ['2', None], ['3', '']]

    Raises `BundleError`, naming the line, for bytes that are no UTF-8 and for quotes that are not where they belong.
    """
    for number, record in enumerate(chain.from_iterable(read_records(chunks)), start=1):
        yield fields_of(record, number)


def read_records(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    r"""The texts of the rows, header first, each without the newline that ends it; as many at once as a chunk ends.

    >>> list(read_records([b'id,name\n1,"a,', b'b"\n2,\n']))
    [['id,name'], ['1,"a,b"', '2,']]

    Raises `BundleError` for bytes that are no UTF-8, and for a quote that is never closed.
    """
    # A text may have millions of lines: they are not kept one by one.
    text: io.StringIO | None = None
    for block in _blocks(chunks):
        lines = block.split("\n")
        if text is None and '"' not in block:
            yield lines
            continue
        records: list[str] = []
        for line in lines:
            text = _joined(text, line, records)
        yield records
    if text is not None:
        msg = f"a quote is opened and never closed: {text.getvalue()[:60]!r}"
        raise BundleError(msg)


def fields_of(record: str, number: int) -> list[str | None]:
    """The fields of a row's text; None for NULL.

    number: of the row, for the message.

    >>> fields_of('1,,"a,b",""', 1)
    ['1', None, 'a,b', '']

    Raises `BundleError` for quotes that are not where they belong.
    """
    if '"' not in record and "\r" not in record:
        return [field or None for field in record.split(",")]
    return _fields(record, number)


def write_rows(rows: Iterable[Sequence[str | None]]) -> Iterator[bytes]:
    r"""The CSV of `rows`, in blocks of whole rows, as PostgreSQL writes it.

    >>> b"".join(write_rows([["id", "name"], ["1", None], ["2", ""], ["3", 'an "a"!']]))
    b'id,name\n1,\n2,""\n3,"an ""a""!"\n'

    Raises `BundleError` for a text that UTF-8 cannot hold.
    """
    lines: list[str] = []
    size = 0
    for row in rows:
        line = _line(row)
        lines.append(line)
        size += len(line) + 1
        if size >= BLOCK:
            yield _encoded(lines)
            lines, size = [], 0
    if lines:
        yield _encoded(lines)


def split_header(chunks: Iterable[bytes]) -> tuple[list[str], Iterator[bytes]]:
    """The column names in the first row, and all chunks, the first row among them.

    Raises `BundleError` where there is no first row.
    """
    rest = iter(chunks)
    start = b""
    end = 0
    while not end:
        chunk = next(rest, None)
        if chunk is None or len(start) > BLOCK:
            msg = f"a header with the names of the columns was expected, got {start[:60]!r}"
            raise BundleError(msg)
        start += chunk
        end = _end_of_record(start)
    names = [name or "" for name in next(read_rows([start[:end]]))]
    return names, _chained(start, rest)


def _chained(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield start
    yield from rest


def _end_of_record(text: bytes) -> int:
    """Where the first record ends, behind its newline; 0 when that is not in `text`."""
    end = text.find(b"\n") + 1
    while end and text.count(b'"', 0, end) % 2:
        end = text.find(b"\n", end) + 1
    return end


def _joined(text: io.StringIO | None, line: str, records: list[str]) -> io.StringIO | None:
    """The row that is open after `line`, if one is; rows that it ends are put into `records`."""
    # Inside quotes a newline belongs to the text: quotes come in pairs, and a row has all of its own.
    is_odd = '"' in line and line.count('"') % 2 == 1
    if text is None:
        if not is_odd:
            records.append(line)
            return None
        text = io.StringIO(newline="")
        text.write(line)
        return text
    text.write("\n")
    text.write(line)
    if not is_odd:
        return text
    records.append(text.getvalue())
    return None


def _blocks(chunks: Iterable[bytes]) -> Iterator[str]:
    """Whole lines, without the last newline."""
    number = 1
    pending: list[bytes] = []
    for chunk in chunks:
        head, newline, tail = chunk.rpartition(b"\n")
        if not newline:
            pending.append(chunk)
            continue
        block = _decoded(b"".join([*pending, head]), number)
        yield block
        number += block.count("\n") + 1
        pending = [tail] if tail else []
    if any(pending):
        yield _decoded(b"".join(pending), number)


def _decoded(text: bytes, number: int) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        number += text.count(b"\n", 0, error.start)
        msg = f"line {number} is not UTF-8: it holds the bytes {text[error.start : error.end].hex(' ')}"
        raise BundleError(msg) from error


def _fields(record: str, number: int) -> list[str | None]:
    found: list[str] = _FIELDS.findall(record)
    if sum(map(len, found)) + len(found) - 1 != len(record):
        msg = f"row {number}: a quote or a line's end is where none belongs: {record[:60]!r}"
        raise BundleError(msg)
    return [field[1:-1].replace('""', '"') if field[:1] == '"' else field or None for field in found]


def _line(row: Sequence[str | None]) -> str:
    if len(row) == 1 and row[0] == _END_OF_DATA:
        # Alone in its line, this would end the data for a server.
        return f'"{_END_OF_DATA}"'
    # One search for the whole row: most have nothing to quote but empty texts.
    if _SPECIAL.search("".join(filter(None, row))):
        return ",".join(map(_written, row))
    return ",".join([value or ("" if value is None else '""') for value in row])


def _written(value: str | None) -> str:
    if value is None:
        return ""
    if not value or _SPECIAL.search(value):
        return f'"{value.replace(chr(34), chr(34) * 2)}"'
    return value


def _encoded(lines: list[str]) -> bytes:
    lines.append("")
    try:
        return "\n".join(lines).encode()
    except UnicodeEncodeError as error:
        around = error.object[max(0, error.start - 20) : error.end + 20]
        msg = f"a text cannot be written as UTF-8: {around!r}"
        raise BundleError(msg) from error
