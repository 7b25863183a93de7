"""Compressed bytes, undone in small pieces: a bomb meets the size limit before it fills the memory."""

import zlib
from collections.abc import Iterator

PIECE = 64 * 1024
"""The most bytes that come out at once."""

_GZIP_MAGIC = b"\x1f\x8b"


def is_gzip(head: bytes) -> bool:
    """Whether `head`, the first bytes, begins a gzip file."""
    return head.startswith(_GZIP_MAGIC)


class Inflater:
    """Undoes `gzip` (of several members too) or `deflate` (zlib's or raw) as the bytes arrive.

    `feed` and `finish` raise `zlib.error` for what is not compressed so, and `EOFError` when it ends too
    early.

    >>> inflater = Inflater("deflate")
    >>> b"".join(inflater.feed(zlib.compress(b"abc")))
    b'abc'
    >>> inflater.finish()
    """

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._engine: zlib._Decompress | None = None
        self._done = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` inflates to, piece by piece."""
        while data and (self._engine or self._begins_member(data)):
            engine = self._engine or self._begin(data)
            if piece := engine.decompress(data, PIECE):
                yield piece
            data = engine.unconsumed_tail
            if engine.eof:
                data, self._engine, self._done = engine.unused_data, None, True
            elif not data and len(piece) == PIECE:
                yield from self._held_back(engine)

    def finish(self) -> None:
        """To be called after the last byte."""
        if not self._done or self._engine is not None:
            msg = f"the {self._coding} data ends too early"
            raise EOFError(msg)

    def _begins_member(self, data: bytes) -> bool:
        if not self._done:
            return True
        # What follows the last member is padding, which other readers ignore as well.
        return self._coding == "gzip" and (is_gzip(data) or data == _GZIP_MAGIC[:1])

    def _begin(self, data: bytes) -> "zlib._Decompress":
        if self._coding == "gzip":
            bits = 16 + zlib.MAX_WBITS
        else:
            # Servers send both forms by the name of deflate; a zlib header says 8 in its lower half.
            bits = zlib.MAX_WBITS if data[0] & 0x0F == 8 else -zlib.MAX_WBITS  # noqa: PLR2004
        self._engine = zlib.decompressobj(bits)
        return self._engine

    def _held_back(self, engine: "zlib._Decompress") -> Iterator[bytes]:
        """What the engine took in but could not give out within one piece."""
        while piece := engine.decompress(b"", PIECE):
            yield piece
        if engine.eof:
            self._engine, self._done = None, True
