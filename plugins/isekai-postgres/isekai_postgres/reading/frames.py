"""The messages in which a server sends a COPY, one for each row: their data, without a step of Python for each.

What is between the data is five bytes: the letter d and a length, big-endian, which counts itself. A text holds no
NUL, and every length below 16 MB begins with one: so a pattern finds the messages, and what it cannot have seen is
looked at one by one.
"""

import re
from struct import Struct

_DATA, _DONE = ord("d"), ord("c")
# Before the data: that a COPY begins. At any time: a notice, a setting, a notification; nobody has asked for them.
_PASSED_OVER = frozenset(b"HNSA")
_HEADER = 5
_length = Struct(">xI").unpack_from
_HEADERS = re.compile(rb"(?s:d\0...)")
_ANSWERS = _PASSED_OVER | {ord("E")}


def is_plain(first: int) -> bool:
    """Whether an answer that begins with this byte is the protocol itself, which neither TLS nor GSSAPI wraps."""
    return first in _ANSWERS


class Frames:
    """Takes the data out of the messages, block after block.

    rows: how many messages had data.
    is_over: whether the data has ended; what follows is for the library.
    pending: what a block ended with, and belongs in front of the next: a header that is cut, four bytes at most.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.is_over = False
        self.pending = b""
        self._left = 0
        self._is_wanted = False

    def take(self, block: bytearray, size: int) -> tuple[bytes, int]:
        """The data in the first `size` bytes of `block`, and how many of them have been dealt with."""
        self.pending = b""
        with memoryview(block) as view:
            start = min(self._left, size)
            parts = [view[:start]] if start and self._is_wanted else []
            self._left -= start
            last = block.rfind(b"d\0", start, size)
            if last > start:
                rows = _HEADERS.split(view[start:last])
                middle = b"".join(rows)
                # Without a NUL left over, there was nothing but data, in whole messages.
                if b"\0" not in middle:
                    parts.append(memoryview(middle))
                    self.rows += len(rows) - 1
                    start = last
            end = self._walk(view[:size], start, parts)
            return b"".join(parts), end

    def _walk(self, view: memoryview, start: int, parts: list[memoryview]) -> int:
        """Message by message; where it ended."""
        size = len(view)
        while start < size:
            kind = view[start]
            self._is_wanted = kind == _DATA
            if not self._is_wanted and kind not in _PASSED_OVER and kind != _DONE:
                self.is_over = True
                return start
            if start + _HEADER > size:
                self.pending = bytes(view[start:])
                return size
            if kind == _DONE:
                self.is_over = True
                return start + _HEADER
            end = start + 1 + _length(view, start)[0]
            if self._is_wanted:
                self.rows += 1
                parts.append(view[start + _HEADER : end])
            self._left = max(end - size, 0)
            start = end
        return size
