"""Two processes do one run together: the state that one alone leaves, whichever of them is killed on the way."""

import json
import signal

import pytest
from killed_runs import reference, snapshot

from isekai_core.models import Resource, Run

pytestmark = pytest.mark.django_db(transaction=True)


def state_of(left):
    """Without payloads that nobody has any more: what was made of an image before the page spoke that comes first.

    Which those are depends on who was faster, and what is used is compared with its resource.
    """
    return {name: part for name, part in left.items() if name != "payloads"}


def told(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_two_processes_leave_what_one_leaves_and_count_what_one_counts(command, uninterrupted):
    result = told(command(KILL_PROCESSES="2"))
    assert state_of(snapshot()) == state_of(uninterrupted.state)
    assert 0 < result["passed"]["fetch"] < uninterrupted.passed["fetch"]
    counts = {stage: counts["done"] for stage, counts in result["stages"].items()}
    # An image is transformed again when the page that comes first speaks of it late.
    assert counts.pop("transform") >= 26
    assert counts == {"seed": 20, "extract": 20, "mine": 26, "load": 26}
    costs = {cost["processor"]: cost["resources"] for cost in Run.objects.get().report["processors"]}
    assert (costs["killing.fetch"], costs["killing.read"], costs["killing.images"]) == (14, 6, 14)


def test_a_refresh_by_two_processes_leaves_what_one_leaves(command):
    expected = reference(command, "yes")
    told(command(KILL_PROCESSES="2"))
    told(command(edited="yes", KILL_PROCESSES="2"))
    assert state_of(snapshot()) == state_of(expected.state)


@pytest.mark.parametrize("place", ["fetch 2", "transform 1"])
def test_what_a_killed_helper_held_is_done_by_those_who_are_left(place, command, uninterrupted):
    done = command(place, KILL_PROCESSES="2", KILL_WHO="helper")
    told(done)
    assert f"said: process 2 of 2 was ended by signal {signal.SIGKILL:d}; the run goes on without it" in done.stdout
    assert state_of(snapshot()) == state_of(uninterrupted.state)


@pytest.mark.parametrize("place", ["mine 1", "plan 1"])
def test_a_helper_ends_with_the_run_and_the_next_one_goes_on(place, command, uninterrupted):
    killed = command(place, KILL_PROCESSES="2", KILL_WHO="asker")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    told(command(KILL_PROCESSES="2"))
    assert state_of(snapshot()) == state_of(uninterrupted.state)
    assert not Resource.objects.exclude(lease_owner="").exists()
