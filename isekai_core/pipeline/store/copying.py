"""COPY, where the database has it: a fourth of the time of an INSERT, and no copy of the bytes as text.

The driver is not imported: psycopg's cursor is asked whether it can.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

_TYPES = {
    "AutoField": "int4",
    "BigAutoField": "int8",
    "BigIntegerField": "int8",
    "BinaryField": "bytea",
    "BooleanField": "bool",
    "CharField": "text",
    "DateField": "date",
    "DateTimeField": "timestamptz",
    "DecimalField": "numeric",
    "DurationField": "interval",
    "FileField": "text",
    "FloatField": "float8",
    "IntegerField": "int4",
    "JSONField": "jsonb",
    "PositiveBigIntegerField": "int8",
    "PositiveIntegerField": "int4",
    "PositiveSmallIntegerField": "int2",
    "SlugField": "text",
    "SmallAutoField": "int2",
    "SmallIntegerField": "int2",
    "TextField": "text",
    "TimeField": "time",
    "UUIDField": "uuid",
}
"""Django's types whose binary form is told by their name alone."""


def copy_types(connection: BaseDatabaseWrapper, fields: Sequence[Any]) -> list[str] | None:
    """What COPY must be told of the columns; None when it cannot be used for all of them."""
    if connection.vendor != "postgresql":
        return None
    names = [internal_type(_base(field)) for field in fields]
    if "DateTimeField" in names and not settings.USE_TZ:
        # The column has a time zone all the same, and the binary form takes no moment without one.
        return None
    types = [_TYPES.get(name) for name in names]
    return None if None in types else [kind for kind in types if kind is not None]


def internal_type(field: Any) -> str:
    """Django's name for the field's type; "" for a field of somebody else's, whose values may be anything."""
    own = type(field).__module__.startswith(("django.db.models.", "django.contrib.postgres."))
    return str(field.get_internal_type()) if own else ""


def copy_rows(
    cursor: Any, table: str, columns: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Copy `rows` into `table`; names are quoted already. A row that breaks a constraint raises."""
    # The copy is the driver's own and raises the driver's own errors: Django's are what everyone expects.
    with (
        cursor.db.wrap_database_errors,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def given_table(cursor: Any, connection: BaseDatabaseWrapper, types: Sequence[str]) -> str:
    """An empty temporary table with a column of each type, `column1` and so on; it lives as long as the session."""
    name = connection.ops.quote_name(f"isekai_given_{hashlib.sha256(' '.join(types).encode()).hexdigest()[:16]}")
    columns = ", ".join(f"column{index} {kind}" for index, kind in enumerate(types, 1))
    cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS")
    cursor.execute(f"DELETE FROM {name}")  # noqa: S608 - the name is quoted
    return str(name)


def _base(field: Any) -> Any:
    """The field whose type a relation's column has."""
    while field.is_relation:
        field = field.target_field
    return field
