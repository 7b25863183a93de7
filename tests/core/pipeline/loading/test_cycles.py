"""Cycles: resources that need one another, loaded together and without a value that nobody gave."""

import uuid

import pytest
from django.db import connection, transaction
from django.db.models.signals import post_save, pre_save
from testapp.models import Article, ArticleStats, Author, Document, Left, Node, Right, Section
from world import author, key, resource, state

from isekai_core import Extraction, Payload, ResourceRef, Spec, Text, use
from isekai_core.models import Payload as PayloadRow
from isekai_core.pipeline.loading.cycles import take_keys


def node(name, parent=None, **values):
    given = {"name": name} | ({"parent": ResourceRef(key(parent))} if parent else {}) | values
    return Spec("testapp.Node", given, match=["name"])


def left(name, right, match=()):
    return Spec("testapp.Left", {"name": name, "right": ResourceRef(key(right))}, match=match)


def right(name, left, match=()):
    return Spec("testapp.Right", {"name": name, "left": ResourceRef(key(left))}, match=match)


@pytest.mark.parametrize("save", ["bulk", "each"])
def test_c1_a_cycle_and_a_self_reference_take_plain_refs(save, world):
    world.changes["loaders"] = [use("models", save=save)]
    for name, parent in (("a", "b"), ("b", "c"), ("c", "a"), ("self", "self")):
        world.add(name, node(name, parent))
    result = world.run()
    assert dict(Node.objects.values_list("name", "parent__name")) == {"a": "b", "b": "c", "c": "a", "self": "self"}
    assert result.models == {"testapp.Node": {"created": 4}}
    assert result.stages["load"] == {"done": 4}
    assert world.run(start="transform").changed == 0


@pytest.mark.parametrize("save", ["bulk", "each"])
def test_c1_required_keys_in_a_circle_are_taken_in_advance(save, world):
    world.changes["loaders"] = [use("models", save=save)]
    world.add("l", left("l", "r"))
    world.add("r", right("r", "l"))
    result = world.run()
    assert Left.objects.get().right == Right.objects.get()
    assert Right.objects.get().left == Left.objects.get()
    assert result.models == {"testapp.Left": {"created": 1}, "testapp.Right": {"created": 1}}


@pytest.mark.parametrize("save", ["bulk", "each"])
def test_a_required_self_reference_with_a_key_that_python_makes(save, world):
    world.changes["loaders"] = [use("models", save=save)]
    world.add("a", Spec("testapp.Document", {"title": "a", "next": ResourceRef(key("b"))}))
    world.add("b", Spec("testapp.Document", {"title": "b", "next": ResourceRef(key("a"))}))
    world.add("c", Spec("testapp.Document", {"title": "c", "next": ResourceRef(key("c"))}))
    assert world.run().is_complete, state("a")
    assert dict(Document.objects.values_list("title", "next__title")) == {"a": "b", "b": "a", "c": "c"}


def test_a_key_that_the_spec_gives_is_taken_for_the_cycle(world):

    first, second = uuid.UUID(int=1), uuid.UUID(int=2)
    world.add("a", Spec("testapp.Document", {"id": first, "title": "a", "next": ResourceRef(key("b"))}))
    world.add("b", Spec("testapp.Document", {"id": second, "title": "b", "next": ResourceRef(key("a"))}))
    assert world.run().is_complete, state("a")
    assert dict(Document.objects.values_list("id", "next_id")) == {first: second, second: first}


def test_c2_no_invented_value_meets_a_constraint(world):
    world.add("l1", left("l1", "r1"))
    world.add("r1", right("r1", "l2"))
    world.add("l2", left("l2", "r2"))
    world.add("r2", right("r2", "l1"))
    seen = []

    def keep(sender, instance, **_):
        seen.append((sender.__name__, instance.pk, vars(instance).get("right_id", vars(instance).get("left_id"))))

    for signal in (pre_save, post_save):
        signal.connect(keep)
    try:
        world.changes["loaders"] = [use("models", save="each")]
        assert world.run().is_complete, state("l1")
    finally:
        for signal in (pre_save, post_save):
            signal.disconnect(keep)
    true = {("Left", *pair) for pair in Left.objects.values_list("pk", "right_id")}
    true |= {("Right", *pair) for pair in Right.objects.values_list("pk", "left_id")}
    assert {one for one in seen if one[0] in ("Left", "Right")} == true


