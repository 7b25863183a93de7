"""Unload by Django's ORM: the rows that loads under a name created are removed, and no others."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db import connections, transaction
from django.db.models.sql import DeleteQuery

from isekai_core.builtins.orm import ledger
from isekai_core.builtins.orm.keys import lock
from isekai_core.builtins.orm.load import check, told
from isekai_core.builtins.orm.rows import batches, kind_of, rows_of
from isekai_core.errors import MergeError
from isekai_core.slicing.columns import columns_of
from isekai_core.slicing.order import groups_of
from isekai_core.slicing.values import value_of
from isekai_core.types.slices import TableReport


def unload(alias: str, name: str) -> Sequence[TableReport]:
    """Remove the rows; `MergeError`, with everything as it was, when there are none, or other rows need them."""
    with told(alias, MergeError, "rows of the slice cannot be removed"), transaction.atomic(using=alias):
        lock(alias)
        created = ledger.created(alias, name)
        if not created:
            known = ", ".join(map(repr, ledger.names(alias))) or "none"
            msg = f"no slice {name!r} has been loaded into orm:{alias}; there are {known}"
            raise MergeError(msg)
        models = {label: _model(label) for label in created}
        created |= {label: [] for label in ledger.forget_void(alias, name, models.values())}
        order = _children_first(models)
        if not connections[alias].features.can_defer_constraint_checks:
            for label in order:
                _loosen(alias, models[label], created[label], models)
        reports = [_remove(alias, models[label], created[label]) for label in order]
        check(alias, [table for model in models.values() for table in _tables(model)])
        ledger.forget(alias, name)
    return reports


def _model(label: str) -> Any:
    try:
        return apps.get_model(label)
    except LookupError:
        msg = f"the slice has rows of {label}, and this project has no such model any more"
        raise MergeError(msg) from None


def _children_first(models: dict[str, Any]) -> list[str]:
    needs = {
        label: [column.reference.model for column in columns_of(model) if column.reference]
        for label, model in models.items()
    }
    return [label for group in reversed(groups_of(needs)) for label in group]


def _values(model: Any, keys: Sequence[str]) -> list[Any]:
    kind = kind_of(model._meta.pk)
    return [value_of(kind, key) for key in keys]


def _loosen(alias: str, model: Any, keys: Sequence[str], models: dict[str, Any]) -> None:
    """Where constraints do not wait, rows that need one another must not while they are removed."""
    columns = [one for one in columns_of(model) if one.reference and one.null and one.reference.model in models]
    if columns:
        for batch in batches(_values(model, keys)):
            rows_of(alias, model).filter(pk__in=batch).update(**{one.field: None for one in columns})


def _remove(alias: str, model: Any, keys: Sequence[str]) -> TableReport:
    removed = sum(DeleteQuery(model).delete_batch(batch, alias) for batch in batches(_values(model, keys)))
    return TableReport(model._meta.label, removed, 0, 0, 0)


def _tables(model: Any) -> list[str]:
    """The tables in which a row could now point to nothing."""
    pointing = [one.related_model for one in model._meta.get_fields(include_hidden=True) if one.auto_created
                and one.is_relation and not one.concrete and one.related_model is not None]  # fmt: skip
    managed = [one for one in pointing if not one._meta.abstract]
    return [model._meta.db_table, *(one._meta.db_table for one in managed)]
