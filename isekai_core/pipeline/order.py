"""The build order of the graph of hard refs: pure functions, iterative, for millions of nodes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Level:
    """What may be written at one time, because all it needs was written before.

    singles: nodes that are in no cycle.
    cycles: groups of nodes that need one another, a node that needs itself included.
    """

    singles: list[int] = field(default_factory=list)
    cycles: list[list[int]] = field(default_factory=list)


def build_order(nodes: Sequence[int], needs: Mapping[int, Collection[int]]) -> list[Level]:
    """The levels of `nodes`, first to last; the order of `nodes` is kept inside each.

    needs: node to the nodes that must be written before it. Those that are no nodes count as written.

    >>> [(level.singles, level.cycles) for level in build_order([1, 2, 3, 4], {1: [2], 2: [3], 3: [2]})]
    [([4], [[2, 3]]), ([1], [])]
    """
    position = {node: index for index, node in enumerate(nodes)}
    component_of: dict[int, int] = {}
    components = strong_components(nodes, needs)
    for number, members in enumerate(components):
        for member in members:
            component_of[member] = number
    depth = _depths(components, component_of, needs)
    levels = [Level() for _ in range(max(depth, default=-1) + 1)]
    for number in sorted(range(len(components)), key=lambda number: min(position[node] for node in components[number])):
        members = components[number]
        if len(members) > 1 or members[0] in needs.get(members[0], ()):
            levels[depth[number]].cycles.append(sorted(members, key=position.__getitem__))
        else:
            levels[depth[number]].singles.append(members[0])
    return levels


def _depths(
    components: list[list[int]], component_of: Mapping[int, int], needs: Mapping[int, Collection[int]]
) -> list[int]:
    # Tarjan gives a component after all that it needs, so one pass is enough.
    depth = [0] * len(components)
    for number, members in enumerate(components):
        below = (
            depth[component_of[need]] + 1
            for member in members
            for need in needs.get(member, ())
            if need in component_of and component_of[need] != number
        )
        depth[number] = max(below, default=0)
    return depth


def strong_components(nodes: Sequence[int], needs: Mapping[int, Collection[int]]) -> list[list[int]]:
    """Tarjan's strongly connected components, each after all that it needs. Iterative: chains may be long.

    >>> strong_components([1, 2], {1: [2]})
    [[2], [1]]
    """
    known = set(nodes)
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    on_stack: set[int] = set()
    stack: list[int] = []
    found: list[list[int]] = []
    for root in nodes:
        if root in number:
            continue
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(needs.get(root, ())))]
        while work:
            node, rest = work[-1]
            for need in rest:
                if need not in known:
                    continue
                if need not in number:
                    number[need] = low[need] = len(number)
                    stack.append(need)
                    on_stack.add(need)
                    work.append((need, iter(needs.get(need, ()))))
                    break
                if need in on_stack:
                    low[node] = min(low[node], number[need])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    found.append(_pop_component(node, stack, on_stack))
    return found


def _pop_component(root: int, stack: list[int], on_stack: set[int]) -> list[int]:
    members: list[int] = []
    while not members or members[-1] != root:
        members.append(stack.pop())
        on_stack.discard(members[-1])
    return members
