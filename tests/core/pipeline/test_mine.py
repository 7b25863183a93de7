"""Mine: everything that is found once, with what was said of it; one failing miner fails its page alone."""

import pytest
from testapp.models import Author
from world import author, key, mined, resource, state, states

from isekai_core import Extraction, Key, Mined, Payload, ResourceRef, Seed, Text
from isekai_core.errors import MineError, SkipResource
from isekai_core.models import Dependency, Resource
from isekai_core.pipeline.definition import miner


def test_all_miners_that_accept_the_media_type_are_asked(world):
    @miner(accepts="text/*", version="1")
    def texts(page):
        if page.key.value == "a":
            yield mined("from-texts")

    @miner(accepts="image/*", version="1")
    def images(page):
        yield mined("from-images")

    @miner(accepts=("text/html", "text/plain"), version="1")
    def others(page):
        if page.key.value == "a":
            yield mined("from-others")

    world.add("a")
    for name in ("from-texts", "from-images", "from-others"):
        world.add(name)
    world.seeds = ["a"]
    world.changes["miners"] = [texts, images, others]
    world.run()
    assert set(states()) == {"a", "from-texts", "from-others"}


def test_what_is_found_is_brought_in_turn_with_its_depth(world):
    world.add("a", author("a"), links=["b"])
    world.add("b", author("b"), links=["c"])
    world.add("c", author("c"), links=["a", "c"])
    world.seeds = ["a"]
    assert world.run().is_complete
    assert dict(Resource.objects.values_list("key", "depth")) == {"thing:a": 0, "thing:b": 1, "thing:c": 2}
    assert set(Dependency.objects.values_list("parent__key", "child__key", "found")) == {
        ("thing:a", "thing:b", True),
        ("thing:b", "thing:c", True),
        ("thing:c", "thing:a", True),
    }


def test_the_same_key_found_twice_in_a_page_is_one_edge_with_the_first_word(world):
    world.add("a", author("a"), links=[mined("b", alt="first"), mined("b", alt="second"), mined("b")])
    world.add("b", lambda page: author("b", name=page.metadata["alt"]))
    world.seeds = ["a"]
    world.run()
    assert Author.objects.get(slug="b").name == "first"
    assert Dependency.objects.count() == 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("thing:b", "a miner gives Mined objects, got 'thing:b'"),
        (Mined("thing:b"), "expected a Key"),
        (Mined(Key("file", "caf\udce9")), "lone surrogate"),
        (mined("b", alt=object()), "metadata of thing:b.alt"),
        (Mined(key("b"), "alt"), "expected a mapping, got 'alt'"),
        (mined("b", payload="text"), "expected a Payload"),
    ],
)
def test_what_is_nothing_mined_fails_its_page_alone(bad, reason, world):
    @miner(version="1")
    def wrong(page):
        if page.key.value == "a":
            yield mined("c")
            yield bad

    world.add("a", author("a"))
    world.add("c", author("c"))
    world.add("d", author("d"))
    world.seeds = ["a", "d"]
    world.changes["miners"] = [wrong]
    result = world.run()
    assert result.failed == 1
    assert reason in state("a")[2]
    assert resource("a").error_stage == "mine"
    assert Author.objects.get().slug == "d"
    assert "c" not in states()


def test_a_miner_that_raises_half_way_fails_its_page_with_a_traceback(world):
    world.add("a", author("a"), links=["b", ZeroDivisionError("while looking")])
    world.add("b", author("b"))
    world.seeds = ["a"]
    world.run()
    row = resource("a")
    assert (row.stage, row.state, row.error_class) == ("extracted", "failed", "ZeroDivisionError")
    assert "in mine" in row.traceback
    assert set(states()) == {"a"}
    world.links["a"] = ["b"]
    world.versions["mine"] = "2"
    assert world.run().is_complete
    assert world.fetched == ["a", "b"]


