"""The suite of extractors passes sound ones, plain and as coroutines, and names what another one breaks."""

import asyncio
import itertools
import socket
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from isekai_core import Extraction, Key, Payload, extractor
from isekai_core.errors import ExtractError, TemporaryError
from isekai_core.testing import ExtractorConformance

KEYS = [Key("acme", "1"), Key("acme", "2")]


@dataclass
class Plain:
    """Brings the key itself."""

    accepts: ClassVar = ("acme",)
    produces: ClassVar = ("text/*",)

    def extract(self, resource):
        if resource.key.value == "nobody":
            msg = "there is nobody"
            raise ExtractError(msg)
        if resource.key.value == "busy":
            msg = "come again"
            raise TemporaryError(msg)
        return self.brought(resource.key)

    def brought(self, key):
        return Extraction(Payload.from_text(str(key)), {"etag": "1"}, Key("acme", "1"))


@dataclass
class OnALoop(Plain):
    """The same, on a loop, and only between entering and leaving."""

    is_open: bool = field(default=False, init=False)

    async def __aenter__(self):
        self.is_open = True
        return self

    async def __aexit__(self, *_):
        self.is_open = False

    async def extract(self, resource):
        await asyncio.sleep(0)
        assert self.is_open
        return super().extract(resource)


def suite_of(processor, **given):
    return type("ASuite", (ExtractorConformance,), {"processor": processor, "keys": KEYS, **given})


@pytest.mark.parametrize("processor", [Plain, OnALoop, Plain(), OnALoop()])
def test_sound_ones_pass(failures, processor):
    assert failures(suite_of(processor, missing=[Key("acme", "nobody"), Key("acme", "busy")])) == {}


def test_a_decorated_function_passes(failures):
    assert failures(suite_of(decorated)) == {}


@extractor(accepts="acme")
async def decorated(resource):
    return Extraction(Payload.from_text(str(resource.key)))


def test_what_was_entered_is_left(failures):
    processor = OnALoop()
    failures(suite_of(processor))
    assert processor.is_open is False


def broken(method, **names):
    """A class that is sound but for one method."""
    return type("Broken", (Plain,), {"__doc__": "Breaks one thing.", method.__name__: method, **names})


def test_keys_that_are_left_out_are_asked_for(failures):
    found = failures(type("ASuite", (ExtractorConformance,), {"processor": Plain}))
    assert found["test_it_brings_the_keys"] == (
        'ASuite.keys is missing: the suite of extractors needs it, for example\n    keys = [Key("acme", "1")]'
    )


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([], "ASuite.keys is empty"),
        (["acme:1"], "ASuite.keys holds 'acme:1', expected Key objects"),
        ("acme:1", "list"),
    ],
)
def test_keys_of_another_form_are_refused(failures, keys, words):
    assert words in failures(suite_of(Plain, keys=keys))["test_it_brings_the_keys"]


def test_a_key_that_is_not_accepted_fails(failures):
    found = failures(suite_of(Plain, keys=[Key("url", "https://old.example.org/")]))
    assert found == {
        "test_it_accepts_the_keys": "it does not accept url:https://old.example.org/: accepts is ('acme',)"
    }


def test_a_key_that_it_does_not_handle_fails(failure):
    def handles(self, key):
        return False

    name, message = failure(suite_of(broken(handles)))
    assert name == "test_it_accepts_the_keys"
    assert message.endswith("and it has handles()")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda self, key: None, "acme:1: an extractor returns an Extraction, got None"),
        (lambda self, key: Extraction(Payload.from_text("")), "acme:1: the payload is empty (0 bytes)"),
        (lambda self, key: Extraction(b"bytes"), "acme:1: expected a Payload"),
        (lambda self, key: Extraction(Payload.from_text("a", "text/html; charset=x")), "no parameters"),
    ],
)
def test_what_is_no_whole_extraction_fails(failures, made, words):
    made.__name__ = "brought"
    assert words in failures(suite_of(broken(made)))["test_it_brings_the_keys"]


def test_a_plain_method_that_gives_a_coroutine_fails(failures):
    async def later():
        return None

    def extract(self, resource):
        return later()

    assert "write async def extract" in failures(suite_of(broken(extract)))["test_it_brings_the_keys"]


def test_metadata_and_final_key_must_be_kept(failures):
    def brought(self, key):
        return Extraction(Payload.from_text("a"), {"at": object()}, "acme:2")

    name = "test_what_it_says_of_them_can_be_kept"
    assert "acme:1 metadata.at: cannot keep a value of type object" in failures(suite_of(broken(brought)))[name]

    def brought(self, key):
        return Extraction(Payload.from_text("a"), {}, "acme:2")

    assert "the final_key of acme:1: expected a Key" in failures(suite_of(broken(brought)))[name]


def test_a_media_type_that_is_not_in_produces_fails(failure):
    def brought(self, key):
        return Extraction(Payload.from_blob(b"a"))

    name, message = failure(suite_of(broken(brought)))
    assert name == "test_it_brings_only_what_it_says_it_produces"
    assert "the media type 'application/octet-stream' is not in produces, which is ('text/*',)" in message


def test_other_bytes_each_time_fail(failure):
    number = itertools.count()

    def brought(self, key):
        return Extraction(Payload.from_text(str(next(number))))

    name, message = failure(suite_of(broken(brought)))
    assert name == "test_it_brings_the_same_bytes_twice"
    assert "acme:1: asked twice, it brought" in message


def test_bytes_that_get_mixed_up_when_they_are_brought_at_once_fail(failure):
    class Forgetful(OnALoop):
        """Keeps what it is at in itself."""

        async def extract(self, resource):
            self.now = resource.key
            await asyncio.sleep(0)
            return Extraction(Payload.from_text(str(self.now)))

    name, message = failure(suite_of(Forgetful))
    assert name == "test_it_brings_the_same_bytes_twice"
    assert "acme:1: asked twice, it brought ('text/plain', b'acme:1') first, then ('text/plain', b'acme:2')" in message


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("nobody"), "expected ExtractError, got KeyError: 'nobody'"),
        (ExtractError(), "the ExtractError has no message"),
        (None, "expected ExtractError, and it brought something"),
    ],
)
def test_what_is_missing_must_be_an_extract_error(failure, error, words):
    def brought(self, key):
        if error and key == Key("acme", "gone"):
            raise error
        return Plain.brought(self, key)

    name, message = failure(suite_of(broken(brought), missing=[Key("acme", "gone")]))
    assert name == "test_what_is_missing_is_an_extract_error"
    assert words in message


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_connection_that_stays_open_fails(failure):
    def brought(self, key):
        socket.socket()
        return Plain.brought(self, key)

    name, message = failure(suite_of(broken(brought)))
    assert name == "test_it_leaves_nothing_open"
    assert "after the run, something is still open" in message
