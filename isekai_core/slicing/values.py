"""Values as a bundle's CSV writes them: PostgreSQL's texts, whatever database they come from or go to."""

import datetime as dt
import json
import math
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_duration

INTEGERS = frozenset({
    "AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField", "SmallIntegerField",
    "PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField",
})  # fmt: skip
TEXTS = frozenset({
    "CharField", "TextField", "SlugField", "EmailField", "URLField", "FileField", "ImageField", "FilePathField",
    "GenericIPAddressField", "IPAddressField", "CICharField", "CITextField", "CIEmailField",
})  # fmt: skip


def is_known(kind: str) -> bool:
    """Whether values of this type of field can be written and read here.

    >>> is_known("DateField"), is_known("PolygonField")
    (True, False)
    """
    return kind in INTEGERS or kind in TEXTS or kind in _WRITERS


def text_of(kind: str, value: Any) -> str | None:
    r"""The text of a value, of a column whose type Django calls `kind`; None for NULL.

    >>> text_of("BooleanField", True), text_of("BinaryField", b"\x01"), text_of("DecimalField", Decimal("1.50"))
    ('t', '\\x01', '1.50')

    Raises `ValueError` for a value that such a column cannot hold.
    """
    if value is None:
        return None
    if kind in TEXTS:
        return str(value)
    if kind == "JSONField":
        return json_text(value)
    if isinstance(value, str):
        # Normalised, and refused where it is none.
        value = value_of(kind, value)
    if kind in INTEGERS:
        return str(int(value))
    return _writer(kind)(value)


def made_text(kind: str, made: Any) -> str | None:
    """The text of what a mask made; of a column of any other type, which is carried as it is, the text itself.

    >>> made_text("DateField", "2026-01-02"), made_text("ArrayField", "{a,b}")
    ('2026-01-02', '{a,b}')

    Raises `ValueError` for what such a column cannot hold.
    """
    if made is None or is_known(kind):
        return text_of(kind, made)
    if isinstance(made, str):
        return made
    msg = f"a {kind} is carried as PostgreSQL writes it: give such a text, as '{{a,b}}' for an array"
    raise ValueError(msg)


def value_of(kind: str, text: str | None) -> Any:
    """The value of a text, for a column whose type Django calls `kind`.

    >>> value_of("IntegerField", "7"), value_of("BooleanField", "f"), value_of("CharField", "")
    (7, False, '')

    Raises `ValueError` for a text that is none of such a value; the text is not in its message.
    """
    if text is None or kind in TEXTS:
        return text
    try:
        return int(text) if kind in INTEGERS else _reader(kind)(text)
    except (ValueError, InvalidOperation, KeyError):
        pass
    # Outside of the handler, so that no cause tells the text.
    msg = f"expected the text of a {kind}"
    raise ValueError(msg)


def json_text(value: Any) -> str:
    """JSON as PostgreSQL's jsonb prints it: keys by length and then by bytes, numbers without exponent.

    >>> json_text({"bb": [1, 2.5], "a": None})
    '{"a": null, "bb": [1, 2.5]}'
    """
    if isinstance(value, dict):
        keys = sorted(map(str, value), key=lambda key: (len(key.encode()), key.encode()))
        by_name = {str(key): one for key, one in value.items()}
        return f"{{{', '.join(f'{_json_string(key)}: {json_text(by_name[key])}' for key in keys)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(json_text, value))}]"
    if isinstance(value, float | Decimal):
        if not math.isfinite(value):
            msg = "JSON has no numbers that are infinite or none"
            raise ValueError(msg)
        return format(Decimal(repr(value)) if isinstance(value, float) else value, "f")
    return _json_string(value) if isinstance(value, str) else json.dumps(value, default=str)


def parsed_json(text: str) -> Any:
    """JSON with its numbers as they are written there.

    >>> json_text(parsed_json('{"price": 1.50}'))
    '{"price": 1.50}'
    """
    return json.loads(text, parse_float=Decimal)


def _json_string(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _fraction(microsecond: int) -> str:
    return f".{microsecond:06d}".rstrip("0") if microsecond else ""


def _timestamp(value: dt.datetime) -> str:
    at = value.astimezone(dt.UTC) if value.tzinfo else value
    return f"{at.replace(microsecond=0, tzinfo=None).isoformat(' ')}{_fraction(at.microsecond)}+00"


def _time(value: dt.time) -> str:
    return f"{value.replace(microsecond=0, tzinfo=None).isoformat()}{_fraction(value.microsecond)}"


def _interval(value: dt.timedelta) -> str:
    minutes, seconds = divmod(value.seconds, 60)
    clock = f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{_fraction(value.microseconds)}"
    if not value.days:
        return clock
    days = f"{value.days} day{'' if value.days == 1 else 's'}"
    if not value.seconds and not value.microseconds:
        return days
    return f"{days} {'+' if value.days < 0 else ''}{clock}"


def _float(value: float) -> str:
    """The shortest digits that mean this number, in PostgreSQL's form."""
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    exact = Decimal(repr(value)).normalize()
    exponent = exact.adjusted()
    if value and not -4 <= exponent < 15:  # noqa: PLR2004 - where PostgreSQL begins to write exponents
        return f"{exact.scaleb(-exponent):f}e{exponent:+03d}"
    return f"{exact:f}"


def _day(value: dt.date) -> str:
    return (value.date() if isinstance(value, dt.datetime) else value).isoformat()


def _decimal(value: Any) -> str:
    return format(Decimal(str(value)), "f")


def _boolean(value: Any) -> str:
    return "t" if value else "f"


def _bytes(value: Any) -> str:
    return f"\\x{bytes(value).hex()}"


def _read_bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("\\x"))


def _read_boolean(text: str) -> bool:
    return {"t": True, "true": True, "f": False, "false": False}[text]


def _read_timestamp(text: str) -> dt.datetime:
    at = dt.datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def _read_interval(text: str) -> dt.timedelta:
    found = parse_duration(text)
    if found is None:
        raise ValueError
    return found


_WRITERS: dict[str, Callable[[Any], str]] = {
    "BooleanField": _boolean,
    "NullBooleanField": _boolean,
    "DateField": _day,
    "DateTimeField": _timestamp,
    "TimeField": _time,
    "DurationField": _interval,
    "DecimalField": _decimal,
    "FloatField": _float,
    "BinaryField": _bytes,
    "UUIDField": lambda value: str(value if isinstance(value, UUID) else UUID(str(value))),
    "JSONField": json_text,
}
_READERS: dict[str, Callable[[str], Any]] = {
    "BooleanField": _read_boolean,
    "NullBooleanField": _read_boolean,
    "DateField": dt.date.fromisoformat,
    "DateTimeField": _read_timestamp,
    "TimeField": dt.time.fromisoformat,
    "DurationField": _read_interval,
    "DecimalField": Decimal,
    "FloatField": float,
    "BinaryField": _read_bytes,
    "UUIDField": UUID,
    "JSONField": json.loads,
}


def _writer(kind: str) -> Callable[[Any], str]:
    return _WRITERS.get(kind, str)


def _reader(kind: str) -> Callable[[str], Any]:
    if kind not in _READERS:
        msg = f"values of a {kind} can only be carried as they are"
        raise ValueError(msg)
    return _READERS[kind]
