"""Derive: a plan from one or a few rows: what they need is always taken, what needs them where it is named."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import FieldError
from django.db.models import ManyToManyField, Model, Q, QuerySet
from django.db.models.functions import Cast

from isekai_core.conf import did_you_mean
from isekai_core.errors import PlanError
from isekai_core.slicing.columns import base_field, columns_of
from isekai_core.slicing.decided import masks_of, planned_masks
from isekai_core.slicing.generic import candidates, generic_keys
from isekai_core.slicing.given import named, paths_of, text_of
from isekai_core.slicing.job import ImportJob
from isekai_core.slicing.order import groups_of
from isekai_core.types.slices import GenericKey, SlicePlan, TablePlan


@dataclass
class _Wanted:
    """The rows of one model that are wanted for themselves; others come because rows point to them.

    is_optional: whether only a generic foreign key may lead to it, so that nothing of it may be there.
    """

    model: type[Model]
    condition: Q | None = None
    pointed_at: set[tuple[str, str]] = field(default_factory=set)
    generic: set[GenericKey] = field(default_factory=set)
    is_optional: bool = False


def derive(roots: Sequence["QuerySet[Any]"], follow: Iterable[str] = (), seed: object = 0) -> SlicePlan:
    """The plan of the rows of `roots`, of what they need to the last, and of what is named in `follow`.

    follow: relations as in a filter, from the roots' models on: `"shop"`, `"shop__customer__order"`; each part of
        such a path is followed. Many-to-many relations are followed like others, and so is a GenericRelation.

    Where a generic foreign key points is known only when rows are read: every model is in the plan then, and those
    of which no row is pointed to are left out of the slice.

    Raises `PlanError` for what is no queryset, and for a relation that there is not.
    """
    wanted: dict[str, _Wanted] = {}
    for root in roots:
        if not isinstance(root, QuerySet):
            msg = f"plan(…): expected querysets such as Tenant.objects.filter(pk=1), got {named(root)}"
            raise PlanError(msg)
        ImportJob(root.model, root)  # which refuses querysets that cannot be compared
        _want(wanted, root.model, Q(pk__in=_keys(root)))
    if not roots:
        msg = "plan(…): a plan needs at least one queryset, such as Tenant.objects.filter(pk=1)"
        raise PlanError(msg)
    for path in paths_of(follow):
        _follow(wanted, roots, path)
    _add_needed(wanted, list(wanted))
    _add_generic(wanted)
    database = _database(roots)
    tables = {label: _table(one, database) for label, one in wanted.items()}
    needs = {label: _needs(table, wanted) for label, table in tables.items()}
    groups = groups_of(needs)
    ordered = tuple(tables[label] for group in groups for label in group)
    return SlicePlan(ordered, tuple(tuple(group) for group in groups), text_of("seed", seed))


def _database(roots: Sequence["QuerySet[Any]"]) -> str | None:
    """The alias that roots name by `using`; None where they leave it to the source."""
    found = {_alias(root) for root in roots}
    if len(found) > 1:
        msg = f"plan(…): the querysets are of different databases: {', '.join(sorted(map(str, found)))}"
        raise PlanError(msg)
    return found.pop() if found else None


def _alias(rows: "QuerySet[Any]") -> str | None:
    # Not rows.db, which would say the default one for those that say none.
    return vars(rows)["_db"]  # type: ignore[no-any-return]


def _all(model: type[Model], alias: str | None) -> "QuerySet[Any]":
    return model._base_manager.using(alias).all()


def _keys(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    return rows.order_by().values("pk")


def _want(wanted: dict[str, _Wanted], model: type[Model], condition: Q) -> None:
    one = wanted.setdefault(model._meta.label, _Wanted(model))
    one.condition = condition if one.condition is None else one.condition | condition


def _follow(wanted: dict[str, _Wanted], roots: Sequence["QuerySet[Any]"], path: str) -> None:
    names = path.split("__")
    having = [root for root in roots if names[0] in _relations(root.model)]
    for root in having:
        _follow_from(wanted, root, names, path)
    if not having:
        known = sorted({name for root in roots for name in _relations(root.model)})
        hint = did_you_mean(names[0], known)
        msg = f"follow: no model of the roots has a relation {path!r}{hint}; they have {', '.join(known) or 'none'}"
        raise PlanError(msg)


def _follow_from(wanted: dict[str, _Wanted], rows: "QuerySet[Any]", names: Sequence[str], path: str) -> None:
    for name in names:
        relation = _relations(rows.model).get(name)
        if relation is None:
            known = sorted(_relations(rows.model))
            hint = f"{did_you_mean(name, known)}; it has {', '.join(known)}"
            msg = f"follow: {path!r}: {rows.model._meta.label} has no relation {name!r}{hint}"
            raise PlanError(msg)
        rows = _related(wanted, rows, relation, path)


def _related(wanted: dict[str, _Wanted], rows: "QuerySet[Any]", relation: Any, path: str) -> "QuerySet[Any]":
    """The rows at the other end of `relation`, which are wanted now, with those of the table between."""
    other: type[Model] = relation.related_model
    if hasattr(relation, "object_id_field_name"):
        found = _generically_related(rows, relation)
    elif relation.many_to_many:
        forward = isinstance(relation, ManyToManyField)
        many: Any = relation if forward else relation.field
        through: Any = many.remote_field.through
        near, far = many.m2m_field_name(), many.m2m_reverse_field_name()
        near, far = (near, far) if forward else (far, near)
        links = _all(through, _alias(rows)).filter(**{f"{near}__in": _keys(rows)})
        _want(wanted, through, Q(pk__in=_keys(links)))
        found = _all(other, _alias(rows)).filter(pk__in=links.order_by().values(f"{far}_id"))
    elif relation.concrete:
        found = _all(other, _alias(rows)).filter(pk__in=rows.order_by().values(f"{relation.name}__pk"))
    else:
        try:
            found = _all(other, _alias(rows)).filter(**{f"{relation.field.name}__in": rows.order_by()})
        except (FieldError, AttributeError, ValueError) as error:
            msg = f"follow: {path!r}: {relation.name!r} cannot be followed: {error}"
            raise PlanError(msg) from error
    _want(wanted, other, Q(pk__in=_keys(found)))
    return found


def _generically_related(rows: "QuerySet[Any]", relation: Any) -> "QuerySet[Any]":
    """The rows that point to `rows` by a generic foreign key, for which `relation` is the way back."""
    other: Any = relation.related_model
    kind, key = relation.content_type_field_name, relation.object_id_field_name
    holder = base_field(other._meta.get_field(key))
    keys: Any = rows.order_by()
    if type(holder) is not type(base_field(keys.model._meta.pk)):
        # A text may hold keys of every kind; a database compares no text with a number.
        keys = keys.annotate(isekai_key=Cast("pk", holder.__class__(**_length(holder)))).values("isekai_key")
    else:
        keys = keys.values("pk")
    meta = keys.model._meta if not relation.for_concrete_model else keys.model._meta.concrete_model._meta
    named = {f"{kind}__app_label": meta.app_label, f"{kind}__model": meta.model_name, f"{key}__in": keys}
    return _all(other, _alias(rows)).filter(**named)


def _length(holder: Any) -> dict[str, Any]:
    return {"max_length": holder.max_length} if holder.max_length else {}


def _relations(model: type[Model]) -> Mapping[str, Any]:
    """Relations of `model` by the name that a filter uses."""
    found = {}
    for relation in model._meta.get_fields(include_hidden=False):
        if relation.is_relation and relation.related_model is not None:
            name = relation.name
            found[name] = relation
            if not getattr(relation, "concrete", False) and hasattr(relation, "get_accessor_name"):
                found[str(relation.get_accessor_name())] = relation
    return found


def _add_needed(wanted: dict[str, _Wanted], waiting: list[str], *, is_optional: bool = False) -> None:
    """The models that rows of the models in `waiting` point to, to the last."""
    while waiting:
        label = waiting.pop()
        for column in columns_of(wanted[label].model):
            if column.reference is None:
                continue
            target = column.reference.model
            if target not in wanted:
                wanted[target] = _Wanted(_model_of(wanted[label].model, column.field), is_optional=is_optional)
                waiting.append(target)
            wanted[target].pointed_at.add((label, column.name))


def _add_generic(wanted: dict[str, _Wanted]) -> None:
    """The models that generic foreign keys may lead to, and what those need: all there are, if there is one."""
    keys = [key for one in wanted.values() for key in generic_keys(one.model)]
    if not keys:
        return
    targets = {str(model._meta.label): model for model in candidates()}
    new = [label for label in targets if label not in wanted]
    wanted.update({label: _Wanted(targets[label], is_optional=True) for label in new})
    _add_needed(wanted, new, is_optional=True)
    keys = [key for one in wanted.values() for key in generic_keys(one.model)]
    for label in targets:
        wanted[label].generic.update(keys)


def _model_of(model: type[Model], field_name: str) -> type[Model]:
    found: Any = model._meta.get_field(field_name)
    target: type[Model] = found.target_field.model._meta.concrete_model
    return target


def _table(one: _Wanted, alias: str | None) -> TablePlan:
    model = one.model
    rows = _all(model, alias)
    rows = rows.none() if one.condition is None else rows.filter(one.condition)
    columns = columns_of(model, masks=masks_of(model))
    planned_masks(model, columns)
    return TablePlan(
        model=model._meta.label,
        model_class=model,
        table=model._meta.db_table,
        key=str(model._meta.pk.column),
        columns=columns,
        queryset=rows,
        closure=tuple(sorted(one.pointed_at)),
        generic=tuple(sorted(one.generic, key=str)),
        is_optional=one.is_optional,
    )


def _needs(table: TablePlan, wanted: Mapping[str, _Wanted]) -> list[str]:
    return [column.reference.model for column in table.columns if column.reference and column.reference.model in wanted]
