"""The tables of a slice as the source has them: missing ones are told before anything is read."""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from isekai_core.errors import ExportError
from isekai_core.types.slices import SlicePlan, TablePlan
from isekai_postgres.reasons import telling
from isekai_postgres.snapshot import Origin
from isekai_postgres.sql import table_name

_COLUMNS = """
    SELECT a.attname, pg_catalog.format_type(a.atttypid, -1), a.attcollation <> 0,
           pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """The primary key of a table: its type in SQL, and whether it is a text, whose order is a matter of taste."""

    type: str
    is_text: bool


def key_columns(connection: psycopg.Connection, plan: SlicePlan, origin: Origin) -> Mapping[str, KeyColumn]:
    """Label of each model of the plan to its key column.

    Raises `ExportError` naming a table or columns that are not there, or that this user may not read.
    """
    return {table.model: _key_column(connection, table, origin) for table in plan.tables}


def _key_column(connection: psycopg.Connection, table: TablePlan, origin: Origin) -> KeyColumn:
    name = table_name(table.table).as_string(connection)
    with telling(f"{table.model} (table {table.table}) in {origin.name}", origin.password):
        rows = connection.execute(_COLUMNS, [name]).fetchall()
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
    return KeyColumn(there[table.key][1], there[table.key][2])
