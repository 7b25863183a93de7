"""The rows of a table in a bundle, read as often as they are wanted: as texts, which is quick, or as values."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from isekai_core.slicing.csvtext import BLOCK, fields_of, read_records, read_rows
from isekai_core.slicing.rowdiff import Batch, Keyed
from isekai_core.types.slices import BundleReader, BundleTable, Column


def read_table(reader: BundleReader, model: str) -> Iterator[list[str | None]]:
    """The rows of a table, header first."""
    with reader.open(model) as file:
        yield from read_rows(iter(lambda: file.read(BLOCK), b""))


class TableRows:
    """The rows of a table, as often as they are wanted; of their values, those in the common columns."""

    def __init__(self, reader: BundleReader, table: BundleTable, common: Sequence[str]) -> None:
        names = [column.name for column in table.columns]
        self._reader = reader
        self._model = table.model
        self._key = names.index(table.key)
        self._places = [names.index(name) for name in common]
        # What their order is told by: exported rows come in that of numbers, or in that of a text's bytes.
        self.order: Callable[[str], Any] = int if _is_number(table.columns[self._key]) else str

    def keyed(self) -> Iterator[Keyed]:
        """Each row's key and values."""
        for row in islice(read_table(self._reader, self._model), 1, None):
            yield row[self._key] or "", self._chosen(row)

    def texts(self) -> Iterator[Batch]:
        """Keys and texts of the rows, a block of them at a time."""
        number = 0
        with self._reader.open(self._model) as file:
            for records in read_records(iter(lambda: file.read(BLOCK), b"")):
                keys = [self._key_of(record, at) for at, record in enumerate(records, start=number + 1)]
                yield (keys, records) if number else (keys[1:], records[1:])
                number += len(records)

    def values(self, record: str) -> list[str | None]:
        """The values in a row's text."""
        return self._chosen(fields_of(record, 0))

    def _key_of(self, record: str, number: int) -> str:
        if '"' not in record:
            return record.split(",", self._key + 1)[self._key]
        return fields_of(record, number)[self._key] or ""

    def _chosen(self, row: Sequence[str | None]) -> list[str | None]:
        return [row[place] for place in self._places]


def _is_number(column: Column) -> bool:
    return column.type.endswith(("AutoField", "IntegerField"))