def test_a_miner_may_refuse_and_skip(world):
    world.add("a", author("a"), links=[MineError("too many links")])
    world.add("b", author("b"), links=[SkipResource("a print version")])
    result = world.run()
    assert state("a") == ("extracted", "failed", "too many links")
    assert state("b") == ("extracted", "skipped", "a print version")
    assert result.failed == 1


def test_a_mined_payload_needs_no_extractor(world):
    world.add("a", author("a"), links=[mined("comment", Payload.from_record({"by": "Eve"}))])
    world.specs["comment"] = lambda comment: author("eve", name=comment.payload.record["by"])
    world.seeds = ["a"]
    assert world.run().is_complete
    assert Author.objects.get(slug="eve").name == "Eve"
    assert world.fetched == ["a"]


def test_a_mined_payload_that_changed_with_its_page_updates_its_row(world):
    world.add("a", author("a"), links=[mined("comment", Payload.from_record({"by": "Eve"}))])
    world.specs["comment"] = lambda comment: author("eve", name=comment.payload.record["by"])
    world.seeds = ["a"]
    world.run()
    world.pages["a"] = "page a, edited"
    world.links["a"] = [mined("comment", Payload.from_record({"by": "Evelyn"}))]
    result = world.run(refresh=True)
    assert Author.objects.get(slug="eve").name == "Evelyn"
    assert result.models == {"testapp.Author": {"unchanged": 1, "updated": 1}}


def test_a_mined_payload_reaches_what_another_page_had_only_referred_to(world):

    link = ResourceRef(key("comment"), "url", soft=True, fallback="#1")
    world.add("a", author("a", name=Text("see ", link)))
    world.add("b", author("b"), links=[mined("comment", Payload.from_record({"by": "Eve"}))])
    world.specs["comment"] = author("eve")
    world.seeds = ["a"]
    world.run()
    world.seeds = ["a", "b"]
    result = world.run()
    assert result.is_complete, state("comment")
    assert Author.objects.get(slug="a").name == "see /authors/eve/"


# Depth


def test_max_depth_leaves_out_what_is_deeper_and_says_so(world):
    world.add("a", author("a"), links=["b"])
    world.add("b", author("b"), links=["c"])
    world.add("c", author("c"), links=["d"])
    world.seeds = ["a"]
    world.changes["max_depth"] = 1
    result = world.run()
    assert result.is_complete
    assert state("c") == ("seeded", "skipped", "depth 2 is more than the pipeline's max_depth 1")
    assert world.fetched == ["a", "b"]
    assert world.run(refresh=True).is_complete
    assert state("c")[1] == "skipped"


def test_a_greater_max_depth_brings_what_was_too_deep(world):
    for name, link in (("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")):
        world.add(name, author(name), links=[link])
    world.seeds = ["a"]
    world.changes["max_depth"] = 1
    world.run()
    world.changes["max_depth"] = 3
    assert world.run().is_complete
    assert set(world.fetched) == {"a", "b", "c", "d"}
    world.changes["max_depth"] = None
    world.add("f")
    assert world.run().is_complete
    assert set(world.fetched) == {"a", "b", "c", "d", "e", "f"}


def test_a_shorter_way_found_later_opens_what_was_too_deep(world):
    world.add("a", author("a"), links=["b"])
    world.add("b", author("b"), links=["c"])
    world.add("c", author("c"), links=["d"])
    world.add("d", author("d"))
    world.add("late", author("late"), links=["c"])
    world.seeds = ["a"]
    world.changes["max_depth"] = 2
    world.run()
    assert state("d")[1] == "skipped"
    world.seeds = ["a", "late"]
    assert world.run().is_complete
    assert state("d")[1] == "done"
    assert resource("c").depth == 1


# What a page says of what it links to


def alt(page):
    return author(page.key.value, name=page.metadata.get("alt", "none"))


