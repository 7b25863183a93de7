"""Fresh parts: their table in the target is empty, and no earlier load is remembered, so that no key can be found.

Staging gives their rows the new keys while it reads them. Their map is a view of what is staged: making a table of it,
and joining that to the rows again, would cost as much as inserting them.
"""

from psycopg import sql

from isekai_core.slicing.generic import generic_keys
from isekai_postgres.loading import ledger
from isekai_postgres.loading.drift import Part
from isekai_postgres.loading.target import forward
from isekai_postgres.loading.work import Work

KEY = sql.Identifier("isekai_new_key")
"""The column of a staging table that holds the new keys."""


def find_fresh(work: Work) -> frozenset[str]:
    """The labels of the parts that are fresh."""
    # What a generic foreign key points to is looked up row by row, for which a view has no index.
    if any(generic_keys(part.model) for part in work.parts):
        return frozenset()
    return frozenset(part.label for part in work.parts if _is_fresh(work, part))


def _is_fresh(work: Work, part: Part) -> bool:
    return (
        bool(part.key_column.sequence)
        and part.key_reference is None
        and part.label not in work.choice.fixed
        and not work.keeps(part)
        and work.is_empty(part)
        and not ledger.knows(work.session, work.name, part.label)
    )


def give_keys(work: Work, part: Part) -> None:
    """Each row that comes into the staging table gets a new key."""
    # A sequence behind its table would give keys that are taken. Moving it is harmless if all is taken back.
    forward(work.session, part.target, part.table.key)
    statement = sql.SQL("ALTER TABLE {} ADD COLUMN {} {} DEFAULT nextval({})")
    kind = sql.SQL(part.key_column.type)
    work.session.run(statement.format(part.stage, KEY, kind, sql.Literal(part.key_column.sequence)))


def make_view(work: Work, part: Part) -> bool:
    """Make the map of a fresh part; whether the bundle has each key once."""
    statement = sql.SQL("CREATE TEMP VIEW {} AS SELECT s.{} AS old, s.{} AS new, false AS existed FROM {} s")
    work.session.run(statement.format(part.map, part.key, KEY, part.stage))
    number = work.session.value(sql.SQL("SELECT count(DISTINCT {}) FROM {}").format(part.key, part.stage))
    return bool(number == part.table.rows)
