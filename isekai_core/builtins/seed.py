"""The `csv` seeder: a file of keys, or of records, read as a stream."""

import codecs
import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from isekai_core.builtins.encodings import byte_order_mark, known_codec, undecodable
from isekai_core.builtins.paths import told
from isekai_core.conf import did_you_mean
from isekai_core.errors import SeedError
from isekai_core.types import Key, Payload, Seed
from isekai_core.types.payloads import RECORD_MEDIA_TYPE

DELIMITERS = (",", ";", "\t", "|")

_CELL_LIMIT = 16 * 1024 * 1024
_ROWS_NAMED = 5
_NEVER_CLOSED = "unexpected end of data"  # what Python's reader says of it


@dataclass(frozen=True)
class CsvSeeder:
    """Gives a key for each row of a CSV file. Columns that are not part of the key become metadata.

    The first line names the columns. Empty rows are passed over. A row that cannot be used is reported
    with its line once all the others are given.

    path: the file; a relative one counts from where the command is started.
    type: the type of every key, such as url; without it each row tells its own in type_column.
    type_column: the column that holds the key's type.
    value_column: the column that holds the key's value.
    encoding: of the file, such as cp1252; without it by its byte order mark, else utf-8.
    delimiter: what stands between the cells; without it one of , ; | and tab, by the first line.
    records: whether the rows are the data itself: each becomes a record payload with the key
        row:<name>/<value>, and needs no extractor.
    name: what the keys of records begin with; the file's name without its suffix without it.
    """

    path: str | Path
    type: str | None = None
    type_column: str = "type"
    value_column: str = "value"
    encoding: str | None = None
    delimiter: str | None = None
    records: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        if not str(self.path).strip():
            msg = "path: expected the name of a CSV file, got an empty one"
            raise ValueError(msg)
        if self.type is not None:
            Key(self.type, "https://example.org/")  # Refuses what is no type.
        if self.encoding is not None and not known_codec(self.encoding):
            msg = f"encoding: expected the name of a text encoding such as utf-8 or cp1252, got {self.encoding!r}"
            raise ValueError(msg)
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            msg = f"delimiter: expected a single character such as ';', got {self.delimiter!r}"
            raise ValueError(msg)
        if self.name and not self.records:
            msg = f"name: expected with records=True only, whose keys begin with it, got {self.name!r}"
            raise ValueError(msg)
        if "/" in self.name or self.name != self.name.strip():
            msg = f"name: expected a text such as 'orders-2024', without slashes, got {self.name!r}"
            raise ValueError(msg)

    @property
    def produces(self) -> tuple[str, ...]:
        """The key type, where the options tell it; of records their media type, too."""
        if self.records:
            return (self.type or "row", RECORD_MEDIA_TYPE)
        return (self.type or "*",)

    def clashes(self, earlier: Sequence[Any]) -> Iterator[str]:
        """The seeders before it in a pipeline whose keys are the same, though nobody said that they should be."""
        for other in earlier:
            if not isinstance(other, CsvSeeder) or not self.records or not other.records or self.name or other.name:
                continue
            if self.beginning == other.beginning:
                yield (
                    f"the keys of both {other.path} and {self.path} begin with {self.beginning}, so that a row of one"
                    f" may be taken for a row of the other; give one of them another name, such as"
                    f" name='{Path(self.path).stem}-2', or both the same where equal values mean the same row"
                )

    @property
    def beginning(self) -> str:
        """What the keys of records begin with."""
        return f"{self.type or 'row'}:{self.name or Path(self.path).stem}/"

    def seed(self) -> Iterator[Seed]:
        """A seed for each usable row, in the order of the file; at the end `SeedError` for the others."""
        # The module's own limit, 128 KiB, is one for the process; an article in a cell may be larger.
        csv.field_size_limit(max(csv.field_size_limit(), _CELL_LIMIT))
        encoding = self._encoding()
        try:
            with self._open(encoding) as file:
                yield from self._seeds(file, self._delimiter(encoding))
        except UnicodeDecodeError as error:
            raise SeedError(self._not_decodable(encoding)) from error

    def _seeds(self, file: TextIO, delimiter: str) -> Iterator[Seed]:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        columns = self._columns(self._header(reader))
        version = self._modified() if self.records else None
        good, bad = 0, _BadRows(str(self.path))
        for line, row in _rows(reader, bad):
            try:
                seed = self._seed(columns, row, version)
            except ValueError as error:
                bad.add(_lines(line), str(error))
            else:
                good += 1
                yield seed
        bad.raise_any(good)

    def _seed(self, columns: list[str], row: list[str], version: str | None) -> Seed:
        if len(row) > len(columns):
            msg = f"{len(row)} cells for {len(columns)} columns; is the delimiter, or a quote, inside a cell?"
            raise ValueError(msg)
        # A short row leaves its last columns empty: spreadsheets write them so.
        cells = dict(zip(columns, row + [""] * (len(columns) - len(row)), strict=True))
        if broken := [name for name, cell in cells.items() if "\x00" in cell]:
            msg = f"column {broken[0]!r} holds a NUL character"
            raise ValueError(msg)
        value = cells[self.value_column]
        if not value.strip():
            msg = f"column {self.value_column!r} is empty"
            raise ValueError(msg)
        if self.records:
            key = Key(self.type or "row", f"{self.name or Path(self.path).stem}/{value}")
            return Seed(key, payload=Payload.from_record(cells), version=version)
        kind = self.type if self.type is not None else cells[self.type_column].strip()
        used = (self.value_column,) if self.type is not None else (self.type_column, self.value_column)
        return Seed(Key(kind, value), {name: cell for name, cell in cells.items() if name not in used})

    def _wanted(self) -> list[str]:
        alone = self.records or self.type is not None
        return [self.value_column] if alone else [self.type_column, self.value_column]

    def _header(self, reader: Any) -> list[str] | None:
        try:
            header: list[str] | None = next(reader, None)
        except csv.Error as error:
            msg = f"{self.path}: {_lines(1, reader.line_num)}: {_unreadable(error, 1, reader.line_num)}"
            raise SeedError(msg) from error
        return header

    def _columns(self, header: list[str] | None) -> list[str]:
        if not header:
            msg = f"{self.path} is empty: expected a first line that names the columns {', '.join(self._wanted())}"
            raise SeedError(msg)
        names = [name.strip() or f"column {number}" for number, name in enumerate(header, start=1)]
        if "\x00" in "".join(names):
            msg = f"{self.path} line 1 holds NUL characters: this is no CSV file, or it needs another encoding"
            raise SeedError(msg)
        for wanted in self._wanted():
            if wanted not in names:
                hint = did_you_mean(wanted, names)
                msg = (
                    f"{self.path} has no column {wanted!r}{hint}; it has {', '.join(names)};"
                    " see the options value_column, type_column, type and delimiter"
                )
                raise SeedError(msg)
        if len(names) != len(set(names)):
            twice = next(name for name in names if names.count(name) > 1)
            msg = f"{self.path} has two columns called {twice!r}"
            raise SeedError(msg)
        return names

    def _encoding(self) -> str:
        try:
            with Path(self.path).open("rb") as file:
                mark = byte_order_mark(file.read(4))
        except OSError as error:
            msg = f"{told(self.path)} cannot be read: {error.strerror or error}"
            raise SeedError(msg) from error
        if self.encoding is None:
            return mark or "utf-8"
        # With the mark left in, the first column would not be called what it is called.
        return "utf-8-sig" if codecs.lookup(self.encoding).name == "utf-8" else self.encoding

    def _open(self, encoding: str) -> TextIO:
        return Path(self.path).open(encoding=encoding, newline="")

    def _delimiter(self, encoding: str) -> str:
        """The delimiter under which the first line names the columns that are wanted, else most columns."""
        if self.delimiter is not None:
            return self.delimiter
        found: dict[str, list[str]] = {}
        for one in DELIMITERS:
            with self._open(encoding) as file:
                try:
                    found[one] = [name.strip() for name in next(csv.reader(file, delimiter=one), [])]
                except csv.Error:
                    continue
        return max(found, key=lambda one: (set(self._wanted()) <= set(found[one]), len(found[one])), default=",")

    def _modified(self) -> str:
        modified = dt.datetime.fromtimestamp(Path(self.path).stat().st_mtime, dt.UTC)
        return modified.isoformat(timespec="microseconds")

    def _not_decodable(self, encoding: str) -> str:
        place = undecodable(Path(self.path), encoding)
        return f"{self.path} is not {encoding.removesuffix('-sig')}: {place}; see the option encoding"


