"""The SQL of an export, put together by the driver's quoting: nothing in here pastes a value or a name.

In every SELECT of a table's own rows, the table is called `t`.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, LiteralString

from django.core.exceptions import FieldDoesNotExist
from psycopg import sql

from isekai_core.errors import ExportError
from isekai_core.types.slices import Column, Per, TablePlan
from isekai_postgres.names import quoted

EMPTY = sql.SQL("")


def composed(text: str) -> sql.SQL:
    """SQL that a compiler or the server's catalog made, as it is."""
    # The type says: only literals. This text is not, but no value has been pasted into it.
    return sql.SQL(text)


def table_name(name: str) -> sql.Composable:
    """A table's name, quoted; what a model quotes itself, to name a schema, stays: `"schema"."table"`."""
    return composed(quoted(name))


def column_of(name: str, alias: str = "t") -> sql.Composable:
    """A column of the table that is called `alias`."""
    return sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(name))


def conditions(parts: Iterable[sql.Composable]) -> sql.Composable:
    """`WHERE …`, or nothing."""
    found = list(parts)
    return sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(found)) if found else EMPTY


def values_of(table: TablePlan, column: str, keys: sql.Composable) -> sql.Composable:
    """A SELECT of what `column` holds in the rows of `table` whose keys are in the set called `keys`."""
    if column == table.key:
        return sql.SQL("SELECT k FROM {}").format(keys)
    return sql.SQL("SELECT r.{} FROM {} r WHERE r.{} IN (SELECT k FROM {})").format(
        sql.Identifier(column), table_name(table.table), sql.Identifier(table.key), keys
    )


def referred(table: TablePlan, name: str) -> str:
    """The column that the foreign key column `name` of `table` points to."""
    reference = table.column(name).reference
    if reference is None:
        msg = f"{table.model}: the column {name} is no foreign key"
        raise ExportError(msg)
    return reference.column


def source_of(
    table: TablePlan, compiled: str | None, parents: Sequence[tuple[Column, sql.Composable]], sample: sql.Composable
) -> sql.Composable:
    """`FROM … WHERE …` of the rows that the queryset and the parents let through, and that are in the sample.

    compiled: a SELECT of the keys that the queryset chooses.
    parents: foreign keys with a SELECT of the values they may have.
    """
    joins: list[sql.Composable] = []
    where: list[sql.Composable] = (
        [sql.SQL("{} IN ({})").format(column_of(table.key), composed(compiled))] if compiled else []
    )
    for number, (column, values) in enumerate(parents):
        own = column_of(column.name)
        if not column.null:
            where.append(sql.SQL("{} IN ({})").format(own, values))
            continue
        # Not "IS NULL OR IN (…)": the server would compare row by row once the values exceed its memory.
        alias = sql.Identifier(f"p{number}")
        joins.append(sql.SQL(" LEFT JOIN ({}) AS {}(v) ON {}.v = {}").format(values, alias, alias, own))
        where.append(sql.SQL("({} IS NULL OR {}.v IS NOT NULL)").format(own, alias))
    where += [sample] if sample is not EMPTY else []
    return sql.SQL(" FROM {} AS t{}{}").format(table_name(table.table), sql.Composed(joins), conditions(where))


def sampled(table: TablePlan, seed: str) -> sql.Composable:
    """Whether a row is in the sample: the first 32 bits of md5("<key>:<seed>") are below the share of 2 to the 32nd.

    So a smaller share is always a part of a greater one, and the rows of yesterday stay in as data grows.
    """
    if table.sample is None:
        return EMPTY
    return sql.SQL(
        "('x' || substr(md5(convert_to({}::text || {}, 'UTF8')), 1, 8))::bit(32)::bigint < {}::bigint"
    ).format(column_of(table.key), sql.Literal(f":{seed}"), sql.Literal(math.ceil(table.sample * 2**32)))


