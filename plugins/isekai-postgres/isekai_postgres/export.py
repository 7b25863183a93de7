"""Export: every table of a plan out of one snapshot, by COPY, into a bundle."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql

from isekai_core.errors import ExportError
from isekai_core.slicing.circles import facts_of
from isekai_core.types.slices import BundleWriter, SlicePlan, SliceProgress, TablePlan
from isekai_postgres.reading.compiling import Compiler
from isekai_postgres.reading.copying import copied
from isekai_postgres.reading.keys import Chooser
from isekai_postgres.reading.sets import KeySet, settings_of, with_sets
from isekai_postgres.reading.snapshot import Origin, leading
from isekai_postgres.reading.sql import EMPTY, column_of, table_name
from isekai_postgres.reading.tables import SourceTable, as_enforced, source_tables, with_what_is_there
from isekai_postgres.reading.workers import work
from isekai_postgres.reasons import telling


@dataclass(frozen=True)
class TableCopy:
    """One table that is to be copied.

    select: its rows.
    rows: how many there are, or as many as the server believes.
    settings: the names of the settings that `select` reads.
    is_bare: whether nothing in its CSV can need quotes.
    """

    table: TablePlan
    select: sql.Composable
    rows: int
    settings: frozenset[str]
    is_bare: bool


def export(
    origin: Origin, plan: SlicePlan, bundle: BundleWriter, progress: SliceProgress, workers: int = 1
) -> Mapping[str, Any]:
    """Write the tables of `plan` into `bundle`; the facts of the snapshot.

    workers: how many connections read at the same time; one reads the tables in the order of the plan.

    Raises `ExportError`; what `bundle` raises passes through. No connection stays open.
    """
    with leading(origin) as (connection, facts):
        plan = with_what_is_there(connection, plan, origin)
        there = source_tables(connection, plan, origin)
        plan = as_enforced(plan, there)
        compiler = Compiler(origin, connection)
        chooser = Chooser(origin, connection, plan, there, compiler)
        sets = chooser.choose()
        # What may be left out is a kept set, whose number is known.
        tables = [table for table in plan.tables if not table.is_optional or sets[table.model].rows]
        copies = [_planned(origin, connection, table, sets[table.model], there[table.model]) for table in tables]

        def one(reader: psycopg.Connection, copy: TableCopy, stop: Callable[[], bool]) -> None:
            copy_table(origin, reader, copy, bundle, progress, stop)

        work(origin, connection, facts["snapshot"], copies, one, workers)
        return facts | facts_of(plan, chooser.left_out)


def select_rows(table: TablePlan, keys: KeySet, there: SourceTable) -> sql.Composable:
    """A SELECT of the table's columns, in the order of its keys: the same rows give the same file.

    The order costs a fifth where rows lie in the order of their keys, as they mostly do. Texts are ordered by their
    bytes: what a server's language makes of them is not the same everywhere.
    """
    columns = sql.SQL(", ").join(column_of(column.name) for column in table.columns)
    tail = keys.tail
    if tail is None:
        tail = sql.SQL(" FROM {} AS t WHERE {} IN (SELECT k FROM {})").format(
            table_name(table.table), column_of(table.key), keys.name
        )
    collation = sql.SQL(' COLLATE "C"') if there.has_text_key else EMPTY
    needed = keys.needs if keys.tail is not None else [keys]
    return sql.SQL("{}SELECT {}{} ORDER BY {}{}").format(
        with_sets(needed), columns, tail, column_of(table.key), collation
    )


def explained(connection: psycopg.Connection, select: sql.Composable) -> tuple[int, int]:
    """The rows that the server believes `select` gives, and the bytes of each; 0 where it cannot say."""
    try:
        with connection.transaction():
            row = connection.execute(sql.SQL("EXPLAIN (FORMAT JSON) {}").format(select)).fetchone()
    except errors.UntranslatableCharacter:
        # For LIKE 'a%' the plan names the text behind all those; what the planner makes up need not be a character.
        return 0, 0
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Plan Rows"]), int(plan["Plan Width"])


def _planned(
    origin: Origin, connection: psycopg.Connection, table: TablePlan, keys: KeySet, there: SourceTable
) -> TableCopy:
    select = select_rows(table, keys, there)
    rows = keys.rows
    if rows is None and table.is_whole:
        rows = there.rows or None
    if rows is None:
        with telling(f"{table.model} (table {table.table})", origin.password):
            rows, _ = explained(connection, select)
    return TableCopy(table, select, rows, frozenset(settings_of([keys])), there.is_bare)


def copy_table(
    origin: Origin,
    connection: psycopg.Connection,
    copy: TableCopy,
    bundle: BundleWriter,
    progress: SliceProgress,
    stop: Callable[[], bool],
) -> None:
    """Copy one table into the bundle, and tell it the number of rows.

    stop: whether another table has failed, so that this one need not go on.
    """
    model = copy.table.model
    progress.begin(model, copy.rows)
    rows: list[int] = []
    with telling(f"{model} (table {copy.table.table}) from {origin.name}", origin.password):
        bundle.write(copy.table, _pieces(connection, copy, progress, rows, stop))
    if not rows:
        msg = f"{model}: the bundle did not take all of the table"
        raise ExportError(msg)
    bundle.count(model, rows[0])
    progress.end(model)


def _pieces(
    connection: psycopg.Connection, copy: TableCopy, progress: SliceProgress, rows: list[int], stop: Callable[[], bool]
) -> Iterator[bytes]:
    """The table's CSV; when it has all been taken, the number of its rows is in `rows`."""

    def told(count: int, size: int) -> None:
        progress.advance(copy.table.model, count, size)
        if stop():
            msg = f"{copy.table.model}: stopped, as another table failed"
            raise ExportError(msg)

    rows.append((yield from copied(connection, copy.select, told, is_bare=copy.is_bare)))
