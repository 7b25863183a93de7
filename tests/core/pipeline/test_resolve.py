"""Resolve: links and other refs to what comes later, moves, changes or is not there, over several runs."""

import datetime as dt

from testapp.models import Article, Author, Picky, Tag
from world import article, author, key, state

from isekai_core import Extraction, ModelRef, Payload, ResourceRef, Spec, Text


def link(name, fallback=None):
    return ResourceRef(key(name), "url", soft=True, fallback=fallback or f"/old/{name}")


def test_a_link_to_what_comes_in_a_later_run_is_written_then(world):
    world.add("ada", author())
    world.add("a", article("a", body=Text("see ", link("b"))))
    world.run()
    assert Article.objects.get().body == "see /old/b"
    world.add("b", article("b"))
    result = world.run()
    assert Article.objects.get(slug="a").body == "see /articles/b/"
    assert result.models == {"testapp.Article": {"created": 1, "relinked": 1}}
    assert world.run().changed == 0
    assert world.fetched.count("a") == world.transformed.count("a") == 1


def test_a_link_follows_its_target_when_its_address_changes(world):
    world.add("ada", author())
    world.add("a", article("a", body=Text(link("b"))))
    world.add("b", article("b"))
    world.run()
    world.pages["b"] = "edited"
    world.specs["b"] = article("c")
    world.run(refresh=True)
    assert Article.objects.get(slug="a").body == "/articles/c/"


def test_a_link_to_what_failed_first_is_written_when_it_heals(world):
    world.add("ada", author())
    world.add("a", article("a", body=Text(link("b"))))
    world.add("b", ValueError("not yet"))
    world.run()
    world.specs["b"] = article("b")
    world.run(start="transform")
    assert Article.objects.get(slug="a").body == "/articles/b/"


def test_a_text_edited_by_hand_is_not_relinked(world):
    world.add("ada", author())
    world.add("a", article("a", body=Text(link("b"))))
    world.run()
    Article.objects.update(body="my own words")
    world.add("b", article("b"))
    world.run()
    assert Article.objects.get(slug="a").body == "my own words"
    assert "body" in state("a")[2]


def test_a_link_to_a_row_without_an_address_keeps_the_source_s_own_and_the_run_ends(world):
    world.add("ada", author())
    world.add("a", article("a", body=Text(link("t"), link("d"))))
    world.add("t", Spec("testapp.Tag", {"name": "t"}))
    assert world.run().is_complete
    assert Article.objects.get().body == "/old/t/old/d"
    assert world.run().changed == 0


def test_a_link_to_a_page_that_redirects_later_leads_to_the_new_one(world):
    world.add("ada", author())
    world.add("a", article("a", body=Text(link("b"))))
    world.add("b", article("b"))
    world.run()
    world.pages["b"] = Extraction(Payload.from_text("moved"), final_key=key("c"))
    world.specs["c"] = article("c")
    assert world.run(refresh=True).is_complete
    assert Article.objects.get(slug="a").body == "/articles/c/"
    assert world.run().changed == 0


def test_a_page_that_redirects_later_to_what_fails_keeps_the_run_from_no_end(world):
    world.add("ada", author())
    world.add("a", article("a", body=Text(link("b"))))
    world.add("b", article("b"))
    world.run()
    world.pages["b"] = Extraction(Payload.from_text("moved"), final_key=key("c"))
    world.specs["c"] = ValueError("no")
    world.pages["a"] = "edited"
    assert world.run(refresh=True).failed == 1
    assert Article.objects.get(slug="a").body == "/old/b"


def test_soft_refs_in_relations_lists_and_json_are_filled_when_their_target_comes(world):
    soft = ResourceRef(key("s"), soft=True)
    world.add("ada", author())
    world.add("a", article("a", section=soft, data={"in": [ResourceRef(key("s"), "title", soft=True, fallback="?")]}))
    world.run()
    first = Article.objects.get()
    assert (first.section, first.data) == (None, {"in": ["?"]})
    world.add("s", Spec("testapp.Section", {"slug": "s", "title": "News"}))
    world.run()
    first.refresh_from_db()
    assert (first.section.slug, first.data) == ("s", {"in": ["News"]})


def test_an_attribute_of_another_row_is_written_again_when_that_changes(world):
    world.add("ada", author("ada", name="Ada"))
    world.add("a", article("a", title=ResourceRef(key("ada"), "name")))
    world.run()
    world.pages["ada"] = "edited"
    world.specs["ada"] = author("ada", name="Ada Lovelace")
    world.run(refresh=True)
    assert Article.objects.get().title == "Ada Lovelace"


def test_a_reference_in_a_list_that_is_not_there_yet_is_left_out_and_comes_later(world):
    world.add("ada", author())
    world.add("a", article("a", tags=[ResourceRef(key("t"), soft=True), ModelRef("testapp.Tag", name="old")]))
    Tag.objects.create(name="old")
    assert world.run().is_complete, state("a")
    assert [tag.name for tag in Article.objects.get().tags.all()] == ["old"]
    world.add("t", Spec("testapp.Tag", {"name": "t"}))
    world.run()
    assert {tag.name for tag in Article.objects.get().tags.all()} == {"old", "t"}


def test_a_key_in_json_that_is_no_number_stands_there_as_text(world):
    ada = Author.objects.create(slug="ada", name="Ada")
    day = dt.date(2026, 1, 31)
    Article.objects.create(slug="old", title="Old", author=ada, published_on=day)
    world.add("ada", author())
    world.add("picky", Spec("testapp.Picky", {"name": "p"}))
    data = {"ids": [ResourceRef(key("picky"))], "on": ModelRef("testapp.Article", attr="published_on", slug="old")}
    world.add("a", article("a", data=data))
    assert world.run().is_complete
    assert Article.objects.get(slug="a").data == {"ids": [str(Picky.objects.get().pk)], "on": "2026-01-31"}
    assert world.run(start="transform").changed == 0
