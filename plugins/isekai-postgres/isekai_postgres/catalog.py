"""What the database says of a table: its columns and its primary key, or what there is instead of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from isekai_core.errors import SeedError

_FIND = """
    SELECT c.oid, n.nspname, c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = %(name)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND CASE WHEN %(schema)s = '' THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = %(schema)s END
"""
_TABLES = """
    SELECT c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND CASE WHEN %(schema)s = '' THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = %(schema)s END
    ORDER BY c.relname LIMIT 21
"""
_COLUMNS = """
    SELECT attname FROM pg_catalog.pg_attribute
    WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_KEY = """
    SELECT a.attname
    FROM pg_catalog.pg_index i
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, position)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = %s AND i.indisprimary AND k.position <= i.indnkeyatts ORDER BY k.position
"""
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Table:
    """A table, view or foreign table as it is in the database."""

    schema: str
    name: str
    columns: tuple[str, ...]
    primary_key: tuple[str, ...]


def look_up(connection: psycopg.Connection, table: str) -> Table:
    """The table `schema.name`, or `name` on the search path; `SeedError` with those that there are."""
    schema, _, name = table.rpartition(".") if table.count(".") == 1 else ("", "", table)
    found = connection.execute(_FIND, {"schema": schema, "name": name}).fetchone()
    if found is None:
        others = [row[0] for row in connection.execute(_TABLES, {"schema": schema})]
        place = f"the schema {schema!r}" if schema else "the search path"
        msg = f"there is no table {table!r}; {place} has {_listed(others)}"
        raise SeedError(msg)
    oid = found[0]
    columns = tuple(row[0] for row in connection.execute(_COLUMNS, [oid]))
    key = tuple(row[0] for row in connection.execute(_KEY, [oid]))
    return Table(found[1], found[2], columns, key)


def require_columns(what: str, asked: Sequence[str], there: Sequence[str]) -> None:
    """`SeedError` for the first column that is not there, with those that are."""
    for name in asked:
        if name not in there:
            msg = f"{what} has no column {name!r}; it has {_listed(there)}"
            raise SeedError(msg)


def _listed(names: Sequence[str]) -> str:
    return ", ".join([*names[:_SHOWN], *(["…"] if len(names) > _SHOWN else [])]) or "none"
