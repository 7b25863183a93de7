"""The suite of miners passes a sound one, and each of its tests fails for the one that breaks what it says."""

import itertools
import re
from typing import ClassVar

import pytest

from isekai_core import Key, Mined, Payload, miner
from isekai_core.errors import MineError, SkipResource
from isekai_core.testing import MinerConformance, make_resource

PAGE = make_resource("url:https://old.example.org/", text="see ticket 12 and ticket 13", media_type="text/plain")


class Tickets:
    """Finds tickets."""

    accepts: ClassVar = ("text/*",)
    produces: ClassVar = ("ticket",)

    def mine(self, resource):
        for number in re.findall(r"ticket (\d+)", resource.payload.text):
            yield Mined(Key("ticket", number), {"of": resource.key.type})


def suite_of(processor=Tickets, **given):
    return type("ASuite", (MinerConformance,), {"processor": processor, "resources": [PAGE], **given})


def broken(mine):
    return type("Broken", (Tickets,), {"__doc__": "Breaks one thing.", "mine": mine})


@miner(accepts="text/plain")
def decorated(resource):
    return [Mined(Key("ticket", str(len(resource.payload.text) or 1)))]


@pytest.mark.parametrize("processor", [Tickets, Tickets(), decorated])
def test_sound_ones_pass(failures, processor):
    assert failures(suite_of(processor)) == {}


def test_a_record_is_as_good_as_a_text(failures):
    class Columns:
        """Finds what a row refers to."""

        accepts = ("application/*",)

        def mine(self, resource):
            value = resource.payload.record.get("parent")
            return [Mined(Key("row", value))] if isinstance(value, str) and value.isdigit() else []

    assert failures(suite_of(Columns, resources=[make_resource("row:1", record={"parent": "2"})])) == {}


def test_resources_that_are_left_out_are_asked_for(failures):
    found = failures(type("ASuite", (MinerConformance,), {"processor": Tickets}))
    assert "ASuite.resources is missing: the suite of miners needs it" in found["test_it_finds_something"]


def test_a_resource_without_a_payload_is_refused(failures):
    found = failures(suite_of(resources=[make_resource("row:1")]))
    assert "row:1 has no payload" in found["test_it_finds_something"]


def test_a_media_type_that_is_not_accepted_fails(failures):
    blob = make_resource("row:1", blob=b"ticket 1")
    message = failures(suite_of(resources=[PAGE, blob]))["test_it_accepts_the_resources"]
    assert message == "it does not accept application/octet-stream of row:1: accepts is ('text/*',)"


def test_nothing_found_is_not_taken_for_sound(failure):
    name, message = failure(suite_of(resources=[make_resource("row:1", text="nothing")]))
    assert name == "test_it_finds_something"
    assert "it found nothing in any of ASuite.resources" in message


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        (lambda self, resource: [Key("ticket", "1")], "a miner gives Mined objects, got Key("),
        (lambda self, resource: None, "mine() gives an iterable of Mined objects, got None"),
    ],
)
def test_what_is_not_mined_is_named(failures, mine, words):
    assert words in failures(suite_of(broken(mine)))["test_it_finds_something"]


@pytest.mark.parametrize(
    ("mined", "words"),
    [
        (lambda: Mined("ticket:1"), "found in url:https://old.example.org/: expected a Key"),
        (lambda: Mined(Key("ticket", "1"), {"at": object()}), "ticket:1 metadata.at: cannot keep"),
        (lambda: Mined(Key("ticket", "1"), payload=Payload.from_text("a", "HTML")), "a media type is written"),
    ],
)
def test_what_cannot_be_kept_fails(failures, mined, words):
    found = failures(suite_of(broken(lambda self, resource: [mined()])))
    assert words in found["test_what_it_finds_can_be_kept"]


def test_a_key_type_that_is_not_in_produces_fails(failure):
    name, message = failure(suite_of(broken(lambda self, resource: [Mined(Key("url", "https://old.example.org"))])))
    assert name == "test_it_finds_only_what_it_says_it_produces"
    assert "the key type 'url' is not in produces, which is ('ticket',)" in message


def test_something_else_each_time_fails(failure):
    number = itertools.count()
    name, message = failure(suite_of(broken(lambda self, resource: [Mined(Key("ticket", str(next(number))))])))
    assert name == "test_it_finds_the_same_twice"
    assert "asked twice, it found" in message


def test_what_it_keeps_with_a_resource_is_gone_when_it_is_asked_again(failures):
    def mine(self, resource):
        # With the same resource, it would find nothing the second time.
        kept = resource.once("acme/kept", lambda _: [Mined(Key("ticket", "1"))])
        found = list(kept)
        kept.clear()
        return found

    assert failures(suite_of(broken(mine))) == {}


@pytest.mark.parametrize("error", [MineError, SkipResource])
def test_what_cannot_be_mined_may_be_said_so(failures, error):
    def mine(self, resource):
        if "ticket 13" not in resource.payload.text:
            msg = "there is nothing that could be mined"
            raise error(msg)
        return Tickets.mine(self, resource)

    assert failures(suite_of(broken(mine))) == {}


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        (lambda self, resource: [Mined(Key("ticket", resource.payload.text.split()[2]))], "no bytes at all"),
        (lambda self, resource: [Mined(Key("ticket", resource.payload.text[:40] or "x"))], "NUL characters"),
        (lambda self, resource: resource.payload.read().decode() and [Mined(Key("ticket", "1"))], "random bytes"),
    ],
)
def test_a_payload_that_makes_it_fall_over_is_named(failures, mine, words):
    message = failures(suite_of(broken(mine)))["test_no_payload_makes_it_fall_over"]
    assert f"with {words}" in message
    assert "expected no error, MineError or SkipResource, got" in message
    # The author looks for the line of his own.
    assert "test_mine.py" in message


def test_one_that_ends_the_process_falls_over(failures):
    def mine(self, resource):
        if not resource.payload.text:
            raise SystemExit(1)
        return Tickets.mine(self, resource)

    assert "got SystemExit" in failures(suite_of(broken(mine)))["test_no_payload_makes_it_fall_over"]
