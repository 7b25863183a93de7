"""New rows of any model in bulk: by COPY where it can be, else by Django's own way.

On PostgreSQL, Django sends every column as one array, in which each text is quoted again: for pages of
text that was a fifth of a load.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, BigAutoField, Model, SmallAutoField
from django.db.models.expressions import DatabaseDefault

from isekai_core.pipeline.loading.cycles import take_keys
from isekai_core.pipeline.store.copying import copy_rows, copy_types
from isekai_core.pipeline.store.rows import update_rows


def create_rows(model: type[Model], instances: Sequence[Any], given: Sequence[Mapping[str, Any]] | None = None) -> None:
    """Insert `instances`, which then have their keys. `save()` and signals are not called.

    given: for each instance, attribute to the value that stands where Django would stamp the time of writing.

    Must be called in a transaction, and raises what the database raises.
    """
    connection = connections[router.db_for_write(model)]
    given = given or [{}] * len(instances)
    fields: list[Any] = [field for field in model._meta.concrete_fields if not getattr(field, "generated", False)]
    types = copy_types(connection, fields)
    if types is None or not _has_keys(model, instances):
        _create_as_django(connection, model, instances, given)
        return
    rows = [_values(connection, fields, *one) for one in zip(instances, given, strict=True)]
    if any(isinstance(value, DatabaseDefault) for row in rows for value in row):
        # Whatever the database fills in, it tells by RETURNING only.
        _create_as_django(connection, model, instances, given)
        return
    quote = connection.ops.quote_name
    columns = [quote(field.column) for field in fields]
    with connection.cursor() as cursor:
        copy_rows(cursor, quote(model._meta.db_table), columns, types, rows)
    for instance in instances:
        # As Django's own bulk_create does.
        instance._state.adding = False  # noqa: SLF001
        instance._state.db = connection.alias  # noqa: SLF001


def set_again(instance: Model, given: Mapping[str, Any]) -> dict[str, Any]:
    """Put `given` on the instance; those of it that had become something else."""
    lost = {name: value for name, value in given.items() if getattr(instance, name) != value}
    for name, value in lost.items():
        setattr(instance, name, value)
    return lost


def _create_as_django(
    connection: BaseDatabaseWrapper, model: type[Model], instances: Sequence[Any], given: Sequence[Mapping[str, Any]]
) -> None:
    """Django stamps the time of writing over whatever was given, which is written again."""
    model._base_manager.bulk_create(instances)
    groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for instance, values in zip(instances, given, strict=True):
        lost = set_again(instance, values)
        groups[tuple(lost)].append((instance.pk, *lost.values()))
    for names, rows in groups.items():
        if names:
            update_rows(connection, model, (model._meta.pk.name,), names, rows)


def _has_keys(model: type[Model], instances: Sequence[Any]) -> bool:
    """Whether all have keys, once those that the database would number are numbered."""
    without = [instance for instance in instances if instance.pk is None]
    if without and isinstance(model._meta.pk, AutoField | BigAutoField | SmallAutoField):
        for instance, key in zip(without, take_keys(model, len(without)), strict=True):
            instance.pk = key
    return all(instance.pk is not None for instance in instances)


def _values(
    connection: BaseDatabaseWrapper, fields: Sequence[Any], instance: Any, given: Mapping[str, Any]
) -> list[Any]:
    values = []
    for field in fields:
        value = given[field.attname] if field.attname in given else field.pre_save(instance, add=True)
        values.append(value if isinstance(value, DatabaseDefault) else field.get_db_prep_save(value, connection))
    return values
