"""What the target's catalog says of a table: its columns, what they hold, and where new keys come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from isekai_postgres.loading.session import Session
from isekai_postgres.names import quoted

_TABLE = """
    SELECT c.oid, n.nspname, c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass({}) AND c.relkind IN ('r', 'p')
"""
_COLUMNS = r"""
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), b.typname,
           a.attnotnull, a.attidentity <> '', a.attgenerated <> '', coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
           CASE WHEN a.atttypmod > 4 AND t.typname IN ('varchar', 'bpchar') THEN a.atttypmod - 4 END,
           coalesce(s.oid::regclass::text, '')
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN LATERAL (
        -- a domain may be one of a domain
        WITH RECURSIVE below AS (
            SELECT t.typname, t.typbasetype UNION ALL
            SELECT n.typname, n.typbasetype FROM below JOIN pg_catalog.pg_type n ON n.oid = below.typbasetype
        )
        SELECT typname FROM below WHERE typbasetype = 0
    ) b ON true
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN LATERAL (
        -- the sequence of an identity column, or the one that the default asks, whoever owns it
        SELECT q.oid FROM pg_catalog.pg_depend e
        JOIN pg_catalog.pg_class q ON q.relkind = 'S'
          AND ((e.classid = 'pg_class'::regclass AND e.objid = q.oid AND e.deptype = 'i'
                AND e.refobjid = a.attrelid AND e.refobjsubid = a.attnum)
            OR (e.classid = 'pg_attrdef'::regclass AND e.objid = d.oid AND e.refobjid = q.oid))
        UNION ALL
        -- or that it asks by a text, as dumps of old servers have it, of which nothing depends on it
        SELECT q.oid FROM pg_catalog.pg_class q
        WHERE q.relkind = 'S' AND q.oid = to_regclass(replace(
            substring(pg_get_expr(d.adbin, d.adrelid) FROM $re$^nextval\(\('((?:[^']|'')+)'::text\)::regclass\)$$re$),
            $$''$$, $$'$$))
        LIMIT 1
    ) s ON true
    WHERE a.attrelid = {} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_PRIMARY = """
    SELECT a.attname FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = {} AND i.indisprimary AND i.indimmediate AND i.indnkeyatts = 1
"""


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column of the target.

    type: as DDL writes it; base: the name of the type alone, of a domain that of what is below it.
    sequence: where its values come from, written so that SQL can read it; "" without one.
    """

    name: str
    type: str
    base: str
    not_null: bool
    identity: bool
    generated: bool
    default: str
    length: int | None
    sequence: str

    @property
    def is_required(self) -> bool:
        """Whether a row cannot be without a value for it."""
        return self.not_null and not (self.identity or self.generated or self.default)


@dataclass(frozen=True, slots=True)
class TargetTable:
    """A table of the target.

    primary: the column that alone is its primary key, if that is looked after row by row; "" otherwise.
    """

    oid: int
    schema: str
    name: str
    columns: Mapping[str, TargetColumn]
    primary: str

    @property
    def identifier(self) -> sql.Identifier:
        """Its name for SQL."""
        return sql.Identifier(self.schema, self.name)


def find_table(session: Session, name: str) -> TargetTable | None:
    """The table of that name as Django writes it: a quoted name may hold a schema, too."""
    found = session.rows(sql.SQL(_TABLE).format(sql.Literal(quoted(name))))
    if not found:
        return None
    oid, schema, relname = found[0]
    rows = session.rows(sql.SQL(_COLUMNS).format(sql.Literal(oid)))
    primary = session.value(sql.SQL(_PRIMARY).format(sql.Literal(oid))) or ""
    return TargetTable(oid, schema, relname, {row[0]: TargetColumn(*row) for row in rows}, primary)


def why_no_table(session: Session, name: str) -> str:
    """What is there instead of the table of that name."""
    kinds = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}
    statement = sql.SQL("SELECT relkind::text FROM pg_catalog.pg_class WHERE oid = to_regclass({})")
    kind = kinds.get(session.value(statement.format(sql.Literal(quoted(name)))))
    if kind is None:
        return f"there is no table {name!r}"
    return f"{name!r} is {kind}, into which no rows are loaded: cut the slice without it"


def forward(session: Session, table: TargetTable, column: str, found: sql.Identifier | None = None) -> None:
    """Move the column's sequence behind its last value, if it is not there yet; never back.

    found: a table of keys, in `new`, that are going to be in the column.
    """
    sequence = table.columns[column].sequence
    if not sequence:
        return
    session.run(
        sql.SQL(_FORWARD).format(
            up=_outermost("max", table, column, found),
            down=_outermost("min", table, column, found),
            name=sql.Literal(sequence),
            sequence=sql.SQL(sequence),
        )
    )


# What a sequence has given last is the least of all, where it goes down.
_FORWARD = """
    SELECT setval({name}, t.last) FROM {sequence} q, (
        SELECT p.seqincrement > 0 AS goes_up, CASE WHEN p.seqincrement > 0 THEN {up} ELSE {down} END AS last
        FROM pg_catalog.pg_sequence p WHERE p.seqrelid = {name}::regclass
    ) t
    WHERE CASE WHEN t.goes_up THEN q.last_value < t.last ELSE q.last_value > t.last END
       OR (q.last_value = t.last AND NOT q.is_called)
"""


def _outermost(most: LiteralString, table: TargetTable, column: str, found: sql.Identifier | None) -> sql.Composed:
    """The greatest or the least value of the column and of the keys that are found."""
    own = sql.SQL("(SELECT {}({}) FROM {})").format(sql.SQL(most), sql.Identifier(column), table.identifier)
    if found is None:
        return own
    both = sql.SQL("greatest" if most == "max" else "least")
    return sql.SQL("{}({}, (SELECT {}(new) FROM {}))").format(both, own, sql.SQL(most), found)
