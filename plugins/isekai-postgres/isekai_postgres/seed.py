"""The table seeder: rows of a table, or of a query, as resources that have their payload already."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar

import psycopg
from psycopg import sql

from isekai_core.errors import SeedError
from isekai_core.types import Key, Seed
from isekai_core.types.payloads import RECORD_MEDIA_TYPE
from isekai_postgres.catalog import look_up, require_columns
from isekai_postgres.connection import parameters_of_alias, parameters_of_dsn, reading
from isekai_postgres.values import escape, key_part, record_payload, version_text

_SHOWN_VALUES = 3
_ROWS_NAMED = 5


@dataclass(kw_only=True)
class TableSeeder:
    """Gives the rows of a PostgreSQL table, or of a query, as records.

    The key is `row:<name>/<value>`, with the values of several key columns joined by slashes. Rows are
    read through a server-side cursor in a read-only transaction: memory does not grow with the table.
    A row that cannot be used is reported with its number once all the others are given.

    dsn: the database, `postgresql://user:password@host:port/database`.
    alias: the database, by its name in Django's DATABASES; exactly one of `dsn` and `alias`.
    table: `schema.table`, or `table` on the search path; exactly one of `table` and `query`.
    query: a SELECT; placeholders are `%s` or `%(name)s` when there are `params`.
    params: the values of the query's placeholders: a list, or a mapping.
    key: the column or columns that identify a row; the primary key of the table without it.
    name: what the keys begin with; the table as it is written without it, required with `query`.
    columns: what the records hold; all columns without it.
    version: a column that grows when the row changes, such as `updated_at`.
    batch_size: how many rows are fetched at once.
    """

    produces: ClassVar[tuple[str, ...]] = ("row", RECORD_MEDIA_TYPE)
    secret_options: ClassVar[tuple[str, ...]] = ("dsn",)
    neutral_options: ClassVar[tuple[str, ...]] = ("batch_size",)

    dsn: str | None = field(default=None, repr=False)
    alias: str | None = None
    table: str | None = None
    query: str | None = None
    params: list[Any] | dict[str, Any] | None = None
    key: str | list[str] | None = None
    name: str = ""
    columns: list[str] | None = None
    version: str | None = None
    batch_size: int = 2000

    def __post_init__(self) -> None:
        for first, second in (("dsn", "alias"), ("table", "query")):
            if (getattr(self, first) is None) == (getattr(self, second) is None):
                msg = f"exactly one of {first} and {second} is needed"
                raise ValueError(msg)
        if self.query is not None and not (self.key and self.name):
            msg = "a query needs key (its columns that identify a row) and name (what the keys begin with)"
            raise ValueError(msg)
        if self.params is not None and self.query is None:
            msg = "params are the values of a query's placeholders; with table there are none"
            raise ValueError(msg)
        if self.key in ("", []) or self.columns == []:
            msg = "key and columns name at least one column, or are left out"
            raise ValueError(msg)
        if self.batch_size < 1:
            msg = f"batch_size is at least 1, got {self.batch_size}"
            raise ValueError(msg)
        self._parameters = (
            parameters_of_dsn(self.dsn) if self.dsn is not None else parameters_of_alias(self.alias or "")
        )

    def seed(self) -> Iterator[Seed]:
        """A seed for each usable row, in the order of the server; at the end `SeedError` for the others."""
        with reading(self._parameters, self._what) as connection:
            statement, key = self._statement(connection)
            with connection.cursor(name="isekai") as cursor:
                cursor.itersize = self.batch_size
                cursor.execute(statement, self.params)
                rows = _Rows(self, self._what, key, [column.name for column in cursor.description or ()])
                yield from rows.seeds(cursor)

    @property
    def _what(self) -> str:
        return f"table {self.table}" if self.table else f"query {self.name!r}"

    def _statement(self, connection: psycopg.Connection) -> tuple[sql.Composed | bytes, tuple[str, ...]]:
        """What is asked, and the key columns: from the catalog, where a table is given."""
        given = (self.key,) if isinstance(self.key, str) else tuple(self.key or ())
        if self.table is None:
            return (self.query or "").encode(), given
        table = look_up(connection, self.table)
        key = given or table.primary_key
        if not key:
            msg = f"table {self.table} has no primary key; name the columns that identify a row: key=…"
            raise SeedError(msg)
        wanted = [*(self.columns or table.columns), *key, *([self.version] if self.version else [])]
        require_columns(f"table {self.table}", wanted, table.columns)
        # Each column once, also when it is asked for as a key and as a part of the record.
        names = sql.SQL(", ").join(sql.Identifier(name) for name in dict.fromkeys(wanted))
        return sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(table.schema, table.name)), key


class _Rows:
    """Rows of one result to seeds: where the key, the version and the record are is looked up once."""

    def __init__(self, seeder: TableSeeder, what: str, key: Sequence[str], names: list[str]) -> None:
        self._what = what
        if twice := [name for name in names if names.count(name) > 1]:
            msg = f"{self._what} gives the column {twice[0]!r} twice; name one of them with AS"
            raise SeedError(msg)
        self._names = names
        self._kept = names if seeder.columns is None else seeder.columns
        self._key = key
        self._version = seeder.version
        require_columns(self._what, [*self._kept, *key, *([self._version] if self._version else [])], names)
        self._prefix = escape(seeder.name or seeder.table or "")

    def seeds(self, results: Iterable[Sequence[Any]]) -> Iterator[Seed]:
        """A seed for each usable row; at the end `SeedError` for the others, with the row and the column at fault."""
        good, bad = 0, _BadRows(self._what)
        for number, values in enumerate(results, start=1):
            row = dict(zip(self._names, values, strict=True))
            try:
                seed = self._seed(row)
            except (TypeError, ValueError) as error:
                bad.add(number, row, str(error))
            else:
                good += 1
                yield seed
        bad.raise_any(good)

    def _seed(self, row: dict[str, Any]) -> Seed:
        key = Key("row", "/".join([self._prefix, *(self._key_part(row, name) for name in self._key)]))
        version = self._version_of(row)
        return Seed(key, payload=record_payload({name: row[name] for name in self._kept}), version=version)

    def _key_part(self, row: dict[str, Any], name: str) -> str:
        if row[name] is None:
            msg = f"key column {name!r} is NULL"
            raise TypeError(msg)
        try:
            return key_part(row[name])
        except TypeError as error:
            msg = f"key column {name!r}: {error}"
            raise TypeError(msg) from None

    def _version_of(self, row: dict[str, Any]) -> str | None:
        if self._version is None:
            return None
        try:
            return version_text(row[self._version])
        except TypeError as error:
            msg = f"version column {self._version!r}: {error}"
            raise TypeError(msg) from None


class _BadRows:
    """The first rows that cannot be used, and how many there are: never all of them, there may be millions."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._first: list[str] = []
        self._count = 0

    def add(self, number: int, row: dict[str, Any], reason: str) -> None:
        self._count += 1
        if len(self._first) < _ROWS_NAMED:
            shown = ", ".join(f"{name}={value!r:.50}" for name, value in islice(row.items(), _SHOWN_VALUES))
            self._first.append(f"row {number} ({shown}): {reason}")

    def raise_any(self, good: int) -> None:
        if not self._count:
            return
        rest = self._count - len(self._first)
        more = f"; and {rest} more" if rest else ""
        msg = f"{self._what}: {self._count} of {self._count + good} rows cannot be used: {'; '.join(self._first)}{more}"
        raise SeedError(msg)
