"""Resolve: refs become values, in sets: one query per model and kind of lookup for a whole batch."""

import datetime as dt
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ValidationError
from django.db.models import JSONField, TextField

from isekai_core.errors import LoadError, TransformError
from isekai_core.models import Resource
from isekai_core.pipeline.loading.aliases import ends
from isekai_core.pipeline.loading.answers import answer, look_up, lookup_identity
from isekai_core.pipeline.loading.foretell import Foretold
from isekai_core.pipeline.store import payloads
from isekai_core.pipeline.store.rows import one_of
from isekai_core.pipeline.transform import fillable_fields, find_model
from isekai_core.pipeline.work import Work
from isekai_core.types import (
    BlobRef,
    FileValue,
    Key,
    LoadItem,
    ModelRef,
    Payload,
    ResourceRef,
    Spec,
    Stage,
    State,
    Text,
)
from isekai_core.types.specs import walk_refs

_CACHED_LOOKUPS = 10_000
_CACHED_ROWS = 50_000
_COLUMNS = ("pk", "key", "target_model", "target_pk", "payload_id", "alias_of_id", "stage", "state", "spec_id")


@dataclass(slots=True)
class Target:
    """Where a resource ref points: the resource, and the row it has become, if it has.

    coming: the spec of a row that is still to be written.
    """

    resource: int
    key: str
    model: str
    pk: Any
    payload: int | None
    coming: int | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether there is a row to point to."""
        return self.pk not in (None, "")


class Resolver:
    """Resolves the refs of a batch: `prepare` asks the database, `resolve` answers from memory."""

    def __init__(self, pipeline: str) -> None:
        self.pipeline = pipeline
        self._lookups: OrderedDict[Any, Any] = OrderedDict()
        self._targets: dict[Key, Target] = {}
        # Targets with a row, which they keep as long as load runs: the next batch points to the same ones.
        self._loaded: OrderedDict[Key, Target] = OrderedDict()
        self._by_key: dict[str, list[Target]] = {}
        # What was asked of rows that are loaded: most pages link to the same pages. Forgotten when they change.
        self._attributes: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()
        self._payloads: dict[int, Payload] = {}
        self.foretold = Foretold()
        self._took_foretold = False

    def prepare(self, works: Sequence[Work], specs: Mapping[int, Spec], *, ahead: bool = True) -> None:
        """Look up all that the specs (by resource) of `works` point to.

        ahead: whether links may take the addresses of rows that come later.
        """
        refs_of = {work.row.pk: list(specs[work.row.pk].refs()) for work in works}
        refs = [ref for found in refs_of.values() for ref in found]
        keys = {ref.key for ref in refs if isinstance(ref, ResourceRef | BlobRef) and ref.key is not None}
        self._targets = self._look_up_targets(keys)
        self._by_key = defaultdict(list)
        for target in self._targets.values():
            self._by_key[target.key].append(target)
        if self.foretold.is_on:
            self._foretell(refs, specs, ahead=ahead)
            if not ahead:
                self.foretold.forbid(work.row.pk for work in works)
        self.fetch_rows(specs.values())
        self._fetch_models([ref for ref in refs if isinstance(ref, ModelRef)])
        blobs = {
            t.payload for ref in refs if isinstance(ref, BlobRef) and ref.key and (t := self._targets.get(ref.key))
        }
        own = {work.row.payload_id for work in works if any(isinstance(ref, BlobRef) for ref in refs_of[work.row.pk])}
        self._payloads = {
            pk: payloads.view_of(row) for pk, row in payloads.fetch(pk for pk in blobs | own if pk).items()
        }

    def assume(self, key: Key, model: str, pk: Any) -> None:
        """Take `pk` for the row of `key`, which is written in the same transaction."""
        for target in self._by_key.get(str(key), ()):
            target.model, target.pk = model, pk

    def true_key(self, key: Key) -> str:
        """The key of the resource that `key` stands for, once redirects are followed."""
        target = self._targets.get(key)
        return target.key if target else str(key)

    def forget_all(self) -> None:
        """What was asked of rows in a transaction that was undone is asked again."""
        self._attributes.clear()
        self._loaded.clear()

    def resolve(self, work: Work, spec: Spec, withheld: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The values of `spec`, but for the fields in `withheld`.

        Raises `LoadError`, naming the field and what it points to.
        """
        self._took_foretold = False
        resolved: dict[str, Any] = {}
        fields = fillable_fields(find_model(spec.model))
        for name, value in spec.values.items():
            if name in withheld:
                continue
            if name not in fields:
                msg = f"{spec.model} has no field {name!r} any more: transform it again (isekai run --from transform)"
                raise LoadError(msg)
            try:
                resolved[name] = self._value(value, work, fields[name])
            except LoadError as error:
                msg = f"field {name!r}: {error}"
                raise LoadError(msg) from error.__cause__
        work.is_ahead = self._took_foretold
        return resolved

    def is_as_foretold(self, resource: int, item: LoadItem) -> bool:
        """Whether the row of `item`, which was just written, has the address that texts show already."""
        if self.foretold.address(resource) is None:
            return False
        return self.foretold.compare(resource, item.model, self._attributes[item.model, str(item.pk)]["url"])

    def fetch_foretold(self, written: Mapping[int, LoadItem]) -> None:
        """Ask the addresses of those rows, by resource, whose address was told ahead."""
        wanted: dict[str, dict[Any, set[str]]] = defaultdict(dict)
        for resource, item in written.items():
            if self.foretold.address(resource) is not None:
                wanted[item.model][item.pk] = {"url"}
        for label, pks in wanted.items():
            self._ask(label, pks)

    # What the database is asked

    def _foretell(self, refs: Iterable[Any], specs: Mapping[int, Spec], *, ahead: bool) -> None:
        """Tell ahead what links ask of rows that come later; what else is asked of them cannot be told."""
        links: dict[int, int | None] = {}
        others = set()
        for ref in refs:
            target = self._targets.get(ref.key) if isinstance(ref, ResourceRef) and ref.soft else None
            if target is None or target.is_loaded:
                continue
            if ahead and ref.attr == "url":
                links[target.resource] = target.coming
            else:
                others.add(target.resource)
        self.foretold.look(links, specs)
        self.foretold.forbid(others)

    def _look_up_targets(self, keys: set[Key]) -> dict[Key, Target]:
        while len(self._loaded) > _CACHED_ROWS:
            self._loaded.popitem(last=False)
        known = {key: self._loaded[key] for key in keys if key in self._loaded}
        found = self._find_targets(keys - known.keys())
        self._loaded |= {key: target for key, target in found.items() if target.is_loaded}
        return known | found

    def _find_targets(self, keys: Iterable[Key]) -> dict[Key, Target]:
        hashes = {key.digest: key for key in keys}
        if not hashes:
            return {}
        rows = Resource.objects.filter(one_of("key_hash", hashes), pipeline=self.pipeline)
        found = {row["key_hash"]: row for row in rows.values("key_hash", *_COLUMNS)}
        aliases = ends({row["alias_of_id"] for row in found.values() if row["alias_of_id"]}, _COLUMNS)
        targets = {}
        for digest, row in found.items():
            true = aliases.get(row["alias_of_id"], row)
            targets[hashes[digest]] = Target(
                true["pk"], true["key"], true["target_model"], _python_pk(true), true["payload_id"], _coming(true)
            )
        return targets

    def forget(self, items: Iterable[LoadItem]) -> None:
        """Their rows changed, or are others now: what was asked of them is asked again."""
        for item in items:
            self._attributes.pop((item.model, str(item.pk)), None)
            if item.action == "create" and item.key in self._loaded:
                # Deleted by hand, and made again under another key: redirects led to the old one, too.
                self._loaded.clear()

    def fetch_rows(self, specs: Iterable[Spec]) -> None:
        """What is asked of rows beyond their primary key."""
        while len(self._attributes) > _CACHED_ROWS:
            self._attributes.popitem(last=False)
        wanted: dict[str, dict[Any, set[str]]] = defaultdict(lambda: defaultdict(set))
        for spec in specs:
            fields = fillable_fields(find_model(spec.model))
            for name, value in spec.values.items():
                column = _column(fields.get(name))
                for ref in _resource_refs(value):
                    target = self._targets.get(ref.key)
                    if target is None or not target.is_loaded:
                        continue
                    attr = _asked(ref, column)
                    if attr != "pk" and attr not in self._attributes.get((target.model, str(target.pk)), ()):
                        wanted[target.model][target.pk].add(attr)
        for label, pks in wanted.items():
            self._ask(label, pks)

    def _ask(self, label: str, pks: Mapping[Any, set[str]]) -> None:
        model = find_model(label)
        # An address is made of short columns; a deferred one that is needed after all is still read.
        long = [field.name for field in model._meta.concrete_fields if isinstance(field, TextField | JSONField)]
        rows = model._base_manager.defer(*long).in_bulk(list(pks))
        for pk, attrs in pks.items():
            for attr in attrs:
                self._attributes.setdefault((label, str(pk)), {})[attr] = answer(rows.get(pk), attr, label, pk)

    def _fetch_models(self, refs: Iterable[ModelRef]) -> None:
        for ref in refs:
            identity = lookup_identity(ref)
            if identity not in self._lookups:
                self._lookups[identity] = look_up(ref)
            self._lookups.move_to_end(identity)
        while len(self._lookups) > _CACHED_LOOKUPS:
            self._lookups.popitem(last=False)

    # What is answered from memory

    def _value(self, value: Any, work: Work, field: Any) -> Any:  # noqa: PLR0911 - one a kind of value
        match value:
            case ResourceRef():
                return _in_json(self._resource(value, field), field)
            case ModelRef():
                return _in_json(self._model(value), field)
            case BlobRef():
                return self._file(value, work)
            case Text():
                return "".join(p if isinstance(p, str) else self._text(p) for p in value.parts)
            case Mapping():
                return {name: self._value(item, work, field) for name, item in value.items()}
            case list() | tuple():
                return [self._value(item, work, field) for item in value]
        return value

    def _text(self, ref: ResourceRef) -> str:
        value = self._resource(ref, None)
        return "" if value is None else str(value)

    def _resource(self, ref: ResourceRef, field: Any) -> Any:
        target = self._targets.get(ref.key)
        if target is None or not target.is_loaded:
            if ref.soft:
                return self._fallback(ref, target)
            msg = f"{ref.key} has no row to point to"
            raise LoadError(msg)
        if not ref.soft:
            return self._attribute_of(ref, target, field)
        try:
            return self._attribute_of(ref, target, field)
        except LoadError:
            # A row without an address, say: the source's own link is the best there is.
            return ref.fallback

    def _fallback(self, ref: ResourceRef, target: Target | None) -> Any:
        address = self.foretold.address(target.resource) if target is not None and ref.attr == "url" else None
        if address is None:
            return ref.fallback
        self._took_foretold = True
        return address

    def _attribute_of(self, ref: ResourceRef, target: Target, field: Any) -> Any:
        column = _column(field)
        if ref.attr == "pk" and column is not None:
            _check_model(target, field)
        attr = _asked(ref, column)
        if attr == "pk":
            return target.pk
        answer = self._attributes[target.model, str(target.pk)][attr]
        if isinstance(answer, LoadError):
            raise LoadError(str(answer))
        return answer

    def _model(self, ref: ModelRef) -> Any:
        found = self._lookups[lookup_identity(ref)]
        if isinstance(found, LoadError):
            raise LoadError(str(found))
        return found

    def _file(self, ref: BlobRef, work: Work) -> FileValue:
        target = self._targets.get(ref.key) if ref.key else None
        payload = self._payloads.get((target.payload if ref.key and target else work.row.payload_id) or 0)
        if payload is None or (ref.key is not None and target is None):
            msg = f"{ref.key or work.key} has no payload to make a file of"
            raise LoadError(msg)
        return FileValue(payload, ref.name or file_name(ref.key or work.key))


