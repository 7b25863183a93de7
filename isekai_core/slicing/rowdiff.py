"""Which rows differ between two tables of any size.

Both mostly come in the order of their keys, as they are exported: then they are compared window by window, and what
is the same in both is passed over at once. Where they do not, a hash of each row is sorted in a temporary database on
the disk before.
"""

import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from operator import lt, ne
from typing import Any

Keyed = tuple[str, Sequence[str | None]]
"""A row's key and its values."""
Batch = tuple[list[Any], list[Any]]
"""The keys of some rows, and the rows."""

# Nothing needs to survive: SQLite writes as seldom as it can, and holds 16 MB.
_SETTINGS = ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -16000")
_LONGEST_NUMBER = 40
_ROWS = 4096
"""So many hashes are compared at once."""


class OutOfOrder(Exception):
    """Rows do not come in the order of their keys."""


@dataclass(slots=True)
class Found:
    """How many rows there are of a kind, and the first of their keys, numbers in the order of numbers."""

    limit: int
    number: int = 0
    _keys: list[str] = field(default_factory=list)

    def add(self, keys: Iterable[Any]) -> None:
        """Some more."""
        before = len(self._keys)
        self._keys += map(str, keys)
        self.number += len(self._keys) - before
        if len(self._keys) > 100 * self.limit:
            self._keys = list(self.keys)

    @property
    def keys(self) -> tuple[str, ...]:
        """At most `limit` of them."""
        return tuple(sorted(self._keys, key=_in_order)[: self.limit])


@dataclass(frozen=True, slots=True)
class RowDiff:
    """The rows that only the new table has, those that only the old one has, and those that are not the same."""

    added: Found
    removed: Found
    changed: Found


def compare(old: Iterable[Batch], new: Iterable[Batch], limit: int, differ: Callable[[Any, Any], bool] = ne) -> RowDiff:
    """How the rows of two tables differ, which come in the order of their keys, and are read once.

    limit: so many keys of each kind are kept.
    differ: whether two rows of the same key are not the same; asked of those that are not equal.
    """
    found = RowDiff(Found(limit), Found(limit), Found(limit))
    for one, other in _windows(iter(old), iter(new)):
        if one == other:
            continue
        before, after = dict(zip(*one, strict=True)), dict(zip(*other, strict=True))
        found.removed.add(before.keys() - after.keys())
        found.added.add(after.keys() - before.keys())
        both = ((key, row, after[key]) for key, row in before.items() if key in after)
        found.changed.add(key for key, row, now in both if row != now and differ(row, now))
    return found


def in_order(batches: Iterable[Batch], order: Callable[[str], Any]) -> Iterator[Batch]:
    """The same rows, under what `order` makes of their keys.

    Raises `OutOfOrder` unless every key is greater than the one before.
    """
    last: list[Any] = []
    for texts, rows in batches:
        try:
            keys = list(map(order, texts))
        except ValueError:
            raise OutOfOrder from None
        if not all(map(lt, last + keys, islice(last + keys, 1, None))):
            raise OutOfOrder
        last = keys[-1:] or last
        yield keys, rows


@contextmanager
def sorted_on_disk(rows: Iterable[Keyed]) -> Iterator[Iterator[Batch]]:
    """The hashes of rows that come in any order, in that of their keys as texts."""
    # Without a name it is a file that SQLite makes and removes.
    with closing(sqlite3.connect("")) as database:
        for statement in (*_SETTINGS, "CREATE TABLE rows (key TEXT, hash BLOB)"):
            database.execute(statement)
        database.executemany("INSERT INTO rows VALUES (?, ?)", _hashed(rows))
        # Texts in the order of their UTF-8 bytes, which is that of Python.
        cursor = database.execute("SELECT key, hash FROM rows ORDER BY key")
        yield (_unzipped(some) for some in iter(lambda: cursor.fetchmany(_ROWS), []))


def _windows(old: Iterator[Batch], new: Iterator[Batch]) -> Iterator[tuple[Batch, Batch]]:
    """Rows of both, up to a key that both have passed, or at which one of them has ended."""
    one, other = _next(old), _next(new)
    while one[0] and other[0]:
        bound = min(one[0][-1], other[0][-1])
        first, one = _split(one, bound)
        second, other = _split(other, bound)
        yield first, second
        one, other = one if one[0] else _next(old), other if other[0] else _next(new)
    while one[0]:
        yield one, ([], [])
        one = _next(old)
    while other[0]:
        yield ([], []), other
        other = _next(new)


def _next(batches: Iterator[Batch]) -> Batch:
    """The next batch that is not empty; an empty one at the end."""
    return next((batch for batch in batches if batch[0]), ([], []))


def _split(batch: Batch, bound: Any) -> tuple[Batch, Batch]:
    keys, rows = batch
    if keys[-1] <= bound:
        return batch, ([], [])
    place = bisect_right(keys, bound)
    return (keys[:place], rows[:place]), (keys[place:], rows[place:])


def _unzipped(rows: list[tuple[str, bytes]]) -> Batch:
    return [key for key, _ in rows], [digest for _, digest in rows]


def _in_order(key: str) -> tuple[int, str]:
    is_number = key.isascii() and key.removeprefix("-").isdigit() and len(key) < _LONGEST_NUMBER
    return (int(key) if is_number else 0, key)


def _hashed(rows: Iterable[Keyed]) -> Iterator[tuple[str, bytes]]:
    for key, values in rows:
        yield key, blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=16).digest()
