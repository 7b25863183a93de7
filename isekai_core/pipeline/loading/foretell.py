"""Addresses of rows that come later in the same load, told ahead by what their specs say.

A text that links to such a row would be written with the source's own link and written again once the
row is there. Told ahead, it is written once. Whether the row has that address is looked up as soon as it
is written: where it has another one, or there is no row in the end, the text is written again after all.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, router, transaction
from django.db.models import FileField, JSONField, Model, TextField

from isekai_core.errors import TransformError
from isekai_core.models import Payload
from isekai_core.pipeline.loading.answers import as_address
from isekai_core.pipeline.store.packing import unpacked
from isekai_core.pipeline.store.payloads import PREFETCH_LIMIT
from isekai_core.pipeline.store.rows import chunks, one_of
from isekai_core.pipeline.transform import fillable_fields, find_model
from isekai_core.types import Spec, decode

_AT_ONCE = 100
_REMEMBERED = 50_000

_Read = Callable[[Any], Any]


class Foretold:
    """Resource to the address that its row will have; None where that cannot be known.

    What was said once holds for the whole pass, so that all texts say the same of one row.

    is_on: whether anything is told ahead.
    """

    def __init__(self) -> None:
        self.is_on = False
        self._addresses: dict[int, str | None] = {}
        self._open: set[int] = set()
        self._wrong_models: set[str] = set()

    def stop(self) -> set[int]:
        """Tell nothing ahead any more; of whom something was told that did not come true."""
        open_, self._open = self._open, set()
        self._addresses = {}
        self.is_on = False
        return open_

    def look(self, specs: Mapping[int, int | None], near: Mapping[int, Spec]) -> None:
        """Tell the addresses of the resources that `specs` gives the specs (payloads) of; None for none.

        near: those of which the spec was read already.
        """
        room = _REMEMBERED - len(self._addresses)
        new = [resource for resource in specs if resource not in self._addresses][: max(room, 0)]
        self._addresses |= dict.fromkeys(new)
        wanted = {spec: resource for resource in new if (spec := specs[resource])}
        # Most pages link to pages of the same batch.
        here = {resource: near[resource] for resource in wanted.values() if resource in near}
        self._tell((resource, spec.model, spec.values, _as_it_is) for resource, spec in here.items())
        for ids in chunks(sorted(spec for spec, resource in wanted.items() if resource not in here), _AT_ONCE):
            self._tell((wanted[pk], node["model"], node["values"], decode) for pk, node in _stored(ids))

    def forbid(self, resources: Iterable[int]) -> None:
        """More than the address was asked of these: whoever asked sees only that they came."""
        if self.is_on:
            self._addresses |= dict.fromkeys(resources)

    def address(self, resource: int) -> str | None:
        """What was told of `resource`."""
        return self._addresses.get(resource)

    def is_unasked(self, resource: int) -> bool:
        """Whether no text of this pass has shown anything for it."""
        return self.is_on and resource not in self._addresses and len(self._addresses) < _REMEMBERED

    def compare(self, resource: int, model: str, address: Any) -> bool:
        """Whether its row, which is of `model`, has the address that was told."""
        told = self._addresses.get(resource)
        if told is not None and told != address:
            self._wrong_models.add(model)
        return told is not None and told == address

    def confirm(self, resource: int) -> None:
        """What was told of it came true, and is committed."""
        self._open.discard(resource)

    def _tell(self, specs: Iterable[tuple[int, str, Mapping[str, Any], _Read]]) -> None:
        """Tell the address of each resource by its spec's model and values, and how these are read."""
        found: dict[int, str] = {}
        try:
            # Somebody else's code may ask the database: an error of that must not break the batch.
            with transaction.atomic(using=router.db_for_write(Payload)):
                for resource, label, values, read in specs:
                    if (address := self._address(label, values, read)) is not None:
                        found[resource] = address
        except DatabaseError:
            return
        self._addresses |= found
        self._open |= found.keys()

    def _address(self, label: str, values: Mapping[str, Any], read: _Read) -> str | None:
        if label in self._wrong_models or not has_address(label):
            return None
        try:
            return _address_of(find_model(label), values, read)
        except DatabaseError:
            raise
        except Exception:
            # It needs more than plain values, whatever it is.
            return None


def has_address(label: str) -> bool:
    """Whether rows of that model say their address themselves, before they are saved."""
    try:
        return hasattr(find_model(label), "get_absolute_url")
    except TransformError:
        return False


def _stored(ids: Iterable[int]) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """Specs, as they were encoded: few of their values are needed."""
    rows = Payload.objects.filter(one_of("pk", ids), size__lte=PREFETCH_LIMIT).exclude(data=None)
    for pk, packing, data in rows.values_list("pk", "packing", "data"):
        yield pk, json.loads(unpacked(packing, bytes(data or b"")))


def _as_it_is(value: Any) -> Any:
    return value


def _address_of(model: type[Model], values: Mapping[str, Any], read: _Read) -> str | None:
    row: Any = model()
    fields = fillable_fields(model)
    for name, value in values.items():
        if _is_short(field := fields[name]):
            _set(row, field, read(value))
    if not (address := row.get_absolute_url()):
        return None
    if model._meta.pk.name not in values:
        # The key is not known before the row is written: an address that holds it is not, either.
        row.pk = 0 if row.pk is None else None
        if row.get_absolute_url() != address:
            return None
    return as_address(str(address))


def _set(row: Any, field: Any, value: Any) -> None:
    try:
        setattr(row, field.attname, field.to_python(value))
    except (ValidationError, TypeError):
        # A ref, say: when the address needs it, it will be seen to be another.
        return


def _is_short(field: Any) -> bool:
    """An address is made of short, plain columns."""
    return not (field.is_relation or isinstance(field, TextField | JSONField | FileField))
