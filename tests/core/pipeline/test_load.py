"""Load: rows of every relation kind, order, cycles, updates, errors that hit only their resource."""

import json

import pytest
from testapp.models import Article, Author, Left, Node, Photo, Right, Section, Tag
from world import article, author, key, mined, state

from isekai_core import BlobRef, ModelRef, Payload, ResourceRef, Seed, Spec, Text
from isekai_core.models import Payload as PayloadRow
from isekai_core.models import Resource


def test_a_foreign_key_is_loaded_after_its_target_whatever_the_order_of_seeds(world):
    world.add("a", article("a"))
    world.add("ada", author())
    result = world.run()
    assert Article.objects.get().author.slug == "ada"
    assert result.models == {"testapp.Article": {"created": 1}, "testapp.Author": {"created": 1}}
    assert result.is_complete


def test_links_in_text_become_addresses_of_the_rows_even_in_circles(world):
    def link(name):
        return ResourceRef(key(name), "url", soft=True, fallback=f"/old/{name}")

    world.add("ada", author())
    world.add("a", article("a", body=Text("see ", link("b"), " and ", link("gone"))))
    world.add("b", article("b", body=Text("see ", link("a"))))
    result = world.run()
    assert Article.objects.get(slug="a").body == "see /articles/b/ and /old/gone"
    assert Article.objects.get(slug="b").body == "see /articles/a/"
    assert result.models["testapp.Article"] == {"created": 2, "relinked": 2}


def test_a_second_run_changes_nothing(world):
    world.add("ada", author())
    world.add("a", article("a"))
    world.run()
    fetched = list(world.fetched)
    result = world.run()
    assert world.fetched == fetched
    assert result.changed == 0
    assert result.models == {}


def test_many_to_many_json_and_model_refs(world):
    Tag.objects.create(name="old")
    world.add("ada", author())
    world.add("red", Spec("testapp.Tag", {"name": "red"}, match=["name"]))
    world.add(
        "a",
        article(
            "a",
            tags=[ResourceRef(key("red")), ModelRef("testapp.Tag", name="old")],
            data={"by": ResourceRef(key("ada"), "name"), "pk": [ResourceRef(key("ada"))], "$": "ref"},
        ),
    )
    world.run()
    loaded = Article.objects.get()
    assert {tag.name for tag in loaded.tags.all()} == {"red", "old"}
    assert loaded.data == {"by": "Ada", "pk": [loaded.author_id], "$": "ref"}


def test_a_nullable_cycle_is_filled_in_a_second_phase(world):
    world.add("a", Spec("testapp.Node", {"name": "a", "parent": ResourceRef(key("b"))}))
    world.add("b", Spec("testapp.Node", {"name": "b", "parent": ResourceRef(key("a"))}))
    world.add("self", Spec("testapp.Node", {"name": "self", "parent": ResourceRef(key("self"))}))
    result = world.run()
    assert {node.name: node.parent.name for node in Node.objects.all()} == {"a": "b", "b": "a", "self": "self"}
    assert result.models == {"testapp.Node": {"created": 3}}


def test_a_cycle_of_required_keys_is_loaded_with_keys_taken_in_advance(world):
    world.add("l", Spec("testapp.Left", {"name": "l", "right": ResourceRef(key("r"))}))
    world.add("r", Spec("testapp.Right", {"name": "r", "left": ResourceRef(key("l"))}))
    world.run()
    assert Left.objects.get().right == Right.objects.get()
    assert Right.objects.get().left == Left.objects.get()
    later = Right.objects.create(name="later", left=Left.objects.get())
    assert later.pk > Right.objects.get(name="r").pk


def test_what_needs_a_failed_resource_is_blocked_and_names_it(world):
    world.add("ada", ValueError("no name on this page"))
    world.add("a", article("a"))
    world.add("other", author("bob"))
    result = world.run()
    assert state("ada")[1:] == ("failed", "no name on this page")
    assert state("a")[1:] == ("blocked", "needs thing:ada, which is not loaded")
    assert Author.objects.get().slug == "bob"
    assert (result.failed, result.blocked) == (1, 1)
    world.specs["ada"] = author()
    Resource.objects.filter(key="thing:ada").update(state="ready")
    assert world.run().is_complete


