"""What importers decide about columns: which mask one has, and of which texts nobody has said anything."""

from collections.abc import Iterable
from typing import Any

from django.db.models import FileField, Model

from isekai_core.errors import PlanError
from isekai_core.slicing.allowed import check_planned
from isekai_core.slicing.columns import base_field, fields_of
from isekai_core.slicing.importer import importer_of
from isekai_core.slicing.masks import Mask, as_mask, keep
from isekai_core.slicing.values import TEXTS, is_known
from isekai_core.types.slices import Column, TablePlan


def mask_of(field: Any) -> Mask | None:
    """The mask of a model field; of a foreign key, that of the column it points to. None for none, and for keep.

    Raises `PlanError` for what is no mask.
    """
    base = base_field(field)
    importer = importer_of(base.model) or importer_of(base.model._meta.concrete_model)
    given = importer.masks().get(base.name) if importer else None
    if given is None:
        return None
    mask = as_mask(given)
    return None if isinstance(mask, type(keep)) else mask


def masks_of(model: type[Model]) -> dict[str, str]:
    """The fields of `model` whose columns are masked, and what by, as plans and manifests call it.

    A column that is kept is not masked; a foreign key to a masked column is.
    """
    found = {field.name: mask_of(field) for field in fields_of(model)}
    return {name: str(mask) for name, mask in found.items() if mask is not None}


def planned_masks(model: type[Model], columns: Iterable[Column]) -> dict[str, Mask]:
    """The masks of those of these columns that have one, by their names.

    Raises `PlanError`, naming the column, for a mask that it cannot have.
    """
    found: dict[str, Mask] = {}
    for column in columns:
        field = model._meta.get_field(column.field)
        try:
            mask = mask_of(field)
            if mask is not None:
                check_planned(mask, field)
                found[column.name] = mask
        except PlanError as error:
            msg = f"{model._meta.label}.{column.field}: {error}"
            raise PlanError(msg) from error
    return found


def texts_without_decision(tables: Iterable[TablePlan]) -> list[str]:
    """The text columns of `tables` of which no importer says whether they are masked or kept: `shop.Customer.email`.

    Texts are all that a person may have written: characters and texts of any length, addresses, JSON, arrays and
    stores of texts, what is searched in them, and custom fields whose type nobody knows. Fields with choices say one
    of a few words, names of files are made by the project, and foreign keys are decided where they point to: these
    need no decision.
    """
    undecided = []
    for table in tables:
        importer = importer_of(table.model_class)
        decided = importer.masks() if importer else {}
        fields = [table.model_class._meta.get_field(column.field) for column in table.columns]
        names = [field.name for field in fields if _is_text(field) and field.name not in decided]
        undecided += [f"{table.model}.{name}" for name in names]
    return undecided


def check_masks(tables: Iterable[TablePlan]) -> None:
    """Raise `PlanError` for text columns of `tables` of which no importer says whether they are masked or kept."""
    if undecided := texts_without_decision(tables):
        msg = f"masks='required', and nothing says what becomes of {', '.join(undecided)}; mask them, or say keep"
        raise PlanError(msg)


def kept_unasked(tables: Iterable[TablePlan]) -> list[str]:
    """A note on texts that are in a slice as they are, because their models have no importer that could mask them."""
    names = texts_without_decision(table for table in tables if importer_of(table.model_class) is None)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return [f"not masked, as there is no importer: {', '.join(names[:_SHOWN])}{more}"] if names else []


_SHOWN = 10
_RANGES = frozenset(
    {"IntegerRangeField", "BigIntegerRangeField", "DecimalRangeField", "DateRangeField", "DateTimeRangeField"}
)
"""Of numbers and of times, in which nobody can have written anything."""


def _is_text(field: Any) -> bool:
    if field.is_relation or field.choices or isinstance(field, FileField):
        return False
    kind = field.get_internal_type()
    if kind == "ArrayField":
        return _is_text(field.base_field)
    return kind in TEXTS or kind == "JSONField" or not (is_known(kind) or kind in _RANGES)
