"""The writer: what is loaded by what, what is told of what is not, and that nothing is left behind."""

import datetime as dt
import hashlib
from collections import Counter

import pytest
from django.db import DatabaseError, connection, models
from testapp.models import (
    Article,
    ArticleStats,
    Author,
    Country,
    Document,
    Node,
    Place,
    Profile,
    Restaurant,
    Saved,
    Section,
    Tag,
)
from world import article, author, key, resource, state

from isekai_core import ModelRef, ResourceRef, Spec, Text, use
from isekai_core.builtins.load import ModelLoader
from isekai_core.errors import SkipResource
from isekai_core.pipeline.resolve import Resolver


def test_w9_a_model_that_no_loader_accepts_is_a_failure_with_its_name(world):
    class OnlyTags(ModelLoader):
        accepts = ("testapp.Tag", "auth.*")

    world.changes["loaders"] = [OnlyTags()]
    world.add("a", author())
    world.add("t", Spec("testapp.Tag", {"name": "t"}))
    result = world.run()
    assert state("a") == ("transformed", "failed", "no loader of this pipeline accepts testapp.Author")
    assert (result.failed, Tag.objects.count()) == (1, 1)


def test_the_first_loader_that_accepts_the_model_writes_it(world):
    world.changes["loaders"] = [use("models", save="each"), use("models")]
    world.add("a", Spec("testapp.Saved", {"name": "a"}))
    world.run()
    assert Saved.objects.get().shouted == "A"


def test_a_key_that_points_nowhere_fails_alone_and_leaves_no_row_behind(world):
    world.add("ada", author())
    for number in range(9):
        world.add(f"a{number}", article(f"a{number}", section_id=999 if number == 4 else None))
    result = world.run()
    assert (result.failed, Article.objects.count()) == (1, 8)
    row = resource("a4")
    assert (row.stage, row.state, row.error_stage) == ("transformed", "failed", "load")
    assert (row.target_pk, row.loaded_hash, row.written) == ("", "", "")
    assert "testapp_article" in row.message


def test_whoever_loaded_is_known_even_where_the_first_batch_failed(world):
    for name, slug in (("a", "same"), ("b", "same"), ("c", "c")):
        world.add(name, Spec("testapp.Author", {"slug": slug, "name": "x"}))
    world.run()
    for name in "abc":
        assert resource(name).load_step.processor == "isekai-core/models"


def test_o2_statements_are_per_batch_and_not_per_object(world):
    world.add("ada", author())
    for number in range(500):
        links = [ResourceRef(key(f"a{number + step}"), "url", soft=True, fallback="x") for step in (1, 2, 3)]
        values = {"body": Text("see ", *links), "tags": [ResourceRef(key("red"))]}
        world.add(f"a{number}", article(f"a{number}", **values), links=[f"a{number + 1}", "ada"])
    world.add("a500", article("a500"))
    world.add("red", Spec("testapp.Tag", {"name": "red"}, match=["name"]))
    statements = []

    def count(execute, sql, params, many, context):
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        result = world.run()
    assert result.models["testapp.Article"]["created"] == 501
    assert len(statements) <= 200, Counter(sql[:60] for sql in statements).most_common(8)
    statements.clear()
    with connection.execute_wrapper(count):
        assert world.run(start="transform").changed == 0
    assert len(statements) <= 80, Counter(sql[:60] for sql in statements).most_common(8)


def test_w5_the_key_of_a_row_is_the_same_in_the_run_that_made_it_and_in_a_later_one(world):
    ref = ResourceRef(key("ada"))
    world.add("ada", author())
    world.add("a", article("a", data={"by": ref, "list": [ref]}))
    world.run()
    world.add("b", article("b", data={"by": ref, "list": [ref]}))
    world.run()
    first, second = Article.objects.order_by("slug")
    assert first.data == second.data == {"by": Author.objects.get().pk, "list": [Author.objects.get().pk]}


def test_w5_keys_that_are_no_numbers_keep_their_type(world):
    world.add("d", Spec("testapp.Document", {"title": "d", "next": ResourceRef(key("d"))}, match=["title"]))
    world.run()
    world.add("e", Spec("testapp.Document", {"title": "e", "next": ResourceRef(key("d"))}, match=["title"]))
    world.add("f", Spec("testapp.Author", {"slug": "f", "name": ResourceRef(key("d"))}))
    world.run()
    assert Document.objects.get(title="e").next.title == "d"
    assert Author.objects.get().name == str(Document.objects.get(title="d").pk)


