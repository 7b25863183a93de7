"""What a slice would hold, and why, as the server's planner believes: nothing is read."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from isekai_core.types.estimates import Estimate, Reason
from isekai_core.types.slices import SlicePlan, TablePlan
from isekai_postgres.export import explained, select_rows
from isekai_postgres.reading import cycles
from isekai_postgres.reading.compiling import Compiler
from isekai_postgres.reading.growth import Growth, pointed_at
from isekai_postgres.reading.keys import Chooser
from isekai_postgres.reading.sets import KeySet, with_sets
from isekai_postgres.reading.snapshot import Origin, leading
from isekai_postgres.reading.sql import EMPTY, table_name
from isekai_postgres.reading.tables import as_enforced, source_tables, with_what_is_there
from isekai_postgres.reasons import telling


def estimate(origin: Origin, plan: SlicePlan) -> Mapping[str, Estimate]:
    """Label to the rows and bytes of each table of `plan`; `ExportError` where the source cannot be asked."""
    with leading(origin) as (connection, _):
        plan = with_what_is_there(connection, plan, origin)
        there = source_tables(connection, plan, origin)
        plan = as_enforced(plan, there)
        guesser = Guesser(origin, connection, plan, there, Compiler(origin, connection))
        sets = guesser.choose()
        found: dict[str, Estimate] = {}
        for table in plan.tables:
            one = sets[table.model]
            with telling(f"{table.model} (table {table.table})", origin.password):
                rows, width = explained(connection, select_rows(table, one, there[table.model]))
            rows = one.rows if one.rows is not None else rows
            if rows or not table.is_optional:
                # A comma or the end of the line follows each value.
                size = rows * (width + len(table.columns))
                advice = _advice(connection, table)
                found[table.model] = Estimate(rows, size, tuple(guesser.because(table)), advice)
        return found


# An index that is made counts the rows, and vacuum does, without looking at what is in them.
_NEVER_ANALYSED = """
    SELECT 'ANALYZE ' || c.oid::regclass
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = pg_catalog.to_regclass(%s) AND c.reltuples <> 0
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname)
"""


def _advice(connection: psycopg.Connection, table: TablePlan) -> str:
    """What would make of a guess an estimate; "" where the planner knows the table, or knows that it is empty."""
    row = connection.execute(_NEVER_ANALYSED, [table_name(table.table).as_string(connection)]).fetchone()
    return row[0] if row else ""


@dataclass
class _Guess:
    """How many rows a table has.

    everything: in the whole table.
    free: that the conditions leave, of the table and of those above it, if nothing were limited.
    left: that are left when those above are limited, and then it itself.
    limited: label of each limited table that a row hangs on, with the part of its rows that is left.
    """

    everything: int
    free: float
    left: float
    limited: dict[str, float]


@dataclass
class Guesser(Chooser):
    """Makes the same sets, but believes instead of choosing: a set of so many keys is any set of so many keys.

    The planner takes conditions for independent, and multiplies what each of them leaves. In a slice they hardly ever
    are: a customer's shop and tenant are known with the customer, and queries repeat what the parents' queries say. So
    of all conditions on a table only the one that leaves least counts; and limits, which do not know of one another,
    are multiplied. Rows that are left out or taken because tables need one another in a circle are not counted.
    """

    guesses: dict[str, _Guess] = field(default_factory=dict)
    reasons: dict[str, list[Reason]] = field(default_factory=dict)

    def because(self, table: TablePlan) -> list[Reason]:
        """Why there are so many rows; the last of those that leave some out has the number that is left."""
        grown = []
        for edge in self.growths(table):
            keys = self.final[edge.table.model]
            rows = self._explained(table, pointed_at(edge, keys.name), [keys])
            grown.append(Reason("pointed", f"{edge.table.model}.{edge.column}", rows))
        # Only what is asked for, or followed, is there for its own sake.
        own = [one for one in self.reasons[table.model] if one.rows or not table.grows]
        return [*own, *(one for one in grown if one.rows or not table.is_optional)]

    def candidates(self, table: TablePlan, without: Collection[str]) -> KeySet:
        """As many keys as the query and the parents let through."""
        base = self.let_through(table, [], EMPTY)
        rows = self._explained(table, sql.SQL("SELECT k FROM {}").format(base.name), [base])
        guess = _Guess(rows if table.queryset is None else self._everything(table), rows, rows, {})
        self.guesses[table.model] = guess
        reasons = [Reason("all" if table.queryset is None else "query", "", rows)]
        for column in self.binding(table):
            if column.name not in without and column.reference is not None:
                above = self.guesses[column.reference.model]
                guess.free = min(guess.free, guess.everything * above.free / max(above.everything, 1))
                guess.limited |= above.limited
                guess.left = guess.free * math.prod(guess.limited.values())
                reasons.append(Reason("parent", column.reference.model, round(guess.left)))
        self.reasons[table.model] = reasons
        return base if len(reasons) == 1 else self._some(base, round(guess.left))

    def limit(self, table: TablePlan) -> KeySet:
        """As many keys as the limits allow."""
        guess, reasons = self.guesses[table.model], self.reasons[table.model]
        rows = before = guess.left
        if table.sample is not None:
            rows *= table.sample
            reasons.append(Reason("sample", f"{table.sample:g}", round(rows)))
        for one in table.per:
            rows = min(rows, one.limit * self._parents(table, one.field, rows))
            reasons.append(Reason("per", f"{one.limit} per {one.field}", round(rows)))
        if table.limit is not None:
            rows = min(rows, table.limit)
            reasons.append(Reason("limit", str(table.limit), round(rows)))
        guess.left = rows
        guess.limited = {**guess.limited, table.model: rows / before if before else 1.0}
        return self._some(self.let_through(table, [], EMPTY), round(rows))

    def _some(self, base: KeySet, rows: int) -> KeySet:
        body = sql.SQL("SELECT k FROM {} LIMIT {}").format(base.name, sql.Literal(rows))
        return self.new_set(body, [base], rows=rows)

    def settle(self, group: Sequence[TablePlan], edges: Sequence[cycles.Edge]) -> dict[str, int]:  # noqa: ARG002
        """Every row is taken to have what it needs."""
        return {}

    def close(self, group: Sequence[TablePlan], edges: Sequence[Growth]) -> None:  # noqa: ARG002
        """What other groups point to is counted."""
        for table in group:
            self.final[table.model] = self.chosen[table.model]

    def _parents(self, table: TablePlan, name: str, rows: float) -> float:
        """How many rows there are that the foreign key may point to."""
        reference = next((column.reference for column in table.columns if column.field == name), None)
        if reference is None or reference.model not in {one.model for one in self.plan.tables}:
            return rows
        above = self.guesses.get(reference.model)
        # Where it does not bind, its own number may not be known yet: then it is about all of them.
        return max(above.left if above else self._everything(self.plan.table(reference.model)), 1)

    def _everything(self, table: TablePlan) -> int:
        return self._explained(table, sql.SQL("SELECT FROM {}").format(table_name(table.table)), [])

    def _explained(self, table: TablePlan, select: sql.Composable, needs: Sequence[KeySet]) -> int:
        with telling(f"{table.model} (table {table.table})", self.origin.password):
            rows, _ = explained(self.connection, sql.SQL("{}{}").format(with_sets(needs), select))
        return rows
