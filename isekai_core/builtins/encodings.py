"""Text files: which encoding they say they have, and where they do not keep to it."""

import codecs
from pathlib import Path

_CHUNK = 64 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # The longer ones first: that of utf-32 begins with that of utf-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def byte_order_mark(start: bytes) -> str | None:
    """The codec that the first bytes of a file ask for, or None.

    >>> byte_order_mark("é".encode("utf-16"))
    'utf-16'
    """
    return next((codec for mark, codec in _MARKS if start.startswith(mark)), None)


def known_codec(name: str) -> bool:
    """Whether `name` is an encoding of texts: Python's `base64` is none, and its `idna` is one of host names only."""
    try:
        bytes(4).decode(name, "surrogateescape")
    except (LookupError, ValueError):
        return False
    return True


def undecodable(path: Path, encoding: str) -> str:
    """Where the first bytes stand that `encoding` does not know: line, offset and the bytes."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line, offset = 1, 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(encoding, "ignore")
                found = error.object[error.start : error.end].hex(" ")
                # What it complains of ends with this chunk, and begins with bytes held back from the one before.
                byte = offset + len(chunk) - len(error.object) + error.start
                return f"line {line + before.count(chr(10))}, byte {byte} holds {found}"
            offset += len(chunk)
            if not chunk:
                return "its end is cut off"
