"""The order of tables: everything after what it needs; what needs one another, side by side."""

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter


def groups_of(needs: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The groups that need one another, those that are needed first; the same for the same needs.

    needs: name to the names it needs; names that are no key do not count.

    >>> groups_of({"order": ["customer"], "customer": ["customer", "shop"], "shop": []})
    [['shop'], ['customer'], ['order']]
    """
    reached = _reached({name: set(found) & needs.keys() for name, found in needs.items()})
    group_of = {
        name: min([name, *(other for other in reached[name] if name in reached[other])]) for name in sorted(needs)
    }
    above = {
        group: {group_of[other] for name in needs if group_of[name] == group for other in reached[name]} - {group}
        for group in sorted(set(group_of.values()))
    }
    return [[name for name in sorted(needs) if group_of[name] == group] for group in _sorted(above)]


def _reached(needs: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Name to all that it needs, through others, too."""
    reached = {name: set(found) for name, found in needs.items()}
    changed = True
    while changed:
        changed = False
        for found in reached.values():
            more = set().union(*(reached[name] for name in found)) - found
            found.update(more)
            changed = changed or bool(more)
    return reached


def _sorted(above: Mapping[str, set[str]]) -> list[str]:
    sorter = TopologicalSorter(above)
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        # In batches, each by name: the same order for the same graph.
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order
