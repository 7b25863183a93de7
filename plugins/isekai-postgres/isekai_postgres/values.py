"""Values of the database as keys, versions and records. What cannot be one is told with its column."""

import datetime as dt
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.types import datetime as loaders
from psycopg.types.json import JsonbLoader, JsonLoader

from isekai_core.types import Payload

_UNSAFE = re.compile(r"[%/\x00-\x1f\x7f]")
_VERSION_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A value that Python has no equal for, or cannot read, such as the date `infinity`: its text, and why."""

    text: str
    reason: str


def register_loaders(connection: psycopg.Connection) -> None:
    """Read dates and JSON that Python cannot hold as `Unreadable`.

    The driver's exception would not name their column, and would take all rows with it that were fetched together.
    """
    for name, loader in _LOADERS.items():
        connection.adapters.register_loader(name, loader)


def _lenient(base: type[Any]) -> type[Any]:
    def load(self: Any, data: Any) -> Any:
        try:
            return base.load(self, data)
        # RuntimeError: JSON that is nested too deep.
        except (psycopg.DataError, OverflowError, RuntimeError, ValueError) as error:
            return Unreadable(bytes(data).decode(errors="replace"), str(error))

    return type(f"Lenient{base.__name__}", (base,), {"load": load})


_LOADERS = {
    "date": _lenient(loaders.DateLoader),
    "time": _lenient(loaders.TimeLoader),
    "timetz": _lenient(loaders.TimetzLoader),
    "timestamp": _lenient(loaders.TimestampLoader),
    "timestamptz": _lenient(loaders.TimestamptzLoader),
    "interval": _lenient(loaders.IntervalLoader),
    "json": _lenient(JsonLoader),
    "jsonb": _lenient(JsonbLoader),
}


def key_part(value: Any) -> str:
    """A key column's value as text, in which a slash, a percent sign and control characters are escaped.

    >>> key_part("a/b"), key_part(7), key_part(dt.date(2026, 1, 31))
    ('a%2Fb', '7', '2026-01-31')

    Raises `TypeError` for what identifies nothing: lists, mappings and the like.
    """
    for kind, write in _KEY_TEXTS:
        if isinstance(value, kind):
            return escape(write(value))
    msg = f"a value of type {type(value).__name__} cannot be a key"
    raise TypeError(msg)


def escape(text: str) -> str:
    """`text` without a slash or a control character, reversibly: by percent and two hexadecimal digits."""
    return _UNSAFE.sub(lambda match: f"%{ord(match.group()):02X}", text)


def _moment(value: dt.datetime) -> str:
    """Texts that sort as the moments do: in UTC, and always with microseconds."""
    if value.tzinfo is None:
        return value.isoformat(timespec="microseconds")
    return value.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


# Order matters: a datetime is a date, a bool is an int.
_KEY_TEXTS: tuple[tuple[type[Any], Callable[[Any], str]], ...] = (
    (str, str),
    (bool, lambda value: str(value).lower()),
    (int, str),
    (uuid.UUID, str),
    (Decimal, lambda value: format(value, "f")),
    (dt.datetime, _moment),
    (dt.date, dt.date.isoformat),
    (dt.time, dt.time.isoformat),
    (float, repr),
    (bytes, bytes.hex),
)


def version_text(value: Any) -> str | None:
    """A version column's value as text that grows when the value grows; None for NULL.

    >>> version_text(dt.datetime(2026, 1, 31, tzinfo=dt.UTC)), version_text(42)
    ('2026-01-31T00:00:00.000000Z', '00000000000000000042')

    Raises `TypeError` for a value whose texts would not sort as the values do.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dt.datetime):
        return _moment(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value).zfill(_VERSION_DIGITS)
    msg = f"expected a date, a timestamp, a text or a whole number from 0, got {value!r:.100}"
    raise TypeError(msg)


def record_payload(record: dict[str, Any]) -> Payload:
    """The payload of a row; `TypeError` names the first column whose value no record can hold."""
    try:
        if not any(isinstance(value, Unreadable) for value in record.values()):
            return Payload.from_record(record)
    except (TypeError, RecursionError):
        pass
    for name, value in record.items():
        if reason := _why_not(value):
            msg = f"column {name!r}: {reason}; select it as text in a query, for example {name}::text"
            raise TypeError(msg) from None
    return Payload.from_record(record)


def _why_not(value: Any) -> str | None:
    if isinstance(value, Unreadable):
        return f"{value.text!r:.100} has no equal in Python ({value.reason})"
    try:
        Payload.from_record({"value": value})
    except TypeError:
        return f"a record cannot hold a {type(value).__name__}, got {value!r:.100}"
    except RecursionError:
        return "a record cannot hold what is nested so deep"
    return None
