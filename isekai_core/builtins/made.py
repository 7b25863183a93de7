"""Fields that Django fills itself, by the clock or from an image: what a spec says of them stands."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db.models import FileField, Model

from isekai_core.builtins.files import store_file
from isekai_core.pipeline.loading.create import set_again
from isekai_core.pipeline.transform import fillable_fields, find_model
from isekai_core.types import FileValue, LoadItem


@cache
def _stamped(model: type[Model]) -> tuple[Any, ...]:
    """The fields that Django fills by the clock."""
    return tuple(
        field
        for field in model._meta.concrete_fields
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    )


@cache
def _measured(field: Any) -> tuple[str, ...]:
    """The fields for the width and the height of the image in `field`."""
    names = (getattr(field, "width_field", None), getattr(field, "height_field", None))
    return tuple(name for name in names if name)


@cache
def _made(model: type[Model]) -> tuple[str, ...]:
    files = (field for field in model._meta.concrete_fields if isinstance(field, FileField))
    return (*(field.name for field in _stamped(model)), *(name for field in files for name in _measured(field)))


def fill(item: LoadItem) -> dict[str, Any]:
    """Put the changed values on the instance, files into their storage; what Django must not make another of."""
    model = find_model(item.model)
    changed = [fillable_fields(model)[name] for name in item.changed]
    if item.preallocated:
        # Whatever key a new instance has made for itself.
        item.row.pk = item.pk
    for field in changed:
        if not field.many_to_many and not isinstance(field, FileField):
            setattr(item.row, field.attname, item.values[field.name].value)
    given = _given(model, item)
    # After all others, as Django does: where a file goes may depend on them.
    if files := [field for field in changed if isinstance(field, FileField)]:
        _stamp(model, item, given)
    for field in files:
        value = item.values[field.name].value
        stored = store_file(field, item.row, value) if isinstance(value, FileValue) else value
        setattr(item.row, field.attname, stored)
    set_again(item.row, given)
    return given


def also_written(item: LoadItem) -> list[str]:
    """The fields that change with those that the spec changes, but for what the spec says itself."""
    model = find_model(item.model)
    changed = (fillable_fields(model)[name] for name in item.changed)
    names = [name for field in changed if isinstance(field, FileField) for name in _measured(field)]
    names += [field.name for field in _stamped(model) if getattr(field, "auto_now", False)]
    return [name for name in dict.fromkeys(names) if not _is_told(item, name)]


def _given(model: type[Model], item: LoadItem) -> dict[str, Any]:
    """By attribute, what stands in those of these fields that the spec names, were they changed or not."""
    return {name: getattr(item.row, name) for name in _made(model) if _is_told(item, name)}


def _is_told(item: LoadItem, name: str) -> bool:
    # Of a cycle, the second phase names only what the first one withheld.
    return name in item.values or name in item.written


def _stamp(model: type[Model], item: LoadItem, given: Mapping[str, Any]) -> None:
    for field in _stamped(model):
        if field.name not in given:
            field.pre_save(item.row, item.action == "create")
