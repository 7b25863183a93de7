"""Extractors that are coroutines: on a helper thread, many at once, and never more than they said."""

import asyncio
import threading

import pytest
from testapp.models import Author
from world import author, resource, state

from isekai_core import Extraction, Key, Payload, Seed
from isekai_core.errors import RunError


def coroutine(world, fetch, concurrency=4):
    class Asynchronous:
        accepts = ("thing",)
        version = "1"
        neutral_options = ("concurrency",)

        def __init__(self):
            self.concurrency = concurrency

        async def extract(self, resource):
            return await fetch(resource)

    world.changes["extractors"] = [Asynchronous()]


def test_coroutines_run_at_once_in_a_helper_thread_but_not_more_than_concurrency(world):
    now, most, threads = [], [], set()

    async def fetch(resource):
        now.append(1)
        most.append(len(now))
        threads.add(threading.current_thread())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        now.pop()
        return Extraction(Payload.from_text(resource.key.value))

    for number in range(40):
        world.add(f"a{number}", author(f"a{number}"))
    coroutine(world, fetch)
    assert world.run().is_complete
    assert max(most) == 4
    assert threading.main_thread() not in threads
    assert len(threads) == 1


class Counting:
    """Brings the keys that begin with its letter, and counts how many at once."""

    accepts = ("thing",)

    def __init__(self, letter, concurrency):
        self.letter = letter
        self.concurrency = concurrency
        self.now = self.most = 0

    def handles(self, key):
        return key.value.startswith(self.letter)

    async def extract(self, resource):
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(3):
            await asyncio.sleep(0)
        self.now -= 1
        return Extraction(Payload.from_text(resource.key.value))


def test_two_extractors_of_one_name_keep_each_to_its_own_concurrency(world):
    one, many = Counting("a", 1), Counting("b", 16)
    for number in range(40):
        world.add(f"a{number}", author(f"a{number}"))
        world.add(f"b{number}", author(f"b{number}"))
    world.changes["extractors"] = [one, many]
    assert world.run().is_complete
    assert one.most == 1
    assert 1 < many.most <= 16


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), SystemExit(1), ValueError("no"), TimeoutError(), KeyboardInterrupt()]
)
def test_whatever_a_coroutine_raises_the_run_ends_and_the_others_are_brought(error, world, configure):
    configure(RETRY_ATTEMPTS=1)

    async def fetch(resource):
        if resource.key.value == "bad":
            raise error
        return Extraction(Payload.from_text(resource.key.value))

    for name in ("a", "bad", "b", "c"):
        world.add(name, author(name))
    coroutine(world, fetch, concurrency=1)
    result = world.run()
    assert result.failed == 1
    assert state("bad")[1] == "failed"
    assert type(error).__name__ in resource("bad").error_class + resource("bad").message
    assert Author.objects.count() == 3


def test_a_coroutine_extractor_is_entered_and_left_once_a_run(world):
    log = []

    class Client:
        accepts = ("thing",)
        version = "1"

        async def __aenter__(self):
            log.append("enter")
            return self

        async def __aexit__(self, *_):
            log.append("exit")

        async def extract(self, resource):
            log.append(resource.key.value)
            return Extraction(Payload.from_text("x"))

    world.add("a", author("a"))
    world.add("b", author("b"))
    world.changes["extractors"] = [Client()]
    world.run()
    assert log[0] == "enter"
    assert log[-1] == "exit"
    assert sorted(log[1:-1]) == ["a", "b"]


def test_an_extractor_that_cannot_be_opened_ends_the_run_with_its_name_and_the_next_one_goes_on(world):
    class Broken:
        accepts = ("thing",)
        version = "1"

        async def __aenter__(self):
            msg = "no proxy"
            raise RuntimeError(msg)

        async def __aexit__(self, *_):
            pass

        async def extract(self, resource):
            raise AssertionError

    world.add("a", author("a"))
    world.changes["extractors"] = [Broken()]
    with pytest.raises(RunError, match=r"Broken cannot be opened: RuntimeError: no proxy$"):
        world.run()
    world.changes = {}
    assert world.run().is_complete


@pytest.mark.parametrize("raised", [OSError("cannot close"), SystemExit(3)])
def test_an_extractor_that_cannot_be_closed_is_told_and_costs_nothing(raised, world, caplog, recwarn):
    class Open:
        accepts = ("thing",)
        version = "1"

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            raise raised

        async def extract(self, resource):
            return Extraction(Payload.from_text("x"))

    world.add("a", author("a"))
    world.changes["extractors"] = [Open()]
    assert world.run().is_complete
    [said] = caplog.messages
    assert said.endswith(f"Open cannot be closed: {type(raised).__name__}: {raised}")
    # That is how pytest tells of a thread which ended with an error.
    assert not recwarn.list


def test_what_an_extractor_began_beside_its_work_ends_with_the_run(world):
    ended = []

    async def beat():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("beat")

    async def fetch(resource):
        tasks.add(asyncio.create_task(beat()))
        await asyncio.sleep(0)
        return Extraction(Payload.from_text("x"))

    tasks = set()
    world.add("a", author("a"))
    coroutine(world, fetch)
    assert world.run().is_complete
    assert ended == ["beat"]


def test_a_coroutine_that_a_plain_function_returns_is_told_in_the_same_words_for_every_key(world):
    class Wrapped:
        accepts = ("thing",)
        version = "1"

        def extract(self, resource):
            return asyncio.sleep(0)

    world.add("a", author("a"))
    world.add("b", author("b"))
    world.changes["extractors"] = [Wrapped()]
    assert world.run().failed == 2
    assert state("a")[2].startswith("extract() returned a coroutine without being a coroutine function")
    assert resource("a").cause == resource("b").cause


def test_a_concurrency_of_none_is_the_usual_one(world):
    async def fetch(resource):
        return Extraction(Payload.from_text("x"))

    world.add("a", author("a"))
    coroutine(world, fetch, concurrency=None)
    assert world.run().is_complete


def test_synchronous_and_asynchronous_extractors_work_side_by_side(world):
    class Later:
        accepts = ("later",)
        version = "1"

        async def extract(self, resource):
            return Extraction(Payload.from_text("x"))

    world.add("a", author("a"))
    world.seeds = ["a", Seed(Key("later", "b"))]
    world.specs["b"] = author("b")
    world.changes["extractors"] = [Later(), world.extractor()]
    assert world.run().is_complete
    assert Author.objects.count() == 2


# Refresh
