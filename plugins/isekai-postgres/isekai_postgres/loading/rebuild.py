"""Rebuild: for a large load, indexes and foreign keys are dropped, and made again as they were, all in one transaction.

So are the primary keys of tables that are empty. Whatever is out of the ordinary (partitions, inherited constraints,
tablespaces of their own, replica identities) stays on: that is slower, and right.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import sql

from isekai_core.errors import MergeError
from isekai_postgres.loading.session import Session
from isekai_postgres.loading.work import Work

# Indexes; the constraint that one of them carries; what else they have to have again. A primary key is needed to find
# rows that are there: it goes only where there are none, and where no view and no other table leans on it.
_INDEXES = """
    SELECT i.indexrelid, n.nspname, x.relname, i.indrelid::regclass::text, pg_get_indexdef(i.indexrelid),
           coalesce(c.conname, ''), CASE c.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END,
           coalesce(c.condeferrable, false), coalesce(c.condeferred, false),
           obj_description(i.indexrelid, 'pg_class'), obj_description(c.oid, 'pg_constraint')
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
    JOIN pg_catalog.pg_class r ON r.oid = i.indrelid
    LEFT JOIN pg_catalog.pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')
    WHERE i.indrelid = ANY ({tables}) AND r.relkind = 'r' AND NOT r.relispartition
      AND NOT i.indisreplident AND NOT i.indisclustered AND i.indisvalid AND i.indisready
      AND x.reltablespace = 0 AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = i.indexrelid)
      AND (c.oid IS NULL OR (c.contype IN ('u', 'p') AND c.coninhcount = 0))
      AND (NOT i.indisprimary OR (
            i.indrelid = ANY ({fresh})
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                            WHERE d.refclassid = 'pg_constraint'::regclass AND d.refobjid = c.oid
                              AND d.classid = 'pg_rewrite'::regclass)
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class q ON q.oid = k.conrelid
                            WHERE k.contype = 'f' AND k.conindid = i.indexrelid
                              AND (k.conrelid <> ALL ({tables}) OR k.conparentid <> 0 OR q.relkind <> 'r'
                                   OR q.relispartition))))
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                      WHERE a.attrelid = i.indexrelid AND a.attstattarget > 0)
    ORDER BY x.relname
"""
# Foreign keys of the tables, and those of any table that lean on an index that goes.
_FOREIGN_KEYS = """
    SELECT c.conname, c.conrelid::regclass::text, pg_get_constraintdef(c.oid), obj_description(c.oid, 'pg_constraint')
    FROM pg_catalog.pg_constraint c
    JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
    JOIN pg_catalog.pg_class f ON f.oid = c.confrelid
    WHERE c.contype = 'f' AND c.conparentid = 0 AND r.relkind = 'r' AND f.relkind = 'r' AND NOT r.relispartition
      AND (c.conrelid = ANY ({tables}) OR c.conindid = ANY ({indexes}))
    ORDER BY c.conname, 2