class Fields:
    """Model fields as columns of a SELECT: those of parent tables come by a join of `x`."""

    def __init__(self, table: TablePlan) -> None:
        self._own: dict[str, str] = {}
        self.inherited: list[str] = []
        self._table = table
        for name in dict.fromkeys([*table.order_by, *(n for one in table.per for n in (one.field, *one.order_by))]):
            self._add(bare(name))

    def _add(self, name: str) -> None:
        meta = self._table.model_class._meta.concrete_model._meta
        try:
            field: Any = meta.pk if name == "pk" else meta.get_field(name)
        except FieldDoesNotExist as error:
            msg = f"{self._table.model}: there is no field {name!r} to choose rows by"
            raise ExportError(msg) from error
        if field in meta.local_concrete_fields:
            self._own[name] = field.column
        elif name not in self.inherited:
            self.inherited.append(name)

    def join(self, compiled: str) -> sql.Composable:
        """The join of the fields that parent tables hold; `compiled` selects the key and them."""
        names = [sql.Identifier("k"), *(sql.Identifier(f"c{number}") for number in range(len(self.inherited)))]
        return sql.SQL(" JOIN ({}) AS x({}) ON x.k = {}").format(
            composed(compiled), sql.SQL(", ").join(names), column_of(self._table.key)
        )

    def expression(self, name: str) -> sql.Composable:
        """The column that holds the field."""
        if name in self._own:
            return column_of(self._own[name])
        return column_of(f"c{self.inherited.index(name)}", "x")

    def order(self, names: Sequence[str]) -> sql.Composable:
        """`a DESC, b, <key>`: a total order."""
        parts = [self.expression(bare(name)) + sql.SQL(direction(name)) for name in names]
        return sql.SQL(", ").join([*parts, column_of(self._table.key)])


def limited(table: TablePlan, keys: sql.Composable, fields: Fields, inherited: str) -> sql.Composable:
    """A SELECT of the keys in the set called `keys` that are within the table's `per` and `limit`.

    inherited: a SELECT of the key and of the fields that parent tables hold.
    """
    found = [column_of(table.key) + sql.SQL(" AS k")]
    found += [_rank(table, one, fields) + sql.SQL(f" AS n{number}") for number, one in enumerate(table.per)]
    found += [fields.expression(bare(n)) + sql.SQL(f" AS o{number}") for number, n in enumerate(table.order_by)]
    rows = sql.SQL("SELECT {} FROM {} AS t{} WHERE {} IN (SELECT k FROM {})").format(
        sql.SQL(", ").join(found),
        table_name(table.table),
        fields.join(inherited) if fields.inherited else EMPTY,
        column_of(table.key),
        keys,
    )
    within = conditions(
        sql.SQL("c.{} <= {}").format(sql.SQL(f"n{number}"), sql.Literal(one.limit))
        for number, one in enumerate(table.per)
    )
    return sql.SQL("SELECT c.k FROM ({}) AS c{}{}").format(rows, within, _first(table))


def _rank(table: TablePlan, one: Per, fields: Fields) -> sql.Composable:
    parent = fields.expression(one.field)
    rank = sql.SQL("row_number() OVER (PARTITION BY {} ORDER BY {})").format(parent, fields.order(one.order_by))
    if not table.model_class._meta.get_field(one.field).null:
        return rank
    # A row that points nowhere belongs to no parent, and none is full.
    return sql.SQL("CASE WHEN {} IS NULL THEN 0 ELSE {} END").format(parent, rank)


def _first(table: TablePlan) -> sql.Composable:
    """`ORDER BY … LIMIT …`, or nothing."""
    if table.limit is None:
        return EMPTY
    order = [sql.SQL(f"c.o{number}{direction(name)}") for number, name in enumerate(table.order_by)]
    return sql.SQL(" ORDER BY {} LIMIT {}").format(
        sql.SQL(", ").join([*order, sql.SQL("c.k")]), sql.Literal(table.limit)
    )


def bare(name: str) -> str:
    """The field of an entry of `order_by`."""
    return name.removeprefix("-")


def direction(name: str) -> LiteralString:
    """What follows the field of an entry of `order_by`."""
    return " DESC" if name.startswith("-") else ""
