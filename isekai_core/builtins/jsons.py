"""JSON as a column takes it and gives it back: one and the same may be given in more ways than one."""

import datetime as dt
import json
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db.models import JSONField


def as_encoded(field: JSONField, value: Any) -> Any:
    """`value` as the field's encoder takes it.

    Refs stand for keys and other attributes of rows, which are of more types than JSON has: what the encoder does
    not take of them becomes text. Raises `TypeError` and `ValueError` for what cannot be JSON.
    """
    try:
        json.dumps(value, cls=field.encoder, allow_nan=False)
    except TypeError:
        return json.loads(_dump(field, value, _key_text, allow_nan=False))
    return value


def as_given_back(field: JSONField, value: Any) -> Any:
    """`value` as the row will have it, where the field reads with a decoder of its own."""
    return value if field.decoder is None or value is None else json.loads(_dump(field, value), cls=field.decoder)


def json_text(field: JSONField, value: Any) -> str:
    """The same text for whatever is the same in the column."""
    return json.dumps(_same_numbers(json.loads(_dump(field, value))), sort_keys=True)


def _dump(field: JSONField, value: Any, otherwise: Callable[[Any], str] = str, **options: Any) -> str:
    """`value` by the field's encoder; `otherwise` makes text of what that does not take."""
    own: Any = (field.encoder or json.JSONEncoder)()

    def default(one: Any) -> Any:
        try:
            return own.default(one)
        except TypeError:
            return otherwise(one)

    return json.dumps(value, cls=field.encoder, default=default, **options)


def _key_text(value: Any) -> str:
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, uuid.UUID | Decimal):
        return str(value)
    msg = f"Object of type {type(value).__name__} is not JSON serializable"
    raise TypeError(msg)


def _same_numbers(value: Any) -> Any:
    """With whole numbers as integers: PostgreSQL gives 1e20 back without a point."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _same_numbers(item) for name, item in value.items()}
        case list():
            return [_same_numbers(item) for item in value]
    return value
