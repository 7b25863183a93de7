"""`pipeline/reports/leftover.py`: links in loaded texts that lead to what is not loaded."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from testapp.pipelines import Thing, article, link

from isekai_core import run
from isekai_core.models import Resource
from isekai_core.pipeline.reports.leftover import left_links


def test_a_link_to_what_failed_or_was_skipped_is_left_with_the_reason(shelf):
    run("shelf")
    links = left_links("shelf")
    assert (links.number, links.targets) == (2, 2)
    assert [(one.key, one.state, one.message, one.number, one.sources) for one in links.examples] == [
        ("thing:gone", "failed", "the source has no 'gone'", 1, ["thing:e"]),
        ("thing:odd", "skipped", "no transformer returned a spec for it (text/plain)", 1, ["thing:e"]),
    ]


def test_a_link_that_was_rewritten_is_none_of_them(well):
    run("shelf")
    assert left_links("shelf").number == 0


def test_what_most_link_to_comes_first_and_some_of_its_sources_are_named(shelf):
    for number in range(10):
        shelf[f"n{number}"] = Thing(article(f"n{number}", "ada", link("gone")), links=("gone",))
    run("shelf")
    links = left_links("shelf", examples=1, sources=2)
    assert (links.number, links.targets, len(links.examples)) == (12, 2, 1)
    assert (links.examples[0].key, links.examples[0].number) == ("thing:gone", 11)
    assert len(links.examples[0].sources) == 2


def test_many_links_are_told_by_as_many_queries_as_few(shelf):
    def told():
        with CaptureQueriesContext(connection) as caught:
            links = left_links("shelf", examples=None)
        assert all(link.sources for link in links.examples)
        return len(links.examples), len(caught)

    run("shelf")
    few, queries = told()
    for number in range(20):
        shelf[f"n{number}"] = Thing(article(f"n{number}", "ada", link(f"gone{number}")))
    run("shelf")
    assert told() == (few + 20, queries)


def test_a_link_in_a_text_that_is_not_loaded_itself_does_not_count(shelf):
    shelf["c"].spec = article("c", "ghost", "see ", link("gone"))
    run("shelf")
    assert left_links("shelf").number == 2


def test_a_link_to_what_is_only_referred_to_is_left(well):
    well["a"].spec = article("a", "ada", "see ", link("nowhere"))
    run("shelf")
    (left,) = left_links("shelf").examples
    assert (left.key, left.state) == ("thing:nowhere", "skipped")
    assert "only referred to" in left.message


def alias(name, target):
    Resource.objects.filter(key=f"thing:{name}").update(
        state="skipped", target_pk="", alias_of=Resource.objects.get(key=f"thing:{target}")
    )


def test_a_link_to_a_redirect_leads_where_the_redirect_leads(well):
    well["c"] = Thing(article("c", "ada", "see ", link("b")))
    run("shelf")
    alias("b", "a")
    assert left_links("shelf").number == 0
    Resource.objects.filter(key="thing:a").update(state="failed", target_pk="", message="broken")
    (left,) = left_links("shelf").examples
    assert (left.key, left.state, left.sources) == ("thing:a", "failed", ["thing:c"])


def test_a_redirect_that_was_redirected_again_is_followed(well):
    well["c"] = Thing(article("c", "ada", "see ", link("old")))
    well["old"] = Thing(None)
    well["older"] = Thing(None)
    run("shelf")
    alias("old", "older")
    alias("older", "b")
    assert left_links("shelf").number == 0
