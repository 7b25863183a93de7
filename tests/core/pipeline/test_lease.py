"""The lease: one run of a pipeline at a time, and what is taken over from whom, and when."""

import datetime as dt
import os
import socket
import subprocess
import sys
import threading

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone
from testapp.models import Author
from world import author, resource

from isekai_core.errors import RunBusy
from isekai_core.models import Resource, Run
from isekai_core.pipeline import lease

pytestmark = pytest.mark.django_db(transaction=True)


def other_run(**changes):
    values = {
        "pipeline": "world",
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "process_started": "long ago",
        "heartbeat_at": timezone.now(),
    }
    return Run.objects.create(**(values | changes))


def leased(run, name="a", **changes):
    values = {"lease_owner": f"{run.pk}:1", "lease_until": timezone.now() + dt.timedelta(days=1), "state": "running"}
    return Resource.objects.filter(key=f"thing:{name}").update(**(values | changes))


@pytest.fixture
def half_done(world):
    world.add("a", author())
    world.run(until="seed")
    return world


def test_a_run_whose_process_is_gone_is_taken_over_at_once(half_done, said, configure):
    configure(LEASE_SECONDS=100_000)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = other_run(pid=ended.pid)
    leased(dead)
    assert half_done.run(progress=said).is_complete
    dead.refresh_from_db()
    assert (dead.outcome, dead.finished_at is None, said.lines) == ("lost", False, [])


def test_a_process_with_the_same_number_that_started_later_is_another_one(half_done, said):
    dead = other_run(pid=os.getpid(), process_started="1")
    leased(dead)
    assert half_done.run(progress=said).is_complete
    assert said.lines == []


def test_a_killed_process_that_nobody_has_buried_yet_is_dead(half_done, said):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    dead = other_run(pid=child.pid, process_started=lease._process_started(child.pid))
    assert lease.is_alive(dead)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    try:
        assert not lease.is_alive(dead)
    finally:
        child.stdin.close()
        child.wait()


def test_o3_a_run_that_lives_is_waited_for_by_name_or_refused(half_done):
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        other_run(pid=living.pid, process_started=lease._process_started(living.pid))
        with pytest.raises(RunBusy) as caught:
            half_done.run(wait=False)
        expected = f"world is being run by process {living.pid} on {socket.gethostname()} since "
        assert str(caught.value).startswith(expected)
        assert half_done.run("another").is_complete
    finally:
        living.stdin.close()
        living.wait()
    assert half_done.run(wait=False).is_complete


def test_a_run_on_another_host_lives_as_long_as_it_gives_a_sign(half_done, configure):
    configure(LEASE_SECONDS=60)
    far = other_run(host="elsewhere", heartbeat_at=timezone.now() - dt.timedelta(seconds=50))
    leased(far)
    with pytest.raises(RunBusy, match="on elsewhere"):
        half_done.run(wait=False)
    Run.objects.filter(pk=far.pk).update(heartbeat_at=timezone.now() - dt.timedelta(seconds=70))
    assert half_done.run(wait=False).is_complete


def test_what_a_dead_run_held_is_free_and_what_somebody_else_holds_is_not(half_done):
    half_done.add("b", author("b"))
    half_done.run("other", until="seed")
    half_done.run(until="seed")
    dead = other_run(host="elsewhere", heartbeat_at=timezone.now() - dt.timedelta(days=1))
    held = other_run(pipeline="other", host="far")
    Resource.objects.filter(pipeline="world").update(state="running", lease_owner=f"{dead.pk}:3")
    Resource.objects.filter(pipeline="other").update(state="running", lease_owner=f"{held.pk}:3")
    half_done.run()
    assert set(Resource.objects.filter(pipeline="world").values_list("state", "lease_owner")) == {("done", "")}
    assert set(Resource.objects.filter(pipeline="other").values_list("state", flat=True)) == {"running"}


def test_the_numbers_of_runs_are_not_taken_for_one_another(half_done):
    dead = other_run(pk=1_000_001, host="elsewhere", heartbeat_at=timezone.now() - dt.timedelta(days=1))
    Resource.objects.update(state="running", lease_owner="10000012:1", lease_until=timezone.now() + dt.timedelta(1))
    half_done.run()
    dead.refresh_from_db()
    assert (dead.outcome, resource("a").lease_owner) == ("lost", "10000012:1")


def test_the_database_itself_allows_one_unfinished_run_a_pipeline(transactional_db):
    other_run()
    with pytest.raises(IntegrityError), transaction.atomic():
        other_run()
    other_run(pipeline="other")


def test_o3_two_runs_at_once_load_everything_once(world, monkeypatch):
    monkeypatch.setattr(lease, "_POLL_SECONDS", 0.01)
    waiting, results, lines = threading.Event(), [], []
    for number in range(30):
        world.add(f"a{number}", author(f"a{number}"))

    class Progress:
        def advance(self, stage, done, total):
            pass

        def say(self, text):
            lines.append(text)
            waiting.set()

    def second():
        try:
            results.append(world.run(progress=Progress()))
        finally:
            connections.close_all()

    thread = threading.Thread(target=second)

    class Starting:
        accepts = ("thing",)
        version = "1"

        def extract(self, resource):
            if resource.key.value == "a7":
                thread.start()
                assert waiting.wait(30)
            return world.page(resource.key.value)

    world.changes["extractors"] = [Starting()]
    results.append(world.run())
    thread.join(60)
    assert Author.objects.count() == 30
    assert [result.changed for result in results] == [30, 0]
    assert len(lines) == 1
    assert lines[0].endswith("; waiting for it to end")
    assert list(Run.objects.order_by("pk").values_list("outcome", flat=True)) == ["finished", "finished"]


def test_a_run_that_this_process_gave_up_without_a_word_is_not_waited_for(half_done):
    left = other_run(process_started=lease._process_started(os.getpid()))
    assert half_done.run(wait=False).is_complete
    left.refresh_from_db()
    assert left.outcome == "lost"


def test_a_run_that_fails_gives_everything_back_and_says_that_it_stopped(world):
    class Breaking:
        accepts = ("thing",)
        version = "1"

        def extract(self, resource):
            raise KeyboardInterrupt

    world.add("a", author())
    world.changes["extractors"] = [Breaking()]
    with pytest.raises(KeyboardInterrupt):
        world.run()
    row = resource("a")
    assert (row.state, row.lease_owner, row.lease_until) == ("ready", "", None)
    assert Run.objects.get().outcome == "stopped"
    world.changes = {}
    assert world.run(wait=False).is_complete


def test_a_lease_that_ran_out_is_free_for_everyone(half_done):
    Resource.objects.update(state="running", lease_owner="9999:1", lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert half_done.run().is_complete
