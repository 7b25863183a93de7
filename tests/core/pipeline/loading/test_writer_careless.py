"""Loaders that do not say what they did: nothing counts as loaded of which nobody knows the row."""

import pytest
from testapp.models import Author
from world import author, resource, state


class Careless:
    """A loader that does nothing of what it should."""

    accepts = ("*",)
    version = "1"

    def plan(self, items):
        pass

    def write(self, items):
        pass


class Inserts(Careless):
    def plan(self, items):
        for item in items:
            item.action = "insert"


class SeesNothingToDo(Careless):
    def plan(self, items):
        for item in items:
            item.action = "unchanged"


class GivesTheRow(Careless):
    def write(self, items):
        for item in items:
            item.pk = Author.objects.create(**item.values)


class ForgetsWhatItWrote(Careless):
    def write(self, items):
        for item in items:
            item.pk = Author.objects.create(**item.values).pk
            item.written = None


@pytest.mark.parametrize(
    ("loader", "message"),
    [
        (Careless, "the loader says 'create' and names no row, its pk is None: write() sets it"),
        (Inserts, "the loader planned 'insert', expected 'create', 'update', 'unchanged' or 'error'"),
        (SeesNothingToDo, "the loader says 'unchanged' and names no row, its pk is None"),
        (GivesTheRow, "the loader gives the pk <Author:"),
        (ForgetsWhatItWrote, "the loader gives as written None, expected the hash of each field"),
    ],
)
def test_what_a_loader_does_not_say_that_it_wrote_is_not_loaded(loader, message, world):
    world.changes["loaders"] = [loader()]
    world.add("a", author("a"))
    world.add("b", author("b"))
    result = world.run()
    assert (result.failed, result.changed, Author.objects.count()) == (2, 0, 0)
    assert state("a")[:2] == ("transformed", "failed")
    assert state("a")[2].startswith(message)
    assert resource("a").target_pk == ""


def test_a_loader_may_give_its_reason_as_a_text(world):
    class Refuses(Careless):
        def plan(self, items):
            for item in items:
                item.action, item.error = "error", "no such shelf"

    world.changes["loaders"] = [Refuses()]
    world.add("a", author("a"))
    world.run()
    assert state("a") == ("transformed", "failed", "no such shelf")
    assert resource("a").error_class == "LoadError"
