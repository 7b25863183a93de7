"""The suite of seeders passes a sound one, and each of its tests fails for the one that breaks what it says."""

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import ClassVar

import pytest

from isekai_core import Key, Payload, Seed, seeder
from isekai_core.testing import SeederConformance


@dataclass
class Numbers:
    """Counts.

    most: how far.
    """

    produces: ClassVar = ("row", "text/plain")

    most: int = 3

    def seed(self):
        for number in range(self.most):
            yield Seed(Key("row", str(number)), {"at": dt.date(2026, 1, 31)}, Payload.from_text(str(number)), "1")


class SoundSuite(SeederConformance):
    processor = Numbers


def suite_of(*seeds, cls=Numbers):
    """A suite whose seeder gives what is made by these functions."""

    class Broken(cls):
        """Breaks one thing."""

        def seed(self):
            return [make() for make in seeds]

    class BrokenSuite(SeederConformance):
        processor = Broken

    return BrokenSuite


@pytest.mark.parametrize("processor", [Numbers, Numbers(most=2)])
def test_a_sound_one_passes_as_a_class_and_as_an_object(failures, processor):
    assert failures(type("ASuite", (SeederConformance,), {"processor": processor})) == {}


@seeder
def decorated():
    yield Seed(Key("row", "1"))


def test_a_decorated_function_passes(failures):
    assert failures(type("ASuite", (SeederConformance,), {"processor": decorated})) == {}


def row(text):
    return lambda: Seed(Key("row", "1"), payload=Payload.from_text(text))


def test_a_key_that_comes_again_with_other_data_fails_and_with_the_same_does_not(failures):
    assert failures(suite_of(row("Ada"), row("Ada"))) == {}
    found = failures(suite_of(row("Ada"), row("Grace")))
    assert found == {
        "test_its_payloads_and_versions_can_be_kept": "row:1 comes twice, with other data, and only the first is kept:"
        " give what is another thing another key"
    }


def test_a_million_seeds_are_not_waited_for(failures):
    assert failures(type("ASuite", (SeederConformance,), {"processor": Numbers(most=10**12)})) == {}


def test_one_that_gives_nothing_is_not_taken_for_sound(failure):
    name, message = failure(type("ASuite", (SeederConformance,), {"processor": Numbers(most=0)}))
    assert name == "test_it_gives_seeds"
    assert message == "ASuite: it gave no seed; give it a source that has some, or nothing is tested"


def test_what_is_no_seed_is_named(failures):
    found = failures(suite_of(lambda: Seed(Key("row", "1")), lambda: Key("row", "2")))
    assert found["test_it_gives_seeds"] == ("a seeder gives Seed objects, and number 2 is Key(type='row', value='2')")


def test_what_is_no_iterable_is_named(failures):
    class Broken(Numbers):
        """Breaks one thing."""

        def seed(self):
            return None

    found = failures(type("ASuite", (SeederConformance,), {"processor": Broken}))
    assert found["test_it_gives_seeds"] == "seed() gives an iterable of Seed objects, got None"


def test_a_key_that_is_not_canonical_fails(failures):
    def seed():
        key = Key("url", "https://old.example.org/")
        object.__setattr__(key, "value", "HTTPS://old.example.org")
        return Seed(key)

    found = failures(suite_of(seed))
    assert "HTTPS://old.example.org is not canonical" in found["test_its_keys_can_be_kept"]


def test_a_key_that_no_database_keeps_fails(failure):
    name, message = failure(suite_of(lambda: Seed(Key("row", "a\udc80"))))
    assert name == "test_its_keys_can_be_kept"
    assert "lone surrogate" in message


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"tags": {1, 2}}, "row:1 metadata.tags: cannot keep a value of type set"),
        ([("a", 1)], "row:1: metadata is a mapping, got [('a', 1)]"),
    ],
)
def test_metadata_that_cannot_be_kept_fails(failures, metadata, words):
    found = failures(suite_of(lambda: Seed(Key("row", "1"), metadata)))
    assert words in found["test_its_metadata_can_be_kept"]


class OneReader:
    size, sha256 = 1, "0" * 64

    def __init__(self):
        self.readers = iter([b"a", b""])

    def open(self):
        import io

        return io.BytesIO(next(self.readers))


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (lambda: Payload.from_blob(OneReader()), "row:1: a payload can be opened twice: 1 bytes first, then 0"),
        (lambda: Payload.from_text("a", "Text/HTML"), "the media type of the payload is 'Text/HTML': media types are"),
        (lambda: Payload.from_text("a", "html"), "'html': a media type is written 'text/html'"),
        (lambda: b"bytes", "row:1: expected a Payload such as"),
    ],
)
def test_a_payload_that_cannot_be_kept_fails(failures, payload, words):
    class Anything(Numbers):
        """Gives whatever there is."""

        produces = ("*",)

    found = failures(suite_of(lambda: Seed(Key("row", "1"), payload=payload()), cls=Anything))
    assert words in found["test_its_payloads_and_versions_can_be_kept"]


@pytest.mark.parametrize(("version", "words"), [("1" * 65, "64 characters at most, got 65"), (7, "a text such as")])
def test_a_version_that_cannot_be_kept_fails(failures, version, words):
    found = failures(suite_of(lambda: Seed(Key("row", "1"), version=version)))
    assert words in found["test_its_payloads_and_versions_can_be_kept"]


def test_other_seeds_each_time_fail(failure):
    number = itertools.count()
    name, message = failure(suite_of(lambda: Seed(Key("row", str(next(number))))))
    assert name == "test_it_gives_the_same_seeds_twice"
    assert "asked twice, it gave ('row:" in message


def test_seeds_that_grow_in_number_fail(failures):
    class Broken(Numbers):
        """Breaks one thing."""

        def seed(self):
            self.most += 1
            return super().seed()

    found = failures(type("ASuite", (SeederConformance,), {"processor": Broken(1)}))
    assert found["test_it_gives_the_same_seeds_twice"].startswith("asked twice, it gave ")


def test_a_key_type_and_a_media_type_that_are_not_in_produces_fail(failure):
    name, message = failure(suite_of(lambda: Seed(Key("file", "a"))))
    assert name == "test_it_gives_only_what_it_says_it_produces"
    assert message == "file:a: the key type 'file' is not in produces, which is ('row', 'text/plain'): add it there"
    _, message = failure(suite_of(lambda: Seed(Key("row", "1"), payload=Payload.from_record({}))))
    assert "the media type 'application/vnd.isekai.record+json' is not in produces" in message


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_file_that_stays_open_fails(failure, tmp_path):
    path = tmp_path / "a.txt"
    path.touch()

    def seed():
        open(path)  # noqa: PTH123, SIM115
        return Seed(Key("row", "1"))

    name, message = failure(suite_of(seed))
    assert name == "test_it_leaves_nothing_open"
    assert "after all seeds were given, something is still open" in message
    assert "a.txt" in message
