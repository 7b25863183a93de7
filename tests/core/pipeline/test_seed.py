"""Seed: every key once, the first seeder's word, newer versions, and errors that cost only what they hit."""

import pytest
from testapp.models import Author
from world import author, key, resource, state, states

from isekai_core import Key, Payload, ResourceRef, Seed, Text
from isekai_core.errors import ExtractError
from isekai_core.models import Resource
from isekai_core.pipeline.definition import seeder, transformer


def rows_of(*seeds):
    """A seeder of these seeds, and how often it was asked."""
    asked = []

    @seeder(version="1")
    def given():
        asked.append(True)
        yield from seeds

    return given, asked


def test_w2_every_seeder_is_asked_once_and_only_new_keys_are_counted_as_done(world):
    given, asked = rows_of(Seed(key("a")), Seed(key("b")))
    world.add("a", author("a"))
    world.add("b", author("b"))
    world.changes["seeders"] = [given]
    first = world.run()
    second = world.run()
    assert len(asked) == 2
    assert first.stages["seed"]["done"] == 2
    assert second.stages["seed"].get("done", 0) == 0
    assert second.stages["seed"]["unchanged"] == 2


def test_w2_a_seeder_that_raises_half_way_keeps_what_it_gave_and_its_reason(world, configure):
    configure(BATCH_SIZE=2)

    @seeder(version="1")
    def breaking():
        for name in "abc":
            yield Seed(key(name))
        msg = "line 4 of the list is no address"
        raise ValueError(msg)

    other, _ = rows_of(Seed(key("d")))
    for name in "abcd":
        world.add(name, author(name))
    world.changes["seeders"] = [breaking, other]
    result = world.run()
    assert set(Author.objects.values_list("slug", flat=True)) == {"a", "b", "c", "d"}
    assert not result.is_complete
    (error,) = result.seed_errors
    assert error["message"] == "line 4 of the list is no address"
    assert error["error_class"] == "ValueError"
    assert error["processor"].endswith("breaking")
    assert "raise ValueError" in error["traceback"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("thing:b", "a seeder gives Seed objects, got 'thing:b'"),
        (Seed("thing:b"), "'thing:b'"),
        (Seed(key("b"), payload="text"), "'text'"),
        (Seed(key("b"), payload=Payload.from_blob(bytearray(b"x"))), "thing:b: expected a payload of bytes"),
        (Seed(key("b"), metadata={"seen": object()}), "thing:b metadata.seen"),
        (Seed(key("b"), metadata="alt"), "'alt'"),
        (Seed(key("b"), version="x" * 65), "64 characters at most, got 65"),
        (Seed(key("b"), version="2026\x00"), "version"),
        (Seed(key("b"), version=2026), "version"),
        (Seed(Key("file", "caf\udce9.txt")), "file:caf"),
        (Seed(key("b"), payload=Payload.from_text("x", "text/\x00html")), "media type"),
    ],
)
def test_w8_a_malformed_seed_is_reported_and_costs_nobody_else(bad, reason, world):
    given, _ = rows_of(Seed(key("a")), bad, Seed(key("c")))
    world.add("a", author("a"))
    world.add("c", author("c"))
    world.changes["seeders"] = [given]
    result = world.run()
    assert set(Author.objects.values_list("slug", flat=True)) == {"a", "c"}
    (error,) = result.seed_errors
    assert reason in error["message"]
    assert result.stages["seed"] == {"done": 2, "failed": 1, "changed": 0, "unchanged": 0}


def test_a_seeder_that_returns_nothing_to_go_through_says_so(world):
    @seeder(version="1")
    def nothing():
        return None

    world.add("a", author("a"))
    world.changes["seeders"] = [nothing, world.seeder()]
    result = world.run()
    assert Author.objects.count() == 1
    assert result.seed_errors[0]["message"] == "seed() gives Seed objects, with yield or in a list, got None"


