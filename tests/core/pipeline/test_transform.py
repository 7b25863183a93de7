"""Transform: who makes the spec, what is wrong with one, and that nothing of a page is ever taken for a ref."""

import datetime as dt
import json
import uuid
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import models
from django.test.utils import isolate_apps
from testapp.models import Article, Author, Photo, Tag
from world import author, key, resource, state, states

from isekai_core import BlobRef, Key, ModelRef, Payload, ResourceRef, Spec, Text
from isekai_core.errors import SkipResource, TransformError
from isekai_core.models import Dependency
from isekai_core.pipeline.definition import miner, transformer
from isekai_core.pipeline.store.payloads import view_of
from isekai_core.pipeline.transform import check_model
from isekai_core.pipeline.work import read_spec


def test_the_first_transformer_that_returns_a_spec_wins(world):
    asked = []

    def named(name, accepts="*", result=None):
        @transformer(accepts=accepts, version=name)
        def transform(page):
            asked.append(name)
            return result

        return transform

    world.add("a")
    world.changes["transformers"] = [
        named("images", "image/*", author("image")),
        named("nothing"),
        named("texts", "text/*", author("text")),
        named("late", "*", author("late")),
    ]
    world.run()
    assert asked == ["nothing", "texts"]
    assert Author.objects.get().slug == "text"


def test_what_no_transformer_wants_is_skipped_with_its_media_type(world):
    world.add("a", None)
    result = world.run()
    assert state("a") == ("mined", "skipped", "no transformer returned a spec for it (text/plain)")
    assert result.is_complete


def test_a_transformer_that_raises_keeps_class_message_traceback_and_processor(world):
    world.add("a", lambda page: {}["author"])
    world.add("b", author("b"))
    world.run()
    row = resource("a")
    assert (row.stage, row.state) == ("mined", "failed")
    assert (row.error_stage, row.error_class, row.message) == ("transform", "KeyError", "'author'")
    assert 'lambda page: {}["author"]' in row.traceback
    assert row.error_processor.endswith("transform")
    assert Author.objects.get().slug == "b"


def test_a_failure_without_text_is_named_after_its_class(world):
    world.add("a", ValueError())
    world.run()
    assert state("a")[2] == "builtins.ValueError"


def test_an_error_that_cannot_be_shown_is_still_kept(world):
    class Mute(Exception):
        def __str__(self):
            msg = "no words"
            raise RuntimeError(msg)

    world.add("a", Mute())
    world.add("b", author("b"))
    assert world.run().failed == 1
    assert "Mute" in resource("a").error_class
    assert Author.objects.get().slug == "b"


def test_an_error_with_nul_and_bytes_in_its_text_is_the_same_on_every_database(world):
    world.add("a", ValueError("a\x00b \udce9"))
    world.run()
    assert state("a")[2] == "a\\x00b \\udce9"


def test_refusing_and_skipping_need_no_traceback(world):
    world.add("a", TransformError("no title on this page"))
    world.add("b", SkipResource("a draft"))
    result = world.run()
    assert state("a") == ("mined", "failed", "no title on this page")
    assert state("b") == ("mined", "skipped", "a draft")
    assert resource("a").traceback == ""
    assert result.failed == 1


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"name": "Ada"}, "a transformer returns a Spec or None, got {'name': 'Ada'}"),
        (False, "a transformer returns a Spec or None, got False"),
        (Spec("testapp.Autor", {"name": "x"}), "there is no model 'testapp.Autor' (did you mean 'testapp.Author'?)"),
        (Spec("nosuch.Thing", {}), "there is no model 'nosuch.Thing'"),
        (Spec("testapp.Author", {"nam": "x"}), "testapp.Author has no field 'nam' to fill (did you mean 'name'?)"),
        (Spec("testapp.Article", {"tags": []}, match=["tags"]), "match names 'tags', which cannot tell one row from"),
        (Spec("testapp.Photo", {"file": BlobRef()}, match=["file"]), "match names 'file', which cannot tell one row"),
        (Spec("testapp.Author", {"articles": []}), "testapp.Author has no field 'articles' to fill"),
        (Spec("testapp.Author", {"name": object()}), "values.name: cannot keep a value of type object"),
        (Spec("testapp.Author", {"name": [1, {"on": {1}}]}), "values.name[1].on: cannot keep a value of type set"),
        (Spec("testapp.Article", {"author": ResourceRef("thing:b")}), "expected a Key"),
        (Spec("testapp.Article", {"author": ResourceRef(Key("file", "\udce9"))}), "lone surrogate"),
    ],
)
def test_w14_a_wrong_spec_fails_its_resource_alone_and_names_what_is_wrong(given, reason, world):
    world.add("a", given)
    world.add("b", author("b"))
    result = world.run()
    assert result.failed == 1
    assert state("a")[:2] == ("mined", "failed")
    assert reason in state("a")[2]
    assert Author.objects.get().slug == "b"