class _BadRows:
    """The first rows that cannot be used, and how many there are: never all of them, there may be millions."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._first: list[str] = []
        self._count = 0

    def add(self, lines: str, reason: str) -> None:
        self._count += 1
        if len(self._first) < _ROWS_NAMED:
            self._first.append(f"{lines}: {reason}")

    def raise_any(self, good: int) -> None:
        if not self._count:
            return
        rest = self._count - len(self._first)
        more = f"; and {rest} more" if rest else ""
        msg = f"{self._path}: {self._count} of {self._count + good} rows cannot be used: {'; '.join(self._first)}{more}"
        raise SeedError(msg)


def _rows(reader: Any, bad: _BadRows) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty, with the line it begins on (a quoted cell may go over several)."""
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            bad.add(_lines(line, reader.line_num), _unreadable(error, line, reader.line_num))
            continue
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield line, row


def _lines(first: int, last: int = 0) -> str:
    return f"lines {first} to {last}" if last > first else f"line {first}"


def _unreadable(error: csv.Error, first: int, last: int) -> str:
    """Why the lines from `first` to `last` are no row: a quote that is not closed takes rows of others along."""
    if str(error) == _NEVER_CLOSED:
        hint = "close it, or write it twice where it is part of the text"
        if last == first:
            return f"a quote is never closed; {hint}"
        return f"read as one cell, because a quote in line {first} is never closed; {hint}"
    return str(error) if last == first else f"read as one row: {error}; is a quote in line {first} never closed?"
