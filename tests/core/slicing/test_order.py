"""The order of tables, for any graph."""

from hypothesis import given
from hypothesis import strategies as st

from isekai_core.slicing.order import groups_of

names = st.sampled_from("abcdefgh")
graphs = st.dictionaries(names, st.lists(names, max_size=4), max_size=8)


def reached(needs, start):
    found, waiting = set(), [start]
    while waiting:
        for name in needs[waiting.pop()]:
            if name in needs and name not in found:
                found.add(name)
                waiting.append(name)
    return found


@given(graphs)
def test_everything_comes_after_what_it_needs_and_together_with_what_needs_it_too(needs):
    groups = groups_of(needs)
    assert sorted(name for group in groups for name in group) == sorted(needs)
    place = {name: number for number, group in enumerate(groups) for name in group}
    for name in needs:
        for other in reached(needs, name):
            assert place[other] <= place[name]
            assert (place[other] == place[name]) == (other == name or name in reached(needs, other))


@given(graphs)
def test_the_order_does_not_depend_on_the_order_of_what_is_given(needs):
    shuffled = {name: list(reversed(found)) for name, found in reversed(needs.items())}
    assert groups_of(shuffled) == groups_of(needs)
