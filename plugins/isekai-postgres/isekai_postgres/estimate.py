"""What a slice would hold, as the server's planner believes: nothing is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from isekai_core.types.slices import Estimate, SlicePlan, TablePlan
from isekai_postgres import cycles
from isekai_postgres.compiling import Compiler
from isekai_postgres.export import explained, select_rows
from isekai_postgres.growth import Growth
from isekai_postgres.keys import Chooser
from isekai_postgres.reasons import telling
from isekai_postgres.sets import KeySet, with_sets
from isekai_postgres.snapshot import Origin, leading
from isekai_postgres.sql import EMPTY
from isekai_postgres.tables import key_columns, with_what_is_there


def estimate(origin: Origin, plan: SlicePlan) -> Mapping[str, Estimate]:
    """Label to the rows and bytes of each table of `plan`; `ExportError` where the source cannot be asked."""
    with leading(origin) as (connection, _):
        plan = with_what_is_there(connection, plan, origin)
        keys = key_columns(connection, plan, origin)
        guesser = Guesser(origin, connection, plan, keys, Compiler(origin, connection))
        found: dict[str, Estimate] = {}
        for table in plan.tables:
            one = guesser.choose()[table.model] if not found else guesser.final[table.model]
            with telling(f"{table.model} (table {table.table})", origin.password):
                rows, width = explained(connection, select_rows(table, one, keys[table.model]))
            rows = one.rows if one.rows is not None else rows
            # A comma or the end of the line follows each value.
            found[table.model] = Estimate(rows, rows * (width + len(table.columns)))
        return found


@dataclass
class Guesser(Chooser):
    """Makes the same sets, but believes instead of choosing: a set of so many keys is any set of so many keys.

    Rows that are left out or taken because tables need one another in a circle are not counted.
    """

    def sample(self, table: TablePlan) -> sql.Composable:  # noqa: ARG002 - of any table
        """The share is taken of the number; the planner would not know what it is."""
        return EMPTY

    def limit(self, table: TablePlan) -> KeySet:
        """As many keys as the limits allow."""
        base = self.chosen[table.model]
        rows = self._rows(table, base)
        if table.sample is not None:
            rows = max(round(rows * table.sample), 1)
        for one in table.per:
            rows = min(rows, one.limit * self._parents(table, one.field, rows))
        rows = rows if table.limit is None else min(rows, table.limit)
        body = sql.SQL("SELECT k FROM {} LIMIT {}").format(base.name, sql.Literal(rows))
        return self.new_set(body, [base], rows=rows)

    def settle(self, group: Sequence[TablePlan], edges: Sequence[cycles.Edge]) -> None:
        """Every row is taken to have what it needs."""

    def close(self, group: Sequence[TablePlan], edges: Sequence[Growth]) -> None:  # noqa: ARG002
        """What other groups point to is counted."""
        for table in group:
            self.final[table.model] = self.chosen[table.model]

    def _parents(self, table: TablePlan, name: str, rows: int) -> int:
        """How many rows there are that the foreign key may point to."""
        reference = next((column.reference for column in table.columns if column.field == name), None)
        if reference is None or reference.model not in self.chosen:
            return rows
        return max(self._rows(self.plan.table(reference.model), self.chosen[reference.model]), 1)

    def _rows(self, table: TablePlan, keys: KeySet) -> int:
        if keys.rows is not None:
            return keys.rows
        with telling(f"{table.model} (table {table.table})", self.origin.password):
            rows, _ = explained(self.connection, sql.SQL("{}SELECT k FROM {}").format(with_sets([keys]), keys.name))
        return rows
