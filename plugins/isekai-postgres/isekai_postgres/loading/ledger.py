"""The ledger: the id map that stays in the target, so that a slice gets the same keys again and can be taken away."""

from collections.abc import Mapping

from psycopg import sql

from isekai_core.errors import MergeError
from isekai_postgres.loading import counters
from isekai_postgres.loading.drift import Part
from isekai_postgres.loading.session import Session
from isekai_postgres.loading.work import Work

TABLE = counters.MAP

# There is no index of the old keys: they are always looked up by the thousand, in one pass over the slice's rows, and
# such an index would cost more than all else that is done for a row. The lock keeps them from being there twice. The
# rows of a load lie together, which is all that a BRIN index needs.
_CREATE = """
    CREATE TABLE isekai_slice_map (
        slice text COLLATE "C" NOT NULL,
        model text COLLATE "C" NOT NULL,
        old text COLLATE "C" NOT NULL,
        new text COLLATE "C" NOT NULL,
        created boolean NOT NULL,
        version xid NOT NULL DEFAULT ((txid_current() % 4294967296)::text::xid),
        loaded_at timestamptz NOT NULL DEFAULT now()
    )
"""
_IS_COMPLETE = """
    SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'isekai_slice_map'::regclass AND attname = 'version')
"""
_COMPLETE = """
    ALTER TABLE isekai_slice_map
        ADD COLUMN IF NOT EXISTS version xid NOT NULL DEFAULT ((txid_current() % 4294967296)::text::xid),
        ADD COLUMN IF NOT EXISTS loaded_at timestamptz NOT NULL DEFAULT now()
"""
# Rows that got another key, or that were gone and have been made again.
_AGAIN = """
    UPDATE {ledger} l SET new = m.new::text, version = {now}, created = NOT m.existed, loaded_at = now()
    FROM {map} m WHERE l.slice = {name} AND l.model = {model} AND l.old = m.old::text
      AND (l.new <> m.new::text OR NOT m.existed)
"""
# Rows that an earlier load created, and this one changed, are as this load left them.
_RENEW = """
    UPDATE {ledger} l SET version = {now} FROM {map} m JOIN {target} t ON t.{key} = m.new
    WHERE l.slice = {name} AND l.model = {model} AND l.old = m.old::text AND l.created AND t.xmin = {now}
"""


def exists(session: Session) -> bool:
    """Whether the target has a ledger."""
    return bool(session.value(sql.SQL("SELECT to_regclass('isekai_slice_map') IS NOT NULL")))


def knows(session: Session, name: str, model: str) -> bool:
    """Whether rows of this model have been loaded under this name."""
    statement = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE slice = {} AND model = {})")
    return exists(session) and bool(session.value(statement.format(TABLE, sql.Literal(name), sql.Literal(model))))


def forget_void(session: Session, name: str, sequences: Mapping[str, str]) -> None:
    """Forget the keys of tables whose sequence was set back since they were given: other rows may have them by now.

    sequences: label of each model in question to its sequence; a key that comes from none is given to no other row.
    """
    if exists(session) and (void := counters.set_back(session, name, sequences)):
        statement = sql.SQL("DELETE FROM {} WHERE slice = {} AND model = ANY({})")
        session.run(statement.format(TABLE, sql.Literal(name), sql.Literal(void)))


def forget(session: Session, name: str) -> None:
    """Forget a slice."""
    session.run(sql.SQL("DELETE FROM {} WHERE slice = {}").format(TABLE, sql.Literal(name)))
    counters.forget(session, name)


def find(work: Work, part: Part, *, only_there: bool) -> None:
    """Find the keys of an earlier load of the same name.

    only_there: only those of rows that are still there.
    """
    if not knows(work.session, work.name, part.label):
        return
    statement = sql.SQL(
        "INSERT INTO {found} SELECT s.{k}, l.new::{type} FROM {stage} s"
        " JOIN {ledger} l ON l.slice = {name} AND l.model = {model} AND l.old = s.{k}::text"
        " {there} WHERE NOT EXISTS (SELECT FROM {found} f WHERE f.old = s.{k})"
    )
    there = sql.SQL("JOIN {} t ON t.{} = l.new::{}").format(
        part.target.identifier, part.key, sql.SQL(part.key_column.type)
    )
    work.session.run(
        statement.format(
            found=part.found,
            k=part.key,
            type=sql.SQL(part.key_column.type),
            stage=part.stage,
            ledger=TABLE,
            name=sql.Literal(work.name),
            model=sql.Literal(part.label),
            there=there if only_there else sql.SQL(""),
        )
    )


def keep(work: Work) -> None:
    """Keep the maps of all parts; `MergeError` when a row that an earlier load created has another key now."""
    if not exists(work.session):
        work.session.run(sql.SQL(_CREATE))
        work.session.run(sql.SQL("CREATE INDEX isekai_slice_map_of ON {} USING brin (slice, model)").format(TABLE))
    elif not work.session.value(sql.SQL(_IS_COMPLETE)):
        # It was made through Django's own connection, with the columns that every database can have.
        work.session.run(sql.SQL(_COMPLETE))
    for part in work.parts:
        if not knows(work.session, work.name, part.label):
            work.session.run(_insert(work, part))
            continue
        _refuse_others(work, part)
        for statement in (_AGAIN, _RENEW):
            work.session.run(
                sql.SQL(statement).format(
                    ledger=TABLE,
                    map=part.map,
                    target=part.target.identifier,
                    key=part.key,
                    name=sql.Literal(work.name),
                    model=sql.Literal(part.label),
                    now=work.session.now,
                )
            )
        more = sql.SQL(
            "{} m WHERE NOT EXISTS (SELECT FROM {} l WHERE l.slice = {} AND l.model = {} AND l.old = m.old::text)"
        )
        work.session.run(more.format(_insert(work, part), TABLE, sql.Literal(work.name), sql.Literal(part.label)))


def _insert(work: Work, part: Part) -> sql.Composed:
    statement = sql.SQL(
        "INSERT INTO {} (slice, model, old, new, created, version)"
        " SELECT {}, {}, old::text, new::text, NOT existed, {} FROM {}"
    )
    return statement.format(TABLE, sql.Literal(work.name), sql.Literal(part.label), work.session.now, part.map)


def _refuse_others(work: Work, part: Part) -> None:
    # Apart: the planner takes keys that differ for the rule, and would look at pairs until the first one comes.
    statement = sql.SQL(
        "WITH other AS MATERIALIZED (SELECT l.old, l.new, m.new::text AS now FROM {} l JOIN {} m ON m.old::text = l.old"
        " WHERE l.slice = {} AND l.model = {} AND l.created AND l.new <> m.new::text)"
        " SELECT o.old, o.new, o.now FROM other o JOIN {} t ON t.{} = o.new::{} LIMIT 1"
    )
    values = (TABLE, part.map, sql.Literal(work.name), sql.Literal(part.label), part.target.identifier, part.key)
    if rows := work.session.rows(statement.format(*values, sql.SQL(part.key_column.type))):
        old, before, now = rows[0]
        msg = (
            f"an earlier load of {work.name!r} made {part.label} {old} the row {before}, and this one would make it"
            f" {now}; unload {work.name!r} first, or give this load another name"
        )
        raise MergeError(msg)