def test_c3_each_row_of_a_nullable_cycle_is_saved_twice_at_most_and_never_with_a_wrong_key(world):
    saved = []

    def keep(sender, instance, **_):
        saved.append((instance.name, instance.parent_id))

    post_save.connect(keep, sender=Node)
    try:
        world.changes["loaders"] = [use("models", save="each")]
        world.add("a", node("a", "b"))
        world.add("b", node("b", "a"))
        world.run()
    finally:
        post_save.disconnect(keep, sender=Node)
    true = dict(Node.objects.values_list("name", "parent_id"))
    assert sorted(saved, key=str) == sorted([("a", None), ("b", None), *true.items()], key=str)


def test_c4_an_old_orphan_row_elsewhere_fails_no_load(world):
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE testapp_profile DISABLE TRIGGER ALL")
        cursor.execute("INSERT INTO testapp_profile (author_id, motto) VALUES (999999, 'orphan')")
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE testapp_profile ENABLE TRIGGER ALL")
    try:
        world.add("a", node("a", "b"))
        world.add("b", node("b", "a"))
        world.add("l", left("l", "r"))
        world.add("r", right("r", "l"))
        world.add("bad", Spec("testapp.Author", {"slug": "bad"}))
        world.add("ok", author("ok"))
        result = world.run()
        assert result.failed == 1, [state(name) for name in ("a", "l", "ok")]
        assert "needs 'name'" in state("bad")[2]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM testapp_profile")


def test_c6_a_cycle_that_fails_names_the_culprit_blocks_the_others_and_stops_nobody_else(world):
    world.add("a", node("a", "b"))
    world.add("b", node("x" * 200, "c"))
    world.add("c", node("c", "a"))
    world.add("needs-c", node("needs-c", "c"))
    world.add("free", node("free"))
    result = world.run()
    assert (result.failed, result.blocked) == (1, 3)
    assert "field 'name'" in state("b")[2]
    for name, needs in (("a", "b"), ("c", "b"), ("needs-c", "c")):
        assert state(name)[1:] == ("blocked", f"needs thing:{needs}, which is not loaded")
        assert resource(name).blocked_by == resource(needs)
    assert Node.objects.get().name == "free"
    world.specs["b"] = node("b", "c")
    world.versions["transform"] = "2"
    assert world.run().is_complete
    assert Node.objects.count() == 5


@pytest.mark.parametrize("make", [lambda: ("a", node("taken", "b")), lambda: ("b", node("taken", "a"))])
def test_c6_what_the_database_refuses_in_a_cycle_is_told_of_the_one_it_refused(make, world):
    Node.objects.create(name="taken")
    world.add("a", node("a", "b"))
    world.add("b", node("b", "a"))
    name, spec = make()
    spec.match = ()
    world.specs[name] = spec
    world.run()
    other = "b" if name == "a" else "a"
    assert state(name)[1] == "failed"
    assert "name" in state(name)[2]
    assert state(other)[1:] == ("blocked", f"needs thing:{name}, which is not loaded")
    assert Node.objects.count() == 1


@pytest.mark.parametrize("culprit", ["l", "r"])
def test_c6_the_same_where_keys_are_taken_in_advance(culprit, world):
    other = Left.objects.model(pk=1, name="taken", right_id=1)
    Right(pk=1, name="taken", left_id=1)
    with connection.constraint_checks_disabled(), transaction.atomic():
        other.save(force_insert=True)
        Right(pk=1, name="taken", left_id=1).save(force_insert=True)
    world.add("l", left("taken" if culprit == "l" else "l", "r"))
    world.add("r", right("taken" if culprit == "r" else "r", "l"))
    result = world.run()
    assert (result.failed, result.blocked) == (1, 1)
    assert state(culprit)[1] == "failed", (state("l"), state("r"))
    assert (Left.objects.count(), Right.objects.count()) == (1, 1)


