"""What the target's catalog says of a table: its columns, what they hold, and where new keys come from."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from isekai_postgres.loading.session import Session
from isekai_postgres.names import quoted

_TABLE = """
    SELECT c.oid, n.nspname, c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass({}) AND c.relkind IN ('r', 'p')
"""
_COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), coalesce(b.typname, t.typname),
           a.attnotnull, a.attidentity <> '', a.attgenerated <> '', coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
           CASE WHEN a.atttypmod > 4 AND t.typname IN ('varchar', 'bpchar') THEN a.atttypmod - 4 END,
           coalesce(s.oid::regclass::text, '')
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN LATERAL (
        -- the sequence of an identity column, or the one that the default asks, whoever owns it
        SELECT q.oid FROM pg_catalog.pg_depend e
        JOIN pg_catalog.pg_class q ON q.relkind = 'S'
          AND ((e.classid = 'pg_class'::regclass AND e.objid = q.oid AND e.deptype = 'i'
                AND e.refobjid = a.attrelid AND e.refobjsubid = a.attnum)
            OR (e.classid = 'pg_attrdef'::regclass AND e.objid = d.oid AND e.refobjid = q.oid))
        LIMIT 1
    ) s ON true
    WHERE a.attrelid = {} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
# They have no equality: what is in them is compared as text.
_INCOMPARABLE = frozenset({"json", "xml", "point", "polygon", "box", "path", "line", "lseg", "circle", "lquery"})


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

    @property
    def is_comparable(self) -> bool:
        """Whether the type has an equality."""
        return self.base not in _INCOMPARABLE


@dataclass(frozen=True, slots=True)
class TargetTable:
    """A table of the target."""

    oid: int
    schema: str
    name: str
    columns: Mapping[str, TargetColumn]

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
    return TargetTable(oid, schema, relname, {row[0]: TargetColumn(*row) for row in rows})


def forward(session: Session, table: TargetTable, column: str, found: sql.Identifier | None = None) -> None:
    """Move the column's sequence behind its greatest value, if it is not there yet; never back.

    found: a table of keys, in `new`, that are going to be in the column.
    """
    sequence = table.columns[column].sequence
    if not sequence:
        return
    statement = sql.SQL(
        "SELECT setval({name}, top) FROM {sequence} q,"
        " (SELECT greatest((SELECT max({column}) FROM {table}), {more}) AS top) t"
        " WHERE q.last_value < top OR (q.last_value = top AND NOT q.is_called)"
    )
    session.run(
        statement.format(
            more=sql.SQL("(SELECT max(new) FROM {})").format(found) if found else sql.SQL("NULL"),
            name=sql.Literal(sequence),
            sequence=sql.SQL(sequence),
            column=sql.Identifier(column),
            table=table.identifier,
        )
    )
