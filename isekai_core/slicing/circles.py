"""Circles: tables that need themselves, or one another, so that a limit may leave rows out that others need.

A row stays only with the rows that it needs. Which ones these are is known when the limit has chosen, and no others are
taken in the place of those that have to go.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from isekai_core.types.slices import SlicePlan, TablePlan

_FACT = "left_out"
_WAYS = (
    "DataSlicer.plan(…) takes rows with all that they need; or let order_by= put those first that others need; or do"
    " not declare the foreign key, and load with dangling='null'"
)


def notes_of_plan(plan: SlicePlan) -> list[str]:
    """A note on each table of which a limit may leave fewer rows than it says, or none."""
    return [
        f"{table.model}: rows whose {_listed(names)} is outside of the limit are left out, so that there may be fewer,"
        f" or none; {_WAYS}"
        for table, names in _bound(plan)
    ]


def facts_of(plan: SlicePlan, left_out: Mapping[str, int]) -> dict[str, Any]:
    """What a source tells of the rows that are within their limits, but left out with those that they need.

    left_out: label of a model to how many there are.
    """
    found = {
        table.model: {"rows": left_out[table.model], "fields": names}
        for table, names in _bound(plan)
        if left_out.get(table.model)
    }
    return {_FACT: found} if found else {}


def notes_of_facts(facts: Mapping[str, Any]) -> list[str]:
    """A note on each of these tables, of a bundle's manifest."""
    found = facts.get(_FACT)
    return [
        f"{model}: rows within the limit that are left out, as their {_listed(one['fields'])} is outside of it:"
        f" {one['rows']:,}; {_WAYS}"
        for model, one in (found.items() if isinstance(found, dict) else ())
    ]


def _bound(plan: SlicePlan) -> Iterator[tuple[TablePlan, list[str]]]:
    """The tables of which a limit may leave out rows that they need, and by which fields they do."""
    for group in plan.groups:
        tables = [plan.table(model) for model in group]
        if any(table.is_limited for table in tables):
            yield from ((table, names) for table in tables if (names := _binding(table, tables)))


def _binding(table: TablePlan, group: Sequence[TablePlan]) -> list[str]:
    parents = {one.model: one for one in group if not one.is_whole}
    return [
        column.field
        for column in table.parents
        if column.reference
        and column.reference.model in parents
        and (table.model, column.name) not in parents[column.reference.model].closure
    ]


def _listed(names: Sequence[str]) -> str:
    return " or ".join(names)
