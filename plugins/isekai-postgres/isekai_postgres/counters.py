"""Counters of keys: whether the sequence of a table was set back since a slice was loaded, as by `manage.py flush`.

The keys of then are given once more, to other rows. A sequence that was set back is behind a remembered key, until
enough rows have come; and the server has given it another file, which only TRUNCATE … RESTART IDENTITY and
ALTER SEQUENCE do. After a dump and a restore, or with another type of the keys, it has another file all the same: so
it is remembered, too, where the file was, and elsewhere it says nothing.
"""

from collections.abc import Mapping
from typing import Any

from psycopg import sql

from isekai_core.slicing.columns import base_field
from isekai_postgres.session import Session
from isekai_postgres.target import find_table
from isekai_postgres.work import Work

MAP = sql.Identifier("isekai_slice_map")
TABLE = sql.Identifier("isekai_slice_map_counters")

_CREATE = """
    CREATE TABLE isekai_slice_map_counters (
        slice text COLLATE "C", model text COLLATE "C", place text NOT NULL, file oid NOT NULL,
        PRIMARY KEY (slice, model)
    )
"""
# The map itself is another table after a restore.
_NOW = """
    SELECT 'isekai_slice_map'::regclass::oid || '.' || q.seqtypid AS place, pg_relation_filenode(q.seqrelid) AS file
    FROM pg_catalog.pg_sequence q WHERE q.seqrelid = {}::regclass
"""
_HAS_ANOTHER_FILE = """
    SELECT EXISTS (SELECT FROM {table} c JOIN ({now}) n ON n.place = c.place AND n.file <> c.file
                   WHERE c.slice = {name} AND c.model = {model})
"""
# One that goes down, or around, is behind for other reasons.
_IS_BEHIND = """
    SELECT EXISTS (SELECT FROM pg_catalog.pg_sequence
                   WHERE seqrelid = {text}::regclass AND seqincrement > 0 AND NOT seqcycle)
       AND (SELECT max(l.new::numeric) FROM {map} l WHERE l.slice = {name} AND l.model = {model})
         > (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {sequence})
"""
_NOTE = """
    INSERT INTO {table} (slice, model, place, file) SELECT {name}, {model}, n.place, n.file FROM ({now}) n
    ON CONFLICT (slice, model) DO UPDATE SET place = excluded.place, file = excluded.file
"""


def sequence_of(session: Session, model: Any) -> str:
    """What numbers the rows of a model, of a multi-table child those of its parent; "" where nothing does."""
    field = base_field(model._meta.pk)
    table = find_table(session, field.model._meta.db_table)
    return table.columns[field.column].sequence if table and field.column in table.columns else ""


def sequences_of(work: Work) -> dict[str, str]:
    """The same of each part of a load that has one."""
    roots = {part.label: work.root(part) for part in work.parts}
    return {label: root.key_column.sequence for label, root in roots.items() if root and root.key_column.sequence}


def was_set_back(session: Session, name: str, model: str, sequence: str) -> bool:
    """Whether keys that loads under `name` gave to rows of this model may be given to others."""
    values = {"table": TABLE, "map": MAP, "name": sql.Literal(name), "model": sql.Literal(model)}
    now = sql.SQL(_NOW).format(sql.Literal(sequence))
    if _exists(session) and session.value(sql.SQL(_HAS_ANOTHER_FILE).format(now=now, **values)):
        return True
    behind = sql.SQL(_IS_BEHIND).format(text=sql.Literal(sequence), sequence=sql.SQL(sequence), **values)
    return bool(session.value(behind))


def note(session: Session, name: str, sequences: Mapping[str, str]) -> None:
    """Note what the sequences of these models are now, when the map is made, for the next load under `name`."""
    if not _exists(session):
        session.run(sql.SQL(_CREATE))
    for model, sequence in sequences.items():
        now = sql.SQL(_NOW).format(sql.Literal(sequence))
        session.run(sql.SQL(_NOTE).format(table=TABLE, name=sql.Literal(name), model=sql.Literal(model), now=now))


def forget(session: Session, name: str) -> None:
    """Forget a slice."""
    if _exists(session):
        session.run(sql.SQL("DELETE FROM {} WHERE slice = {}").format(TABLE, sql.Literal(name)))


def _exists(session: Session) -> bool:
    return bool(session.value(sql.SQL("SELECT to_regclass('isekai_slice_map_counters') IS NOT NULL")))
