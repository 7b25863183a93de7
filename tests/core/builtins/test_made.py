"""Fields that Django fills itself, by the clock or from an image: what the spec says stands, else what Django makes."""

import datetime as dt
from pathlib import Path

import pytest
from django.utils import timezone
from testapp.models import Author, Report, Scan, Venue

from isekai_core import Payload
from isekai_core.types import FileValue

from .conftest import again, item, load

pytestmark = pytest.mark.django_db

SAVES = pytest.mark.parametrize("save", ["bulk", "each"])

OLD = dt.datetime(2001, 1, 1, 12, tzinfo=dt.UTC)
LATER = dt.datetime(2002, 2, 2, 12, tzinfo=dt.UTC)


def is_now(moment):
    return timezone.now() - moment < dt.timedelta(minutes=5)


@SAVES
def test_moments_that_the_spec_gives_are_written_and_compared(save):
    values = {"title": "a", "created": OLD, "day": OLD.date(), "updated": LATER}
    (one,) = load(item("Report", values), save=save)
    assert Report.objects.values("title", "created", "day", "updated").get() == values
    (same,) = load(again(one, **values), save=save)
    assert (same.action, same.kept) == ("unchanged", ())
    values |= {"title": "b", "created": LATER}
    (other,) = load(again(same, **values), save=save)
    assert (other.changed, other.kept) == (("title", "created"), ())
    assert Report.objects.values("title", "created", "day", "updated").get() == values


@SAVES
def test_moments_that_the_spec_does_not_give_are_stamped(save):
    (some, none) = load(item("Report", {"title": "some", "created": OLD}), item("Report", {"title": "none"}), save=save)
    given, made = Report.objects.get(title="some"), Report.objects.get(title="none")
    assert (given.created, is_now(given.updated), is_now(made.created), made.day) == (OLD, True, True, given.day)
    Report.objects.update(created=OLD, updated=OLD)
    load(again(some, title="more"), again(none, title="other"), save=save)
    assert all((row.created, is_now(row.updated)) == (OLD, True) for row in Report.objects.all())


@SAVES
def test_a_moment_that_was_given_before_stands_when_only_other_fields_are_written(save):
    (one,) = load(item("Report", {"title": "a", "updated": OLD}), save=save)
    load(again(one, title="b"), save=save)
    assert Report.objects.values_list("title", "updated").get() == ("b", OLD)


@SAVES
def test_a_moment_that_was_edited_by_hand_is_kept(save):
    (one,) = load(item("Report", {"title": "a", "updated": OLD}), save=save)
    Report.objects.update(updated=LATER)
    (other,) = load(again(one, title="b", updated=OLD + dt.timedelta(days=1)), save=save)
    assert (other.changed, other.kept) == (("title",), ("updated",))
    assert Report.objects.get().updated == LATER


def test_moments_in_either_table_of_a_model_in_two_are_written():
    values = {"name": "v", "opened": OLD, "seen": LATER}
    (one,) = load(item("Venue", values))
    assert Venue.objects.values("name", "opened", "seen").get() == values
    load(again(one, name="w"))
    assert Venue.objects.values_list("opened", "seen").get() == (OLD, LATER)


# Images


def image(content):
    return FileValue(Payload.from_blob(content), "a.txt")


@SAVES
@pytest.mark.parametrize("is_first", [True, False])
def test_where_a_file_goes_may_depend_on_every_other_field_of_the_spec(is_first, save, settings):
    author = Author.objects.create(slug="ada", name="Ada").pk
    values = {"album": "tea", "author": author, "taken": OLD}
    scan = {"image": image(b"3x4")}
    load(item("Scan", scan | values if is_first else values | scan), save=save)
    assert Scan.objects.get().image.name == "tea/ada/2001/a.txt"
    assert (Path(settings.MEDIA_ROOT) / "tea/ada/2001/a.txt").read_bytes() == b"3x4"


def test_where_a_file_goes_may_depend_on_when_its_row_is_made():
    author = Author.objects.create(slug="ada", name="Ada").pk
    load(item("Scan", {"image": image(b"3x4"), "album": "tea", "author": author}))
    row = Scan.objects.get()
    assert row.image.name == f"tea/ada/{row.taken:%Y}/a.txt"


@SAVES
def test_the_size_of_an_image_changes_with_the_image(save):
    author = Author.objects.create(slug="ada", name="Ada").pk
    values = {"album": "tea", "author": author}
    (one,) = load(item("Scan", values | {"image": image(b"3x4")}), save=save)
    assert Scan.objects.values_list("width", "height").get() == (3, 4)
    (two,) = load(again(one, **values, image=image(b"50x60")), save=save)
    assert two.changed == ("image",)
    assert Scan.objects.values_list("width", "height").get() == (50, 60)


@SAVES
def test_a_size_that_the_spec_gives_stands(save):
    author = Author.objects.create(slug="ada", name="Ada").pk
    values = {"width": 7, "album": "tea", "author": author}
    (one,) = load(item("Scan", values | {"image": image(b"3x4")}), save=save)
    assert Scan.objects.values_list("width", "height").get() == (7, 4)
    (two,) = load(again(one, **values, image=image(b"50x60")), save=save)
    assert (two.changed, two.kept) == (("image",), ())
    assert Scan.objects.values_list("width", "height").get() == (7, 60)
