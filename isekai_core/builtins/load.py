"""The built-in `models` loader: rows of Django models, in bulk, compared field by field first."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connections, router
from django.db.models import Model

from isekai_core.builtins.fields import FieldError, Prepared, is_lost, prepare, required_fields, show
from isekai_core.builtins.links import check_new_links, linked_now, save_links, write_links
from isekai_core.builtins.made import also_written, fill
from isekai_core.errors import LoadError
from isekai_core.pipeline.loading.create import create_rows, set_again
from isekai_core.pipeline.store.rows import update_rows
from isekai_core.pipeline.transform import fillable_fields, find_model
from isekai_core.types import LoadItem


@dataclass
class ModelLoader:
    """Writes Django model instances, in bulk per model.

    save: "bulk" writes many rows with one statement, without `save()` and signals; "each" cleans and saves
        every instance as a form would. Multi-table models are saved one by one in either case.
    overwrite: also write fields that were edited by hand since they were loaded.
    """

    save: Literal["bulk", "each"] = "bulk"
    overwrite: bool = False

    accepts: ClassVar[tuple[str, ...]] = ("*",)
    version: ClassVar[str] = "1"

    def plan(self, items: Sequence[LoadItem]) -> None:
        """Compare each item with its row: create, update, unchanged or error. Items are of one model."""
        if not items:
            return
        model = find_model(items[0].model)
        pks = [item.pk for item in items if item.pk is not None and not item.preallocated]
        rows = model._base_manager.in_bulk(pks) if pks else {}
        links = linked_now(model, items, rows)
        for item in items:
            if item.action == "error":
                continue
            try:
                self._plan(model, item, rows.get(item.pk), links)
            except (FieldError, LoadError) as error:
                item.action, item.error = "error", error if isinstance(error, LoadError) else LoadError(str(error))

    def _plan(self, model: type[Model], item: LoadItem, row: Model | None, links: Mapping[Any, set[Any]]) -> None:
        fields = fillable_fields(model)
        if row is None and item.pk is not None and not item.preallocated:
            # It was loaded, and deleted by hand since.
            item.pk, item.written = None, {}
        target = row if row is not None else model()
        prepared = {fields[name]: prepare(fields[name], value, target) for name, value in item.values.items()}
        item.row = target
        item.values = {field.name: value for field, value in prepared.items()}
        if row is None:
            self._plan_create(model, item, prepared)
        else:
            self._plan_update(item, row, prepared, links)

    def _plan_create(self, model: type[Model], item: LoadItem, prepared: Mapping[Any, Prepared]) -> None:
        missing = [field.name for field in required_fields(model) if field not in prepared]
        if missing:
            msg = f"{item.model} needs {', '.join(repr(name) for name in missing)}, which the spec gives no value for"
            raise LoadError(msg)
        for field, value in prepared.items():
            if field.many_to_many:
                check_new_links(field, value.value)
        item.action = "create"
        item.changed = tuple(field.name for field in prepared)

    def _plan_update(
        self, item: LoadItem, row: Model, prepared: Mapping[Any, Prepared], links: Mapping[Any, set[Any]]
    ) -> None:
        changed, kept = [], []
        for field, value in prepared.items():
            current = links.get((field.name, row.pk), set()) if field.many_to_many else None
            if value.equals(row, current, item.written.get(field.name)):
                continue
            if field.primary_key:
                msg = f"field {field.name!r} is the primary key of {item.model} {row.pk!r}, which cannot become another"
                raise LoadError(msg)
            known = item.written.get(field.name)
            stands = known is None or self.overwrite or is_lost(field, row)
            if not stands and show(field, row, current) != known:
                kept.append(field.name)
                continue
            if current is not None:
                check_new_links(field, set(value.value) - current)
            changed.append(field.name)
        item.action = "update" if changed else "unchanged"
        item.changed, item.kept = tuple(changed), tuple(kept)
        for field, value in prepared.items():
            if field.name not in changed and field.name not in kept:
                item.written[field.name] = value.hash

    def write(self, items: Sequence[LoadItem]) -> None:
        """Write what was planned; all of one model."""
        if not items:
            return
        model = find_model(items[0].model)
        filled = [(item, fill(item)) for item in items]
        if self.save == "each" or model._meta.parents:
            for item, given in filled:
                _save_each(item, given)
            save_links(model, items)
        else:
            new = [(item.row, given) for item, given in filled if item.action == "create"]
            create_rows(model, [row for row, _ in new], [given for _, given in new])
            _update(model, [one for one in filled if one[0].action == "update"])
            write_links(model, items)
        for item in items:
            item.pk = item.row.pk
            item.written |= {name: item.values[name].hash for name in item.changed}


def _save_each(item: LoadItem, given: Mapping[str, Any]) -> None:
    # The rows that a cycle points to are not there yet, so that cleaning would not find them.
    relations = {field.name for field in item.row._meta.concrete_fields if field.is_relation}
    try:
        item.row.full_clean(exclude=relations if item.preallocated else None)
    except ValidationError as error:
        raise LoadError(_reasons(error)) from None
    item.row.save(force_insert=item.preallocated)
    if item.row.pk is None or item.row._state.adding:  # noqa: SLF001 - a key that Python makes is there before
        msg = f"save() of {item.model} wrote no row; to leave a resource out, raise SkipResource in its transformer"
        raise LoadError(msg)
    if lost := set_again(item.row, given):
        type(item.row)._base_manager.filter(pk=item.row.pk).update(**lost)


def _reasons(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    told = ((name, " ".join(messages)) for name, messages in error.message_dict.items())
    return "; ".join(text if name == NON_FIELD_ERRORS else f"field {name!r}: {text}" for name, text in told)


def _update(model: type[Model], filled: Sequence[tuple[LoadItem, Mapping[str, Any]]]) -> None:
    """One statement for all that change the same columns."""
    groups: dict[tuple[str, ...], list[tuple[Model, Mapping[str, Any]]]] = defaultdict(list)
    for item, given in filled:
        columns = [name for name in item.changed if not fillable_fields(model)[name].many_to_many]
        if columns:
            groups[*columns, *also_written(item)].append((item.row, given))
    connection = connections[router.db_for_write(model)]
    for names, same in groups.items():
        fields = [fillable_fields(model)[name] for name in names]
        rows = [(row.pk, *(_value(field, row, given) for field in fields)) for row, given in same]
        if update_rows(connection, model, (model._meta.pk.name,), names, rows) != len(rows):
            msg = f"a row of {model._meta.label} was deleted while it was loaded; the next run makes it again"
            raise LoadError(msg)


def _value(field: Any, row: Model, given: Mapping[str, Any]) -> Any:
    return given[field.attname] if field.attname in given else field.pre_save(row, False)
