"""Generic foreign keys: which of a model's columns are one, and which models they may lead to.

What they point to is said row by row, by a content type, and the database has no constraint for it. So a plan that
has one names every model as a table that may come, and a source asks first which content types there are.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.apps import apps
from django.db.models import CompositePrimaryKey, Model

from isekai_core.types.slices import GenericKey, SlicePlan, TablePlan

CONTENT_TYPE = "contenttypes.ContentType"


def generic_keys(model: type[Model]) -> tuple[GenericKey, ...]:
    """The generic foreign keys whose columns are in the model's own table."""
    own: dict[Any, str] = {field.name: str(field.column) for field in model._meta.local_concrete_fields}
    found = []
    for one in model._meta.private_fields:
        # Not by its class: contenttypes need not be installed. A GenericRelation, which leads back, has other names.
        kind, key = getattr(one, "ct_field", None), getattr(one, "fk_field", None)
        if kind in own and key in own:
            found.append(GenericKey(str(model._meta.label), own[kind], own[key]))
    return tuple(found)


def candidates() -> Iterator[type[Model]]:
    """The models that a generic foreign key may lead to."""
    yield from (one for one in apps.get_models() if not one._meta.proxy and not _is_composite(one))


def _is_composite(model: type[Model]) -> bool:
    return isinstance(model._meta.pk, CompositePrimaryKey)


def kinds_of(model: type[Model]) -> tuple[tuple[str, str], ...]:
    """App label and model name of the content types that mean a row of this model's table: proxies have their own."""
    concrete = model._meta.concrete_model
    same = {concrete, *(one for one in apps.get_models() if one._meta.concrete_model is concrete)}
    return tuple(sorted((one._meta.app_label, str(one._meta.model_name)) for one in same if one is not None))


def present(plan: SlicePlan, kinds: Callable[[GenericKey], Collection[tuple[str, str]]]) -> SlicePlan:
    """The plan without the optional tables to which nothing can lead.

    kinds: asks a source which content types, by app label and model name, the rows of a model name.
    """
    there = {table.model for table in plan.tables if not table.is_optional}
    waiting = list(there)
    named: dict[GenericKey, Collection[tuple[str, str]]] = {}
    while waiting:
        label = waiting.pop()
        for table in plan.tables:
            if table.model not in there and _leads(table, label, named, kinds):
                there.add(table.model)
                waiting.append(table.model)
    return plan if len(there) == len(plan.tables) else plan.only(there)


def _leads(
    table: TablePlan,
    label: str,
    named: dict[GenericKey, Collection[tuple[str, str]]],
    kinds: Callable[[GenericKey], Collection[tuple[str, str]]],
) -> bool:
    """Whether rows of the model `label` can point to rows of `table`."""
    if any(model == label for model, _ in table.closure):
        return True
    for key in table.generic:
        if key.model == label:
            if key not in named:
                named[key] = kinds(key)
            if not set(kinds_of(table.model_class)).isdisjoint(named[key]):
                return True
    return False
