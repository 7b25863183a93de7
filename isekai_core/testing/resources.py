"""Resources for tests of processors, without a pipeline around them."""

from collections.abc import Iterable, Mapping
from typing import Any

from isekai_core.types import Key, Payload, ResourceView


def make_resource(
    key: Key | str = "url:https://old.example.org/",
    *,
    text: str | bytes | None = None,
    blob: bytes | None = None,
    record: Mapping[str, Any] | None = None,
    media_type: str | None = None,
    charset: str = "utf-8",
    metadata: Mapping[str, Any] | None = None,
    depth: int = 0,
    mined: Iterable[Key | str] = (),
) -> ResourceView:
    """A resource as a processor sees it, with a payload of text, a blob, a record, or none.

    >>> make_resource("url:https://old.example.org/a", text="<p>hi", media_type="text/html").payload.text
    '<p>hi'
    """
    given = [value for value in (text, blob, record) if value is not None]
    if len(given) > 1:
        msg = f"a resource has one payload: give one of text, blob and record, got {len(given)} of them"
        raise ValueError(msg)
    payload = None
    if text is not None:
        payload = Payload.from_text(text, media_type or "text/plain", charset)
    elif blob is not None:
        payload = Payload.from_blob(blob, media_type or "application/octet-stream")
    elif record is not None:
        payload = Payload.from_record(record)
    return ResourceView(
        _key(key), metadata=metadata, payload=payload, depth=depth, mined=frozenset(_key(item) for item in mined)
    )


def _key(key: Key | str) -> Key:
    return Key.parse(key) if isinstance(key, str) else key
