"""The tables of a slice as the source has them: missing ones are told before anything is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from isekai_core.errors import ExportError
from isekai_core.slicing.generic import CONTENT_TYPE, present
from isekai_core.types.slices import GenericKey, SlicePlan, TablePlan
from isekai_postgres.reading.snapshot import Origin
from isekai_postgres.reading.sql import table_name
from isekai_postgres.reasons import telling

_COLUMNS = """
    SELECT a.attname, pg_catalog.format_type(a.atttypid, -1), a.attcollation <> 0,
           pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'), c.reltuples::bigint
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""

# Not of a table that others inherit from: its constraints do not hold for their rows, which are read with its own.
_ENFORCED = """
    SELECT a.attname
    FROM pg_catalog.pg_constraint c
    JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.conrelid = pg_catalog.to_regclass(%s) AND c.contype = 'f' AND c.convalidated
      AND pg_catalog.cardinality(c.conkey) = 1 AND NOT (r.relkind = 'r' AND r.relhassubclass)
"""

_BARE = frozenset(
    {
        *("smallint", "integer", "bigint", "oid", "boolean", "real", "double precision", "numeric", "uuid", "date"),
        *("timestamp with time zone", "timestamp without time zone", "time without time zone"),
    }
)
"""Types whose values never need quotes in a CSV, nor anything else that keeps a text from being taken for another."""
_BARE_NAME = re.compile(r"\w+", re.ASCII)


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table as the source has it.

    key_type: of its primary key, in SQL.
    has_text_key: whether that is a text, whose order is a matter of taste.
    is_bare: whether nothing in its CSV, the header included, ever needs quotes.
    rows: as the server counted them last, roughly; 0 where it has not.
    enforced: the foreign key columns of which a valid constraint sees to it that they point to a row.
    """

    key_type: str
    has_text_key: bool
    is_bare: bool
    rows: int
    enforced: frozenset[str]


def source_tables(connection: psycopg.Connection, plan: SlicePlan, origin: Origin) -> Mapping[str, SourceTable]:
    """Label of each model of the plan to its table.

    Raises `ExportError` naming a table or columns that are not there, or that this user may not read.
    """
    return {table.model: _source_table(connection, table, origin) for table in plan.tables}


def _source_table(connection: psycopg.Connection, table: TablePlan, origin: Origin) -> SourceTable:
    name = table_name(table.table).as_string(connection)
    with telling(f"{table.model} (table {table.table}) in {origin.name}", origin.password):
        rows = connection.execute(_COLUMNS, [name]).fetchall()
        enforced = frozenset(row[0] for row in connection.execute(_ENFORCED, [name]))
    there = {row[0]: row for row in rows}
    wanted = dict.fromkeys([table.key, *(column.name for column in table.columns)])
    if not there:
        msg = f"{table.model}: {origin.name} has no table {table.table}; run the migrations there, or name another"
        raise ExportError(msg)
    if missing := [column for column in wanted if column not in there]:
        msg = (
            f"{table.model}: the table {table.table} in {origin.name} has no column {', '.join(missing)}; "
            "run the migrations there, or leave it out: exclude=…"
        )
        raise ExportError(msg)
    if hidden := [column for column in wanted if not there[column][3]]:
        columns = "" if len(hidden) == len(wanted) else f" ({', '.join(hidden)})"
        user = connection.info.user
        msg = (
            f"{table.model}: {user} may not read the table {table.table}{columns} in {origin.name}; "
            f"on the server: GRANT SELECT{columns} ON {name} TO {user}"
        )
        raise ExportError(msg)
    is_bare = all(there[column.name][1] in _BARE and _BARE_NAME.fullmatch(column.name) for column in table.columns)
    key = there[table.key]
    return SourceTable(key[1], key[2], is_bare, max(0, key[4]), enforced)


def as_enforced(plan: SlicePlan, there: Mapping[str, SourceTable]) -> SlicePlan:
    """The plan, in which no table is whole whose rows may point to rows that are not there.

    What a model says of its constraints need not be so: they are dropped, or were never validated.
    """
    whole: set[str] = set()
    for table in plan.tables:
        parents = [(column.name, column.reference.model) for column in table.parents if column.reference]
        enforced = there[table.model].enforced
        if table.is_whole and all(name in enforced and one in {*whole, table.model} for name, one in parents):
            whole.add(table.model)
    return replace(plan, tables=tuple(replace(one, is_whole=one.model in whole) for one in plan.tables))


def with_what_is_there(connection: psycopg.Connection, plan: SlicePlan, origin: Origin) -> SlicePlan:
    """The plan without the tables that only a generic foreign key may lead to, and none does here."""
    if not any(table.is_optional for table in plan.tables):
        return plan
    # Where these two cannot be read, that is told before they are asked.
    source_tables(connection, plan.only([table.model for table in plan.tables if not table.is_optional]), origin)

    def kinds(key: GenericKey) -> set[tuple[str, str]]:
        types, table = plan.table(CONTENT_TYPE), plan.table(key.model)
        statement = sql.SQL(
            "SELECT y.app_label, y.model FROM {} AS y WHERE EXISTS (SELECT FROM {} AS m WHERE m.{} = y.{})"
        ).format(table_name(types.table), table_name(table.table), sql.Identifier(key.kind), sql.Identifier(types.key))
        with telling(f"{table.model} (table {table.table}) in {origin.name}", origin.password):
            return {(row[0], row[1]) for row in connection.execute(statement)}

    return present(plan, kinds)