def test_of_two_parents_the_one_with_the_smallest_key_is_heard_whoever_came_first(world, configure):
    configure(BATCH_SIZE=1)
    for seeds in (["b", "a"], ["a", "b"]):
        world.add("a", author("a"), links=[mined("image", alt="from a")])
        world.add("b", author("b"), links=[mined("image", alt="from b")])
        world.add("image", alt)
        world.seeds = seeds
        world.run("-".join(seeds))
        assert Author.objects.get(slug="image").name == "from a"
        Author.objects.all().delete()


@pytest.mark.parametrize("nothing", [None, ValueError("nobody named it")])
@pytest.mark.parametrize("size", [1, 100])
def test_what_nothing_was_made_of_before_a_page_spoke_of_it_is_made_then(world, configure, nothing, size):
    """By one process, in whatever order; by several, another one may be the faster."""
    configure(BATCH_SIZE=size)

    def named(resource):
        if "alt" not in resource.metadata and nothing is not None:
            raise nothing
        return author("photo", name=resource.metadata["alt"]) if "alt" in resource.metadata else None

    world.add("photo", named)
    world.add("page", author("page"), links=[mined("photo", alt="Ada")])
    assert world.run().is_complete
    assert state("photo") == ("loaded", "done", "")
    assert Author.objects.get(slug="photo").name == "Ada"
    # What the page says no longer is no longer heard.
    world.links["page"], world.pages["page"] = [], "says nothing"
    world.run(refresh=True)
    assert state("photo")[:2] == ("mined", "skipped" if nothing is None else "failed")


def test_a_smaller_parent_that_comes_in_a_later_run_is_heard(world):
    world.add("b", author("b"), links=[mined("image", alt="from b")])
    world.add("image", alt)
    world.seeds = ["b"]
    world.run()
    world.add("a", author("a"), links=[mined("image", alt="from a")])
    world.seeds = ["b", "a"]
    result = world.run()
    assert Author.objects.get(slug="image").name == "from a"
    assert world.fetched == ["b", "image", "a"]
    assert result.models == {"testapp.Author": {"created": 1, "updated": 1}}


@pytest.mark.parametrize("batch", [1, 100])
@pytest.mark.parametrize(
    ("now", "heard"),
    [
        ([mined("image", alt="from a, edited")], "from a, edited"),
        ([mined("image")], "from b"),
        ([], "from b"),
        ([mined("image"), mined("other")], "from b"),
    ],
)
def test_what_a_page_says_anew_or_no_longer_is_heard_after_a_refresh(now, heard, batch, world, configure):
    configure(BATCH_SIZE=batch)
    world.add("a", author("a"), links=[mined("image", alt="from a")])
    world.add("b", author("b"), links=[mined("image", alt="from b")])
    world.add("image", alt)
    world.add("other", author("other"))
    world.seeds = ["a", "b"]
    world.run()
    assert Author.objects.get(slug="image").name == "from a"
    world.pages["a"] = "page a, edited"
    world.links["a"] = now
    world.run(refresh=True)
    assert Author.objects.get(slug="image").name == heard
    assert world.run().changed == 0


def test_what_nobody_says_any_more_is_forgotten(world):
    world.add("a", author("a"), links=[mined("image", alt="from a")])
    world.add("image", alt)
    world.seeds = ["a"]
    world.run()
    world.pages["a"] = "page a, edited"
    world.links["a"] = []
    world.run(refresh=True)
    assert Author.objects.get(slug="image").name == "none"


def test_the_seeder_s_and_the_extractor_s_word_stand_above_the_page_s(world):

    world.add("a", author("a"), links=[Mined(key("b"), {"alt": "mined", "name": "mined", "size": "mined"})])
    seen = {}
    world.add("b", lambda page: seen.update(page.metadata) or author("b"))
    world.pages["b"] = Extraction(Payload.from_text("x"), {"size": "extracted"})
    world.seeds = ["a", Seed(key("b"), {"name": "seeded", "size": "seeded"})]
    world.run(until="transform")
    world.run(start="transform")
    assert seen == {"alt": "mined", "name": "seeded", "size": "extracted"}


