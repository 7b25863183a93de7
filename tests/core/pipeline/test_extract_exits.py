"""An extractor that ends with more than an error: it costs what it worked on, and never ends a run silently."""

import asyncio

import pytest
from testapp.models import Author
from world import author, state

from isekai_core import Extraction, Payload
from isekai_core.errors import RunError
from isekai_core.pipeline.definition import extractor


@pytest.mark.parametrize("ended", [SystemExit("no token"), asyncio.CancelledError(), GeneratorExit()])
def test_an_extractor_that_exits_fails_its_page_and_the_run_goes_on(ended, world):
    @extractor(accepts="thing", version="1")
    def exits(page):
        if page.key.value == "bad":
            raise ended
        return Extraction(Payload.from_text(page.key.value))

    world.changes["extractors"] = [exits]
    world.add("bad", author("bad"))
    world.add("good", author("good"))
    result = world.run()
    assert (result.failed, Author.objects.count()) == (1, 1)
    assert state("bad")[2].startswith(f"the extractor ended with {type(ended).__name__}")


@pytest.mark.parametrize("raised", [SystemExit(0), ValueError("no")])
def test_an_extractor_that_cannot_say_whether_it_takes_a_key_fails_that_key(raised, world):
    class Picky:
        accepts = ("thing",)
        version = "1"

        def handles(self, key):
            if key.value == "bad":
                raise raised
            return True

        def extract(self, page):
            return Extraction(Payload.from_text(page.key.value))

    world.changes["extractors"] = [Picky()]
    world.add("bad", author("bad"))
    world.add("good", author("good"))
    assert world.run().failed == 1
    assert f"Picky cannot say whether it takes the key: {type(raised).__name__}: {raised}" in state("bad")[2]


def test_a_session_that_exits_while_it_is_opened_ends_the_run_with_its_text(world):
    class Session:
        accepts = ("thing",)
        version = "1"

        async def __aenter__(self):
            raise SystemExit(3)

        async def __aexit__(self, *_):
            pass

        async def extract(self, page):
            pass

    world.changes["extractors"] = [Session()]
    world.add("a", author("a"))
    with pytest.raises(RunError, match="Session cannot be opened: SystemExit: 3"):
        world.run()
