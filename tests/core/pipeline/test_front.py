"""The front: extract, mine and transform in one go, bounded in memory, written in batches."""

import asyncio
import datetime as dt
import threading
import time

import pytest
from django.db import connection
from django.utils import timezone
from testapp.models import Author
from world import author, states

from isekai_core import Extraction, Payload
from isekai_core.errors import TemporaryError
from isekai_core.models import Resource, Run
from isekai_core.pipeline import front, lease
from isekai_core.pipeline.composing.compose import compose
from isekai_core.pipeline.front import Front
from isekai_core.pipeline.journal import Journal
from isekai_core.pipeline.tally import Quiet, Tally
from isekai_core.types import Spool, Stage


def fetching(world, fetch, concurrency=4):
    class Fetching:
        accepts = ("thing",)
        version = "1"

        def __init__(self):
            self.concurrency = concurrency

        async def extract(self, resource):
            return await fetch(resource)

    world.changes["extractors"] = [Fetching()]


def test_a_resource_goes_through_all_stages_in_one_claim_and_is_written_once(world):
    world.add("a", author("a"))
    updates = []

    def count(execute, sql, params, many, context):
        if sql.startswith(("UPDATE", "COPY")) and "isekai_resource" in sql and "lease_until" in sql:
            updates.append(sql)
        return execute(sql, params, many, context)

    world.run(until="seed")
    with connection.execute_wrapper(count):
        world.run(until="transform")
    claimed_or_released = [sql for sql in updates if "stage" not in sql.partition("SET")[2].partition("WHERE")[0]]
    assert len(updates) - len(claimed_or_released) == 1


def test_finds_are_brought_as_soon_as_the_fetching_workers_would_run_dry(world):
    """A long list of pages that lead one to the next is not a batch each: but none is left behind."""
    for number in range(40):
        world.add(f"p{number}", author(f"p{number}"), links=[f"p{number + 1}"] if number < 39 else [])
    world.seeds = ["p0"]

    async def fetch(resource):
        await asyncio.sleep(0)
        return world.page(resource.key.value)

    fetching(world, fetch)
    assert world.run().is_complete
    assert Author.objects.count() == 40


def test_no_more_is_under_way_than_there_are_workers_and_as_many_that_wait(world, configure):
    configure(BATCH_SIZE=100)
    most, lock, now = [], threading.Lock(), set()

    async def fetch(resource):
        with lock:
            now.add(resource.key.value)
            most.append(len(now))
        await asyncio.sleep(0)
        now.discard(resource.key.value)
        return Extraction(Payload.from_text("x"))

    for number in range(100):
        world.add(f"p{number}", author(f"p{number}"))
    fetching(world, fetch, concurrency=3)
    world.run()
    assert max(most) == 3


def test_large_payloads_are_written_before_the_batch_is_full(world, monkeypatch):
    monkeypatch.setattr(front, "_WRITE_BYTES", 1000)
    written = []
    for number in range(6):
        world.add(f"p{number}", lambda page: written.append(Resource.objects.filter(stage="transformed").count()))
        world.pages[f"p{number}"] = Payload.from_text("x" * 600)
        world.specs[f"p{number}"] = lambda page: (
            written.append(Resource.objects.filter(stage="transformed").count()) or author(page.key.value)
        )
    world.run(until="transform")
    assert written == [0, 0, 2, 2, 4, 4]


def test_temporary_files_are_given_back_once_they_are_stored(world):
    spools = []

    def spooled(name):
        spool = Spool(memory_limit=10)
        spool.write(name.encode() * 100)
        spools.append(spool)
        return Extraction(Payload.from_blob(spool))

    for name in "ab":
        world.add(name, author(name))
        world.pages[name] = spooled(name)
    assert world.run().is_complete
    for spool in spools:
        with pytest.raises(ValueError, match="closed"):
            spool.open().read()


def test_retries_do_not_hold_up_what_can_be_fetched(world, configure):

    configure(RETRY_MAX_WAIT=1)
    order = []
    for name in ("slow", "b", "c"):
        world.add(name, lambda page: order.append(page.key.value) or author(page.key.value))
    world.pages["slow"] = [TemporaryError("later", retry_after=0.05), "page"]
    assert world.run().is_complete
    assert order == ["b", "c", "slow"]


def test_an_unchanged_page_whose_later_stages_failed_is_done_again_from_there(world):
    world.add("a", ValueError("no"))
    world.run()
    world.specs["a"] = author("a")
    result = world.run(refresh=True)
    assert result.is_complete
    assert result.stages["extract"] == {"unchanged": 1}
    assert states()["a"] == ("loaded", "done")


def test_an_unchanged_page_under_a_changed_miner_is_mined_again(world):
    world.add("a", author("a"))
    world.add("b", author("b"))
    world.seeds = ["a"]
    world.run()
    world.links["a"] = ["b"]
    world.versions["mine"] = "2"
    world.run(refresh=True)
    assert Author.objects.count() == 2


def test_a_refresh_that_stops_after_extract_goes_on_in_the_next_run(world):
    world.add("a", author("a"))
    world.run()
    world.pages["a"] = "page a, edited"
    world.specs["a"] = author("a", name="New")
    world.run(refresh=True, until="extract")
    assert Author.objects.get().name == "A"
    world.run()
    assert Author.objects.get().name == "New"
    assert world.fetched == ["a", "a"]


def test_slow_work_in_this_thread_gives_signs_of_life_while_it_is_at_it(world, configure, monkeypatch):
    monkeypatch.setattr(front, "_WRITE_SECONDS", 0)
    configure(LEASE_SECONDS=1)
    seen = []

    def slow(page):
        held = Resource.objects.filter(state="running", lease_until__lt=timezone.now())
        seen.append((held.count(), Run.objects.get().heartbeat_at))
        clock["now"] += 1
        return author(page.key.value)

    clock = {"now": 0}
    for number in range(8):
        world.add(f"p{number}", slow)
    world.run(until="seed")
    Run.objects.all().delete()
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + dt.timedelta(seconds=clock["now"]))
    tick = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: tick() + clock["now"])
    assert world.run(until="transform").is_complete
    assert {held for held, _ in seen[1:]} == {0}
    assert len({heartbeat for _, heartbeat in seen}) > 4


@pytest.mark.parametrize("moment", ["wake", "claim"])
def test_what_another_process_lets_go_of_while_this_one_looks_for_more_is_not_missed(world, monkeypatch, moment):
    world.add("a", author("a"))
    world.run(until="seed")
    run = lease.acquire("world", Quiet())
    here, there = (Journal(compose(world.pipeline()), run, number=number, processes=2) for number in (0, 1))
    held, wake, look = there.claim([Stage.SEEDED], 1), here.wake, getattr(here, moment)
    woken, locked = [], []

    def and_then(*asked):
        found = look(*asked)
        if held and (moment == "wake" or woken):
            # Another process waits for the lock; were there none, this would be the worst moment.
            locked.append(connection.in_atomic_block)
            there.release([held.pop()])
            Resource.objects.update(state="retry_wait", next_attempt_at=timezone.now())
        return found

    monkeypatch.setattr(here, "wake", lambda: woken.append(True) or wake())
    monkeypatch.setattr(here, moment, and_then)
    monkeypatch.setattr(front, "_OTHERS_SECONDS", 0.0)
    Front(here, Tally()).run()
    lease.leave(run)
    assert states() == {"a": ("transformed", "ready")}
    assert locked == [True]