def test_a_changed_miner_mines_again_what_was_brought_and_fetches_nothing_twice(world):
    world.add("a", author("a"), links=["b"])
    world.add("b", author("b"))
    world.add("c", author("c"))
    world.seeds = ["a"]
    world.run()
    world.links["a"] = ["c"]
    world.versions["mine"] = "2"
    result = world.run()
    assert world.fetched == ["a", "b", "c"]
    assert set(Author.objects.values_list("slug", flat=True)) == {"a", "b", "c"}
    assert result.models == {"testapp.Author": {"created": 1, "unchanged": 2}}


def test_a_miner_that_exits_fails_its_page_and_the_run_goes_on(world):
    @miner(version="1")
    def exits(page):
        if page.key.value == "bad":
            raise SystemExit(3)
        return []

    world.changes["miners"] = [exits]
    world.add("bad", author("bad"))
    world.add("good", author("good"))
    result = world.run()
    assert (result.failed, Author.objects.count()) == (1, 1)
    assert state("bad") == ("extracted", "failed", "the miner ended with SystemExit: 3")
    assert "SystemExit" in resource("bad").traceback


def test_a_miner_may_go_on_with_the_mapping_that_it_gave(world):
    @miner(version="1")
    def numbered(page):
        said = {"tags": []}
        for name in ("b", "c") if page.key.value == "a" else ():
            said["alt"] = name
            said["tags"].append(name)
            yield Mined(key(name), said)

    for name in "abc":
        world.add(name, author(name))
    world.seeds = ["a"]
    world.changes["miners"] = [numbered]
    heard = {}
    world.specs["b"] = lambda page: heard.setdefault("b", dict(page.metadata)) and None
    world.specs["c"] = lambda page: heard.setdefault("c", dict(page.metadata)) and None
    world.run()
    assert heard == {"b": {"alt": "b", "tags": ["b"]}, "c": {"alt": "c", "tags": ["b", "c"]}}


def test_a_processor_cannot_change_what_the_next_one_sees(world):
    @miner(version="1")
    def spoils(page):
        for change in (
            lambda: setattr(page, "key", key("z")),
            lambda: page.metadata.update(alt="changed"),
            lambda: delattr(page, "mined"),
        ):
            with pytest.raises((AttributeError, TypeError)):
                change()
        page.payload.record["name"] = "changed"
        return []

    seen = []
    world.add("a", lambda page: seen.append((page.key, dict(page.metadata), page.payload.record)))
    world.seeds = [Seed(key("a"), {"alt": "x"}, Payload.from_record({"name": "Ada"}))]
    world.changes["miners"] = [spoils]
    world.run()
    assert seen == [(key("a"), {"alt": "x"}, {"name": "Ada"})]


@pytest.mark.parametrize("given", [None, 5])
def test_a_miner_that_gives_nothing_to_go_through_says_so(given, world):
    world.add("a", author("a"))
    world.changes["miners"] = [miner(version="1")(lambda page: given)]
    assert world.run().failed == 1
    assert state("a")[2] == f"mine() gives Mined objects, with yield or in a list, got {given!r}"


class Silent:
    def __str__(self):
        raise SystemExit(4)


@pytest.mark.parametrize(("raised", "outcome"), [(SkipResource, "skipped"), (ZeroDivisionError, "failed")])
def test_an_error_that_exits_when_it_is_asked_what_it_says_costs_its_page_alone(raised, outcome, world):
    @miner(version="1")
    def silent(page):
        if page.key.value == "a":
            raise raised(Silent())
        return []

    world.add("a", author("a"))
    world.add("b", author("b"))
    world.changes["miners"] = [silent]
    world.run()
    assert state("a")[1] == outcome
    assert Author.objects.get().slug == "b"
