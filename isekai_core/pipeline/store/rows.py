"""The SQL that Django has no words for: many narrow rows in, and many rows changed, by one statement.

Django's bulk methods prepare every column of every row; the journal writes a few columns of a few plain
types, and that preparation was half of what a run cost.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.db.models.constants import OnConflict

from isekai_core.pipeline.store.copying import copy_rows, copy_types, given_table, internal_type

_PLAIN = frozenset(
    {"AutoField", "BigAutoField", "BigIntegerField", "BooleanField", "CharField", "ForeignKey", "IntegerField"}
    | {"PositiveIntegerField", "PositiveSmallIntegerField", "TextField"}
)
"""Types whose Python values every driver takes as they are."""

_IDS_AT_ONCE = 5_000

Rows = Sequence[Sequence[Any]]


def chunks(ids: Sequence[int], size: int = _IDS_AT_ONCE) -> Iterator[Sequence[int]]:
    """`ids` in lists that fit into one statement on every database.

    >>> list(chunks([1, 2, 3], 2))
    [[1, 2], [3]]
    """
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


class one_of(models.Lookup):  # noqa: N801 - reads as a condition
    """The condition that a column has one of many values: a single parameter, however many there are.

    Django sends a parameter for each, and prepares each; for thousands that costs more than the query.
    """

    def __init__(self, column: str | models.F, values: Iterable[Any]) -> None:
        super().__init__(models.F(column) if isinstance(column, str) else column, list(values))

    def get_prep_lookup(self) -> Any:
        return self.rhs

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, parameters = self.process_lhs(compiler, connection)
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s)", (*parameters, self.rhs)
        if connection.vendor == "sqlite":
            return f"{column} IN (SELECT value FROM json_each(%s))", (*parameters, json.dumps(self.rhs))  # noqa: S608 - a quoted column
        if not self.rhs:
            raise EmptyResultSet
        return f"{column} IN ({', '.join(['%s'] * len(self.rhs))})", (*parameters, *self.rhs)


def insert_rows(connection: BaseDatabaseWrapper, model: type[Model], columns: Sequence[str], rows: Rows) -> None:
    """Insert `rows` with these `columns`; the others take the database's default.

    A row that is there already, by any unique constraint, is left as it is.
    """
    if not rows:
        return
    fields: list[Any] = [model._meta.get_field(name) for name in columns]
    rows = _prepared(connection, fields, rows)
    ops, quote = connection.ops, connection.ops.quote_name
    head = f"{ops.insert_statement(on_conflict=OnConflict.IGNORE)} {quote(model._meta.db_table)}"
    names = ", ".join(quote(field.column) for field in fields)
    tail = ops.on_conflict_suffix_sql(fields, OnConflict.IGNORE, [], [])
    row = f"({', '.join(['%s'] * len(fields))})"
    if _copied(connection, model, fields, rows):
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # In this process, a statement a row is cheaper than one with thousands of parameters.
            cursor.executemany(f"{head} ({names}) VALUES {row} {tail}", rows)
        else:
            listed = ", ".join([row] * len(rows))
            cursor.execute(f"{head} ({names}) VALUES {listed} {tail}", [value for values in rows for value in values])


def _copied(connection: BaseDatabaseWrapper, model: type[Model], fields: list[Any], rows: Rows) -> bool:
    """Insert `rows` by COPY, which is all or nothing: False when that cannot be, or one is there already."""
    types = copy_types(connection, fields)
    if types is None:
        return False
    quote = connection.ops.quote_name
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            copy_rows(cursor, quote(model._meta.db_table), [quote(field.column) for field in fields], types, rows)
    except IntegrityError:
        return False
    return True


def update_rows(
    connection: BaseDatabaseWrapper, model: type[Model], keys: Sequence[str], columns: Sequence[str], rows: Rows
) -> int:
    """Set `columns` of each row found by `keys`; the number of rows that were found.

    rows: for each, the values of `keys`, then those of `columns`. A row whose keys fit nothing (its
    lease was lost) changes nothing, which makes this a compare-and-set.
    """
    if not rows:
        return 0
    fields = [model._meta.get_field(name) for name in (*keys, *columns)]
    rows = _prepared(connection, fields, rows)
    update = _update_from_values if connection.vendor == "postgresql" else _update_each
    return update(connection, model, fields, len(keys), rows)


def _prepared(connection: BaseDatabaseWrapper, fields: list[Any], rows: Rows) -> Rows:
    converters = [(index, _converter(connection, field)) for index, field in enumerate(fields)]
    needed = [(index, convert) for index, convert in converters if convert is not None]
    if not needed:
        return rows
    prepared = []
    for row in rows:
        values = list(row)
        for index, convert in needed:
            values[index] = convert(values[index])
        prepared.append(values)
    return prepared


def _converter(connection: BaseDatabaseWrapper, field: Any) -> Callable[[Any], Any] | None:
    if internal_type(field) in _PLAIN:
        return None
    return lambda value: field.get_db_prep_save(value, connection)


def _update_from_values(
    connection: BaseDatabaseWrapper, model: type[Model], fields: list[Any], keys: int, rows: Rows
) -> int:
    # One transaction: what is in the temporary table is gone with it.
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if (types := copy_types(connection, fields)) is not None:
            source, parameters = given_table(cursor, connection, types), []
            copy_rows(cursor, source, [f"column{index}" for index in range(1, len(fields) + 1)], types, rows)
            values = [f"given.column{index}" for index in range(1, len(fields) + 1)]
        else:
            row = f"({', '.join(['%s'] * len(fields))})"
            source, parameters = (
                f"(VALUES {', '.join([row] * len(rows))})",
                [value for given in rows for value in given],
            )
            values = [
                f"CAST(given.column{index} AS {_type(connection, field)})" for index, field in enumerate(fields, 1)
            ]
        cursor.execute(_update_sql(connection, model, fields, keys, source, values), parameters)
        return int(cursor.rowcount)


def _update_sql(
    connection: BaseDatabaseWrapper, model: type[Model], fields: list[Any], keys: int, source: str, values: list[str]
) -> str:
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    assignments = ", ".join(f"{quote(f.column)} = {v}" for f, v in zip(fields[keys:], values[keys:], strict=True))
    conditions = (f"{table}.{quote(f.column)} = {v}" for f, v in zip(fields[:keys], values[:keys], strict=True))
    return f"UPDATE {table} SET {assignments} FROM {source} AS given WHERE {' AND '.join(conditions)}"  # noqa: S608 - names are quoted, values are parameters


def _type(connection: BaseDatabaseWrapper, field: Any) -> str:
    """What a column of VALUES must be told it is: parameters and NULLs alone would be text."""
    target = field.target_field if field.is_relation else field
    # A cast to varchar(n) would cut silently; the column itself refuses what is too long.
    if target.get_internal_type() in ("CharField", "TextField"):
        return "text"
    return str(target.rel_db_type(connection))


def _update_each(connection: BaseDatabaseWrapper, model: type[Model], fields: list[Any], keys: int, rows: Rows) -> int:
    quote = connection.ops.quote_name
    assignments = ", ".join(f"{quote(field.column)} = %s" for field in fields[keys:])
    condition = " AND ".join(f"{quote(field.column)} = %s" for field in fields[:keys])
    sql = f"UPDATE {quote(model._meta.db_table)} SET {assignments} WHERE {condition}"  # noqa: S608 - names are quoted, values are parameters
    with connection.cursor() as cursor:
        cursor.executemany(sql, [[*row[keys:], *row[:keys]] for row in rows])
        return int(cursor.rowcount)
