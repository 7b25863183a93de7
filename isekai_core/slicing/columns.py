"""What is exported of a model: its own table's columns, and what each of them is."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import CompositePrimaryKey, Model

from isekai_core.errors import PlanError
from isekai_core.types.slices import Column, Reference


def columns_of(
    model: type[Model],
    declared: Collection[str] = (),
    masks: Mapping[str, str] | None = None,
    exclude: Collection[str] = (),
) -> tuple[Column, ...]:
    """The columns of the model's own table, in the order of its fields; those that the database computes are not.

    declared: foreign keys whose rows stay only with the rows they point to.
    masks: field names that are masked, to the names of the masks.
    exclude: fields that are left out.

    Raises `PlanError` for a field that cannot be left out.
    """
    return tuple(
        _column(field, field.name in declared, (masks or {}).get(field.name, ""))
        for field in fields_of(model)
        if not _is_excluded(model, field, exclude)
    )


def fields_of(model: type[Model]) -> list[Any]:
    """The fields that are columns of the model's own table and hold values that are given, in their order."""
    if isinstance(model._meta.pk, CompositePrimaryKey):
        msg = (
            f"{model._meta.label} has a primary key of several columns, which slices do not know: leave it out, or take"
            " another model of the table, whose primary_key is a column that tells its rows apart"
        )
        raise PlanError(msg)
    return [field for field in model._meta.local_concrete_fields if not getattr(field, "generated", False)]


def base_field(field: Any) -> Any:
    """The field whose type a foreign key's column has."""
    while field.is_relation:
        field = field.target_field
    return field


def is_unique_alone(field: Any) -> bool:
    """Whether no two rows may have the same value in a column, by the field itself or by a constraint of its model."""
    meta = field.model._meta
    together = [*meta.unique_together, *(one.fields for one in meta.total_unique_constraints)]
    return field.unique or (field.name,) in [tuple(names) for names in together]


def is_enforced(field: Any) -> bool:
    """Whether a database's own constraint sees to it that a foreign key points to a row, as far as a model tells."""
    return bool(getattr(field, "db_constraint", True)) and bool(field.model._meta.managed)


def _is_excluded(model: type[Model], field: Any, exclude: Collection[str]) -> bool:
    if field.name not in exclude:
        return False
    if field.primary_key or not (
        field.null or field.has_default() or field.has_db_default() or field.empty_strings_allowed
    ):
        msg = f"{model._meta.label}.{field.name} cannot be left out: it is required and has no default"
        raise PlanError(msg)
    return True


def _column(field: Any, is_declared: bool, mask: str) -> Column:
    base = base_field(field)
    reference = None
    if field.is_relation:
        target = field.target_field
        reference = Reference(target.model._meta.concrete_model._meta.label, target.column, is_declared)
    return Column(
        name=field.column,
        field=field.name,
        type=base.get_internal_type(),
        null=field.null,
        max_length=getattr(base, "max_length", None),
        unique=field.unique,
        reference=reference,
        mask=mask,
    )