def test_a_cycle_that_failed_leaves_no_trace_of_rows_that_were_undone(world):
    world.add("a", node("a", "b"))
    world.add("b", node("b", "a"))
    world.specs["c"] = None
    world.add("l", left("l", "r"))
    world.add("r", Spec("testapp.Right", {"name": "r" * 300, "left": ResourceRef(key("l"))}))
    world.run()
    for name in ("l", "r"):
        row = resource(name)
        assert (row.stage, row.target_pk, row.loaded_hash, row.written) == ("transformed", "", "", "")
        assert (row.lease_owner, row.lease_until) == ("", None)


def test_links_between_the_members_of_a_cycle_become_addresses(world):
    def article(name, other):
        link = ResourceRef(key(other), "url", soft=True, fallback=f"/old/{other}")
        values = {"slug": name, "title": name, "author": ResourceRef(key("ada")), "body": Text("see ", link)}
        return Spec("testapp.Article", values | {"related": [ResourceRef(key(other))]}, match=["slug"])

    world.add("ada", author("ada"))
    world.add("a", article("a", "b"))
    world.add("b", article("b", "a"))
    result = world.run()
    assert result.is_complete
    assert dict(Article.objects.values_list("slug", "body")) == {"a": "see /articles/b/", "b": "see /articles/a/"}
    assert [one.related.get().slug for one in Article.objects.order_by("slug")] == ["b", "a"]
    assert world.run(start="transform").changed == 0


def test_texts_and_attributes_of_members_whose_keys_are_taken_in_advance(world):
    link = ResourceRef(key("r"), "pk", soft=True, fallback="?")
    world.add("l", Spec("testapp.Left", {"name": Text("with ", link), "right": ResourceRef(key("r"))}))
    world.add("r", right("r", "l"))
    assert world.run().is_complete, state("l")
    assert Left.objects.get().name == f"with {Right.objects.get().pk}"


def test_an_attribute_of_a_member_that_is_written_before_is_known(world):
    world.add("a", node("a", "b"))
    world.add("b", node(ResourceRef(key("a"), "name")))
    world.specs["b"] = Spec("testapp.Section", {"slug": "b", "title": ResourceRef(key("a"), "name")})
    world.specs["a"] = Spec("testapp.Section", {"slug": "a", "title": "first", "parent": ResourceRef(key("b"))})
    world.specs["a"].values["title"] = "first"
    world.specs["b"].values["title"] = ResourceRef(key("a"), "title")
    assert world.run().is_complete, state("b")
    assert Section.objects.get(slug="b").title == "first"
    assert Section.objects.get(slug="a").parent.slug == "b"


def test_a_cycle_through_a_redirect_is_a_cycle(world):
    world.add("a", node("a", "old-b"))
    world.add("old-b")
    world.pages["old-b"] = Extraction(Payload.from_text("x"), final_key=key("b"))
    world.add("b", node("b", "a"))
    assert world.run().is_complete, (state("a"), state("b"))
    assert dict(Node.objects.values_list("name", "parent__name")) == {"a": "b", "b": "a"}


def test_a_cycle_of_required_keys_through_a_redirect(world):
    world.add("l", left("l", "old-r"))
    world.add("old-r")
    world.pages["old-r"] = Extraction(Payload.from_text("x"), final_key=key("r"))
    world.add("r", right("r", "l"))
    assert world.run().is_complete, (state("l"), state("r"))
    assert Left.objects.get().right == Right.objects.get()


