"""Values of a spec as a field takes them: converted, cleaned, comparable, and refused by name."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import NOT_PROVIDED, FileField, JSONField, Model
from django.utils import timezone

from isekai_core.builtins.jsons import as_given_back, check_json, json_text
from isekai_core.pipeline.loading.moments import moment
from isekai_core.types import FileValue


class FieldError(Exception):
    """A value that the field does not take; the message names the field."""


class Prepared:
    """A value as the field takes it, and its hash."""

    __slots__ = ("field", "hash", "value")

    def __init__(self, field: Any, value: Any) -> None:
        self.field = field
        self.value = value
        self.hash = hash_of(field, as_given_back(field, value) if isinstance(field, JSONField) else value)

    def equals(self, row: Model, linked: set[Any] | None, written: str | None) -> bool:
        """Whether the row has this value already.

        linked: what a many-to-many field is linked to now.
        written: the hash of what was last written; a file is compared by it, not read.
        """
        if linked is not None:
            return linked == set(self.value)
        if isinstance(self.value, FileValue):
            file = getattr(row, self.field.attname)
            return bool(file) and written == self.hash and bool(file.storage.exists(file.name))
        current = getattr(row, self.field.attname)
        if isinstance(self.field, JSONField):
            # To Python, but not to JSON, true and 1 are equal.
            return hash_of(self.field, current) == self.hash
        return bool(current == self.value)


def prepare(field: Any, value: Any, row: Model) -> Prepared:
    """`value` as `field` takes it.

    Raises `FieldError`, naming the field, for what it refuses: its own `clean()` always runs, because
    SQLite would store over-long text.
    """
    try:
        return Prepared(field, _convert(field, value, row))
    except ValidationError as error:
        msg = f"field {field.name!r}: {' '.join(error.messages)}"
        raise FieldError(msg) from None
    except (TypeError, ValueError) as error:
        msg = f"field {field.name!r}: {error}"
        raise FieldError(msg) from None


def _convert(field: Any, value: Any, row: Model) -> Any:
    _refuse_unstorable(value)
    if field.many_to_many:
        return _linked(field, value)
    if isinstance(value, FileValue):
        if not isinstance(field, FileField):
            msg = f"expected {field.get_internal_type()}, got a file"
            raise TypeError(msg)
        return value
    if field.is_relation:
        if value is None and not field.null:
            msg = "it must not be empty"
            raise TypeError(msg)
        return None if value is None else field.target_field.to_python(value)
    if isinstance(field, JSONField) and value is not None:
        check_json(field, value)
    if value is None and field.null:
        # `blank` is what forms ask for; the column takes it.
        return None
    return field.clean(moment(field, value), row)


def _linked(field: Any, value: Any) -> list[Any]:
    """The keys, each once, of the type that the rows have them in: a source may give them as texts."""
    if not isinstance(value, list | tuple):
        msg = f"expected a list of refs, got {value!r}"
        raise TypeError(msg)
    # None stands where a soft ref has no row yet.
    return list(dict.fromkeys(field.related_model._meta.pk.to_python(pk) for pk in value if pk is not None))


def _refuse_unstorable(value: Any) -> None:
    """Text that PostgreSQL refuses is refused on every database, and by the name of its field."""
    if isinstance(value, str):
        if "\x00" in value:
            msg = "holds a NUL character, which PostgreSQL refuses in text"
            raise ValueError(msg)
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            msg = "holds bytes that are not of the charset it was declared in"
            raise ValueError(msg)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            _refuse_unstorable(name)
            _refuse_unstorable(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_unstorable(item)


def hash_of(field: Any, value: Any) -> str:
    """16 hexadecimal characters for a value as it stands in a row."""
    if isinstance(value, FileValue):
        text = value.payload.sha256
    elif field.many_to_many:
        text = repr(sorted(str(pk) for pk in value))
    elif isinstance(field, JSONField) and value is not None:
        text = json_text(field, value)
    else:
        text = _as_text(value)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _as_text(value: Any) -> str:
    """`value`, the same whether it was given or is what the database gives back."""
    match value:
        case dt.datetime() if timezone.is_aware(value):
            # The same moment, in whatever zone.
            return value.astimezone(dt.UTC).isoformat()
        case Decimal() if value.is_finite():
            # A column has as many places as it was made with: 1.5 comes back as 1.50.
            return f"Decimal {value.normalize()}"
        case bytes() | bytearray() | memoryview():
            return f"bytes {bytes(value)!r}"
        case dict() | list():
            # Of a field of the project's own.
            return json.dumps(value, sort_keys=True, default=str)
    return f"{type(value).__name__} {value}"


def show(field: Any, row: Model, linked: set[Any] | None) -> str:
    """The hash of what stands in the row now, to be compared with what was written."""
    if linked is not None:
        return hash_of(field, linked)
    value = getattr(row, field.attname)
    if isinstance(field, FileField):
        return _file_hash(value)
    return hash_of(field, value)


def is_lost(field: Any, row: Model) -> bool:
    """Whether the row shows a file that is not in the storage any more: that is no edit."""
    file: Any = getattr(row, field.attname) if isinstance(field, FileField) else None
    return bool(file) and not file.storage.exists(file.name)


def _file_hash(file: Any) -> str:
    if not file or not file.storage.exists(file.name):
        return ""
    digest = hashlib.sha256()
    with file.storage.open(file.name) as reader:
        for chunk in reader.chunks():
            digest.update(chunk)
    return hashlib.sha256(digest.hexdigest().encode()).hexdigest()[:16]


@cache
def required_fields(model: type[Model]) -> tuple[Any, ...]:
    """The fields that a new row needs a value for: not null, not blank, no default, not made by Django."""
    return tuple(field for field in model._meta.concrete_fields if _is_required(field))


def _is_required(field: Any) -> bool:
    if field.primary_key and field.get_internal_type().endswith("AutoField"):
        return False
    made = (
        getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False) or getattr(field, "generated", False)
    )
    parent_link = field.is_relation and getattr(field.remote_field, "parent_link", False)
    given = (
        field.null
        or field.blank
        or field.has_default()
        or getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED
    )
    return not (made or parent_link or given)
