"""Repeats: keys that one seeder gives more than once. The first counts, in whichever batch it comes."""

import sqlite3
from collections.abc import Iterable

from isekai_core.errors import SeedError

_NAMED = 5


class Repeats:
    """Remembers what a seeder gave in this run.

    In a temporary file once there are many: a million keys in memory would be more than all that a run takes.
    """

    def __init__(self) -> None:
        # With no name it is private, on the disk where its cache is full, and gone when it is closed.
        self._given = sqlite3.connect("")
        self._given.execute("CREATE TABLE given (digest TEXT PRIMARY KEY) WITHOUT ROWID")
        self._lost: list[str] = []
        self._number = 0

    def close(self) -> None:
        """Forget everything."""
        self._given.close()

    def before(self, digests: Iterable[str]) -> set[str]:
        """Those of `digests` that were given in an earlier batch; all of them are known from now on."""
        return {digest for digest in digests if not self._is_new(digest)}

    def lose(self, key: str) -> None:
        """`key` came with other data than it had: that is left out."""
        self._number += 1
        if len(self._lost) < _NAMED:
            self._lost.append(key)

    @property
    def error(self) -> SeedError | None:
        """What was left out, once the seeder is through; None when nothing was."""
        if not self._number:
            return None
        more = f" and {self._number - len(self._lost)} more" if self._number > len(self._lost) else ""
        return SeedError(
            f"{', '.join(self._lost)}{more}: given more than once, with different data; the first counts and the others"
            " are left out. If they are different things, give them different keys"
        )

    def _is_new(self, digest: str) -> bool:
        return self._given.execute("INSERT OR IGNORE INTO given VALUES (?)", [digest]).rowcount > 0
