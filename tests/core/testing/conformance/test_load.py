"""The suite of loaders passes the built-in one, and names what another one breaks."""

import re

import pytest
from testapp.models import Author, Tag

from isekai_core import Key
from isekai_core.builtins.load import ModelLoader
from isekai_core.errors import LoadError
from isekai_core.testing import LoaderConformance
from isekai_core.types import LoadItem

VALUES = {"slug": "ada", "name": "Ada"}


def suite_of(processor=ModelLoader, **given):
    return type("ASuite", (LoaderConformance,), {"processor": processor, "model": Author, "values": VALUES, **given})


def broken(**methods):
    return type("Broken", (ModelLoader,), {"__doc__": "Breaks one thing.", **methods})


def test_a_sound_one_passes(failures, db):
    assert failures(suite_of()) == {}
    assert not Author.objects.exists()


def test_several_items_are_as_good_as_a_model_and_values(failures, db):
    items = [LoadItem(Key("thing", name), "testapp.Tag", {"name": name}) for name in ("blue", "red")]
    assert failures(suite_of(items=items, changes={"name": "green"}, wrong={"name": "x" * 51})) == {}


def test_what_is_left_out_is_asked_for(failures, db):
    found = failures(type("ASuite", (LoaderConformance,), {"processor": ModelLoader}))
    assert "ASuite.model is missing: the suite of loaders needs it" in found["test_planning_writes_nothing"]
    found = failures(type("ASuite", (LoaderConformance,), {"processor": ModelLoader, "model": "testapp.Author"}))
    assert "ASuite.values is missing" in found["test_planning_writes_nothing"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": "testapp.Nobody"}, "there is no model 'testapp.Nobody' in this project"),
        ({"values": [("name", "Ada")]}, "expected a mapping of fields to values"),
        (
            {"items": [LoadItem(Key("a", "1"), "testapp.Tag", {}), LoadItem(Key("a", "2"), "testapp.Node", {})]},
            "a loader plans items of one model, got testapp.Tag and testapp.Node",
        ),
    ],
)
def test_rows_of_another_form_are_refused(failures, db, given, words):
    assert words in failures(suite_of(**given))["test_planning_writes_nothing"]


def test_a_model_without_a_text_field_is_refused(failures, db):
    found = failures(suite_of(values={"slug": "ada"}))
    assert "none of slug is a text field" in found["test_text_of_every_script_is_kept"]


def test_a_model_that_is_not_accepted_fails(failure, db):
    name, message = failure(suite_of(broken(accepts=("blog.*",))))
    assert name == "test_it_accepts_the_model"
    assert message == "it does not accept testapp.Author: accepts is ('blog.*',)"


def test_a_plan_that_writes_fails(failure, db):
    def plan(self, items):
        Tag.objects.get_or_create(name="planned")
        ModelLoader.plan(self, items)

    name, message = failure(suite_of(broken(plan=plan)))
    assert name == "test_planning_writes_nothing"
    assert "INSERT INTO" in message


def test_a_plan_that_decides_nothing_fails(failures, db):
    def plan(self, items):
        ModelLoader.plan(self, items)
        for item in items:
            item.action = "update"

    found = failures(suite_of(broken(plan=plan)))
    assert "is planned as 'create', got 'update'" in found["test_planning_writes_nothing"]


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("pk", None, "write() sets pk, and it is None for conformance:1"),
        ("pk", 4711, "write() set the pk 4711, and testapp.Author has no such row"),
        ("written", {"slug": "x"}, "write() sets written for every field that it wrote, and it lacks name"),
    ],
)
def test_a_write_that_does_not_say_what_it_did_fails(failures, db, attribute, value, words):
    def write(self, items):
        ModelLoader.write(self, items)
        for item in items:
            setattr(item, attribute, value)

    assert failures(suite_of(broken(write=write)))["test_writing_makes_rows_and_says_which"] == words


def test_a_key_that_was_taken_in_advance_and_not_used_fails(failure, db):
    def plan(self, items):
        for item in items:
            if item.preallocated:
                item.pk, item.preallocated = None, False
        ModelLoader.plan(self, items)

    name, message = failure(suite_of(broken(plan=plan)))
    assert name == "test_a_key_that_was_taken_in_advance_is_that_of_the_row"
    assert re.fullmatch(r"the key \d+ was taken in advance, and write\(\) set the pk \d+", message)