def file_name(key: Key) -> str:
    """The last part of the key as a file's name; `file` when it has none.

    >>> file_name(Key("url", "https://old.example.org/img/a%20b.png?size=2"))
    'a b.png'
    """
    path = urlsplit(key.value).path if key.type == "url" else key.value
    return unquote(PurePosixPath(path).name) or "file"


def _in_json(value: Any, field: Any) -> Any:
    """What a ref stands for: in JSON, a key of a type that JSON has not is text."""
    if not isinstance(field, JSONField):
        return value
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID | Decimal) else value


def _asked(ref: ResourceRef, column: str | None) -> str:
    """The attribute of the row that stands for `ref` in a field that points to `column`."""
    return column if ref.attr == "pk" and column else ref.attr


def _column(field: Any) -> str | None:
    """What a relation points to: `pk`, or the attribute its `to_field` names; None for what is no relation."""
    if field is None or not field.is_relation:
        return None
    if field.many_to_many or field.target_field.primary_key:
        return "pk"
    return str(field.target_field.attname)


def _check_model(target: Target, field: Any) -> None:
    wanted = field.related_model
    if wanted is not None and not issubclass(find_model(target.model), wanted):
        msg = f"expected a {wanted._meta.label}, but {target.key} is a {target.model}"
        raise LoadError(msg)


def _resource_refs(value: Any) -> Iterable[ResourceRef]:
    return (ref for ref in walk_refs(value) if isinstance(ref, ResourceRef))


def _python_pk(row: Mapping[str, Any]) -> Any:
    """The primary key as its model has it: a text of a journal never stands for a number."""
    if not row["target_pk"]:
        return None
    try:
        return find_model(row["target_model"])._meta.pk.to_python(row["target_pk"])
    except (TransformError, ValidationError):
        return None


def _coming(row: Mapping[str, Any]) -> int | None:
    """Its spec, when its row is to be written in this pass."""
    is_coming = row["stage"] == Stage.TRANSFORMED.value and row["state"] in (State.READY.value, State.RUNNING.value)
    return row["spec_id"] if is_coming else None