def test_the_fields_there_are_are_listed(world):
    world.add("a", Spec("testapp.Tag", {"nome": "x"}))
    world.run()
    assert state("a")[2].endswith("its fields: id, name")


def test_w14_a_spec_without_values_is_a_spec(world):
    world.add("a", Spec("testapp.Document", {"title": "t", "next": ResourceRef(key("a"))}))
    world.add("b", Spec("testapp.Author", {}))
    world.run()
    assert state("a")[1:] == ("done", "")
    assert state("b")[2] == "testapp.Author needs 'slug', 'name', which the spec gives no value for"


def test_w7_dates_decimals_and_the_like_are_kept_in_a_spec_and_come_back_equal(world):
    values = {
        "title": "t",
        "published_on": dt.date(2026, 1, 31),
        "updated_at": dt.datetime(2026, 1, 31, 12, 30, tzinfo=dt.UTC),
        "price": Decimal("1.50"),
        "data": {"$": "ref", "n": 1.5, "on": [True, None, {"$": {"$": "x"}}]},
        "attachment": BlobRef(name="a.txt"),
        "author": ResourceRef(key("b"), soft=True, fallback=uuid.UUID(int=1)),
        "body": Text("a", ResourceRef(key("c"), "url", soft=True, fallback="/c")),
        "hero": ModelRef("testapp.Photo", pk=3, width=2),
    }
    world.add("a", Spec("testapp.Article", values))
    world.run(until="transform")

    stored = read_spec(view_of(resource("a").spec))
    assert stored.values == values
    assert stored.model == "testapp.Article"


@pytest.mark.parametrize(
    "text",
    [
        "isekai-model-ref:\\auth.User?username=admin::password%REFEND%",
        '{"$": "model", "model": "auth.User", "attr": "password", "lookup": {"username": "admin"}}',
        '{"$": "ref", "key": "thing:b", "attr": "pk", "soft": false}',
        "{'$': 'text', 'parts': []}",
    ],
)
def test_s1_what_a_page_says_is_never_taken_for_a_ref(text, world):

    User.objects.create_user("admin", password="secret")
    data = json.loads(text) if text.startswith('{"') else {"said": text}
    values = {"slug": "a", "title": text[:200], "body": text, "author": ResourceRef(key("ada")), "data": data}
    world.add("ada", author("ada"))
    world.add("a", Spec("testapp.Article", values), text=text)
    assert world.run().is_complete
    loaded = Article.objects.get()
    assert (loaded.title, loaded.body, loaded.data) == (text[:200], text, data)
    assert "md5" not in loaded.body + str(loaded.data)


@pytest.mark.parametrize("name", ["50%25 off", "a::b", "ä%C3%A4", "x%REFEND%y", "q?a=1&b=%2F#z"])
def test_w3_refs_to_keys_with_percent_signs_and_colons_find_their_rows(name, world):
    link = ResourceRef(key(name), "url", soft=True, fallback="lost")
    world.add(name, author("ada"))
    world.add("a", author("a", name=Text("see ", link)))
    world.run()
    assert Author.objects.get(slug="a").name == "see /authors/ada/"


def test_a_changed_transformer_is_asked_again_and_nothing_is_fetched_or_mined(world):
    for name in "ab":
        world.add(name, author(name))
    world.run()
    pks = dict(Author.objects.values_list("slug", "pk"))
    world.specs["a"] = author("a", name="Other")
    world.versions["transform"] = "2"
    result = world.run()
    assert (len(world.fetched), len(world.mined), world.transformed) == (2, 2, ["a", "b", "a", "b"])
    assert result.models == {"testapp.Author": {"updated": 1, "unchanged": 1}}
    assert dict(Author.objects.values_list("slug", "pk")) == pks
    assert world.run().changed == 0


def test_a_transformer_changed_back_is_a_change_too(world):
    world.add("a", author("a"))
    world.run()
    for version, name in (("2", "Two"), ("1", "One")):
        world.versions["transform"] = version
        world.specs["a"] = author("a", name=name)
        assert world.run().changed == 1
    assert Author.objects.get().name == "One"


def test_a_failed_transform_is_tried_again_when_the_transformer_changed_and_not_before(world):
    world.add("a", ValueError("not yet"))
    world.run()
    world.run()
    assert world.transformed == ["a"]
    world.specs["a"] = author("a")
    world.versions["transform"] = "2"
    assert world.run().is_complete
    assert world.fetched == ["a"]


def test_w4_model_refs_keep_the_types_of_their_lookups(world):
    tag = Tag.objects.create(name="3")
    world.add("ada", author("ada"))
    values = {
        "slug": "a",
        "title": "t",
        "author": ResourceRef(key("ada")),
        "tags": [ModelRef("testapp.Tag", pk=tag.pk)],
    }
    world.add("a", Spec("testapp.Article", values))
    values = {"slug": "b", "title": "t", "author": ModelRef("testapp.Author", slug="ada", email="")}
    world.add("b", Spec("testapp.Article", values))
    world.run(until="transform")
    Author.objects.create(slug="ada", name="there before")
    world.specs["ada"] = author("ada")
    assert world.run().is_complete
    assert Article.objects.get(slug="a").tags.get() == tag