"""


@dataclass(frozen=True, slots=True)
class _Index:
    oid: int
    schema: str
    name: str
    table: str
    definition: str
    constraint: str
    kind: str
    deferrable: bool
    deferred: bool
    comment: str | None
    constraint_comment: str | None

    def drop(self) -> sql.Composed:
        """Without CASCADE: what leans on it and is not known here makes the load fail."""
        if self.constraint:
            return _alter(self.table, sql.SQL("DROP CONSTRAINT {}").format(sql.Identifier(self.constraint)))
        return sql.SQL("DROP INDEX {}").format(sql.Identifier(self.schema, self.name))

    def make(self) -> Iterator[sql.SQL | sql.Composed]:
        """From the definition of the index, which tells more than that of the constraint."""
        yield sql.SQL(self.definition)
        if self.comment is not None and not self.constraint:
            yield _comment(sql.SQL("INDEX {}").format(sql.Identifier(self.schema, self.name)), self.comment)
        if self.constraint:
            deferred = "DEFERRED" if self.deferred else "IMMEDIATE"
            when = f" DEFERRABLE INITIALLY {deferred}" if self.deferrable else ""
            change = sql.SQL("ADD CONSTRAINT {} {} USING INDEX {}{}").format(
                sql.Identifier(self.constraint), sql.SQL(self.kind), sql.Identifier(self.name), sql.SQL(when)
            )
            yield _alter(self.table, change)
            if self.comment is not None:
                yield _comment(sql.SQL("INDEX {}").format(sql.Identifier(self.schema, self.name)), self.comment)
            if self.constraint_comment is not None:
                yield _constraint_comment(self.constraint, self.table, self.constraint_comment)


@dataclass(frozen=True, slots=True)
class _ForeignKey:
    name: str
    table: str
    definition: str
    comment: str | None

    def drop(self) -> sql.Composed:
        """Take it away."""
        return _alter(self.table, sql.SQL("DROP CONSTRAINT {}").format(sql.Identifier(self.name)))

    def make(self) -> Iterator[sql.SQL | sql.Composed]:
        """Made anew, it is checked for all rows at once."""
        change = sql.SQL("ADD CONSTRAINT {} {}").format(sql.Identifier(self.name), sql.SQL(self.definition))
        yield _alter(self.table, change)
        if self.comment is not None:
            yield _constraint_comment(self.name, self.table, self.comment)


@contextmanager
def rebuilding(work: Work) -> Iterator[None]:
    """Within it, foreign keys and indexes of the tables are away, when the choice says so."""
    if work.choice.constraints != "rebuild":
        yield
        return
    session = work.session
    # The expressions of definitions have to name their schemas: with nothing on the path, the server writes them.
    path = session.value(sql.SQL("SELECT current_setting('search_path')"))
    with session.told(MergeError, "rebuild: dropping indexes and foreign keys"):
        session.run(sql.SQL("SET LOCAL search_path = pg_catalog"))
        tables = [part.target.oid for part in work.parts]
        indexes = _indexes(session, tables, [part.target.oid for part in work.parts if part.label in work.fresh])
        keys = _foreign_keys(session, tables, [index.oid for index in indexes])
        for drop in [*(key.drop() for key in keys), *(index.drop() for index in indexes)]:
            session.run(drop)
        _set_path(session, path)
    yield
    with session.told(MergeError, "rebuild: making indexes and foreign keys again"):
        session.run(sql.SQL("SET LOCAL search_path = pg_catalog"))
        for statement in [one for index in indexes for one in index.make()] + [
            one for key in keys for one in key.make()
        ]:
            session.run(statement)
        _set_path(session, path)


def _set_path(session: Session, path: str) -> None:
    session.run(sql.SQL("SELECT set_config('search_path', {}, true)").format(sql.Literal(path)))


def _indexes(session: Session, tables: list[int], fresh: list[int]) -> list[_Index]:
    statement = sql.SQL(_INDEXES).format(tables=_oids(tables), fresh=_oids(fresh))
    return [_Index(*row) for row in session.rows(statement)]


def _foreign_keys(session: Session, tables: list[int], indexes: list[int]) -> list[_ForeignKey]:
    statement = sql.SQL(_FOREIGN_KEYS).format(tables=_oids(tables), indexes=_oids(indexes))
    return [_ForeignKey(*row) for row in session.rows(statement)]


def _oids(oids: list[int]) -> sql.Composed:
    return sql.SQL("{}::oid[]").format(sql.Literal([str(oid) for oid in oids]))


def _alter(table: str, change: sql.Composable) -> sql.Composed:
    # The server wrote the table's name, quoted and with its schema.
    return sql.SQL("ALTER TABLE {} {}").format(sql.SQL(table), change)


def _comment(what: sql.Composable, text: str) -> sql.Composed:
    return sql.SQL("COMMENT ON {} IS {}").format(what, sql.Literal(text))


def _constraint_comment(name: str, table: str, text: str) -> sql.Composed:
    return _comment(sql.SQL("CONSTRAINT {} ON {}").format(sql.Identifier(name), sql.SQL(table)), text)
