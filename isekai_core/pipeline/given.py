"""What processors give, looked at before it is kept: a mistake in it costs one resource, never the run."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from isekai_core.errors import LoadError
from isekai_core.types import Body, Key, LoadItem, MemoryBody, Payload, PayloadKind, Spool

_CHUNK = 1024 * 1024
_WRITTEN = ("create", "update", "unchanged")


def several(given: Any, method: str, of: str) -> Iterable[Any]:
    """What a method that gives many gave; `TypeError`, naming it, for what nobody can go through."""
    if isinstance(given, Iterable):
        return given
    msg = f"{method} gives {of} objects, with yield or in a list, got {given!r}"[:500]
    raise TypeError(msg)


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
    if not isinstance(payload.kind, PayloadKind):
        msg = f"expected a payload of a PayloadKind, got {payload.kind!r}; Payload.from_text and its like know it"[:500]
        raise TypeError(msg)
    if not isinstance(payload.media_type, str) or not payload.media_type:
        msg = f"expected a payload with a media type such as 'text/html', got {payload.media_type!r}"[:500]
        raise TypeError(msg)
    _check_text(payload.media_type, "the media type")
    _check_text(payload.charset or "", "the charset")


def kept_payload(payload: Payload) -> Payload:
    """The payload, with its bytes in a body of core's own; whatever is raised says why it cannot be kept.

    What somebody else's body does when it is read costs what gave it. Read later, it would be written with others.
    """
    check_payload(payload)
    body = payload.body
    if type(body) is MemoryBody and isinstance(body.content, bytes):
        return payload
    if type(body) is Spool:
        with body.open():  # A closed one cannot be read any more.
            return payload
    return replace(payload, body=_copied(body))


def _copied(body: Any) -> Spool:
    content = body.content if isinstance(body, MemoryBody) else b""
    if not isinstance(content, bytes) or not isinstance(body, Body):
        msg = f"expected a payload of bytes, of a Spool or of another Body, got one of {content or body!r}"[:500]
        raise TypeError(msg)
    spool = Spool()
    with body.open() as reader:
        while chunk := reader.read(_CHUNK):
            spool.write(chunk)
    for name in ("size", "sha256"):
        told, found = getattr(body, name), getattr(spool, name)
        if told != found:
            msg = f"the payload's body says that its {name} is {told!r}, and that of what it gives is {found!r}"[:500]
            raise ValueError(msg)
    return spool


def check_version(version: Any, longest: int) -> None:
    """`TypeError` for what is no text, `ValueError` for one that is too long or cannot be kept."""
    if not isinstance(version, str):
        msg = f"a seed's version is a text such as '2026-01-31', got {version!r}"
        raise TypeError(msg)
    if len(version) > longest:
        msg = f"a seed's version has {longest} characters at most, got {len(version)}"
        raise ValueError(msg)
    _check_text(version, "the version")


def check_item(item: LoadItem, pk: Any) -> None:
    """`LoadError` for an item of which its loader does not say that it has a row now, and which.

    pk: the model's primary key field. Without this, what nobody wrote would count as loaded.
    """
    if item.action not in _WRITTEN:
        msg = f"the loader planned {item.action!r}, expected 'create', 'update', 'unchanged' or 'error'"
        raise LoadError(msg)
    if item.pk is None:
        whose = "write() sets it" if item.action != "unchanged" else "what has no row is to be created"
        msg = f"the loader says {item.action!r} and names no row, its pk is None: {whose}"
        raise LoadError(msg)
    try:
        pk.to_python(item.pk)
    except Exception as error:
        msg = f"the loader gives the pk {item.pk!r}, which is none of {pk.model._meta.label}"[:500]
        raise LoadError(msg) from error
    if not isinstance(item.written, Mapping):
        msg = f"the loader gives as written {item.written!r}, expected the hash of each field"[:500]
        raise LoadError(msg)


def reason_of(item: LoadItem) -> Exception:
    """Why an item is not to be written; a text will do."""
    if isinstance(item.error, Exception):
        return item.error
    return LoadError(str(item.error or "the loader gave no reason"))


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