def test_one_unique_violation_fails_alone(world):
    for number in range(20):
        world.add(f"s{number}", Spec("testapp.Author", {"slug": f"s{number % 19}", "name": "x"}))
    result = world.run()
    assert Author.objects.count() == 19
    assert result.failed == 1
    failed = Resource.objects.get(state="failed")
    assert "slug" in failed.message


def test_a_missing_required_field_and_an_over_long_one_are_named(world):
    world.add("a", Spec("testapp.Author", {"slug": "a"}))
    world.add("b", Spec("testapp.Author", {"slug": "b", "name": "x" * 200}))
    world.add("c", Spec("testapp.Author", {"slug": "c", "name": "nul\x00"}))
    world.run()
    assert state("a")[2] == "testapp.Author needs 'name', which the spec gives no value for"
    assert "field 'name'" in state("b")[2]
    assert "field 'name': holds a NUL character" in state("c")[2]


def test_an_unknown_model_or_field_is_named_with_those_there_are(world):
    world.add("a", Spec("testapp.Autor", {}))
    world.add("b", Spec("testapp.Section", {"titel": "b"}))
    world.run()
    assert "did you mean 'testapp.Author'?" in state("a")[2]
    assert state("b")[2].startswith("testapp.Section has no field 'titel' to fill (did you mean 'title'?)")


def test_match_updates_a_row_that_exists_already(world):
    Section.objects.create(slug="news", title="Old")
    world.add("n", Spec("testapp.Section", {"slug": "news", "title": "News"}, match=["slug"]))
    result = world.run()
    assert Section.objects.get().title == "News"
    assert result.models == {"testapp.Section": {"updated": 1}}


def test_a_field_edited_by_hand_since_is_left_alone(world):
    world.add("n", Spec("testapp.Section", {"slug": "news", "title": "News"}, match=["slug"]))
    world.run()
    Section.objects.update(title="By hand")
    world.pages["n"] = "changed"
    world.specs["n"] = Spec("testapp.Section", {"slug": "news", "title": "Newer"}, match=["slug"])
    world.run(refresh=True)
    assert Section.objects.get().title == "By hand"
    assert "title" in state("n")[2]


def test_a_changed_source_updates_its_row_in_place_and_only_that(world):
    world.add("a", author("ada"))
    world.add("b", author("bob"))
    world.run()
    pks = dict(Author.objects.values_list("slug", "pk"))
    world.transformed.clear()
    world.pages["b"] = "new"
    world.specs["b"] = Spec("testapp.Author", {"slug": "robert", "name": "Bob"}, match=["slug"])
    result = world.run(refresh=True)
    assert world.transformed == ["b"]
    assert dict(Author.objects.values_list("slug", "pk")) == {"ada": pks["ada"], "robert": pks["bob"]}
    assert result.models == {"testapp.Author": {"unchanged": 1, "updated": 1}}


@pytest.mark.parametrize("size", [250])
def test_a_long_chain_of_refs_is_loaded_from_its_end(world, size):
    for number in range(size):
        values = {"name": str(number)} | ({"parent": ResourceRef(key(str(number + 1)))} if number + 1 < size else {})
        world.add(str(number), Spec("testapp.Node", values))
    world.run()
    assert Node.objects.filter(parent=None).count() == 1
    assert Node.objects.count() == size


def file_of(name):
    return Spec("testapp.Photo", {"file": BlobRef(key(name), "a.png"), "alt": "a"}, match=["alt"])


def shown():
    with Photo.objects.get().file.open() as file:
        return file.read()


def test_a_file_of_another_resource_follows_that_one_when_it_is_fetched_anew(world):
    world.add("page", file_of("image"))
    world.add("image")
    world.pages["image"] = Payload.from_blob(b"one", "image/png")
    world.run()
    assert shown() == b"one"
    assert world.run(refresh=True).changed == 0
    world.pages["image"] = Payload.from_blob(b"two", "image/png")
    result = world.run(refresh=True)
    assert (result.models["testapp.Photo"]["updated"], result.changed) == (1, 1)
    assert shown() == b"two"
    assert world.transformed.count("page") == 1
    assert world.run().changed == 0


def test_a_file_of_another_resource_follows_what_a_seeder_gives_for_that_one(world):
    world.add("page", file_of("image"))
    for content in (b"one", b"two"):
        world.seeds = ["page", Seed(key("image"), payload=Payload.from_blob(content, "image/png"))]
        assert world.run().is_complete
        assert shown() == content


