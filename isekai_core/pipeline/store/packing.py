"""Texts are packed before they go to a database server, in a thread of their own while the other one works.

A page is a fourth of its size then, on the way and in the table. PostgreSQL would compress it by itself, and slower:
that was half of what the server did in a run. Not for SQLite, which is in this process: reading the texts back would
cost more than writing less of them brings.
"""

import zlib
from concurrent.futures import Future, ThreadPoolExecutor

from isekai_core.types import MemoryBody, Payload, PayloadKind

LEAST = 2048
"""Bytes from which on packing pays: about what PostgreSQL lets lie in the row as it is."""

ZLIB = "zlib"
"""How `data` is packed; "" when it is as it came."""

# Higher levels take several times as long for a tenth less.
_LEVEL = 1


class Packer:
    """Packs what is to be stored; `begin` early, and `packed` does not wait.

    >>> page = Payload.from_text("<p>again and again</p>" * 200)
    >>> packer = Packer()
    >>> packer.begin(page)
    >>> packing, data = packer.packed(page)
    >>> packing, len(data) < page.size, unpacked(packing, data) == page.read()
    ('zlib', True, True)
    """

    def __init__(self, *, is_on: bool = True) -> None:
        self._is_on = is_on
        self._begun: dict[str, Future[bytes]] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="isekai-pack")

    def begin(self, *payloads: Payload | None) -> None:
        """Pack them in the other thread, as far as they are in memory: a file has one reader at a time."""
        for payload in payloads:
            if payload is not None and self._wants(payload) and isinstance(payload.body, MemoryBody):
                self._begun[payload.sha256] = self._pool.submit(zlib.compress, payload.body.content, _LEVEL)

    def packed(self, payload: Payload) -> tuple[str, bytes]:
        """How the bytes are packed, and the bytes."""
        if not self._wants(payload):
            return "", payload.read()
        begun = self._begun.pop(payload.sha256, None)
        return ZLIB, begun.result() if begun else zlib.compress(payload.read(), _LEVEL)

    def forget(self) -> None:
        """What was begun and is not asked for after all, because the same bytes are stored already."""
        self._begun.clear()

    def close(self) -> None:
        """No thread is left behind."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _wants(self, payload: Payload) -> bool:
        # Images and the like are packed in ways of their own.
        return self._is_on and payload.kind != PayloadKind.BLOB and payload.size >= LEAST


def unpacked(packing: str, data: bytes) -> bytes:
    """The bytes as they came."""
    return zlib.decompress(data) if packing == ZLIB else data
