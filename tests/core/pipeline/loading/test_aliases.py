"""Aliases: redirects of redirects, in both directions, circles included."""

import pytest

from isekai_core.models import Resource
from isekai_core.pipeline.loading.aliases import aliases_of, ends

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids():
    """a → b → c, d alone, and a circle of e and f."""
    made = {name: Resource.objects.create(pipeline="p", key=f"thing:{name}", key_hash=name) for name in "abcdef"}
    for name, to in ("ab", "bc", "ef", "fe"):
        Resource.objects.filter(pk=made[name].pk).update(alias_of=made[to])
    return {name: row.pk for name, row in made.items()}


def test_everyone_stands_for_the_last_one_of_its_chain(ids):
    found = ends([ids[name] for name in "abcd"], ("pk", "key", "alias_of_id"))
    assert {pk: row["key"] for pk, row in found.items()} == {
        ids["a"]: "thing:c",
        ids["b"]: "thing:c",
        ids["c"]: "thing:c",
        ids["d"]: "thing:d",
    }


def test_a_circle_ends(ids):
    found = ends([ids["e"], ids["f"]], ("pk", "alias_of_id"))
    assert {row["pk"] for row in found.values()} <= {ids["e"], ids["f"]}
    assert aliases_of([ids["e"]])[ids["f"]] == ids["e"]


def test_what_is_not_there_stands_for_nothing(ids):
    assert ends([999_999], ("pk", "alias_of_id")) == {}
    assert ends([], ("pk", "alias_of_id")) == {}


def test_all_aliases_of_one_are_found_at_any_distance(ids):
    assert aliases_of([ids["c"], ids["d"]]) == {ids["a"]: ids["c"], ids["b"]: ids["c"]}
