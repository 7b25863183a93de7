"""Aliases: a resource whose source redirects stands for another, which may redirect in turn."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from isekai_core.models import Resource
from isekai_core.pipeline.store.rows import chunks, one_of


def ends(ids: Iterable[int], columns: Sequence[str]) -> dict[int, dict[str, Any]]:
    """Resource to the `columns` of what it stands for in the end: itself where it is no alias.

    columns: `pk` and `alias_of_id` among them. Redirects in a circle end at one of it.
    """
    asked = set(ids)
    rows: dict[int, dict[str, Any]] = {}
    wanted = asked
    while wanted:
        found = {row["pk"]: row for part in chunks(sorted(wanted)) for row in _rows(part, columns)}
        rows |= found
        wanted = {row["alias_of_id"] for row in found.values() if row["alias_of_id"]} - rows.keys()
    return {pk: _follow(pk, rows) for pk in asked if pk in rows}


def aliases_of(ids: Sequence[int]) -> dict[int, int]:
    """Every alias, and alias of an alias, to the one of `ids` that it stands for."""
    stands_for: dict[int, int] = {}
    wanted = list(ids)
    while wanted:
        rows = Resource.objects.filter(one_of("alias_of_id", wanted)).values_list("pk", "alias_of_id")
        new = {pk: stands_for.get(of, of) for pk, of in rows if pk not in stands_for}
        stands_for |= new
        wanted = list(new)
    return stands_for


def _rows(ids: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
    return list(Resource.objects.filter(one_of("pk", ids)).values(*columns))


def _follow(pk: int, rows: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    seen = {pk}
    row = rows[pk]
    while (further := row["alias_of_id"]) in rows and further not in seen:
        seen.add(further)
        row = rows[further]
    return row