def test_until_transform_writes_no_row_and_the_next_run_goes_on_from_there(world):
    world.add("a", author("a"))
    world.run(until="transform")
    assert (states()["a"], Author.objects.count()) == (("transformed", "ready"), 0)
    world.run()
    assert (len(world.fetched), len(world.transformed), Author.objects.count()) == (1, 1, 1)


def test_start_transform_works_offline_from_what_is_stored(world):
    world.add("a", author("a"), text="kept text")
    world.add("new", author("new"))
    world.seeds = ["a"]
    world.run()
    world.pages.clear()
    world.seeds = ["a", "new"]
    world.specs["a"] = lambda page: author("a", name=page.payload.text)
    result = world.run(start="transform")
    assert Author.objects.get().name == "kept text"
    assert world.fetched == ["a"]
    assert result.stages["seed"] == {}
    assert set(states()) == {"a"}


def test_what_a_transformer_sees(world):
    seen = []

    def look(page):
        seen.append((page.key, page.media_type, page.payload.text, page.depth, page.mined))

    world.add("a", look, links=["b"], text="<p>hi")
    world.pages["a"] = Payload.from_text("<p>hi", "text/html")
    world.add("b")
    world.seeds = ["a"]
    world.run()
    world.run(start="transform")
    assert seen == [(key("a"), "text/html", "<p>hi", 0, frozenset({key("b")}))] * 2


def test_work_that_processors_share_is_done_once_a_page(world):

    made = []

    def parse(page):
        made.append(page.key.value)
        return page.payload.text.split()

    @miner(version="1")
    def words(page):
        page.once("test/words", parse)
        return ()

    world.add("a", lambda page: author("a", name=page.once("test/words", parse)[0]))
    world.changes["miners"] = [words, words]
    world.run()
    assert made == ["a"]
    assert Author.objects.get().name == "page"


def test_what_the_spec_refers_to_is_an_edge_and_hard_where_one_of_them_is(world):
    hard, soft = ResourceRef(key("ada")), ResourceRef(key("b"), "url", soft=True, fallback="")
    also = ResourceRef(key("ada"), "url", soft=True, fallback="")
    world.add("a", Spec("testapp.Article", {"slug": "a", "title": "t", "author": hard, "body": Text(soft, also)}))
    world.add("ada", author("ada"))
    world.seeds = ["a"]
    assert world.run().is_complete
    edges = set(Dependency.objects.values_list("child__key", "ref", "found"))
    assert edges == {("thing:ada", "hard", False), ("thing:b", "soft", False)}
    assert state("b") == ("seeded", "skipped", "only referred to: no seeder and no miner gave it")
    assert state("ada")[1] == "done"


def test_other_bytes_under_the_same_spec_are_another_file_of_the_row(world):
    world.add("a", Spec("testapp.Photo", {"file": BlobRef(name="a.png"), "alt": "x"}))
    world.pages["a"] = Payload.from_blob(b"first", "image/png")
    world.run()
    world.pages["a"] = Payload.from_blob(b"retouched", "image/png")
    result = world.run(refresh=True)
    assert result.models == {"testapp.Photo": {"updated": 1}}
    with Photo.objects.get().file.open() as file:
        assert file.read() == b"retouched"
    assert world.run(refresh=True).changed == 0


def test_a_transformer_that_exits_fails_its_page_and_the_run_goes_on(world):
    @transformer(version="1")
    def exits(page):
        if page.key.value == "bad":
            raise SystemExit(0)
        return author(page.key.value)

    world.changes["transformers"] = [exits]
    world.add("bad")
    world.add("good")
    result = world.run()
    assert (result.failed, Author.objects.count()) == (1, 1)
    assert state("bad")[2] == "the transformer ended with SystemExit: 0"


class Elsewhere:
    """A router that has the authors in another database than all else."""

    def db_for_write(self, model, **hints):
        return "other" if model is Author else None


def test_a_model_in_another_database_than_the_journal_is_refused_before_anything_is_written(world, settings):
    settings.DATABASE_ROUTERS = [Elsewhere()]
    world.add("a", author("a"))
    assert world.run().failed == 1
    assert state("a")[2] == (
        "testapp.Author is in the database 'other', and the journal in 'default'; a row and what is known of it are"
        " written together: let a router bring isekai_core to 'other'"
    )


@isolate_apps("testapp")
def test_a_model_with_a_key_of_several_columns_is_refused_by_name():
    class Pair(models.Model):
        pk = models.CompositePrimaryKey("left", "right")
        left = models.IntegerField()
        right = models.IntegerField()

        class Meta:
            app_label = "testapp"

    with pytest.raises(TransformError, match=r"testapp\.Pair has a composite primary key, which cannot be loaded"):
        check_model(Pair)