def test_w6_match_updates_the_rows_of_a_cycle_that_are_there_already(world):

    Node.objects.create(name="a")
    with transaction.atomic():
        Left(pk=7, name="l", right_id=8).save(force_insert=True)
        Right(pk=8, name="r", left_id=7).save(force_insert=True)
    world.add("a", node("a", "b"))
    world.add("b", node("b", "a"))
    world.add("l", left("l", "r", match=["name"]))
    world.add("r", right("r", "l", match=["name"]))
    result = world.run()
    assert result.is_complete, (state("l"), state("a"))
    assert Node.objects.count() == 2
    assert Left.objects.get().pk == 7
    assert result.models == {
        "testapp.Node": {"created": 1, "updated": 1},
        "testapp.Left": {"unchanged": 1},
        "testapp.Right": {"unchanged": 1},
    }


def test_a_cycle_that_changed_is_updated_in_place_and_counted_so(world):
    for name, parent in (("a", "b"), ("b", "a"), ("c", "c")):
        world.add(name, node(name, parent))
    world.run()
    pks = dict(Node.objects.values_list("name", "pk"))
    world.specs["a"] = node("a", "c")
    world.specs["c"] = node("c", "b")
    world.versions["transform"] = "2"
    result = world.run()
    assert dict(Node.objects.values_list("name", "parent__name")) == {"a": "c", "b": "a", "c": "b"}
    assert dict(Node.objects.values_list("name", "pk")) == pks
    assert result.models == {"testapp.Node": {"updated": 2, "unchanged": 1}}


def test_two_members_of_a_cycle_that_mean_one_row_are_told(world):
    world.add("a", node("same", "b"))
    world.add("b", node("same", "a"))
    result = world.run()
    assert (result.failed, result.blocked) == (1, 1)
    assert Node.objects.count() == 0


def test_a_cycle_of_many_goes_in_together(world):
    size = 600
    for number in range(size):
        world.add(str(number), node(str(number), str((number + 1) % size)))
    result = world.run()
    assert result.models == {"testapp.Node": {"created": size}}
    assert Node.objects.filter(parent=None).count() == 0


def test_a_cycle_waits_for_what_it_needs_and_is_blocked_with_it(world):
    world.add("ada", ValueError("no author"))

    def article(name, other):
        values = {"slug": name, "title": name, "author": ResourceRef(key("ada")), "related": [ResourceRef(key(other))]}
        return Spec("testapp.Article", values, match=["slug"])

    world.add("a", article("a", "b"))
    world.add("b", article("b", "a"))
    world.run()
    for name in "ab":
        assert state(name)[1:] == ("blocked", "needs thing:ada, which is not loaded")
    world.specs["ada"] = author("ada")
    world.versions["transform"] = "2"
    assert world.run().is_complete


def test_of_a_cycle_the_one_with_a_field_that_is_gone_since_it_was_transformed_is_told_what_to_do(world):
    world.add("a", node("a", "b"))
    world.add("b", node("b", "a"))
    world.run(until="transform")
    spec = PayloadRow.objects.get(pk=resource("b").spec_id)
    spec.data = spec.data.replace(b'"parent"', b'"mother"')
    spec.save()
    world.run()
    told = "testapp.Node has no field 'mother' any more: transform it again (isekai run --from transform)"
    assert state("b") == ("transformed", "failed", told)
    assert state("a") == ("transformed", "blocked", "needs thing:b, which is not loaded")


def test_a_key_that_cannot_be_taken_in_advance_is_named(world):

    with pytest.raises(Exception, match="ArticleStats is in a cycle of required references, and its key 'article'"):
        take_keys(ArticleStats, 2)


def test_taken_keys_are_free_and_never_given_again(transactional_db):

    old = Author.objects.create(slug="old", name="x")
    Author.objects.create(slug="gone", name="x").delete()
    with transaction.atomic():
        taken = take_keys(Author, 3)
        for pk in taken:
            Author(pk=pk, slug=str(pk), name="x").save(force_insert=True)
    later = Author.objects.create(slug="later", name="x")
    assert len({old.pk, *taken, later.pk}) == 5
    assert later.pk > max(taken)
