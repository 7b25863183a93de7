"""What processors give, looked at before it is kept: a mistake in it costs one resource, never the run."""

from typing import Any

from isekai_core.types import Key, Payload


def check_key(key: Any) -> None:
    """`TypeError` for what is no key, `ValueError` for one that no database can keep."""
    if not isinstance(key, Key):
        msg = f"expected a Key such as Key('url', 'https://…'), got {key!r}"[:500]
        raise TypeError(msg)
    if not key.value.isascii():
        _check_text(key.value, f"the key {key}")


def check_payload(payload: Any) -> None:
    """`TypeError` for what is no payload, `ValueError` for one whose description no database can keep."""
    if not isinstance(payload, Payload):
        msg = f"expected a Payload such as Payload.from_text('…'), got {payload!r}"[:500]
        raise TypeError(msg)
    _check_text(payload.media_type, "the media type")
    _check_text(payload.charset or "", "the charset")


def check_version(version: Any, longest: int) -> None:
    """`TypeError` for what is no text, `ValueError` for one that is too long or cannot be kept."""
    if not isinstance(version, str):
        msg = f"a seed's version is a text such as '2026-01-31', got {version!r}"
        raise TypeError(msg)
    if len(version) > longest:
        msg = f"a seed's version has {longest} characters at most, got {len(version)}"
        raise ValueError(msg)
    _check_text(version, "the version")


def is_storable(value: Any) -> bool:
    """Whether every database keeps the value, as far as it is text."""
    if not isinstance(value, str):
        return True
    return "\x00" not in value and (value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value))


def _check_text(text: str, what: str) -> None:
    if "\x00" in text:
        msg = f"{what} holds a NUL character, which PostgreSQL refuses in text"
        raise ValueError(msg)
    try:
        text.encode()
    except UnicodeEncodeError:
        msg = f"{what} holds a lone surrogate (a byte that is no UTF-8), which no database keeps as text"
        raise ValueError(msg) from None
