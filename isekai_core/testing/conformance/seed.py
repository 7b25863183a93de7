"""The suite of seeders: what they give can be written into the journal, and is the same when they are asked again."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar

from isekai_core.pipeline.given import check_version
from isekai_core.testing.conformance.base import Conformance
from isekai_core.testing.conformance.checks import (
    check_closes,
    check_kept_key,
    check_kept_metadata,
    check_kept_payload,
    check_produces,
    shown,
)
from isekai_core.testing.conformance.suite import Suite, fail, must
from isekai_core.types import Key, Seed

MOST = 1000
"""Seeds that are looked at: a source may have millions."""

_VERSION_LENGTH = 64


class SeederConformance(Conformance):
    """Subclass it, and give it a seeder with a source that has some seeds.

    class TestNumbers(SeederConformance):
        processor = use("numbers", most=3)
    """

    kind: ClassVar[str] = "seeder"

    def test_it_gives_seeds(self, suite: Suite) -> None:
        """`seed()` is iterated, and every item is a Seed."""
        must(_seeds(suite), f"{suite.name}: it gave no seed; give it a source that has some, or nothing is tested")

    def test_its_keys_can_be_kept(self, suite: Suite) -> None:
        """Keys are canonical, and hold no character that a database refuses."""
        for number, seed in enumerate(_seeds(suite), start=1):
            check_kept_key(seed.key, f"seed {number}")

    def test_its_metadata_can_be_kept(self, suite: Suite) -> None:
        """Metadata is of types that the journal knows, and comes back equal."""
        for seed in _seeds(suite):
            check_kept_metadata(seed.metadata, str(seed.key))

    def test_its_payloads_and_versions_can_be_kept(self, suite: Suite) -> None:
        """A payload can be opened twice, and is the only one of its key; a version has 64 characters at most."""
        given: dict[Key, str] = {}
        for seed in _seeds(suite):
            if seed.payload is not None:
                check_kept_payload(seed.payload, str(seed.key))
            if seed.version is not None:
                try:
                    check_version(seed.version, _VERSION_LENGTH)
                except (TypeError, ValueError) as error:
                    fail(f"{seed.key}: {error}")
            content = seed.payload.sha256 if seed.payload is not None else ""
            lost = "and only the first is kept: give what is another thing another key"
            must(given.setdefault(seed.key, content) == content, f"{seed.key} comes twice, with other data, {lost}")

    def test_it_gives_the_same_seeds_twice(self, suite: Suite) -> None:
        """Nothing has changed in the source: a second run finds nothing to do."""
        seeder = suite.object
        first, second = _told(seeder), _told(seeder)
        must(len(first) == len(second), f"asked twice, it gave {len(first)} seeds first, then {len(second)}")
        for before, after in zip(first, second, strict=True):
            must(before == after, f"asked twice, it gave {shown(before)} first, then {shown(after)}")

    def test_it_gives_only_what_it_says_it_produces(self, suite: Suite) -> None:
        """`produces`, where it is declared, names the key types, and the media types of the payloads."""
        seeder = suite.object
        for seed in islice(seeder.seed(), MOST):
            check_produces(seeder, seed.key.type, str(seed.key), "key type")
            if seed.payload is not None:
                check_produces(seeder, seed.payload.media_type, str(seed.key), "media type")

    def test_it_leaves_nothing_open(self, suite: Suite) -> None:
        """Files and connections are closed: at the end, and when nobody wants the rest."""
        check_closes(lambda: _seeds(suite), "after all seeds were given")
        check_closes(lambda: list(islice(suite.object.seed(), 1)), "after the first seed was given and no more asked")


def _seeds(suite: Suite) -> list[Seed]:
    return list(_checked(suite.object))


def _checked(seeder: Any) -> Iterator[Seed]:
    given = seeder.seed()
    must(hasattr(given, "__iter__"), f"seed() gives an iterable of Seed objects, got {shown(given)}")
    for number, seed in enumerate(islice(given, MOST), start=1):
        must(isinstance(seed, Seed), f"a seeder gives Seed objects, and number {number} is {shown(seed)}")
        yield seed


def _told(seeder: Any) -> list[tuple[str, str, str, str]]:
    """What the seeds say, in a form that can be compared."""
    return [
        (
            str(seed.key),
            check_kept_metadata(seed.metadata, str(seed.key)),
            seed.version or "",
            f"{seed.payload.media_type} {seed.payload.sha256}" if seed.payload else "",
        )
        for seed in _checked(seeder)
    ]
