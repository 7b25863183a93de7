"""Tables that need one another, or themselves: what has to be found in rounds, each time by a single query.

Keys of several tables stand in one column here, and so as texts. A row of (n, k) is the key `k` of the table number `n`
of the group.
"""

from collections.abc import Mapping, Sequence

from psycopg import sql

from isekai_core.types.slices import Column, TablePlan
from isekai_postgres.reading.growth import Growth
from isekai_postgres.reading.sets import KeySet, with_sets
from isekai_postgres.reading.sql import column_of, composed, referred, table_name

Edge = tuple[TablePlan, Column, TablePlan]
"""A table, its foreign key, and the table it needs."""


def lost(group: Sequence[TablePlan], edges: Sequence[Edge], chosen: Mapping[str, KeySet]) -> sql.Composed:
    """The rows that point to rows that are not chosen, and those that point to them, and so on.

    Those that stay are all others: also rows in a circle that is chosen as a whole.
    """
    place = {table.model: number for number, table in enumerate(group)}
    pointing = sql.SQL(" UNION ALL ").join(_pointing(place, chosen, *edge) for edge in edges)
    more = [
        sql.SQL("pointing(n, k, pn, pk) AS MATERIALIZED ({})").format(pointing),
        sql.SQL(
            "lost(n, k) AS (SELECT n, k FROM pointing WHERE pk IS NULL"
            " UNION SELECT p.n, p.k FROM lost JOIN pointing AS p ON p.pn = lost.n AND p.pk = lost.k)"
        ),
    ]
    sets = [chosen[table.model] for table in group]
    return with_sets(sets, recursive=True, more=more) + sql.SQL("SELECT n, k FROM lost")


def _pointing(
    place: Mapping[str, int], chosen: Mapping[str, KeySet], table: TablePlan, column: Column, parent: TablePlan
) -> sql.Composable:
    """Rows (table, key, table pointed to, key pointed to), the last NULL where that row is not chosen."""
    return sql.SQL(
        "SELECT {n}, c.{key}::text, {pn}, p.{parent_key}::text FROM {table} AS c"
        " LEFT JOIN (SELECT q.* FROM {parent} AS q WHERE q.{parent_key} IN (SELECT k FROM {parents})) AS p"
        " ON p.{referred} = c.{column}"
        " WHERE c.{column} IS NOT NULL AND c.{key} IN (SELECT k FROM {keys})"
    ).format(
        n=sql.Literal(place[table.model]),
        pn=sql.Literal(place[parent.model]),
        table=table_name(table.table),
        parent=table_name(parent.table),
        key=sql.Identifier(table.key),
        parent_key=sql.Identifier(parent.key),
        column=sql.Identifier(column.name),
        referred=sql.Identifier(referred(table, column.name)),
        keys=chosen[table.model].name,
        parents=chosen[parent.model].name,
    )


def together(sets: Sequence[KeySet]) -> sql.Composed:
    """The keys of these sets, with the number of each set."""
    return with_sets(sets) + _starts(sets, sql.SQL(""))


def reached(
    group: Sequence[TablePlan], edges: Sequence[Growth], sets: Sequence[KeySet], types: Mapping[str, str]
) -> sql.Composed:
    """The rows of `sets`, those that they point to along `edges`, and so on.

    types: label to the type of the table's key.
    """
    place = {table.model: number for number, table in enumerate(group)}
    steps = sql.SQL(" UNION ALL ").join(_step(place, types, edge) for edge in edges)
    more = sql.SQL(
        "reached(n, k) AS ({} UNION SELECT x.n, x.k FROM reached AS r CROSS JOIN LATERAL ({}) AS x(n, k))"
    ).format(_starts(sets, sql.SQL("::text")), steps)
    return with_sets(sets, recursive=True, more=[more]) + sql.SQL("SELECT n, k FROM reached")


def _starts(sets: Sequence[KeySet], as_text: sql.SQL) -> sql.Composed:
    return sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} AS n, s.k{} AS k FROM {} AS s").format(sql.Literal(number), as_text, one.name)
        for number, one in enumerate(sets)
    )


def _step(place: Mapping[str, int], types: Mapping[str, str], edge: Growth) -> sql.Composable:
    """The rows that the row `r` of a table points to: by the indexes of both, row by row."""
    return sql.SQL(
        "SELECT {pn}, p.{target_key}::text FROM {table} AS m JOIN {target} AS p ON {pointed} = {value}"
        # A key of another table of the group may be no text of this type: it must not even be tried.
        " WHERE r.n = {n} AND m.{key} = (CASE WHEN r.n = {n} THEN r.k END)::{type}{condition}"
    ).format(
        n=sql.Literal(place[edge.table.model]),
        pn=sql.Literal(place[edge.target.model]),
        table=table_name(edge.table.table),
        target=table_name(edge.target.table),
        key=sql.Identifier(edge.table.key),
        target_key=sql.Identifier(edge.target.key),
        pointed=column_of(edge.pointed, "p"),
        value=edge.value,
        type=composed(types[edge.table.model]),
        condition=edge.condition,
    )
