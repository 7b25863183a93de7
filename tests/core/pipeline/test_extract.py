"""Extract: who brings a key, what he may give, what is tried again and what is not."""

import datetime as dt
from pathlib import Path

import pytest
from django.utils import timezone
from testapp.models import Author
from world import author, key, resource, state

from isekai_core import Extraction, Payload, ResourceRef, Spec, use
from isekai_core.errors import ExtractError, OptionError, SkipResource, TemporaryError
from isekai_core.models import Payload as PayloadRow
from isekai_core.models import Resource
from isekai_core.pipeline.definition import extractor
from isekai_core.pipeline.extract import _delay


def test_the_first_extractor_that_accepts_the_key_brings_it(world):
    class Picky:
        accepts = ("thing",)
        version = "1"

        def handles(self, wanted):
            return wanted.value == "b"

        def extract(self, resource):
            return Extraction(Payload.from_text("by the picky one"))

    for name in "ab":
        world.add(name, lambda page: author(page.key.value, name=page.payload.text))
    world.changes["extractors"] = [Picky(), world.extractor()]
    world.run()
    assert dict(Author.objects.values_list("slug", "name")) == {"a": "page a", "b": "by the picky one"}
    assert resource("b").extract_step.processor.endswith("Picky")


def test_w10_a_key_that_no_extractor_accepts_says_so_and_who_was_asked(world):
    world.add("a", author("a"))

    @extractor(accepts=("url", "file"), version="1")
    def elsewhere(resource):
        return Extraction(Payload.from_text("x"))

    world.changes["extractors"] = [elsewhere]
    world.run()
    stage, now, message = state("a")
    assert (stage, now) == ("seeded", "failed")
    assert message.startswith("no extractor of this pipeline accepts a key of type 'thing' (extractors: ")
    assert "elsewhere" in message
    world.changes["extractors"] = []
    assert world.run().failed == 1
    world.changes["extractors"] = [world.extractor()]
    assert world.run(refresh=True).is_complete


def test_w10_an_empty_body_is_an_error_with_a_reason(world):
    world.add("a", author("a"))
    world.pages["a"] = Payload.from_text("")
    world.run()
    assert state("a") == ("seeded", "failed", "thing:a: the source gave an empty body (0 bytes)")
    assert resource("a").error_processor.endswith("extract")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Payload.from_text("x"), "an extractor returns an Extraction, got Payload"),
        (None, "an extractor returns an Extraction, got None"),
        (Extraction("text"), "expected a Payload"),
        (Extraction(Payload.from_text("x"), final_key="thing:b"), "expected a Key"),
        (Extraction(Payload.from_text("x"), {"etag": object()}), "extraction metadata.etag"),
        (Extraction(Payload.from_text("x"), "etag"), "extraction metadata: expected a mapping, got 'etag'"),
        (Extraction(Payload.from_text("x", "text/\x00")), "NUL"),
    ],
)
def test_what_is_no_extraction_fails_its_resource_alone(given, reason, world):
    world.add("a", author("a"))
    world.add("b", author("b"))

    @extractor(accepts="thing", version="1")
    def wrong(resource):
        return given if resource.key.value == "a" else Extraction(Payload.from_text("page b"))

    world.changes["extractors"] = [wrong]
    result = world.run()
    assert (result.failed, Author.objects.get().slug) == (1, "b")
    assert reason in state("a")[2]
    assert resource("a").error_stage == "extract"


def test_an_unexpected_exception_is_kept_with_its_traceback_and_not_tried_again(world):
    world.add("a", author("a"))
    world.pages["a"] = ZeroDivisionError("in the extractor")
    world.run()
    row = resource("a")
    assert (row.state, row.error_class, row.message) == ("failed", "ZeroDivisionError", "in the extractor")
    assert "ZeroDivisionError: in the extractor" in row.traceback
    assert row.attempts == 1
    assert world.fetched == ["a"]
    assert len(row.cause) == 8


def test_an_error_of_isekai_s_own_needs_no_traceback(world):
    world.add("a", author("a"))
    world.pages["a"] = ExtractError("404 not found")
    world.run()
    row = resource("a")
    assert (row.error_class, row.message, row.traceback) == ("ExtractError", "404 not found", "")