def test_a_file_of_another_resource_follows_what_a_page_gives_for_that_one(world):
    world.add("page", file_of("image"))
    world.seeds = ["page"]
    for number, content in enumerate((b"one", b"two")):
        world.pages["page"] = f"page {number}"
        world.links["page"] = [mined("image", Payload.from_blob(content, "image/png"))]
        assert world.run(refresh=True).is_complete
        assert shown() == content


def test_bytes_of_a_resource_that_does_not_come_fail_what_makes_a_file_of_them(world):
    world.add("page", file_of("image"))
    assert world.run().failed == 1
    assert state("page")[2] == "field 'file': thing:image has no payload to make a file of"


def linked(slug, name):
    """An article whose text links to another resource."""
    link = ResourceRef(key(name), "url", soft=True, fallback=f"/old/{name}.html")
    return article(slug, body=Text("see ", link))


def test_links_to_a_row_that_was_there_with_the_same_values_are_rewritten(world):
    ada = Author.objects.create(slug="ada", name="Ada")
    Article.objects.create(slug="b", title="B", author=ada)
    world.add("ada", author())
    world.add("a", linked("a", "b"))
    world.add("b", article("b"))
    result = world.run()
    assert result.models["testapp.Article"]["unchanged"] == 1
    assert Article.objects.get(slug="a").body == "see /articles/b/"
    assert world.run().changed == 0


def test_a_soft_foreign_key_to_a_row_that_was_there_is_filled(world):
    Node.objects.create(name="a")
    world.add("b", Spec("testapp.Node", {"name": "b", "parent": ResourceRef(key("a"), soft=True)}, match=["name"]))
    world.add("a", Spec("testapp.Node", {"name": "a"}, match=["name"]))
    assert world.run().is_complete
    assert Node.objects.get(name="b").parent.name == "a"


@pytest.mark.parametrize("address", [None, "", ValueError("no such pattern")])
def test_a_soft_link_to_a_row_without_a_usable_address_keeps_the_sources_own(address, world, monkeypatch):
    def answer(self):
        if isinstance(address, Exception):
            raise address
        return address

    monkeypatch.setattr(Author, "get_absolute_url", answer)
    world.add("ada", author())
    world.add("a", linked("a", "ada"))
    assert world.run().is_complete
    assert Article.objects.get().body == "see /old/ada.html"


@pytest.mark.parametrize("batch_size", [1, 100])
def test_an_address_that_holds_what_none_may_hold_does_not_end_the_attribute_it_is_written_into(
    batch_size, world, configure, monkeypatch
):
    monkeypatch.setattr(Article, "get_absolute_url", lambda self: f"/{self.title}/?a=1&b=2#'é'%20")
    configure(BATCH_SIZE=batch_size)
    world.add("ada", author())
    world.add("a", article("a", body=Text('<a href="', ResourceRef(key("b"), "url", soft=True), '">')))
    world.add("b", article("b", title='"><script>\\ {x}', body=Text("see ", ResourceRef(key("a"), "url", soft=True))))
    assert world.run().is_complete
    assert Article.objects.get(slug="a").body == ("""<a href="/%22%3E%3Cscript%3E%5C%20%7Bx%7D/?a=1&b=2#'é'%20">""")
    assert world.run(start="load").models == {"testapp.Article": {"unchanged": 2}, "testapp.Author": {"unchanged": 1}}


def test_a_hard_ref_to_an_address_that_cannot_be_told_says_why(world, monkeypatch):
    monkeypatch.setattr(Author, "get_absolute_url", lambda self: {}["pattern"])
    world.add("ada", author())
    world.add("a", article("a", body=ResourceRef(key("ada"), "url")))
    assert world.run().failed == 1
    pk = Author.objects.get().pk
    assert state("a")[2] == f"field 'body': 'url' of testapp.Author {pk} ended with KeyError: 'pattern'"


def test_a_field_that_is_gone_since_it_was_transformed_is_told_with_what_to_do(world):
    world.add("a", author())
    world.run(until="transform")
    made = {"model": "testapp.Author", "values": {"nome": "Ada"}, "match": []}
    PayloadRow.objects.filter(kind="record").update(data=json.dumps(made).encode(), packing="")
    assert world.run().failed == 1
    assert (
        state("a")[2] == "testapp.Author has no field 'nome' any more: transform it again (isekai run --from transform)"
    )
