"""The SQL that Django has no words for: many rows, each with values of its own, changed by one UPDATE."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model

_PARAMETERS = 900
"""SQLite may refuse a statement with more than 999."""


def update_rows(
    connection: BaseDatabaseWrapper,
    model: type[Model],
    keys: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> int:
    """Set `columns` of each row found by `keys`; the number of rows that were found.

    rows: for each, the values of `keys`, then those of `columns`. A row whose keys fit nothing (its
    lease was lost) changes nothing, which makes this a compare-and-set.
    """
    if not rows:
        return 0
    fields = [model._meta.get_field(name) for name in (*keys, *columns)]  # noqa: SLF001 - Django's documented API
    prepared = [[_prepare(connection, field, value) for field, value in zip(fields, row, strict=True)] for row in rows]
    if connection.vendor in ("postgresql", "sqlite"):
        return _update_from_values(connection, model, fields, len(keys), prepared)
    return _update_each(connection, model, fields, len(keys), prepared)


def _prepare(connection: BaseDatabaseWrapper, field: Any, value: Any) -> Any:
    return field.get_db_prep_save(value, connection)


def _update_from_values(
    connection: BaseDatabaseWrapper, model: type[Model], fields: list[Any], keys: int, rows: list[list[Any]]
) -> int:
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)  # noqa: SLF001
    values = [_value(connection, field, index) for index, field in enumerate(fields, 1)]
    assignments = ", ".join(f"{quote(f.column)} = {v}" for f, v in zip(fields[keys:], values[keys:], strict=True))
    condition = " AND ".join(f"{table}.{quote(f.column)} = {v}" for f, v in zip(fields[:keys], values[:keys], strict=True))
    row = f"({', '.join(['%s'] * len(fields))})"
    found = 0
    with connection.cursor() as cursor:
        for chunk in _chunks(rows, max(1, _PARAMETERS // len(fields)) if connection.vendor == "sqlite" else len(rows)):
            listed = ", ".join([row] * len(chunk))
            sql = f"UPDATE {table} SET {assignments} FROM (VALUES {listed}) AS given WHERE {condition}"  # noqa: S608 - names are quoted, values are parameters
            cursor.execute(sql, [value for values_ in chunk for value in values_])
            found += cursor.rowcount
    return found


def _value(connection: BaseDatabaseWrapper, field: "Field[Any, Any]", index: int) -> str:
    column = f"given.column{index}"
    if connection.vendor == "postgresql":
        # VALUES of nothing but parameters and NULLs are text until they are told otherwise.
        return f"CAST({column} AS {_cast_type(connection, field)})"
    return column


def _update_each(
    connection: BaseDatabaseWrapper, model: type[Model], fields: list[Any], keys: int, rows: list[list[Any]]
) -> int:
    quote = connection.ops.quote_name
    assignments = ", ".join(f"{quote(field.column)} = %s" for field in fields[keys:])
    condition = " AND ".join(f"{quote(field.column)} = %s" for field in fields[:keys])
    sql = f"UPDATE {quote(model._meta.db_table)} SET {assignments} WHERE {condition}"  # noqa: S608, SLF001
    with connection.cursor() as cursor:
        cursor.executemany(sql, [[*row[keys:], *row[:keys]] for row in rows])
        return cursor.rowcount


def _chunks(rows: list[list[Any]], size: int) -> Iterator[list[list[Any]]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _cast_type(connection: BaseDatabaseWrapper, field: Any) -> str:
    target = field.target_field if field.is_relation else field
    # A cast to varchar(n) would cut silently; the column itself refuses what is too long.
    if target.get_internal_type() in ("CharField", "TextField"):
        return "text"
    return str(target.rel_db_type(connection))