@pytest.mark.parametrize("error", [TemporaryError("503"), TimeoutError("too slow"), ConnectionResetError("reset")])
def test_what_is_temporary_is_tried_again_until_it_heals(error, world):
    world.add("a", author("a"))
    world.pages["a"] = [error, error, "page"]
    result = world.run()
    assert result.is_complete
    assert world.fetched == ["a"] * 3
    assert result.stages["extract"] == {"retry": 2, "done": 1}
    row = resource("a")
    assert (row.attempts, row.message, row.error_class, row.next_attempt_at) == (0, "", "", None)


def test_what_never_heals_fails_after_retry_attempts_and_says_how_often_it_was_tried(world, configure):
    configure(RETRY_ATTEMPTS=3)
    world.add("a", author("a"))
    world.add("b", author("b"))
    world.pages["a"] = TemporaryError("500 from the server")
    result = world.run()
    assert state("a")[1:] == ("failed", "500 from the server (tried 3 times)")
    assert world.fetched.count("a") == 3
    assert result.failed == 1
    assert Author.objects.get().slug == "b"


def test_the_next_try_waits_as_long_as_the_source_asks_and_no_longer_than_retry_max_wait(world, configure, said):
    configure(RETRY_MAX_WAIT=3600)
    seen = {}

    @extractor(accepts="thing", version="1")
    def later(resource):
        if resource.key.value == "a":
            msg = "429"
            raise TemporaryError(msg, retry_after=600)
        if resource.key.value == "b":
            msg = "429"
            raise TemporaryError(msg, retry_after=86_400)
        raise KeyboardInterrupt

    for name in "abc":
        world.add(name, author(name))
    world.changes["extractors"] = [later]
    configure(BATCH_SIZE=1)
    began = timezone.now()
    with pytest.raises(KeyboardInterrupt):
        world.run()
    for name in "ab":
        row = resource(name)
        assert row.state == "retry_wait"
        seen[name] = (row.next_attempt_at - began).total_seconds()
    assert 600 <= seen["a"] < 660
    assert 3600 <= seen["b"] < 3660


def test_the_backoff_doubles_with_jitter_of_a_quarter_at_most(configure):

    configure(RETRY_BACKOFF=2.0, RETRY_MAX_WAIT=100.0)
    for attempt, low in ((1, 2), (2, 4), (3, 8)):
        assert low <= _delay(TimeoutError(), attempt) <= low * 1.25
    assert 100 <= _delay(TimeoutError(), 30) <= 125
    assert _delay(TemporaryError("", retry_after=-5), 1) == 0


@pytest.mark.parametrize("asked", ["120", "soon", float("nan"), float("inf")])
def test_a_wait_that_is_no_number_of_seconds_leaves_it_to_the_backoff(asked, world):
    world.add("a", author("a"))
    world.pages["a"] = [TemporaryError("429", retry_after=asked), "page a"]
    world.add("b", author("b"))
    assert world.run().is_complete
    assert sorted(world.fetched) == ["a", "a", "b"]


def test_a_run_wakes_what_an_earlier_one_left_waiting(world):
    world.add("a", author("a"))
    world.run(until="seed")
    Resource.objects.update(state="retry_wait", attempts=2, next_attempt_at=timezone.now() - dt.timedelta(seconds=1))
    assert world.run().is_complete


def test_a_skipped_resource_keeps_the_reason_and_is_no_failure(world):
    world.add("a", author("a"))
    world.pages["a"] = SkipResource("excluded by robots.txt")
    result = world.run()
    assert state("a") == ("seeded", "skipped", "excluded by robots.txt")
    assert result.is_complete
    assert result.stages["extract"] == {"skipped": 1}


# Payloads


def test_w11_a_blob_is_stored_once_however_often_and_under_how_many_keys_it_comes(world, configure, settings):
    configure(INLINE_BLOB_LIMIT=0)
    blob = Payload.from_blob(b"image bytes", "image/png")
    for name in "ab":
        world.add(name, author(name))
        world.pages[name] = [TemporaryError("503"), Extraction(blob)]
    world.run()
    world.run(refresh=True)
    assert PayloadRow.objects.filter(kind="blob").count() == 1
    files = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in files] == [b"image bytes"]