def test_a_ref_to_a_row_of_another_model_is_refused_by_name(world):
    world.add("tag", Spec("testapp.Tag", {"name": "t"}))
    world.add("a", article("a", author=ResourceRef(key("tag"))))
    world.run()
    assert state("a")[2] == "field 'author': expected a testapp.Author, but thing:tag is a testapp.Tag"


def test_a_foreign_key_to_something_else_than_a_primary_key(world):
    world.add("ada", author())
    world.add("de", Spec("testapp.Country", {"code": "de", "leader": ResourceRef(key("ada"))}, match=["code"]))
    assert world.run().is_complete
    assert Country.objects.get().leader_id == "ada"


def test_one_to_one_as_primary_key_and_beside_one(world):
    world.add("ada", author())
    world.add("a", article("a"))
    world.add("s", Spec("testapp.ArticleStats", {"article": ResourceRef(key("a")), "views": 3}, match=["article"]))
    world.add("p", Spec("testapp.Profile", {"author": ResourceRef(key("ada")), "motto": "x"}, match=["author"]))
    world.run()
    world.specs["s"].values["views"] = 4
    world.specs["p"].values["motto"] = "y"
    result = world.run(start="transform")
    assert (ArticleStats.objects.get().views, Profile.objects.get().motto) == (4, "y")
    assert result.changed == 2


def test_a_parent_class_may_be_pointed_to_by_its_child(world):
    world.add("r", Spec("testapp.Restaurant", {"name": "r", "stars": 2}, match=["name"]))
    assert world.run().is_complete, state("r")
    world.specs["r"].values["stars"] = 3
    assert world.run(start="transform").models == {"testapp.Restaurant": {"updated": 1}}
    assert (Restaurant.objects.get().stars, Place.objects.get().name) == (3, "r")


@pytest.mark.parametrize(
    ("lookup", "reason"),
    [
        ({"name": "none"}, "field 'section': there is no testapp.Section with name='none'"),
        ({"title": "x"}, "field 'section': there is no testapp.Section with title='x'"),
        ({"title": "two"}, "field 'section': there is more than one testapp.Section with title='two'"),
        ({"title": "a\x00b"}, "field 'section': there is no testapp.Section with title='a\\x00b'"),
        ({"pk": "seven"}, "field 'section': cannot look for testapp.Section with pk='seven'"),
        ({"pk": 10**30}, "field 'section': there is no testapp.Section with pk=1" + "0" * 30),
    ],
)
def test_a_model_ref_that_finds_none_or_more_than_one_says_so(lookup, reason, world):
    for slug in "ab":
        Section.objects.create(slug=slug, title="two")
    world.add("ada", author())
    world.add("a", article("a", section=ModelRef("testapp.Section", **lookup)))
    world.add("b", article("b"))
    world.run()
    if "name" in lookup:
        reason = "field 'section': cannot look for testapp.Section with name='none'"
    assert state("a")[2].startswith(reason)
    assert Article.objects.get().slug == "b"


def test_a_row_deleted_by_hand_is_made_again_when_it_is_loaded_again(world):
    world.add("a", author())
    world.run()
    Author.objects.all().delete()
    assert world.run().changed == 0
    world.specs["a"] = author(name="New")
    result = world.run(start="transform")
    assert Author.objects.get().name == "New"
    assert result.models == {"testapp.Author": {"created": 1}}


def test_a_row_deleted_and_made_again_by_hand_is_the_one_that_is_matched(world):
    world.add("a", author("a", name="Ada"))
    world.run()
    Author.objects.all().delete()
    made = Author.objects.create(slug="a", name="By hand")
    result = world.run(start="load")
    assert result.models == {"testapp.Author": {"updated": 1}}
    assert Author.objects.get() == made
    assert (Author.objects.get().name, resource("a").target_pk) == ("Ada", str(made.pk))


