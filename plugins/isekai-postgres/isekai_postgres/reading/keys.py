"""Which rows: the set of keys of each table, as SQL that every connection of the snapshot can run.

A set is a common table expression. What is limited, and what has to be found in rounds, is chosen once and kept in the
server, as an array in a setting of the transaction: a standby allows no temporary table. Everything else stays a
query, so that no list of keys grows with a table.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg
from psycopg import sql

from isekai_core.errors import ExportError
from isekai_core.slicing.order import groups_of
from isekai_core.types.slices import Column, SlicePlan, TablePlan
from isekai_postgres.reading import cycles
from isekai_postgres.reading.compiling import Compiler
from isekai_postgres.reading.growth import Growth, pointed_at
from isekai_postgres.reading.sets import KeySet, with_sets
from isekai_postgres.reading.snapshot import Origin
from isekai_postgres.reading.sql import (
    Fields,
    column_of,
    composed,
    limited,
    sampled,
    source_of,
    values_of,
)
from isekai_postgres.reading.tables import SourceTable
from isekai_postgres.reasons import telling


def binding(table: TablePlan, plan: SlicePlan, there: SourceTable) -> list[Column]:
    """The declared foreign keys that leave rows out: not those that take the rows they point to with them."""
    labels = {one.model: one for one in plan.tables}
    found = []
    for column in table.parents:
        assert column.reference is not None
        parent = labels.get(column.reference.model)
        if parent is None:
            msg = f"{table.model}.{column.field} is declared to need {column.reference.model}, which has no job"
            raise ExportError(msg)
        # Of a whole table, every row is there: the database's own constraint, where it has one, has seen to it.
        is_there = parent.is_whole and column.name in there.enforced
        if not is_there and (table.model, column.name) not in parent.closure:
            found.append(column)
    return found


@dataclass
class Chooser:
    """Makes the key sets of a plan, on the leader's connection.

    final: label to the set of what is exported; complete after `choose`.
    left_out: label to the number of rows that are within their limits, but need rows that are not.
    """

    origin: Origin
    connection: psycopg.Connection
    plan: SlicePlan
    there: Mapping[str, SourceTable]
    compiler: Compiler
    chosen: dict[str, KeySet] = field(default_factory=dict)
    final: dict[str, KeySet] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    _numbers: Any = field(default_factory=count)

    def choose(self) -> Mapping[str, KeySet]:
        """Label to the set of the keys that are exported."""
        tables = {table.model: table for table in self.plan.tables}
        needs = {label: self._needs(table) for label, table in tables.items()}
        for group in groups_of(needs):
            self._choose_group([tables[label] for label in group])
        # Rows are added only now, and bring no further children: a limit would mean nothing otherwise.
        growing = {label: table for label, table in tables.items() if table.grows and not table.is_whole}
        self.final = {label: self.chosen[label] for label in tables if label not in growing}
        for group in groups_of({label: _pulling(table) for label, table in growing.items()}):
            self._close_group([growing[label] for label in group])
        return self.final

    def new_set(self, body: sql.Composable, needs: Iterable[KeySet] = (), **facts: Any) -> KeySet:
        """A set that stays a query."""
        return KeySet(sql.Identifier(f"k{next(self._numbers)}"), body, tuple(needs), **facts)

    def keep(self, tables: Sequence[TablePlan], statement: sql.Composable) -> list[KeySet]:
        """Sets that are kept in the server, one for each of `tables`.

        statement: gives rows (n, k): the number of the table among `tables`, and a key.
        """
        settings = [f"isekai.k{next(self._numbers)}" for _ in tables]
        parts = []
        for number, setting in enumerate(settings):
            of_table = sql.SQL("FILTER (WHERE n = {})").format(sql.Literal(number))
            array = sql.SQL("coalesce((array_agg(k) {})::text, '{{}}')").format(of_table)
            # Its length, as the keys themselves have no business here.
            kept = sql.SQL("length(set_config({}, {}, true))").format(sql.Literal(setting), array)
            parts += [sql.SQL("count(*) {}").format(of_table), kept]
        query = sql.SQL("SELECT {} FROM ({}) AS s").format(sql.SQL(", ").join(parts), statement)
        with telling(f"choosing the rows of {', '.join(t.model for t in tables)}", self.origin.password):
            row = self.connection.execute(query).fetchone()
        assert row is not None
        return [
            self._kept(table, setting, row[2 * n])
            for n, (table, setting) in enumerate(zip(tables, settings, strict=True))
        ]

    def _kept(self, table: TablePlan, setting: str, rows: int) -> KeySet:
        body = sql.SQL("SELECT u.k FROM unnest(current_setting({})::{}[]) AS u(k)").format(
            sql.Literal(setting), composed(self.there[table.model].key_type)
        )
        return KeySet(sql.Identifier(f"k{next(self._numbers)}"), body, setting=setting, rows=rows)

    def binding(self, table: TablePlan) -> list[Column]:
        """The foreign keys that leave rows of `table` out."""
        return binding(table, self.plan, self.there[table.model])

    def _needs(self, table: TablePlan) -> set[str]:
        return {column.reference.model for column in self.binding(table) if column.reference}

    def _choose_group(self, group: Sequence[TablePlan]) -> None:
        inner = [
            (table, column, self.plan.table(column.reference.model))
            for table in group
            for column in self.binding(table)
            if column.reference and column.reference.model in {one.model for one in group}
        ]
        for table in group:
            self.chosen[table.model] = self.candidates(table, {column.name for one, column, _ in inner if one is table})
        if inner:
            self.settle(group, inner)
        for table in group:
            if table.is_limited:
                self.chosen[table.model] = self.limit(table)
        if inner and any(table.is_limited for table in group):
            # The limits took away rows that others of the group need.
            self.left_out |= self.settle(group, inner)

    def candidates(self, table: TablePlan, without: Collection[str]) -> KeySet:
        """The rows that the queryset, the sample and the parents let through, but for the columns in `without`."""
        parents = [column for column in self.binding(table) if column.name not in without]
        return self.let_through(table, parents, self.sample(table))

    def let_through(self, table: TablePlan, parents: Sequence[Column], sample: sql.Composable) -> KeySet:
        """The rows that the queryset, the sample and these parents let through."""
        sets = [self.chosen[column.reference.model] for column in parents if column.reference]
        values = [
            (column, values_of(self.plan.table(column.reference.model), column.reference.column, one.name))
            for column, one in zip(parents, sets, strict=True)
            if column.reference
        ]
        tail = source_of(table, self.compiler.keys(table), values, sample)
        return self.new_set(sql.SQL("SELECT {} AS k{}").format(column_of(table.key), tail), sets, tail=tail)

    def sample(self, table: TablePlan) -> sql.Composable:
        """Whether a row is in the sample."""
        return sampled(table, self.plan.seed)

    def settle(self, group: Sequence[TablePlan], edges: Sequence[cycles.Edge]) -> dict[str, int]:
        """Leave out rows of a group whose rows need one another, until every row has what it needs; how many."""
        found: dict[str, int] = {}
        for table, lost in zip(group, self.keep(group, cycles.lost(group, edges, self.chosen)), strict=True):
            before = self.chosen[table.model]
            found[table.model] = lost.rows or 0
            if lost.rows:
                rest = sql.SQL("SELECT b.k FROM {} AS b WHERE NOT EXISTS (SELECT FROM {} AS l WHERE l.k = b.k)")
                rows = before.rows - lost.rows if before.rows is not None else None
                body = rest.format(before.name, lost.name)
                self.chosen[table.model] = self.new_set(body, [before, lost], rows=rows)
        return found

    def close(self, group: Sequence[TablePlan], edges: Sequence[Growth]) -> None:
        """Take what rows of a group point to in the group, until there is nothing more."""
        sets = [self.chosen[table.model] for table in group]
        types = {table.model: self.there[table.model].key_type for table in group}
        statement = cycles.reached(group, edges, sets, types) if edges else cycles.together(sets)
        for table, kept in zip(group, self.keep(group, statement), strict=True):
            self.final[table.model] = kept

    def limit(self, table: TablePlan) -> KeySet:
        """What of the chosen rows is within the table's limits; kept, as all that follow compare with it."""
        base = self.chosen[table.model]
        fields = Fields(table)
        inherited = self.compiler.values(table, fields.inherited) if fields.inherited else ""
        body = limited(table, base.name, fields, inherited) if table.per or table.limit is not None else base.body
        needs = [base] if table.per or table.limit is not None else base.needs
        statement = sql.SQL("{}SELECT 0 AS n, l.k FROM ({}) AS l").format(with_sets(needs), body)
        return self.keep([table], statement)[0]

    def _close_group(self, group: Sequence[TablePlan]) -> None:
        """The rows that others point to are taken, too."""
        inside = {table.model for table in group}
        edges = []
        for table in group:
            start, needs = self._start(table, inside)
            self.chosen[table.model] = self.new_set(start, needs)
            edges += [edge for edge in self.growths(table) if edge.table.model in inside]
        self.close(group, edges)

    def _start(self, table: TablePlan, inside: set[str]) -> tuple[sql.Composable, list[KeySet]]:
        own = self.chosen[table.model]
        parts: list[sql.Composable] = [sql.SQL("SELECT k FROM {}").format(own.name)]
        needs = [own]
        for edge in self.growths(table):
            if edge.table.model not in inside:
                pointing = self.final[edge.table.model]
                parts.append(pointed_at(edge, pointing.name))
                needs.append(pointing)
        return sql.SQL(" UNION ").join(parts), needs

    def growths(self, table: TablePlan) -> list[Growth]:
        """What brings rows of `table` with it."""
        plain = [Growth.plain(self.plan.table(model), name, table) for model, name in table.closure]
        kind = self.there[table.model].key_type
        return [*plain, *(Growth.generic(self.plan, key, table, kind) for key in table.generic)]


def _pulling(table: TablePlan) -> set[str]:
    """The models whose rows bring rows of `table` with them."""
    return {model for model, _ in table.closure} | {key.model for key in table.generic}
