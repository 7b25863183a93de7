"""A set of keys as a common table expression, and the WITH clause that defines those that a statement needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql


@dataclass(frozen=True)
class KeySet:
    """A set of keys.

    name: of its common table expression.
    body: a SELECT of the keys, as `k`.
    needs: the sets that are named in `body`.
    tail: `FROM … WHERE …` of the table's rows, where these are the ones in the set without a comparison.
    setting: the name of the setting that holds it, where it is kept.
    rows: how many keys are in it, where that is known.
    """

    name: sql.Composable
    body: sql.Composable
    needs: tuple["KeySet", ...] = ()
    tail: sql.Composable | None = None
    setting: str = ""
    rows: int | None = None


def with_sets(sets: Iterable[KeySet], *, recursive: bool = False, more: Sequence[sql.Composable] = ()) -> sql.Composed:
    """`WITH …` that defines these sets and all that they need, each once; or nothing.

    more: further expressions, after them.
    """
    found: dict[int, KeySet] = {}
    for one in sets:
        _collect(one, found)
    parts = [sql.SQL("{} AS ({})").format(one.name, one.body) for one in found.values()] + list(more)
    if not parts:
        return sql.Composed([])
    return sql.SQL("WITH {}{} ").format(sql.SQL("RECURSIVE " if recursive else ""), sql.SQL(", ").join(parts))


def settings_of(sets: Iterable[KeySet]) -> set[str]:
    """The settings that these sets read."""
    found: dict[int, KeySet] = {}
    for one in sets:
        _collect(one, found)
    return {one.setting for one in found.values() if one.setting}


def _collect(one: KeySet, found: dict[int, KeySet]) -> None:
    if id(one) in found:
        return
    for needed in one.needs:
        _collect(needed, found)
    found[id(one)] = one