def test_the_same_again_that_is_an_update_fails(failure, db):
    def plan(self, items):
        ModelLoader.plan(self, items)
        for item in items:
            if item.action == "unchanged":
                item.action, item.changed = "update", ("name",)

    name, message = failure(suite_of(broken(plan=plan)))
    assert name == "test_the_same_again_is_unchanged"
    assert message == "the same values again are 'unchanged', got 'update' of name"


def test_a_change_that_makes_a_row_fails(failures, db):
    def write(self, items):
        for item in items:
            values = {name: value.value for name, value in item.values.items()}
            item.row = Author.objects.create(**values | {"slug": f"a{Author.objects.count()}"})
            item.pk, item.written = item.row.pk, {name: value.hash for name, value in item.values.items()}

    found = failures(suite_of(broken(write=write)))
    assert found["test_a_change_is_written_in_place"] == ("an update makes no row: there were 1, and now there are 2")


def test_a_change_that_is_not_written_fails(failures, db):
    def write(self, items):
        if items and items[0].action == "create":
            ModelLoader.write(self, items)

    found = failures(suite_of(broken(write=write)))
    assert found["test_a_change_is_written_in_place"] == "name is 'Ada', expected 'Ada2'"


def test_text_that_is_not_kept_fails(failure, db):
    def write(self, items):
        ModelLoader.write(self, items)
        for author in Author.objects.all():
            Author.objects.filter(pk=author.pk).update(name=author.name.encode("ascii", "replace").decode())

    name, message = failure(suite_of(broken(write=write)))
    assert name == "test_text_of_every_script_is_kept"
    assert message == "name is 'Gr??e, ?? ?', expected 'Grüße, 世界 🐍'"


def test_a_plan_that_raises_for_a_wrong_item_fails(failure, db):
    def plan(self, items):
        ModelLoader.plan(self, items)
        for item in items:
            if item.error:
                raise item.error

    name, message = failure(suite_of(broken(plan=plan)))
    assert name == "test_what_cannot_be_written_is_said_by_the_plan"
    assert "and raises nothing; got LoadError: field 'name'" in message


def test_a_plan_that_sees_nothing_wrong_fails(failure, db):
    name, message = failure(suite_of(wrong={"name": "Bob"}))
    assert name == "test_what_cannot_be_written_is_said_by_the_plan"
    assert message == "{'name': 'Bob'} cannot be written: expected 'error', got 'create'"


@pytest.mark.parametrize("error", [None, LoadError()])
def test_an_error_without_a_reason_fails(failure, db, error):
    def plan(self, items):
        ModelLoader.plan(self, items)
        for item in items:
            item.error = error if item.action == "error" else None

    name, message = failure(suite_of(broken(plan=plan)))
    assert name == "test_what_cannot_be_written_is_said_by_the_plan"
    assert message == "an item whose action is 'error' says why in error"


def test_a_wrong_item_that_spoils_the_others_fails(failure, db):
    def plan(self, items):
        ModelLoader.plan(self, items)
        if any(item.action == "error" for item in items):
            for item in items:
                item.action = "error"
                item.error = item.error or LoadError("another one is wrong")

    items = [LoadItem(Key("thing", name), "testapp.Tag", {"name": name}) for name in ("blue", "red")]
    name, message = failure(suite_of(broken(plan=plan), items=items))
    assert name == "test_what_cannot_be_written_is_said_by_the_plan"
    assert message == "one wrong item spoils no other, got 'error' (another one is wrong)"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"values": {"nam": "Ada"}}, "ASuite.values names 'nam', and testapp.Author has no such field"),
        ({"changes": {"nmae": "B"}}, "ASuite.changes names 'nmae', and testapp.Author has no such field to fill"),
        ({"changes": ["B"]}, "ASuite.changes is ['B'], expected a mapping of fields to values"),
        ({"model": 5}, "ASuite.model is 5, expected a model or its name such as 'blog.Article'"),
        ({"wrong": {"nmae": "B"}}, "(did you mean 'name'?); its fields: "),
    ],
)
def test_a_typing_error_of_the_author_is_told_as_one(failures, db, given, words):
    assert any(words in message for message in failures(suite_of(**given)).values())


def test_a_processor_that_is_a_function_of_nothing_is_told(failures, db):
    found = failures(suite_of(lambda: None))
    assert (
        "ASuite.processor is a function that cannot be called without arguments" in found["test_it_accepts_the_model"]
    )