def test_what_points_to_a_row_deleted_by_hand_says_what_it_was(world):
    world.add("ada", author())
    world.run()
    pk = Author.objects.get().pk
    Author.objects.all().delete()
    world.add("s", Spec("testapp.Section", {"slug": "s", "title": ResourceRef(key("ada"), "name")}))
    world.run()
    assert state("s")[2] == f"field 'title': it was testapp.Author {pk}, which is not there any more"


def test_two_resources_that_mean_one_row_write_it_in_turn_in_one_run(world):
    world.add("first", author("ada", name="First"))
    world.add("second", author("ada", name="Second"))
    result = world.run()
    assert Author.objects.count() == 1
    assert result.is_complete
    assert result.models["testapp.Author"]["created"] == 1
    assert resource("first").target_pk == resource("second").target_pk


def test_however_many_mean_one_row_each_is_looked_at_twice_at_most(world, monkeypatch):
    looked_at = Counter()
    resolve = Resolver.resolve

    def counted(self, work, *rest):
        looked_at[work.key] += 1
        return resolve(self, work, *rest)

    monkeypatch.setattr(Resolver, "resolve", counted)
    for number in range(60):
        world.add(f"p{number}", author("ada" if number % 2 else "bob", name=f"name {number}"))
    result = world.run()
    assert result.is_complete
    assert set(looked_at.values()) <= {1, 2}
    # In the order of their keys' hashes, whenever they came.
    last = {number % 2: number for number in sorted(range(60), key=lambda number: key(f"p{number}").digest)}
    assert dict(Author.objects.values_list("slug", "name")) == {"ada": f"name {last[1]}", "bob": f"name {last[0]}"}


def test_what_the_server_has_no_room_for_fails_alone_and_is_no_outage(world):
    # In another order on each run of the tests it would be as long: nothing that compresses.
    long = "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(500))
    for name, text in (("a", "short"), ("b", long), ("c", "short")):
        world.add(name, Spec("testapp.Remembered", {"name": name, "text": text}, match=["name"]))
    result = world.run()
    refused = 1 if connection.vendor == "postgresql" else 0
    assert result.failed == refused
    assert result.models["testapp.Remembered"]["created"] == 3 - refused
    assert ("maximum" in state("b")[2]) == bool(refused)


def test_match_that_fits_more_than_one_row_is_an_error_that_names_them(world):
    Section.objects.create(slug="one", title="News")
    Section.objects.create(slug="two", title="News")
    world.add("n", Spec("testapp.Section", {"slug": "three", "title": "News"}, match=["title"]))
    world.run()
    assert "title='News' fits 2 rows of testapp.Section" in state("n")[2]
    assert Section.objects.count() == 2


@pytest.mark.parametrize("match", [[], ["slug"], ["slug", "name"]])
def test_text_that_a_database_refuses_fails_with_the_same_words_on_all_of_them(match, world):
    world.add("nul", Spec("testapp.Author", {"slug": "a\x00", "name": "x"}, match=match))
    world.add("byte", Spec("testapp.Author", {"slug": "b\udce9", "name": "x"}, match=match))
    world.add("ok", author("ok"))
    result = world.run()
    assert result.failed == 2
    assert state("nul")[2] == "field 'slug': holds a NUL character, which PostgreSQL refuses in text"
    assert state("byte")[2] == "field 'slug': holds bytes that are not of the charset it was declared in"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes", dt.date(2026, 1, 1)])
def test_what_json_has_not_is_refused_by_the_name_of_the_field(value, world):
    world.add("ada", author())
    world.add("ok", article("ok"))
    world.add("a", article("a", data={"value": value}) if not isinstance(value, set) else article("a", data=[object()]))
    world.run()
    assert "data" in state("a")[2]
    assert state("a")[1] == "failed"
    assert Article.objects.get().slug == "ok"


def test_c6_one_failure_stops_only_what_depends_on_it(world):
    world.add("bad", ValueError("x"))
    world.add("s1", Spec("testapp.Node", {"name": "s1", "parent": ResourceRef(key("bad"))}))
    world.add("s2", Spec("testapp.Node", {"name": "s2", "parent": ResourceRef(key("s1"))}))
    for name in "abcd":
        world.add(name, Spec("testapp.Node", {"name": name}))
    result = world.run()
    assert (result.failed, result.blocked, Node.objects.count()) == (1, 2, 4)
    assert state("s2")[2] == "needs thing:s1, which is not loaded"
    assert not result.is_complete
    again = world.run()
    assert (again.failed, again.blocked) == (1, 2)