def test_what_two_seeders_give_is_one_resource_with_the_first_ones_word(world):
    first, _ = rows_of(Seed(key("a"), {"from": "first"}))
    second, _ = rows_of(Seed(key("a"), {"from": "second"}), Seed(key("a"), {"from": "third"}))
    world.add("a", lambda page: author(page.metadata["from"]))
    world.changes["seeders"] = [first, second]
    world.run()
    result = world.run()
    assert Author.objects.get().slug == "first"
    assert world.fetched == ["a"]
    assert result.changed == 0


def test_the_first_of_two_seeds_of_one_batch_counts(world):
    given, _ = rows_of(Seed(key("a"), {"from": "first"}), Seed(key("a"), {"from": "second"}))
    world.add("a", lambda page: author(page.metadata["from"]))
    world.changes["seeders"] = [given]
    world.run()
    assert Author.objects.get().slug == "first"


@pytest.mark.parametrize("size", [1, 2, 500])
def test_the_first_of_two_seeds_counts_in_whichever_batches_they_come_and_the_loss_is_told(size, world, configure):
    configure(BATCH_SIZE=size)
    names = ["first", "other", "second", "third", "first"]
    seeds = [Seed(key("b" if name == "other" else "a"), payload=Payload.from_text(name)) for name in names]
    given, _ = rows_of(*seeds)
    world.changes["seeders"] = [given]
    world.specs = {name: lambda page: author(page.payload.text) for name in "ab"}
    for number in range(3):
        result = world.run()
        assert set(Author.objects.values_list("slug", flat=True)) == {"first", "other"}
        assert (result.changed > 0) == (number == 0)
        (told,) = result.seed_errors
        assert told["message"].startswith(
            "thing:a, thing:a: given more than once, with different data; the first counts"
        )
    assert sorted(world.transformed) == ["a", "b"]


def test_seeds_that_say_the_same_again_are_no_loss(world, configure):
    configure(BATCH_SIZE=2)
    given, _ = rows_of(*(Seed(key("a"), {"number": number}, payload=Payload.from_text("ada")) for number in range(5)))
    world.changes["seeders"] = [given]
    world.specs["a"] = lambda page: author(page.payload.text)
    assert world.run().is_complete
    assert world.run().stages["seed"] == {"done": 0, "changed": 0, "unchanged": 1}


@pytest.mark.parametrize(
    ("version", "again"), [("2026-02", True), ("2026-01", False), ("2025-12", False), (None, False)]
)
def test_only_what_is_newer_by_its_seed_is_looked_at_again(version, again, world):
    world.add("a", author())
    world.seeds = [Seed(key("a"), version="2026-01")]
    world.run()
    world.seeds = [Seed(key("a"), version=version)]
    result = world.run()
    assert world.fetched == ["a", "a"] if again else ["a"]
    assert result.stages["seed"]["changed"] == int(again)
    assert resource("a").version == ("2026-02" if again else "2026-01")


def test_a_failed_resource_is_tried_again_when_its_seed_is_newer(world):
    world.add("a", author())
    world.pages["a"] = [ValueError("not now"), "page"]
    world.seeds = [Seed(key("a"), version="1")]
    assert world.run().failed == 1
    assert world.run().failed == 1
    world.seeds = [Seed(key("a"), version="2")]
    assert world.run().is_complete


def test_new_metadata_of_a_seed_is_transformed_without_another_fetch(world):
    world.add("a", lambda page: author("a", name=page.metadata["name"]))
    world.seeds = [Seed(key("a"), {"name": "Ada"})]
    world.run()
    world.seeds = [Seed(key("a"), {"name": "Ada Lovelace"})]
    result = world.run()
    assert world.fetched == ["a"]
    assert Author.objects.get().name == "Ada Lovelace"
    assert result.models == {"testapp.Author": {"updated": 1}}


def test_new_metadata_of_a_seed_stops_no_refresh(world):
    world.add("a", lambda page: author("a", name=f"{page.payload.text} {page.metadata['name']}"), text="old")
    world.seeds = [Seed(key("a"), {"name": "Ada"})]
    world.run()
    world.pages["a"] = "new"
    world.seeds = [Seed(key("a"), {"name": "Ada Lovelace"})]
    world.run(refresh=True)
    assert world.fetched == ["a", "a"]
    assert Author.objects.get().name == "new Ada Lovelace"


