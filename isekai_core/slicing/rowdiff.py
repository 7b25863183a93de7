"""Which rows differ between two tables of any size: by a hash of each row, in a temporary database on the disk."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b

Keyed = tuple[str, Sequence[str | None]]
"""A row's key and its values."""

# Nothing needs to survive: SQLite writes as seldom as it can, and holds 16 MB.
_SETTINGS = ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -16000")
_LONGEST_NUMBER = 40


@dataclass(slots=True)
class Found:
    """How many rows there are of a kind, and the first of their keys, numbers in the order of numbers."""

    limit: int
    number: int = 0
    _keys: list[str] = field(default_factory=list)

    def add(self, key: str) -> None:
        """One more."""
        self.number += 1
        self._keys.append(key)
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


def compare(old: Iterable[Keyed], new: Iterable[Keyed], limit: int) -> RowDiff:
    """How the rows of two tables differ, of which each is read once and in any order.

    limit: so many keys of each kind are kept.
    """
    found = RowDiff(Found(limit), Found(limit), Found(limit))
    with _sorted(old) as before, _sorted(new) as after:
        one, other = next(before, None), next(after, None)
        while one or other:
            if other is None or (one is not None and one[0] < other[0]):
                found.removed.add(one[0] if one else "")
                one = next(before, None)
            elif one is None or other[0] < one[0]:
                found.added.add(other[0])
                other = next(after, None)
            else:
                if one[1] != other[1]:
                    found.changed.add(one[0])
                one, other = next(before, None), next(after, None)
    return found


@contextmanager
def _sorted(rows: Iterable[Keyed]) -> Iterator[Iterator[tuple[str, bytes]]]:
    """Key and hash of each row, by key, sorted on the disk."""
    # Without a name it is a file that SQLite makes and removes.
    with closing(sqlite3.connect("")) as database:
        for statement in (*_SETTINGS, "CREATE TABLE rows (key TEXT, hash BLOB)"):
            database.execute(statement)
        database.executemany("INSERT INTO rows VALUES (?, ?)", _hashed(rows))
        # Texts in the order of their UTF-8 bytes, which is that of Python.
        yield iter(database.execute("SELECT key, hash FROM rows ORDER BY key"))


def _in_order(key: str) -> tuple[int, str]:
    is_number = key.isascii() and key.removeprefix("-").isdigit() and len(key) < _LONGEST_NUMBER
    return (int(key) if is_number else 0, key)


def _hashed(rows: Iterable[Keyed]) -> Iterator[tuple[str, bytes]]:
    for key, values in rows:
        yield key, blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=16).digest()