def test_what_was_blocked_is_loaded_when_its_target_heals_and_its_error_is_gone(world):
    world.add("ada", ValueError("no name"))
    world.add("a", article("a"))
    world.run()
    world.specs["ada"] = author()
    assert world.run(start="transform").is_complete
    row = resource("a")
    assert (row.state, row.message, row.blocked_by, row.error_stage) == ("done", "", None, "")


def test_a_skipped_target_blocks_what_needs_it_and_a_soft_ref_never_blocks(world):
    world.add("none", None)
    world.add("hard", article("hard", author=ResourceRef(key("none"))))
    world.add("ada", author())
    soft = ResourceRef(key("none"), soft=True, fallback=None)
    world.add("soft", article("soft", section=soft, body=Text(ResourceRef(key("none"), "url", True, "/none"))))
    world.run()
    assert state("hard")[1] == "blocked"
    assert state("soft")[1] == "done"
    assert Article.objects.get().body == "/none"


def test_a_loader_of_ones_own_may_skip_and_may_fail(world):
    class Careful(ModelLoader):
        def write(self, items):
            if any(item.values["slug"].value == "skip" for item in items):
                msg = "not wanted here"
                raise SkipResource(msg)
            if any(item.values["slug"].value == "fail" for item in items):
                msg = "no room"
                raise RuntimeError(msg)
            super().write(items)

    world.changes["loaders"] = [Careful()]
    for name in ("a", "skip", "b", "fail", "c"):
        world.add(name, author(name))
    result = world.run()
    assert set(Author.objects.values_list("slug", flat=True)) == {"a", "b", "c"}
    assert state("skip") == ("transformed", "skipped", "not wanted here")
    assert state("fail")[2] == "no room"
    assert "RuntimeError" in resource("fail").traceback
    assert (result.failed, result.stages["load"]) == (1, {"done": 3, "failed": 1, "skipped": 1})


def test_a_changed_loader_loads_again_and_fetches_and_transforms_nothing(world):
    world.add("a", author())
    world.run()
    world.changes["loaders"] = [use("models", overwrite=True)]
    result = world.run()
    assert (len(world.fetched), len(world.transformed)) == (1, 1)
    assert result.changed == 0
    assert resource("a").load_step.fingerprint != ""
    assert world.run().stages["load"] == {}


def test_start_load_writes_again_what_was_edited_away_only_if_told_to(world):
    world.add("a", author("ada", name="Ada"))
    world.run()
    Author.objects.update(name="By hand")
    assert world.run(start="load").changed == 0
    assert "name" in state("a")[2]
    world.changes["loaders"] = [use("models", overwrite=True)]
    assert world.run(start="load").changed == 1
    assert Author.objects.get().name == "Ada"
    assert state("a")[2] == ""


@pytest.mark.parametrize("method", ["plan", "write"])
def test_a_loader_that_exits_fails_what_it_was_given_alone(method, world):
    class Exits(ModelLoader):
        pass

    def exits(self, items):
        if any(item.key.value == "bad" for item in items):
            raise SystemExit(0)
        getattr(ModelLoader, method)(self, items)

    setattr(Exits, method, exits)
    world.changes["loaders"] = [Exits()]
    world.add("good", author("good"))
    world.add("bad", author("bad"))
    result = world.run()
    assert (result.failed, Author.objects.count()) == (1, 1)
    assert state("bad")[2] == "the loader ended with SystemExit: 0"


def test_a_save_that_django_itself_refuses_fails_alone(world, monkeypatch):
    def save(self, **options):
        if self.name == "B":
            msg = "Save with update_fields did not affect any rows."
            raise DatabaseError(msg)
        models.Model.save(self, **options)

    monkeypatch.setattr(Author, "save", save)
    world.changes["loaders"] = [use("models", save="each")]
    world.add("a", author("a"))
    world.add("b", author("b"))
    assert world.run().failed == 1
    assert state("b")[2] == "Save with update_fields did not affect any rows."
    assert state("a")[:2] == ("loaded", "done")
