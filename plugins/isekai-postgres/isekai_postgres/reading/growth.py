"""Growth: rows that are taken because others point to them, by a foreign key or by a generic one, as SQL."""

from dataclasses import dataclass

from psycopg import sql

from isekai_core.slicing.generic import CONTENT_TYPE, kinds_of
from isekai_core.types.slices import GenericKey, SlicePlan, TablePlan
from isekai_postgres.names import as_key
from isekai_postgres.reading.sql import EMPTY, column_of, referred, table_name


@dataclass(frozen=True)
class Growth:
    """A table, its column, and the table whose rows are taken with its own.

    value: what the column holds, in `table` that is called `m`.
    pointed: the column of `target` that is compared with it.
    condition: which rows of `table` point to `target` at all; nothing for all of them.
    """

    table: TablePlan
    column: str
    target: TablePlan
    value: sql.Composable
    pointed: str
    condition: sql.Composable

    @classmethod
    def plain(cls, table: TablePlan, column: str, target: TablePlan) -> "Growth":
        """Of a foreign key."""
        return cls(table, column, target, column_of(column, "m"), referred(table, column), EMPTY)

    @classmethod
    def generic(cls, plan: SlicePlan, key: GenericKey, target: TablePlan, target_type: str) -> "Growth":
        """Of a generic foreign key.

        target_type: of the target's key, in SQL.
        """
        table, types = plan.table(key.model), plan.table(CONTENT_TYPE)
        condition = sql.SQL(" AND m.{} IN (SELECT y.{} FROM {} AS y WHERE (y.app_label, y.model) IN ({}))").format(
            sql.Identifier(key.kind),
            sql.Identifier(types.key),
            table_name(types.table),
            sql.SQL(", ").join(
                sql.SQL("({}, {})").format(*map(sql.Literal, kind)) for kind in kinds_of(target.model_class)
            ),
        )
        return cls(table, key.key, target, as_key(column_of(key.key, "m"), target_type), target.key, condition)


def pointed_at(growth: Growth, keys: sql.Composable) -> sql.Composable:
    """A SELECT of the keys of the target that rows of the set `keys` point to."""
    # What is pointed at is gathered first: the planner would look for it anew for each row of the target.
    return sql.SQL(
        "SELECT {} FROM {} AS t"
        " JOIN (SELECT DISTINCT {} AS v FROM {} AS m JOIN {} AS s ON s.k = m.{}{}) AS d ON d.v = {}"
    ).format(
        column_of(growth.target.key),
        table_name(growth.target.table),
        growth.value,
        table_name(growth.table.table),
        keys,
        sql.Identifier(growth.table.key),
        growth.condition,
        column_of(growth.pointed),
    )
