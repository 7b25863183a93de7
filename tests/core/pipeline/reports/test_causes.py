"""`pipeline/reports/causes.py`: failures grouped, blocked ones by what is at the end of the chain."""

import pytest
from testapp.pipelines import Thing, article, author, key

from isekai_core import ResourceRef, Spec, run
from isekai_core.errors import ConfigurationError, ExtractError, TemporaryError
from isekai_core.models import Resource
from isekai_core.pipeline.reports.causes import Cause, causes, choose, short_ids
from isekai_core.pipeline.work import Failure


def told(found):
    return [(cause.state, cause.stage, cause.error_class, cause.number) for cause in found]


def test_failures_that_differ_only_in_names_have_one_cause_and_the_largest_comes_first(shelf):
    run("shelf")
    assert told(causes("shelf")) == [
        ("failed", "extract", "ExtractError", 2),
        ("failed", "transform", "ZeroDivisionError", 1),
        ("blocked", "extract", "ExtractError", 2),
    ]


def test_each_example_has_its_own_message(shelf):
    run("shelf")
    first = causes("shelf")[0]
    assert [(one.key, one.message) for one in first.examples] == [
        ("thing:ghost", "the source has no 'ghost'"),
        ("thing:gone", "the source has no 'gone'"),
    ]


def test_only_errors_that_nobody_raised_on_purpose_have_a_traceback(shelf):
    run("shelf")
    expected, unexpected, _ = causes("shelf")
    assert expected.traceback == ""
    assert unexpected.traceback.endswith("ZeroDivisionError: one by nought\n")


def test_failures_that_differ_only_in_where_an_object_lies_have_one_cause():
    first, second = (
        Failure.of(ValueError(f"cannot read <_io.BytesIO object at {place}>"), "mine", "acme/words")
        for place in ("0x7fd0c96bc5f0", "0x000001C0FFEEAB10")
    )
    assert first.cause == second.cause


@pytest.mark.parametrize(("examples", "shown"), [(0, 0), (1, 1), (None, 2)])
def test_a_cause_names_as_many_resources_as_asked_and_counts_all(shelf, examples, shown):
    run("shelf")
    for cause in (causes("shelf", examples=examples)[index] for index in (0, 2)):
        assert (len(cause.examples), cause.number) == (shown, 2)


def test_what_is_blocked_has_the_cause_of_what_blocks_it(shelf):
    run("shelf")
    failed, _, blocked = causes("shelf")
    assert blocked.id == failed.id
    assert (blocked.blockers, blocked.blocker_state) == (1, "failed")
    assert [(one.key, one.message) for one in blocked.blocked_by] == [("thing:ghost", "the source has no 'ghost'")]
    assert [one.key for one in blocked.examples] == ["thing:c", "thing:d"]


def chain(shelf, length):
    """Nodes that need one another in a row, the first of which needs what is not there."""
    shelf.clear()
    shelf["end"] = Thing(text=ExtractError("the source is empty"))
    before = "end"
    for number in range(length):
        name = f"n{number:03}"
        shelf[name] = Thing(Spec("testapp.Node", {"name": name, "parent": ResourceRef(key(before))}))
        before = name


def test_a_chain_is_blocked_by_its_end(shelf):
    chain(shelf, 100)
    run("shelf")
    _, blocked = causes("shelf")
    assert (blocked.number, blocked.blockers) == (100, 1)
    assert [one.key for one in blocked.blocked_by] == ["thing:end"]


def test_a_circle_that_blocks_itself_ends(shelf):
    chain(shelf, 3)
    run("shelf")
    rows = list(Resource.objects.filter(state="blocked").order_by("pk"))
    for row, next_ in zip(rows, [*rows[1:], rows[0]], strict=True):
        Resource.objects.filter(pk=row.pk).update(blocked_by=next_)
    blocked = causes("shelf")[1:]
    assert sum(cause.number for cause in blocked) == 3


def test_what_needs_something_that_was_skipped_has_a_cause_too(well):
    well["c"] = Thing(article("c", "odd"))
    well["odd"] = Thing(None)
    run("shelf")
    (blocked,) = causes("shelf")
    assert (blocked.blocker_state, blocked.number) == ("skipped", 1)
    assert "no transformer returned a spec" in blocked.blocked_by[0].message
    assert len(blocked.id) == 8


def test_what_needs_something_that_was_deleted_has_a_cause_too(shelf):
    run("shelf")
    Resource.objects.filter(key="thing:ghost").delete()
    blocked = causes("shelf")[-1]
    assert (blocked.state, blocked.blocker_state, blocked.number) == ("blocked", "gone", 2)


def test_what_waits_for_another_try_is_told_apart_with_its_time(well):
    well["c"] = Thing(text=TemporaryError("come back later", retry_after=3600))
    run("shelf", until="seed")
    row = Resource.objects.get(key="thing:c")
    Resource.objects.filter(pk=row.pk).update(state="retry_wait", cause="0123abcd", next_attempt_at=row.created_at)
    (waiting,) = causes("shelf")
    assert (waiting.state, waiting.id, waiting.next_attempt_at) == ("retry_wait", "0123abcd", row.created_at)


def test_other_pipelines_do_not_count(shelf):
    run("shelf")
    assert causes("another") == []


def test_a_thousand_failures_are_read_with_a_few_queries(well, django_assert_max_num_queries):
    well.clear()
    well.update({f"n{number}": Thing(text=ExtractError(f"no {number}")) for number in range(1000)})
    run("shelf")
    with django_assert_max_num_queries(6):
        (cause,) = causes("shelf")
    assert cause.number == 1000


def test_a_short_id_has_four_characters_or_as_many_as_tell_it_apart():
    found = [Cause(id_, "failed") for id_ in ("a1b2c3d4", "a1b2c3ff", "a1b29999", "00000000", "00000000")]
    assert short_ids(found) == {"a1b2c3d4": "a1b2c3d", "a1b2c3ff": "a1b2c3f", "a1b29999": "a1b29", "00000000": "0000"}


def test_a_cause_is_chosen_by_the_beginning_of_its_id():
    found = [Cause("a1b2c3d4", "failed"), Cause("a1b2c3d4", "blocked"), Cause("ffff0000", "failed")]
    assert choose(found, "A1") == found[:2]


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ("a", "more than one cause begins with 'a': a1b2, a9b2"),
        ("dead", "there is no cause 'dead'; there are a1b2, a9b2, ffff"),
        ("", "there is no cause ''; there are a1b2, a9b2, ffff"),
    ],
)
def test_what_names_no_single_cause_lists_those_there_are(prefix, message):
    found = [Cause(id_, "failed") for id_ in ("a1b2c3d4", "a9b2c3d4", "ffff0000")]
    with pytest.raises(ConfigurationError, match=f"^{message}$"):
        choose(found, prefix)


def test_of_many_causes_that_there_are_the_first_are_told():
    found = [Cause(f"{number:08x}", "failed") for number in range(0x10000000, 0x10000000 + 5000)]
    with pytest.raises(ConfigurationError) as caught:
        choose(found, "dead")
    assert str(caught.value).startswith("there is no cause 'dead'; there are 10000000, 10000001, ")
    assert str(caught.value).endswith(", 10000009 and 4,990 more")


def test_without_failures_there_is_no_cause_to_choose(well):
    well["x"] = Thing(author("x"))
    run("shelf")
    with pytest.raises(ConfigurationError, match="there are none"):
        choose(causes("shelf"), "a1b2")
