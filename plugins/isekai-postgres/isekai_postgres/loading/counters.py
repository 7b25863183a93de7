"""Counters of keys: whether the sequence of a table was set back since a slice was loaded, as by `manage.py flush`.

The keys of then are given once more, to other rows. A sequence that was set back is behind a remembered key, until
enough rows have come; and the server has given it another file, which only TRUNCATE … RESTART IDENTITY and
ALTER SEQUENCE do. After a dump and a restore, or with another type of the keys, it has another file all the same: so
it is remembered, too, where the file was, and elsewhere it says nothing.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from psycopg import sql

from isekai_core.slicing.columns import base_field
from isekai_postgres.loading.session import Session
from isekai_postgres.loading.target import find_table
from isekai_postgres.loading.work import Work

MAP = sql.Identifier("isekai_slice_map")
TABLE = sql.Identifier("isekai_slice_map_counters")

_CREATE = """
    CREATE TABLE isekai_slice_map_counters (
        slice text COLLATE "C", model text COLLATE "C", place text NOT NULL, file oid NOT NULL, last bigint,
        PRIMARY KEY (slice, model)
    )
"""
# The map itself is another table after a restore. A sequence that goes down, or around, has no last key.
_NOW = """
    SELECT 'isekai_slice_map'::regclass::oid || '.' || q.seqtypid, pg_relation_filenode(q.seqrelid),
           CASE WHEN q.seqincrement < 0 OR q.seqcycle THEN NULL WHEN s.is_called THEN s.last_value
                ELSE s.last_value - 1 END
    FROM pg_catalog.pg_sequence q, {} s WHERE q.seqrelid = {}::regclass
"""
_NOTE = """
    INSERT INTO {} (slice, model, place, file, last) VALUES ({}, {}, {})
    ON CONFLICT (slice, model) DO UPDATE SET place = excluded.place, file = excluded.file, last = excluded.last
"""


@dataclass(frozen=True, slots=True)
class _Counter:
    """A sequence at one time.

    place, file: where it was.
    last: the last key that it has given; None where that says nothing of others.
    """

    place: str
    file: int
    last: int | None


def sequence_of(session: Session, model: Any) -> str:
    """What numbers the rows of a model, of a multi-table child those of its parent; "" where nothing does."""
    field = base_field(model._meta.pk)
    table = find_table(session, field.model._meta.db_table)
    return table.columns[field.column].sequence if table and field.column in table.columns else ""


def sequences_of(work: Work) -> dict[str, str]:
    """The same of each part of a load that has one."""
    roots = {part.label: work.root(part) for part in work.parts}
    return {label: root.key_column.sequence for label, root in roots.items() if root and root.key_column.sequence}


def set_back(session: Session, name: str, sequences: Mapping[str, str]) -> list[str]:
    """The models, of those with these sequences, of which keys that loads under `name` gave may be given to others."""
    noted = _noted(session, name)
    return [model for model, one in sequences.items() if _is_set_back(session, name, model, one, noted.get(model))]


def note(session: Session, name: str, sequences: Mapping[str, str]) -> None:
    """Note what the sequences of these models are now, when they are behind no key, for the next load under `name`."""
    if not _exists(session):
        session.run(sql.SQL(_CREATE))
    for model, sequence in sequences.items():
        now = sql.SQL(", ").join(map(sql.Literal, astuple(_now(session, sequence))))
        session.run(sql.SQL(_NOTE).format(TABLE, sql.Literal(name), sql.Literal(model), now))


def forget(session: Session, name: str) -> None:
    """Forget a slice."""
    if _exists(session):
        session.run(sql.SQL("DELETE FROM {} WHERE slice = {}").format(TABLE, sql.Literal(name)))


def _is_set_back(session: Session, name: str, model: str, sequence: str, then: _Counter | None) -> bool:
    now = _now(session, sequence)
    if then is not None and then.place == now.place:
        if then.file != now.file:
            return True
        if then.last is not None and now.last is not None and now.last >= then.last:
            return False
    # It went back, or nobody knows; where no remembered key is behind it, that does no harm.
    return now.last is not None and now.last < _greatest(session, name, model)


def _greatest(session: Session, name: str, model: str) -> int:
    statement = sql.SQL("SELECT coalesce(max(new::bigint), 0) FROM {} WHERE slice = {} AND model = {}")
    return int(session.value(statement.format(MAP, sql.Literal(name), sql.Literal(model))))


def _now(session: Session, sequence: str) -> _Counter:
    return _Counter(*session.rows(sql.SQL(_NOW).format(sql.SQL(sequence), sql.Literal(sequence)))[0])


def _noted(session: Session, name: str) -> dict[str, _Counter]:
    statement = sql.SQL("SELECT model, place, file, last FROM {} WHERE slice = {}")
    rows = session.rows(statement.format(TABLE, sql.Literal(name))) if _exists(session) else []
    return {model: _Counter(*rest) for model, *rest in rows}


def _exists(session: Session) -> bool:
    return bool(session.value(sql.SQL("SELECT to_regclass('isekai_slice_map_counters') IS NOT NULL")))
