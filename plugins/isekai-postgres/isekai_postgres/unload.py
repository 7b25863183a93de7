"""Unload: exactly the rows that loads of a name created go, if nobody has changed them or points to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from psycopg import sql

from isekai_core.errors import MergeError
from isekai_core.slicing.columns import columns_of
from isekai_core.slicing.order import groups_of
from isekai_core.types.slices import TableReport
from isekai_postgres.loading import ledger
from isekai_postgres.loading.counters import sequence_of
from isekai_postgres.loading.session import Session
from isekai_postgres.loading.target import TargetTable, find_table

_SHOWN = 5
# Of one column: a key of several columns is none of Django's, and the server itself looks after it.
_POINTING = """
    SELECT c.conname, c.conrelid, n.nspname, r.relname, a.attname, b.attname
    FROM pg_catalog.pg_constraint c
    JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    JOIN pg_catalog.pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
    WHERE c.contype = 'f' AND c.confrelid = {} AND cardinality(c.conkey) = 1 AND c.conparentid = 0
    ORDER BY c.conname
"""


@dataclass(frozen=True, slots=True)
class _Going:
    """A table from which rows go, and where their keys are."""

    label: str
    model: Any
    target: TargetTable
    number: int

    @property
    def key(self) -> sql.Identifier:
        return sql.Identifier(self.model._meta.pk.column)

    @property
    def keys(self) -> sql.Identifier:
        return sql.Identifier("pg_temp", f"isekai_going_{self.number}")


def remove(session: Session, name: str) -> list[TableReport]:
    """Remove the rows and forget the map, within the session's transaction; how many went from each table."""
    if not ledger.exists(session):
        msg = f"no slice has been loaded here, so there is no {name!r} to unload"
        raise MergeError(msg)
    going = list(_going(session, name))
    if not going:
        raise MergeError(_unknown(session, name))
    ledger.forget_void(session, name, _sequences(session, going))
    for one in going:
        _collect(session, one, name)
    problems = [text for one in going for text in (*_edited(session, one), *_pointed(session, one, going))]
    if problems:
        msg = f"unloading {name!r}: {'; '.join(problems)}; undo that, or remove these rows yourself"
        raise MergeError(msg)
    reports = _delete(session, going)
    ledger.forget(session, name)
    session.run(sql.SQL("SET CONSTRAINTS ALL IMMEDIATE"))
    return reports


def _unknown(session: Session, name: str) -> str:
    names = [row[0] for row in session.rows(sql.SQL("SELECT DISTINCT slice FROM {} LIMIT 20").format(ledger.TABLE))]
    return f"no slice {name!r} has been loaded here; there are {', '.join(sorted(names)) or 'none'}"


def _going(session: Session, name: str) -> Iterator[_Going]:
    """The tables, those that point to others first."""
    statement = sql.SQL("SELECT DISTINCT model FROM {} WHERE slice = {}")
    models = {}
    for (label,) in session.rows(statement.format(ledger.TABLE, sql.Literal(name))):
        try:
            models[label] = apps.get_model(label)
        except (LookupError, ValueError):
            msg = f"unloading {name!r}: this project has no model {label}, and the slice has rows of it"
            raise MergeError(msg) from None
    needs = {
        label: [column.reference.model for column in columns_of(model) if column.reference]
        for label, model in models.items()
    }
    labels = [label for group in groups_of(needs) for label in group]
    for number, label in enumerate(reversed(labels)):
        target = find_table(session, models[label]._meta.db_table)
        if target is not None:
            yield _Going(label, models[label], target, number)


def _sequences(session: Session, going: list[_Going]) -> dict[str, str]:
    found = {one.label: sequence_of(session, one.model) for one in going}
    return {label: sequence for label, sequence in found.items() if sequence}


def _collect(session: Session, one: _Going, name: str) -> None:
    """The keys of rows that were created and are still there; those that are gone need nothing."""
    kind = one.target.columns[one.model._meta.pk.column].type
    statement = sql.SQL(
        "CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT t.{k} AS key, t.xmin <> l.version AS edited"
        " FROM {} l JOIN {} t ON t.{k} = l.new::{} WHERE l.slice = {} AND l.model = {} AND l.created"
    )
    values = (ledger.TABLE, one.target.identifier, sql.SQL(kind), sql.Literal(name), sql.Literal(one.label))
    session.run(statement.format(one.keys, *values, k=one.key))
    session.run(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (key)").format(one.keys))
    session.run(sql.SQL("ANALYZE {}").format(one.keys))


def _edited(session: Session, one: _Going) -> Iterator[str]:
    rows = session.rows(
        sql.SQL("SELECT key, count(*) OVER () FROM {} WHERE edited ORDER BY key LIMIT {}").format(one.keys, _SHOWN)
    )
    if rows:
        yield f"{one.label} has {rows[0][1]} that were changed since ({', '.join(str(row[0]) for row in rows)})"


def _pointed(session: Session, one: _Going, going: list[_Going]) -> Iterator[str]:
    """Rows that stay and point to rows that go."""
    for name, oid, schema, table, column, pointed in session.rows(sql.SQL(_POINTING).format(one.target.oid)):
        own = next((other for other in going if other.target.oid == oid), None)
        stays: sql.SQL | sql.Composed = sql.SQL("true")
        if own is not None:
            stays = sql.SQL("NOT EXISTS (SELECT FROM {} o WHERE o.key = c.{})").format(own.keys, own.key)
        statement = sql.SQL(
            "SELECT c.{column}::text, count(*) OVER () FROM {table} c JOIN {target} t ON t.{pointed} = c.{column}"
            " JOIN {keys} k ON k.key = t.{key} WHERE {stays} ORDER BY 1 LIMIT {shown}"
        ).format(
            column=sql.Identifier(column),
            table=sql.Identifier(schema, table),
            target=one.target.identifier,
            pointed=sql.Identifier(pointed),
            keys=one.keys,
            key=one.key,
            stays=stays,
            shown=_SHOWN,
        )
        if rows := session.rows(statement):
            values = ", ".join(dict.fromkeys(row[0] for row in rows))
            yield f"{rows[0][1]} rows of table {table} point to rows of {one.label} ({column} {values}; {name})"


def _delete(session: Session, going: list[_Going]) -> list[TableReport]:
    """All in one statement, children first: constraints that cannot be deferred are checked at its end."""
    names = [sql.Identifier(f"d{one.number}") for one in going]
    parts = [
        sql.SQL("{} AS (DELETE FROM {} t USING {} k WHERE k.key = t.{} RETURNING 1)").format(
            name, one.target.identifier, one.keys, one.key
        )
        for name, one in zip(names, going, strict=True)
    ]
    counts = sql.SQL(", ").join(sql.SQL("(SELECT count(*) FROM {})").format(name) for name in names)
    numbers = session.rows(sql.SQL("WITH {} SELECT {}").format(sql.SQL(", ").join(parts), counts))[0]
    return [TableReport(one.label, number, 0, 0, 0) for one, number in zip(going, numbers, strict=True)]