def test_a_blob_whose_spec_fails_is_not_stored_again_by_the_retry(world, configure, settings):
    configure(INLINE_BLOB_LIMIT=0)
    world.add("a", ValueError("no"))
    world.pages["a"] = Extraction(Payload.from_blob(b"bytes"))
    for _ in range(3):
        assert world.run(refresh=True).failed == 1
    assert len([path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]) == 1


# Coroutines


def test_refresh_looks_at_every_source_and_does_only_what_changed_again(world):
    for name in "abc":
        world.add(name, author(name))
    world.run()
    world.fetched.clear()
    world.mined.clear()
    world.transformed.clear()
    world.pages["b"] = "page b, corrected"
    result = world.run(refresh=True)
    assert sorted(world.fetched) == ["a", "b", "c"]
    assert (world.mined, world.transformed) == (["b"], ["b"])
    assert result.stages["extract"] == {"done": 1, "unchanged": 2}
    assert result.changed == 0


def test_a_new_validator_of_the_same_bytes_makes_nothing_new_but_other_metadata_does(world):
    world.add("a", author("a"))
    world.pages["a"] = [
        Extraction(Payload.from_text("x"), {"etag": "1", "title": "A"}),
        Extraction(Payload.from_text("x"), {"etag": "2", "title": "A"}),
        Extraction(Payload.from_text("x"), {"etag": "2", "title": "B"}),
    ]
    for transformed in (1, 1, 2):
        world.run(refresh=True)
        assert len(world.transformed) == transformed
    assert '"etag":"2"' in resource("a").extracted


def test_a_refresh_that_fails_leaves_the_row_and_what_points_to_it_alone(world):

    world.add("ada", author("ada"))
    world.add("x", Spec("testapp.Article", {"slug": "x", "title": "x", "author": ResourceRef(key("ada"))}))
    world.run()
    world.pages["ada"] = ExtractError("404")
    world.pages["x"] = "changed"
    result = world.run(refresh=True)
    assert (result.failed, result.blocked) == (1, 0)
    assert Author.objects.count() == 1
    assert state("x")[1] == "done"
    world.pages["ada"] = "page ada"
    assert world.run(refresh=True).is_complete
    assert Author.objects.count() == 1


@pytest.mark.parametrize("raised", [OSError("gone"), SystemExit(3)])
def test_a_body_that_cannot_be_read_fails_its_resource_and_not_those_it_would_be_written_with(raised, world):
    class Gone:
        size = 3
        sha256 = "ab" * 32

        def open(self):
            raise raised

    for name in "abc":
        world.add(name, author(name))
    world.pages["b"] = Payload.from_blob(Gone())
    assert world.run().failed == 1
    assert state("b")[1] == "failed"
    assert set(Author.objects.values_list("slug", flat=True)) == {"a", "c"}


TELLS = """
    import os
    from dataclasses import dataclass, field

    from isekai_core import hookimpl

    @hookimpl
    def isekai_register_extractors(register):
        register("tells", "isekai_acme:Tells")

    @dataclass
    class Tells:
        accepts = ("thing",)
        secret_options = ("token",)

        token: str = field(default_factory=lambda: os.environ["ACME_TOKEN"])

        def __post_init__(self):
            if " " in self.token:
                raise ValueError(f"token: expected one word, got {self.token!r}")

        def extract(self, resource):
            raise ValueError(f"Invalid header value {self.token.encode()!r}")
"""


def test_the_value_of_a_secret_option_is_in_nothing_that_is_kept_of_an_error(world, fake_distribution, monkeypatch):
    fake_distribution("isekai-acme", TELLS)
    monkeypatch.setenv("ACME_TOKEN", "from-the-environment\n")
    world.add("a", author("a"))
    for given, secret in (({"token": "s3cr3t-t0ken"}, "s3cr3t"), ({}, "environment")):
        world.changes["extractors"] = [use("tells", **given)]
        world.run(refresh=True)
        row = resource("a")
        assert row.message.startswith("Invalid header value b'***")
        assert secret not in row.message + row.traceback
    world.changes["extractors"] = [use("tells", token="s3cr3t t0ken")]
    with pytest.raises(OptionError, match=r"extractors\[0\]: token: expected one word, got '\*\*\*'"):
        world.run()
