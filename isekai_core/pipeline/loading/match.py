"""Which items of a batch mean a row that exists: by their match fields, one query for all of a model."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q

from isekai_core.errors import LoadError
from isekai_core.pipeline.given import is_storable
from isekai_core.pipeline.loading.moments import moment
from isekai_core.pipeline.store.rows import chunks
from isekai_core.pipeline.transform import fillable_fields, find_model
from isekai_core.types import LoadItem


def match(items: Sequence[LoadItem]) -> dict[int, int]:
    """Set the `pk` of the items whose row exists; the ids (of objects) of those that must wait, to for how many.

    An item waits for the earlier ones of the batch that mean the same row, which it updates afterwards. More
    than one row for an item, or a value the field does not take, sets its `error`.
    """
    groups: dict[tuple[str, tuple[str, ...]], list[LoadItem]] = defaultdict(list)
    for item in items:
        if item.match and item.pk is None:
            groups[item.model, item.match].append(item)
    waiting: dict[int, int] = {}
    for (label, names), same in groups.items():
        waiting |= _match_group(find_model(label), names, same)
    return waiting


def forget_gone(items: Sequence[LoadItem]) -> None:
    """Take the remembered `pk` from items whose row was deleted by hand since: another may be there by now, or none."""
    remembered: dict[str, list[LoadItem]] = defaultdict(list)
    for item in items:
        if item.pk is not None:
            remembered[item.model].append(item)
    for label, same in remembered.items():
        there: set[Any] = set()
        for pks in chunks([item.pk for item in same]):
            there.update(find_model(label)._base_manager.filter(pk__in=pks).values_list("pk", flat=True))
        for item in same:
            if item.pk not in there:
                item.pk, item.written = None, {}


def _match_group(model: type[Model], names: tuple[str, ...], items: Sequence[LoadItem]) -> dict[int, int]:
    fields = [fillable_fields(model)[name] for name in names]
    wanted: dict[tuple[Any, ...], LoadItem] = {}
    waiting: dict[int, int] = {}
    meant: Counter[tuple[Any, ...]] = Counter()
    for item in items:
        try:
            values = tuple(_comparable(field, item.values[name]) for field, name in zip(fields, names, strict=True))
            hash(values)
        except ValidationError as error:
            item.action, item.error = "error", LoadError(f"match field: {' '.join(error.messages)}")
            continue
        except TypeError as error:
            item.action, item.error = "error", LoadError(f"match fields {', '.join(names)} cannot be compared: {error}")
            continue
        if not all(is_storable(value) for value in values):
            # No row can have it, and a database would refuse to look: the loader says so, by the field's name.
            continue
        if values in wanted:
            waiting[id(item)] = meant[values]
        else:
            wanted[values] = item
        meant[values] += 1
    _set_keys(model, fields, wanted)
    return waiting


def _comparable(field: Any, value: Any) -> Any:
    target = field.target_field if field.is_relation else field
    return target.to_python(moment(target, value))


def _set_keys(model: type[Model], fields: list[Any], wanted: dict[tuple[Any, ...], LoadItem]) -> None:
    rows = model._base_manager.filter(_candidates(fields, list(wanted)))
    found: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for pk, *values in rows.values_list("pk", *(field.attname for field in fields)):
        found[tuple(values)].append(pk)
    for values, item in wanted.items():
        pks = found.get(values, [])
        if len(pks) > 1:
            shown = ", ".join(f"{name}={value!r}" for name, value in zip(item.match, values, strict=True))
            item.action = "error"
            item.error = LoadError(f"{shown} fits {len(pks)} rows of {item.model} ({_listed(pks)}); match must fit one")
        elif pks:
            item.pk = pks[0]


def _candidates(fields: list[Any], wanted: list[tuple[Any, ...]]) -> Q:
    """The rows that have one of the wanted values in the field that tells the most; `IN` finds no empty one."""
    values_of = {field.attname: {values[index] for values in wanted} for index, field in enumerate(fields)}
    name, values = min(values_of.items(), key=lambda one: (None in one[1], -len(one[1])))
    condition = Q(**{f"{name}__in": values - {None}})
    return condition | Q(**{f"{name}__isnull": True}) if None in values else condition


def _listed(pks: list[Any]) -> str:
    shown = ", ".join(str(pk) for pk in sorted(pks)[:5])
    return f"{shown}, …" if len(pks) > 5 else shown  # noqa: PLR2004 - enough to look at
