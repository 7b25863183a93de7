"""The queries by which rows of a slice are chosen: what a plan says, in the words of Django's ORM."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import FieldError
from django.db.models import F, Q

from isekai_core.builtins.slice_orm_rows import batches, rows_of
from isekai_core.errors import ExportError
from isekai_core.types.slices import TablePlan

_READ = 2_000


@contextmanager
def told(table: TablePlan) -> Iterator[None]:
    """What Django cannot ask for becomes an `ExportError` that names the model."""
    try:
        yield
    except (FieldError, ValueError, TypeError) as error:
        msg = f"{table.model}: the rows of its query cannot be asked for: {error}"
        raise ExportError(msg) from error


def field_of(table: TablePlan, column: str) -> Any:
    """The model field of a column of the table's own."""
    return next(one for one in table.model_class._meta.local_concrete_fields if one.column == column)


def stream(
    alias: str,
    table: TablePlan,
    columns: Iterable[str],
    order_by: Sequence[str] = (),
    parents: Mapping[str, Collection[Any]] | None = None,
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Key and values of the rows that the plan's condition leaves, in the order that is asked for.

    parents: column to the few values that it may have beside NULL.
    """
    names = sorted(columns)
    rows = rows_of(alias, table.model_class)
    for name, values in (parents or {}).items():
        attribute = field_of(table, name).attname
        rows = rows.filter(Q(**{f"{attribute}__in": list(values)}) | Q(**{f"{attribute}__isnull": True}))
    if table.queryset is not None:
        rows = rows.filter(pk__in=_conditions(table.queryset, alias))
    rows = rows.order_by(*_orders(table, order_by), "pk")
    rows = rows.values_list("pk", *(field_of(table, name).attname for name in names))
    for row in rows.iterator(chunk_size=_READ):
        yield row[0], dict(zip(names, row[1:], strict=True))


def distinct(alias: str, table: TablePlan, column: str, keys: Collection[Any] | None) -> Iterator[Any]:
    """The values of a column of the rows with these keys, of all rows for None; without NULL."""
    name = field_of(table, column).attname
    rows = rows_of(alias, table.model_class).exclude(**{f"{name}__isnull": True})
    rows = rows.values_list(name, flat=True).distinct()
    if keys is None:
        yield from rows.iterator(chunk_size=_READ)
        return
    for batch in batches(keys):
        yield from rows.filter(pk__in=batch)


def _orders(table: TablePlan, names: Sequence[str]) -> list[Any]:
    """Orders in which NULL comes last, or first downwards: PostgreSQL's way, on every database."""
    meta = table.model_class._meta
    found = []
    for name in names:
        one = meta.pk if name.removeprefix("-") == "pk" else meta.get_field(name.removeprefix("-"))
        if name.startswith("-"):
            found.append(F(one.attname).desc(nulls_first=one.null or None))
        else:
            found.append(F(one.attname).asc(nulls_last=one.null or None))
    return found


def _conditions(queryset: Any, alias: str) -> Any:
    """The keys of a queryset's rows, for a condition: its order and its columns do not count."""
    rows = queryset.using(alias)
    return (rows if rows.query.distinct_fields else rows.order_by()).values("pk")
