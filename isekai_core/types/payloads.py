"""Payloads: the extracted bytes, text or blob, or a record that a seeder gave with its key."""

import hashlib
import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, BinaryIO, Protocol, cast, runtime_checkable

from isekai_core.types.codec import decode, encode

MEMORY_LIMIT = 64 * 1024
"""Bytes that a `Spool` keeps in memory before it goes on in a temporary file."""

RECORD_MEDIA_TYPE = "application/vnd.isekai.record+json"


class PayloadKind(StrEnum):
    """How a payload is read: as text, as bytes, or as a mapping."""

    TEXT = "text"
    BLOB = "blob"
    RECORD = "record"


@runtime_checkable
class Body(Protocol):
    """Bytes that can be read more than once, wherever they lie."""

    @property
    def size(self) -> int:
        """The number of bytes."""
        ...

    @property
    def sha256(self) -> str:
        """The hash of the bytes, 64 hexadecimal characters."""
        ...

    def open(self) -> BinaryIO:
        """A new reader at the first byte; the caller closes it."""
        ...


class MemoryBody:
    """A body that is in memory as a whole.

    >>> MemoryBody(b"abc").size
    3
    """

    def __init__(self, content: bytes) -> None:
        self.content = content

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.content)

    @cached_property
    def sha256(self) -> str:
        """The hash of the bytes, 64 hexadecimal characters."""
        return hashlib.sha256(self.content).hexdigest()

    def open(self) -> BinaryIO:
        """A new reader at the first byte."""
        return io.BytesIO(self.content)


class Spool:
    """A body that is written as it arrives: hashed on the way, in a temporary file once it is large.

    >>> spool = Spool()
    >>> spool.write(b"abc")
    >>> spool.size, spool.open().read()
    (3, b'abc')
    """

    def __init__(self, memory_limit: int = MEMORY_LIMIT) -> None:
        self._file: Any = tempfile.SpooledTemporaryFile(max_size=memory_limit)  # noqa: SIM115 - lives as long as the payload
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, chunk: bytes) -> None:
        """Append `chunk`; must not be called once a reader is open."""
        self._file.write(chunk)
        self._hash.update(chunk)
        self._size += len(chunk)

    @property
    def size(self) -> int:
        """The number of bytes so far."""
        return self._size

    @property
    def sha256(self) -> str:
        """The hash of the bytes so far, 64 hexadecimal characters."""
        return self._hash.hexdigest()

    def open(self) -> BinaryIO:
        """The one file of the spool, rewound: two readers at once are not possible."""
        self._file.seek(0)
        return cast("BinaryIO", _Unclosed(self._file))

    def close(self) -> None:
        """Give the temporary file back; done by itself when nobody holds the spool any more."""
        self._file.close()

    def __del__(self) -> None:
        self.close()


class _Unclosed(io.BufferedIOBase):
    """A reader of somebody else's file, which closing the reader leaves open."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int | None = -1, /) -> bytes:
        return self._file.read(-1 if size is None else size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._file.seek(offset, whence)
        return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()


@dataclass(frozen=True)
class Payload:
    """What an extractor brought: the raw bytes, what they are, and how to read them.

    `media_type` is lower-case and without parameters; `charset` is a Python codec name, only for
    text. The raw bytes are kept: `text` never fails, and a byte that is not of the charset is a lone
    surrogate which the loader refuses with the name of the field.

    >>> Payload.from_text("<h1>é</h1>", "text/html").text
    '<h1>é</h1>'
    >>> Payload.from_record({"name": "Ada"}).record
    {'name': 'Ada'}
    """

    kind: PayloadKind
    media_type: str
    body: Body
    charset: str | None = None

    @classmethod
    def from_text(cls, text: str | bytes, media_type: str = "text/plain", charset: str = "utf-8") -> "Payload":
        """Text, given as a string or as the bytes of `charset`."""
        content = text.encode(charset, "surrogateescape") if isinstance(text, str) else text
        return cls(PayloadKind.TEXT, media_type, MemoryBody(content), charset)

    @classmethod
    def from_blob(cls, body: Body | bytes, media_type: str = "application/octet-stream") -> "Payload":
        """Bytes that are no text: a `Spool`, any other body, or bytes in memory."""
        return cls(PayloadKind.BLOB, media_type, MemoryBody(body) if isinstance(body, bytes) else body)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Payload":
        """A mapping such as a row; dates, decimals and the like come back equal.

        Raises `TypeError`, naming the path, for a value that `encode` does not know.
        """
        text = json.dumps(encode(dict(record)), sort_keys=True, separators=(",", ":"))
        return cls(PayloadKind.RECORD, RECORD_MEDIA_TYPE, MemoryBody(text.encode()), "utf-8")

    @property
    def sha256(self) -> str:
        """The hash of the raw bytes."""
        return self.body.sha256

    @property
    def size(self) -> int:
        """The number of raw bytes."""
        return self.body.size

    def read(self) -> bytes:
        """All raw bytes. For blobs that may be large, use `open`."""
        if isinstance(self.body, MemoryBody):
            return self.body.content
        with self.body.open() as file:
            return file.read()

    def open(self) -> BinaryIO:
        """A new binary reader at the first byte; use it in a `with` block."""
        return self.body.open()

    @cached_property
    def text(self) -> str:
        """The bytes decoded by the charset, utf-8 without a usable one; undecodable bytes become surrogates."""
        content, charset = self.read(), self.charset or "utf-8"
        try:
            return content.decode(charset, "surrogateescape")
        except (LookupError, ValueError):
            # A charset of several bytes a character, broken off, whose units cannot be escaped one by one;
            # one that Python does not know; or one that is none of texts, such as `idna`.
            return content.decode("utf-8", "surrogateescape")

    @property
    def record(self) -> dict[str, Any]:
        """The mapping of a record payload, each time a dict of the caller's own; `TypeError` for text and blobs."""
        return dict(self._record)

    @cached_property
    def _record(self) -> dict[str, Any]:
        if self.kind != PayloadKind.RECORD:
            msg = f"this payload is {self.kind} ({self.media_type}), not a record"
            raise TypeError(msg)
        decoded: dict[str, Any] = decode(json.loads(self.read()))
        return decoded
