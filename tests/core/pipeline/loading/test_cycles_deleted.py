"""Cycles whose rows were deleted by hand since they were loaded: they are made again."""

import uuid

import pytest
from django.db import connection, transaction
from testapp.models import Document, Left, Node, Right
from world import key, state

from isekai_core import ResourceRef, Spec, use


def node(name, parent):
    return Spec("testapp.Node", {"name": name, "parent": ResourceRef(key(parent))}, match=["name"])


def left(name, right, match=()):
    return Spec("testapp.Left", {"name": name, "right": ResourceRef(key(right))}, match=match)


def right(name, left, match=()):
    return Spec("testapp.Right", {"name": name, "left": ResourceRef(key(left))}, match=match)


@pytest.mark.parametrize("match", [(), ["name"]])
@pytest.mark.parametrize("save", ["bulk", "each"])
def test_a_cycle_of_required_keys_whose_rows_were_deleted_by_hand_is_made_again(save, match, world):
    world.changes["loaders"] = [use("models", save=save)]
    world.add("l", left("l", "r", match))
    world.add("r", right("r", "l", match))
    world.run()
    Left.objects.all().delete()
    assert Right.objects.count() == 0
    result = world.run(start="load")
    assert result.is_complete, (state("l"), state("r"))
    assert result.models == {"testapp.Left": {"created": 1}, "testapp.Right": {"created": 1}}
    assert Left.objects.get().right == Right.objects.get()
    assert Right.objects.get().left == Left.objects.get()
    assert world.run(start="load").changed == 0


def test_of_a_cycle_of_required_keys_the_one_row_that_was_deleted_by_hand_is_made_again(world):
    world.add("l", left("l", "r"))
    world.add("r", right("r", "l"))
    world.run()
    kept = Left.objects.get()
    other = Right.objects.create(name="other", left=kept)
    Left.objects.update(right=other)
    Right.objects.filter(name="r").delete()
    result = world.run(start="load")
    assert result.is_complete, (state("l"), state("r"))
    assert result.models == {"testapp.Left": {"unchanged": 1}, "testapp.Right": {"created": 1}}
    assert Right.objects.get(name="r").left == kept
    # Who deleted the one edited the other.
    assert Left.objects.get().right == other
    assert state("l")[2] == "edited since it was loaded, and so left as they are: right"


def test_a_row_of_a_cycle_that_is_gone_while_the_other_still_points_to_it_is_made_again(world):
    world.add("l", left("l", "r"))
    world.add("r", right("r", "l"))
    world.run()
    kept = Left.objects.get().pk
    # As in the shell of SQLite, which checks no foreign keys.
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE testapp_right DISABLE TRIGGER ALL")
        cursor.execute("DELETE FROM testapp_right")
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE testapp_right ENABLE TRIGGER ALL")
    result = world.run(start="load")
    assert result.is_complete, (state("l"), state("r"))
    assert result.models == {"testapp.Left": {"updated": 1}, "testapp.Right": {"created": 1}}
    assert Left.objects.get().pk == Right.objects.get().left_id == kept
    assert Left.objects.get().right == Right.objects.get()


def test_a_deleted_row_of_a_cycle_is_made_again_under_the_key_that_the_spec_gives(world):
    first, second = uuid.UUID(int=1), uuid.UUID(int=2)
    world.add("a", Spec("testapp.Document", {"id": first, "title": "a", "next": ResourceRef(key("b"))}))
    world.add("b", Spec("testapp.Document", {"id": second, "title": "b", "next": ResourceRef(key("a"))}))
    world.run()
    Document.objects.all().delete()
    assert world.run(start="load").is_complete, state("a")
    assert dict(Document.objects.values_list("id", "next_id")) == {first: second, second: first}


def test_a_row_that_was_made_by_hand_for_a_deleted_one_of_a_cycle_is_taken_by_its_match(world):
    world.add("l", left("l", "r", match=["name"]))
    world.add("r", right("r", "l", match=["name"]))
    world.run()
    Left.objects.all().delete()
    with transaction.atomic():
        Left(pk=70, name="l", right_id=80).save(force_insert=True)
        Right(pk=80, name="r", left_id=70).save(force_insert=True)
    result = world.run(start="load")
    assert result.models == {"testapp.Left": {"unchanged": 1}, "testapp.Right": {"unchanged": 1}}
    assert (Left.objects.get().pk, Right.objects.get().pk) == (70, 80)


def test_a_nullable_cycle_whose_rows_were_deleted_by_hand_is_made_again(world):
    world.add("a", node("a", "b"))
    world.add("b", node("b", "a"))
    world.run()
    Node.objects.all().delete()
    result = world.run(start="load")
    assert result.models == {"testapp.Node": {"created": 2}}
    assert dict(Node.objects.values_list("name", "parent__name")) == {"a": "b", "b": "a"}


def test_of_a_nullable_cycle_the_one_row_that_was_deleted_by_hand_is_made_again(world):
    world.add("a", node("a", "b"))
    world.add("b", node("b", "a"))
    world.run()
    kept = Node.objects.get(name="a")
    Node.objects.filter(name="b").delete()
    result = world.run(start="load")
    assert result.is_complete, (state("a"), state("b"))
    assert result.models == {"testapp.Node": {"unchanged": 1, "created": 1}}
    assert Node.objects.get(name="b").parent == kept
    # The database emptied it, which is an edit as any other.
    assert Node.objects.get(name="a").parent is None
    assert state("a")[2] == "edited since it was loaded, and so left as they are: parent"