def test_new_metadata_of_a_seed_hides_no_failed_fetch(world):
    world.add("a", author("a"))
    world.seeds = [Seed(key("a"), {"name": "Ada"})]
    world.run()
    world.pages["a"] = ExtractError("404")
    assert world.run(refresh=True).failed == 1
    world.seeds = [Seed(key("a"), {"name": "Ada Lovelace"})]
    assert world.run().failed == 1
    assert state("a") == ("seeded", "failed", "404")


def test_a_payload_that_comes_with_the_key_needs_no_extractor_and_updates_its_row(world):
    def record(name):
        return Seed(Key("row", "1"), payload=Payload.from_record({"name": name}))

    @transformer(version="1")
    def person(resource):
        return author("ada", name=resource.payload.record["name"])

    world.changes = {"transformers": [person], "extractors": []}
    world.seeds = [record("Ada")]
    world.run()
    world.seeds = [record("Countess")]
    assert world.run().models == {"testapp.Author": {"updated": 1}}
    assert Author.objects.get().name == "Countess"
    assert world.run(refresh=True).changed == 0


def test_w15_a_key_of_5000_characters_is_a_key_like_any_other(world):
    long = "x" * 5000
    world.add(long, author("long"))
    world.add("short", author("short"))
    assert world.run().is_complete
    assert Author.objects.count() == 2
    assert resource(long).key == f"thing:{long}"


def test_seeds_are_taken_in_batches_so_that_a_million_are_no_list(world, configure):
    configure(BATCH_SIZE=10)
    stored = []

    @seeder(version="1")
    def many():
        for number in range(35):
            stored.append(Resource.objects.count())
            yield Seed(key(str(number)))

    world.changes["seeders"] = [many]
    world.run(until="seed")
    assert stored[:11] == [0] * 10 + [10]
    assert stored[-1] == 30
    assert Resource.objects.count() == 35


def test_what_was_only_referred_to_is_brought_once_a_seeder_gives_it(world):

    link = ResourceRef(key("b"), "url", soft=True, fallback="/old/b")
    world.add("a", author("a", email=Text("", link)))
    world.specs["a"] = author("a", name=Text("see ", link))
    world.add("b", author("b"))
    world.seeds = ["a"]
    world.run()
    assert state("b")[1] == "skipped"
    world.seeds = ["a", "b"]
    result = world.run()
    assert result.is_complete
    assert Author.objects.get(slug="a").name == "see /authors/b/"


def test_pipelines_do_not_see_each_others_resources(world):
    world.add("a", author("a"))
    world.run("one")
    world.specs["a"] = author("b")
    world.run("two")
    assert sorted(Resource.objects.values_list("pipeline", flat=True)) == ["one", "two"]
    assert Author.objects.count() == 2
    assert world.run("one").changed == 0


def test_a_key_that_is_both_seeded_and_mined_is_one_resource_at_depth_0(world):
    world.add("a", author("a"), links=["b"])
    world.add("b", author("b"), links=["a", "b"])
    world.seeds = ["b", "a"]
    world.run()
    assert set(Resource.objects.values_list("key", "depth")) == {("thing:a", 0), ("thing:b", 0)}


def test_until_seed_only_seeds(world):
    world.add("a", author("a"))
    world.run(until="seed")
    assert states() == {"a": ("seeded", "ready")}
    assert world.fetched == []


@pytest.mark.parametrize("ended", [SystemExit("no token"), GeneratorExit()])
def test_a_seeder_that_exits_is_an_error_and_what_it_gave_is_kept(ended, world):
    class Exits:
        version = "1"

        def seed(self):
            return self

        def __iter__(self):
            yield Seed(key("a"))
            raise ended

    world.add("a", author("a"))
    world.changes["seeders"] = [Exits()]
    result = world.run()
    assert not result.is_complete
    assert Author.objects.count() == 1
    assert f"the seeder ended with {type(ended).__name__}" in result.seed_errors[0]["message"]
