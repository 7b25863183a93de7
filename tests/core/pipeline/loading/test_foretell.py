"""Addresses told ahead: texts that link to what comes in a later batch of the same load."""

import pytest
from django.db import connection
from testapp.models import Article
from world import article, author, key, resource, state

from isekai_core import BlobRef, ResourceRef, Spec, Text
from isekai_core.models import Resource, Run

NAMES = "abcdef"


@pytest.fixture(autouse=True)
def _one_at_a_time(configure):
    configure(BATCH_SIZE=1)


def link(name, attr="url"):
    return ResourceRef(key(name), attr, soft=True, fallback=f"/old/{name}")


def links(names=NAMES):
    return Text(*(part for name in names for part in (" ", link(name))))


def ring(world):
    """Pages of which each links to all: whatever the order, most links lead to what comes later."""
    world.add("ada", author())
    for name in NAMES:
        world.add(name, article(name, body=links()))


def bodies():
    return set(Article.objects.values_list("body", flat=True))


def shown(*fallbacks):
    return {"".join(f" /old/{name}" if name in fallbacks else f" /articles/{name}/" for name in NAMES)}


def first_loaded():
    """Names of the pages in the order in which they are loaded."""
    keys = Resource.objects.filter(target_model="testapp.Article").order_by("depth", "key_hash")
    return [row.key.removeprefix("thing:") for row in keys]


def test_a_text_whose_links_lead_forward_is_written_once(world):
    ring(world)
    result = world.run()
    assert bodies() == shown()
    assert result.models["testapp.Article"] == {"created": 6}
    assert world.run().changed == 0


def test_what_fails_after_all_is_linked_by_the_source_s_own_address(world):
    ring(world)
    world.specs["d"] = article("d", title="t" * 300)
    assert world.run().failed == 1
    assert bodies() == shown("d")


def test_what_is_blocked_after_all_is_linked_by_the_source_s_own_address(world):
    ring(world)
    world.add("bob", author("bob", email="no address" * 90))
    world.specs["d"] = article("d", author=ResourceRef(key("bob")))
    assert world.run().blocked == 1
    assert bodies() == shown("d")


def test_an_address_that_is_another_once_the_row_is_there_is_written_again(world, monkeypatch):
    monkeypatch.setattr(Article, "get_absolute_url", lambda row: f"/{row.slug}-{row.author_id is None}/")
    ring(world)
    result = world.run()
    assert bodies() == {"".join(f" /{name}-False/" for name in NAMES)}
    assert result.models["testapp.Article"]["relinked"] > 0


def test_an_address_that_holds_the_key_of_the_row_is_not_told_ahead(world, monkeypatch):
    monkeypatch.setattr(Article, "get_absolute_url", lambda row: f"/{row.pk}/")
    ring(world)
    world.run()
    pks = {row.slug: row.pk for row in Article.objects.all()}
    assert bodies() == {"".join(f" /{pks[name]}/" for name in NAMES)}


def test_an_address_that_cannot_be_made_of_plain_values_is_not_told_ahead(world, monkeypatch):
    monkeypatch.setattr(Article, "get_absolute_url", lambda row: f"/{row.author.slug}/{row.slug}/")
    ring(world)
    world.run()
    assert bodies() == {"".join(f" /ada/{name}/" for name in NAMES)}


def test_code_that_asks_the_database_in_vain_breaks_no_batch(world, monkeypatch):
    def address(row):
        if row.pk is None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT nothing FROM nowhere")
        return f"/{row.slug}/"

    monkeypatch.setattr(Article, "get_absolute_url", address)
    ring(world)
    assert world.run().is_complete
    assert bodies() == {"".join(f" /{name}/" for name in NAMES)}


def test_of_whom_more_than_the_address_is_asked_is_followed_as_ever(world):
    ring(world)
    for name in NAMES:
        world.specs[name] = article(name, body=links(), data={"titles": [link(other, "title") for other in NAMES]})
    world.run()
    assert bodies() == shown()
    assert [row.data for row in Article.objects.all()] == [{"titles": [name.upper() for name in NAMES]}] * 6


def test_a_file_has_no_address_before_it_is_saved(world):
    ring(world)
    photos = [f"p{number}" for number in range(4)]
    for name in photos:
        world.add(name, Spec("testapp.Photo", {"file": BlobRef(name=f"{name}.txt")}))
    for name in NAMES:
        world.specs[name] = article(name, body=links(photos))
    world.run()
    assert len(bodies()) == 1
    assert "/old/" not in bodies().pop()


def test_texts_of_earlier_runs_follow_what_was_told_ahead_in_a_later_one(world):
    world.add("ada", author())
    world.add("early", article("early", body=links()))
    world.run()
    ring(world)
    world.run()
    assert bodies() == shown()
    assert len(Article.objects.all()) == 7


def test_a_row_that_two_resources_mean_is_linked_by_the_address_that_it_has_in_the_end(world, monkeypatch):
    monkeypatch.setattr(Article, "get_absolute_url", lambda row: f"/{row.slug}/{row.title}/")
    ring(world)
    for name in NAMES:
        world.add(f"{name}2", article(name, title="second", body=links()))
    world.run()
    addresses = {row.slug: row.get_absolute_url() for row in Article.objects.all()}
    assert bodies() == {"".join(f" {addresses[name]}" for name in NAMES)}


class Stop:
    """A progress that ends the run once so many were loaded."""

    def __init__(self, loaded):
        self.left = loaded

    def say(self, text):
        pass

    def advance(self, stage, done, total):
        self.left -= stage == "load"
        if self.left <= 0:
            raise KeyboardInterrupt


def stopped(world, loaded):
    with pytest.raises(KeyboardInterrupt):
        world.run(progress=Stop(loaded))


def test_what_was_told_in_a_run_that_came_to_no_end_is_taken_back_by_the_next(world):
    ring(world)
    stopped(world, loaded=3)
    *_, last = first_loaded()
    told = Article.objects.first()
    assert f" /articles/{last}/" in told.body
    Resource.objects.filter(pk=resource(last).pk).update(state="failed")
    world.run()
    assert state(last)[1] == "failed"
    assert bodies() == shown(last)
    assert list(Run.objects.order_by("pk").values_list("outcome", flat=True)) == ["stopped", "finished"]


def test_what_was_told_in_a_run_that_came_to_no_end_may_come_true_in_the_next(world):
    ring(world)
    stopped(world, loaded=3)
    assert world.run().is_complete
    assert bodies() == shown()
    assert world.run().changed == 0


def test_what_stands_in_a_text_of_one_s_own_is_left_alone(world):
    ring(world)
    stopped(world, loaded=3)
    Article.objects.update(body="my own words")
    kept = list(Article.objects.values_list("slug", flat=True))
    world.run()
    assert set(Article.objects.filter(slug__in=kept).values_list("body", flat=True)) == {"my own words"}
    assert set(Article.objects.exclude(slug__in=kept).values_list("body", flat=True)) == shown()
