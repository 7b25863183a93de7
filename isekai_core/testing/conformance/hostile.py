"""Payloads that nobody wants and everybody gets: what a processor must bear, of the media types that it reads."""

import hashlib
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from isekai_core.testing.conformance.suite import fail
from isekai_core.types import MemoryBody, Payload, PayloadKind, ResourceView

_MANY = 1024 * 1024
_FOREIGN = "Grüße, 世界 🐍"
# The same in every run, and of every value.
_NOISE = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(256))


def hostile(view: ResourceView) -> Iterator[tuple[str, ResourceView]]:
    """What is wrong, and the resource with such a payload in place of its own."""
    payload = view.payload
    made = _records(payload) if payload.kind == PayloadKind.RECORD else _bytes(payload)
    for what, broken in made:
        yield (
            f"{what} as {payload.media_type}",
            ResourceView(view.key, metadata=view.metadata, payload=broken, depth=view.depth, mined=view.mined),
        )


def _bytes(payload: Payload) -> Iterator[tuple[str, Payload]]:
    content, charset = payload.read(), payload.charset

    def other(content: bytes, charset: str | None = charset) -> Payload:
        return Payload(payload.kind, payload.media_type, MemoryBody(content), charset)

    yield "no bytes at all", other(b"")
    yield "NUL characters", other(b"\0" * 1000)
    yield "NUL characters in between", other(content.replace(b" ", b"\0 ").replace(b">", b">\0"))
    yield "random bytes", other(_NOISE)
    yield "a beginning of it, then random bytes", other(content[: len(content) // 2] + _NOISE)
    yield "half of it", other(content[: len(content) // 2])
    yield "1 MB of one character", other(b"a" * _MANY)
    yield "1 MB of another one", other(b"<" * _MANY)
    if payload.kind == PayloadKind.TEXT:
        yield "another charset than it says", other(_FOREIGN.encode("utf-16"))
        yield "itself in another charset than it says", other(payload.text.encode("utf-16", "surrogatepass"))
        yield "a charset that nobody knows", other(content, "x-nobody-knows")


def _records(payload: Payload) -> Iterator[tuple[str, Payload]]:
    names = list(payload.record)
    values: dict[str, Any] = {
        "nothing": None,
        "NUL characters": "a\0b",
        "bytes of another charset": _FOREIGN.encode("utf-16").decode("utf-8", "surrogateescape"),
        "an empty text": "",
        "a number": -1,
        "a list": [],
        "1 MB of one character": "a" * (_MANY // max(1, len(names))),
    }
    yield "no columns", Payload.from_record({})
    for what, value in values.items():
        yield f"{what} in every column", Payload.from_record(dict.fromkeys(names, value))


def check_bears(view: ResourceView, run: Callable[[ResourceView], object], errors: tuple[type[Exception], ...]) -> None:
    """`run` raises nothing but `errors`, whatever the payload is."""
    for what, broken in hostile(view):
        try:
            run(broken)
        except errors:
            continue
        except (Exception, SystemExit) as error:
            names = " or ".join(one.__name__ for one in errors)
            told = f"{type(error).__name__}: {str(error)[:300]}"
            trace = "".join(traceback.format_exception(error))
            fail(f"{view.key} with {what}: expected no error, {names}, got {told}\n\n{trace}")
