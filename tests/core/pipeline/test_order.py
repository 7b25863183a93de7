"""The build order: right on every graph, compared with a naive reference, and iterative on long ones."""

from hypothesis import given
from hypothesis import strategies as st

from isekai_core.pipeline.order import build_order, strong_components


@st.composite
def graphs(draw):
    nodes = draw(st.lists(st.integers(0, 12), unique=True, max_size=12))
    needs = draw(st.dictionaries(st.integers(0, 14), st.lists(st.integers(0, 14), max_size=5), max_size=12))
    return nodes, needs


def reached_from(node, nodes, needs):
    """Naive: every node of the graph that can be reached by one edge or more."""
    seen, rest = set(), [need for need in needs.get(node, ()) if need in nodes]
    while rest:
        here = rest.pop()
        if here not in seen:
            seen.add(here)
            rest.extend(need for need in needs.get(here, ()) if need in nodes)
    return seen


def naive_levels(nodes, needs):
    """Naive: rounds, in each of which goes what needs nothing that is left but itself and its own cycle."""
    reach = {node: reached_from(node, nodes, needs) for node in nodes}
    cycle = {node: {other for other in reach[node] if node in reach[other]} for node in nodes}
    left, rounds = list(nodes), []
    while left:
        now = [node for node in left if not (reach[node] - cycle[node] - {node}) & set(left)]
        singles = [node for node in now if node not in cycle[node]]
        groups = {frozenset(cycle[node]) for node in now if node in cycle[node]}
        rounds.append((singles, groups))
        left = [node for node in left if node not in now]
    return rounds


@given(graphs())
def test_the_levels_are_those_of_the_naive_reference(graph):
    nodes, needs = graph
    levels = build_order(nodes, needs)
    found = [(level.singles, {frozenset(cycle) for cycle in level.cycles}) for level in levels]
    assert found == naive_levels(nodes, needs)


@given(graphs())
def test_every_node_comes_once_after_all_it_needs_and_in_the_order_that_was_given(graph):
    nodes, needs = graph
    position = {node: index for index, node in enumerate(nodes)}
    level_of = {}
    for number, level in enumerate(build_order(nodes, needs)):
        members = [*level.singles, *(node for cycle in level.cycles for node in cycle)]
        assert not set(members) & level_of.keys()
        level_of |= dict.fromkeys(members, number)
        assert level.singles == sorted(level.singles, key=position.get)
        assert [cycle[0] for cycle in level.cycles] == sorted((cycle[0] for cycle in level.cycles), key=position.get)
    assert level_of.keys() == set(nodes)
    assert all(level_of[need] <= level_of[node] for node in nodes for need in needs.get(node, ()) if need in level_of)


@given(graphs())
def test_components_come_after_what_they_need(graph):
    nodes, needs = graph
    seen = set()
    for component in strong_components(nodes, needs):
        seen |= set(component)
        assert {need for node in component for need in needs.get(node, ()) if need in nodes} <= seen
    assert seen == set(nodes)


def test_a_node_that_needs_itself_is_a_cycle_of_one():
    (level,) = build_order([1, 2], {1: [1], 2: [2, 9]})
    assert (level.singles, level.cycles) == ([], [[1], [2]])


def test_no_nodes_are_no_levels():
    assert build_order([], {1: [2]}) == []


def test_c5_a_chain_of_200_000_is_no_recursion():
    size = 200_000
    levels = build_order(range(size), {number: [number + 1] for number in range(size - 1)})
    assert len(levels) == size
    assert (levels[0].singles, levels[-1].singles) == ([size - 1], [0])


def test_c5_a_circle_of_200_000_is_one_group():
    size = 200_000
    (level,) = build_order(range(size), {number: [(number + 1) % size] for number in range(size)})
    assert level.cycles == [list(range(size))]
