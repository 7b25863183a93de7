"""The queries by which rows of a slice are chosen: what a plan says, in the words of Django's ORM."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldError, ValidationError
from django.db.models import Exists, F, OuterRef, Q

from isekai_core.builtins.orm.rows import batches, kind_of, rows_of
from isekai_core.errors import ExportError
from isekai_core.slicing.columns import base_field
from isekai_core.slicing.generic import CONTENT_TYPE, kinds_of
from isekai_core.slicing.values import text_of
from isekai_core.types.slices import GenericKey, TablePlan

_READ = 2_000
_TOO_LARGE = 2**63


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


def distinct(
    alias: str,
    table: TablePlan,
    column: str,
    keys: Collection[Any] | None,
    conditions: Mapping[str, Any] | None = None,
) -> Iterator[Any]:
    """The values of a column of the rows with these keys, of all rows for None; without NULL.

    conditions: what else holds of the rows.
    """
    name = field_of(table, column).attname
    rows = rows_of(alias, table.model_class).filter(**(conditions or {})).exclude(**{f"{name}__isnull": True})
    rows = rows.values_list(name, flat=True).distinct()
    if keys is None:
        yield from rows.iterator(chunk_size=_READ)
        return
    for batch in batches(keys):
        yield from rows.filter(pk__in=batch)


def kinds_in(alias: str, table: TablePlan, key: GenericKey) -> set[tuple[str, str]]:
    """App label and model name of the content types that the rows of `table` name."""
    types = apps.get_model(CONTENT_TYPE)._base_manager.using(alias)
    kind = field_of(table, key.kind).attname
    there = rows_of(alias, table.model_class).filter(**{kind: OuterRef("pk")})
    return set(types.filter(Exists(there)).values_list("app_label", "model"))


def pointed_generically(
    alias: str, table: TablePlan, child: TablePlan, key: GenericKey, keys: Collection[Any] | None
) -> Iterator[Any]:
    """The keys of `table` that rows of `child` with these keys point to; what cannot be one points nowhere."""
    wanted = Q()
    for app_label, model in kinds_of(table.model_class):
        wanted |= Q(app_label=app_label, model=model)
    types = list(apps.get_model(CONTENT_TYPE)._base_manager.using(alias).filter(wanted).values_list("pk", flat=True))
    if not types:
        return
    kind, pk = field_of(child, key.kind).attname, base_field(table.model_class._meta.pk)
    for value in distinct(alias, child, key.key, keys, {f"{kind}__in": types}):
        try:
            found = pk.to_python(value)
        except ValidationError:
            continue
        # A text that is not written as keys are is none; nor is a number that no database holds.
        is_written = not isinstance(value, str) or text_of(kind_of(pk), found) == value
        if is_written and not (isinstance(found, int) and abs(found) >= _TOO_LARGE):
            yield found


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
