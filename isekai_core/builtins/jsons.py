"""JSON as a column takes it and gives it back: one and the same may be given in more ways than one."""

import json
from typing import Any

from django.db.models import JSONField


def check_json(field: JSONField, value: Any) -> None:
    """`TypeError` or `ValueError` for what the field's encoder does not take."""
    json.dumps(value, cls=field.encoder, allow_nan=False)


def as_given_back(field: JSONField, value: Any) -> Any:
    """`value` as the row will have it, where the field reads with a decoder of its own."""
    return value if field.decoder is None or value is None else json.loads(_dump(field, value), cls=field.decoder)


def json_text(field: JSONField, value: Any) -> str:
    """The same text for whatever is the same in the column."""
    return json.dumps(_same_numbers(json.loads(_dump(field, value))), sort_keys=True)


def _dump(field: JSONField, value: Any) -> str:
    """`value` by the field's encoder; what that does not take is text."""
    own: Any = (field.encoder or json.JSONEncoder)()

    def default(one: Any) -> Any:
        try:
            return own.default(one)
        except TypeError:
            return str(one)

    return json.dumps(value, cls=field.encoder, default=default)


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
