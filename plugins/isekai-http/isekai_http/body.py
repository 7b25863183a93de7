"""The body of an answer on its way in: inflated, counted against the limit, spooled once it is large."""

import zlib
from collections.abc import Iterator, Mapping
from typing import Self

from isekai_core.errors import ExtractError, TemporaryError
from isekai_core.types import Body, MemoryBody, Spool
from isekai_http.answers import shown
from isekai_http.content import is_text, parse_content_type
from isekai_http.inflate import Inflater, is_gzip

_CODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
# Those that are registered. What else servers write there, such as a charset, means nothing, as in browsers.
_KNOWN_CODINGS = _CODINGS.keys() | {
    "aes128gcm",
    "br",
    "compress",
    "dcb",
    "dcz",
    "exi",
    "pack200-gzip",
    "x-compress",
    "zstd",
}
_GZIP_TYPES = frozenset(("application/gzip", "application/x-gzip", "application/x-gunzip"))
_GZIP_SUFFIXES = (".gz", ".tgz")
_BLOCK = 256 * 1024


class Intake:
    """Takes the chunks of one answer; `finish` gives the body.

    headers: the answer's, by lower-case name.
    max_bytes: the most that it may be, inflated.
    in_memory: the most that is kept in memory; a larger body goes on in a temporary file.

    Use it in a `with` block: what was not finished is thrown away.
    """

    def __init__(self, url: str, headers: Mapping[str, str], *, max_bytes: int, in_memory: int) -> None:
        self._url = url
        self._max_bytes = max_bytes
        self._in_memory = in_memory
        self._size = 0
        self._parts: list[bytes] = []
        self._spool: Spool | None = None
        self._inflater = self._inflater_for(headers.get("content-encoding", ""))
        self._may_be_file = self._inflater is not None and _is_gzip_file(url, headers.get("content-type", ""))
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > max_bytes:
            raise self._too_large(length)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._spool is not None:
            self._spool.close()

    def take(self, chunk: bytes) -> None:
        """Add `chunk`, as it came from the server; `ExtractError` when the body becomes too large."""
        if self._may_be_file and chunk:
            self._may_be_file = False
            if not _is_compressed_twice(chunk):
                self._inflater = None
        if self._inflater is None:
            self._keep(chunk)
            return
        try:
            for piece in self._inflater.feed(chunk):
                self._keep(piece)
        except zlib.error as error:
            msg = f"{shown(self._url)}: the content-encoding does not fit the bytes ({error})"
            raise ExtractError(msg) from None

    def finish(self) -> Body:
        """The whole body, which is the caller's now; `ExtractError` when it is empty."""
        if self._inflater is not None and self._size:
            self._finish_inflating(self._inflater)
        if not self._size:
            msg = f"{shown(self._url)}: an empty body"
            raise ExtractError(msg)
        spool, self._spool = self._spool, None
        return spool or MemoryBody(b"".join(self._parts))

    def _finish_inflating(self, inflater: Inflater) -> None:
        try:
            inflater.finish()
        except EOFError as error:
            msg = f"{shown(self._url)}: the answer broke off: {error}"
            raise TemporaryError(msg) from None

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._max_bytes:
            raise self._too_large(None)
        if self._spool is None and self._size > self._in_memory:
            self._spool = Spool()
            for part in self._parts:
                self._spool.write(part)
            self._parts.clear()
        if self._spool is None:
            self._parts.append(piece)
        else:
            self._spool.write(piece)

    def _too_large(self, length: str | None) -> ExtractError:
        got = "more" if length is None else f"{length} bytes"
        return ExtractError(f"{shown(self._url)}: expected at most {self._max_bytes} bytes (max_bytes), got {got}")

    def _inflater_for(self, coding: str) -> Inflater | None:
        named = [name for part in coding.split(",") if (name := part.strip().lower()) in _KNOWN_CODINGS]
        if not named:
            return None
        if len(named) > 1 or named[0] not in _CODINGS:
            msg = f"{shown(self._url)}: expected no content-encoding, gzip or deflate, got {coding.strip()[:60]!r}"
            raise ExtractError(msg)
        return Inflater(_CODINGS[named[0]])


def _is_gzip_file(url: str, content_type: str) -> bool:
    """Whether a file is compressed itself: many servers say of an archive that it was encoded for the way."""
    media_type, _ = parse_content_type(content_type)
    path = url.partition("?")[0].lower()
    return media_type in _GZIP_TYPES or (path.endswith(_GZIP_SUFFIXES) and not is_text(media_type))


def _is_compressed_twice(chunk: bytes) -> bool:
    """Whether a file that is compressed itself was encoded for the way, too, by the beginning of the bytes."""
    try:
        return is_gzip(next(Inflater("gzip").feed(chunk), b""))
    except zlib.error:
        return False


def blocks(body: Body) -> Iterator[bytes]:
    """The bytes of `body`, in blocks."""
    if isinstance(body, MemoryBody):
        yield body.content
        return
    with body.open() as file:
        while block := file.read(_BLOCK):
            yield block


def head(body: Body, length: int) -> bytes:
    """The first bytes of `body`."""
    if isinstance(body, MemoryBody):
        return body.content[:length]
    with body.open() as file:
        return file.read(length)
