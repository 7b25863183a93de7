"""Many-to-many fields: what is linked now, and the difference to what shall be."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connections, router
from django.db.models import Model

from isekai_core.builtins.fields import FieldError, required_fields
from isekai_core.errors import LoadError
from isekai_core.pipeline.store.rows import chunks
from isekai_core.pipeline.transform import fillable_fields
from isekai_core.types import LoadItem

_AT_ONCE = 5_000


def linked_now(model: type[Model], items: Sequence[LoadItem], rows: Mapping[Any, Model]) -> dict[Any, set[Any]]:
    """(many-to-many field, primary key) to the primary keys it is linked to now."""
    found: dict[Any, set[Any]] = defaultdict(set)
    for field in _link_fields(model, (name for item in items for name in item.values)):
        for _, left, right in _rows_of(field, field.m2m_field_name(), list(rows)):
            found[field.name, left].add(right)
    return found


def check_new_links(field: Any, new: Collection[Any]) -> None:
    """`FieldError` when a new link would be a row of which more must be known than what it links."""
    if not new:
        return
    through = field.remote_field.through
    ends = (field.m2m_field_name(), field.m2m_reverse_field_name())
    if missing := [repr(one.name) for one in required_fields(through) if one.name not in ends]:
        label = through._meta.label
        msg = (
            f"field {field.name!r}: a new link is a row of {label}, which needs {', '.join(missing)}; "
            f"give that a default, or load {label} as rows of its own"
        )
        raise FieldError(msg)


def write_links(model: type[Model], items: Sequence[LoadItem]) -> None:
    """Link each row to what its item says."""
    for field in _link_fields(model, (name for item in items for name in item.changed)):
        _write_difference(field, [item for item in items if field.name in item.changed])


def save_links(model: type[Model], items: Sequence[LoadItem]) -> None:
    """As `write_links`, and as a form does it, row by row: `m2m_changed` is sent."""
    for field in _link_fields(model, (name for item in items for name in item.changed)):
        changed = [item for item in items if field.name in item.changed]
        wanted = _pairs(field, changed)
        for item in changed:
            now = {target for _, _, target in _rows_of(field, field.m2m_field_name(), [item.row.pk])}
            links: Any = getattr(item.row, field.name)
            links.remove(*_rows(field, [pk for pk in now if (item.row.pk, pk) not in wanted]))
            links.add(*_rows(field, [pk for pk in item.values[field.name].value if pk not in now]))
    # Django's managers do not see what a default manager hides.
    write_links(model, items)


def _rows(field: Any, pks: Collection[Any]) -> Iterable[Model]:
    return field.related_model._base_manager.in_bulk(list(pks)).values() if pks else ()


def _link_fields(model: type[Model], names: Iterable[str]) -> list[Any]:
    fields = fillable_fields(model)
    return [fields[name] for name in sorted(set(names)) if fields[name].many_to_many]


def _write_difference(field: Any, items: Sequence[LoadItem]) -> None:
    """Delete what shall not be, and insert what is not there: a link that stays may say more than that it is one."""
    through: Any = field.remote_field.through
    source, target = field.m2m_field_name(), field.m2m_reverse_field_name()
    is_symmetrical = field.remote_field.symmetrical
    wanted = _pairs(field, items)
    there: dict[Any, tuple[Any, Any]] = {}
    for end in (source, target) if is_symmetrical else (source,):
        there |= {pk: (left, right) for pk, left, right in _rows_of(field, end, [item.row.pk for item in items])}
    for pks in _chunks(through, [pk for pk, pair in there.items() if pair not in wanted]):
        through._base_manager.filter(pk__in=pks).delete()
    kept = set(there.values())
    new = [pair for pair in wanted if pair not in kept]
    lefts = _pointing(through, source, [left for left, _ in new])
    rights = _pointing(through, target, [right for _, right in new])
    links = [through(**lefts[left], **rights[right]) for left, right in new]
    # Of a symmetrical one, somebody who loads the other row may make the same link.
    through._base_manager.bulk_create(links, batch_size=_AT_ONCE, ignore_conflicts=is_symmetrical)


def _pointing(through: type[Model], end: str, pks: Collection[Any]) -> dict[Any, dict[str, Any]]:
    """Primary key to what the end of a link says of that row: another column, where its `to_field` says so."""
    key: Any = through._meta.get_field(end)
    if key.target_field.primary_key:
        return {pk: {key.attname: pk} for pk in pks}
    found: dict[Any, Any] = {}
    for some in _chunks(through, list(dict.fromkeys(pks))):
        rows = key.related_model._base_manager.using(router.db_for_write(through)).filter(pk__in=some)
        found |= rows.values_list("pk", key.target_field.attname)
    if missing := [repr(pk) for pk in pks if pk not in found]:
        msg = f"{key.related_model._meta.label} has no row {missing[0]} to link to"
        raise LoadError(msg)
    return {pk: {key.attname: found[pk]} for pk in pks}


def _pairs(field: Any, items: Sequence[LoadItem]) -> dict[tuple[Any, Any], None]:
    """What is linked to what, each pair once; of a symmetrical field, such as friends, the other way round, too."""
    pairs = [(item.row.pk, pk) for item in items for pk in item.values[field.name].value]
    if field.remote_field.symmetrical:
        pairs += [(right, left) for left, right in pairs]
    return dict.fromkeys(pairs)


def _rows_of(field: Any, end: str, pks: Sequence[Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Key, source and target of every link that has one of `pks` at this end; one that leads nowhere is none."""
    through: Any = field.remote_field.through
    source, target = field.m2m_field_name(), field.m2m_reverse_field_name()
    for some in _chunks(through, pks):
        links = through._base_manager.using(router.db_for_write(through)).filter(**{f"{end}__pk__in": some})
        links = links.filter(**{f"{source}__isnull": False, f"{target}__isnull": False})
        yield from links.values_list("pk", f"{source}__pk", f"{target}__pk")


def _chunks(model: type[Model], pks: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """`pks` in lists that the database takes as parameters; keys of any type, so not as a single one."""
    most = connections[router.db_for_write(model)].features.max_query_params
    return chunks(pks, min(most or _AT_ONCE, _AT_ONCE))
