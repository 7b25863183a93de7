"""kill -9 at any place, then the same command again: the state of a run that nobody killed, nothing twice."""

import signal

import pytest
from killed_runs import reference, snapshot

from isekai_core.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_run_that_nobody_killed_is_what_it_should_be(uninterrupted):
    state = uninterrupted.state
    assert len(state["articles"]) == 14
    assert all(body.startswith("next: /articles/") for _, _, body, *_ in state["articles"])
    assert len(state["photos"]) == 6
    assert [alt for _, alt, _ in state["photos"]][:2] == ["first seen on page 0", "first seen on page 0"]
    assert state["nodes"] == [("a", "b"), ("b", "a")]
    assert state["sections"] == [("news", "news")]
    assert len(state["files"]) == 12
    assert {stage for _, stage, *_ in state["resources"]} == {"loaded"}


PLACES = [
    ("seed", 0.6),
    ("fetch", 0.5),
    ("read", 0.5),
    ("mine", 0.5),
    ("transform", 0.2),
    ("transform", 0.8),
    ("blob", 0.5),
    ("file", 0.5),
    ("plan", 0.5),
    ("written", 0.1),
    ("written", 0.5),
    ("written", 1.0),
    ("committed", 0.4),
    ("before statement", 0.35),
    ("after statement", 0.8),
    ("after statement", 1.0),
]


@pytest.mark.parametrize(("place", "part"), PLACES)
def test_killed_and_run_again_it_is_as_if_nothing_had_happened(place, part, command, uninterrupted):
    at = max(1, round(uninterrupted.passed[place] * part))
    killed = command(f"{place} {at}")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert Run.objects.get().outcome == "running" or part == 1.0
    again = command()
    assert again.returncode == 0, again.stdout + again.stderr
    assert snapshot() == uninterrupted.state
    assert "said:" not in again.stdout
    assert list(Run.objects.order_by("pk").values_list("outcome", flat=True)) in (
        ["lost", "finished"],
        ["finished", "finished"],
    )


def test_a_refresh_that_nobody_killed_is_what_it_should_be(command, uninterrupted):
    state = reference(command, "yes").state
    assert len(state["articles"]) == 14
    assert [slug for slug, *_ in state["articles"] if "edited" in slug] == [
        f"page-{number}-edited" for number in (0, 12, 3, 6, 9)
    ]
    bodies = {slug: body for slug, _, body, *_ in state["articles"]}
    assert bodies["page-2"] == "next: /articles/page-3-edited/"
    assert len(state["photos"]) == 6
    assert sorted(alt for _, alt, _ in state["photos"])[:2] == ["first seen on page 0, edited", "first seen on page 1"]
    assert state["payloads"] != uninterrupted.state["payloads"]


@pytest.mark.parametrize(
    ("place", "part"),
    [("fetch", 0.5), ("mine", 0.5), ("transform", 0.9), ("file", 1.0), ("written", 0.5), ("after statement", 0.5)],
)
def test_a_refresh_killed_and_run_again_ends_as_one_that_nobody_killed(place, part, command):
    expected = reference(command, "yes")
    assert command().returncode == 0
    at = max(1, round(expected.passed[place] * part))
    killed = command(f"{place} {at}", edited="yes")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = command(edited="yes")
    assert again.returncode == 0, again.stdout + again.stderr
    assert snapshot() == expected.state
