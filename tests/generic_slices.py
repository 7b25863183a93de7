"""What plans from a few rows must do on every database: written once, and run for each source and target.

A class of tests for one of them gives the fixture `place`.
"""

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from memory_bundle import MemoryBundle, Told
from testapp.models import Album, Article, Author, Document, Place, Rating, Remark, Restaurant, Section, Tag

from isekai_core.errors import StagingError
from isekai_core.slicing import DataSlicer
from isekai_core.types.slices import LoadChoice


@dataclass
class Site:
    """A database.

    alias: Django's.
    slicer: the slice source and target.
    """

    alias: str
    slicer: Any

    def rows(self, model):
        return model._base_manager.using(self.alias)

    def add(self, model, **values):
        return self.rows(model).create(**values)

    def kind(self, model):
        label = {"app_label": model._meta.app_label, "model": model._meta.model_name}
        return self.rows(ContentType).get_or_create(**label)[0]

    def remark(self, about, text=None, key=None):
        key = key or str(about.pk)
        return self.add(Remark, text=text or str(about), about_type=self.kind(type(about)), about_id=key)

    def album(self, name):
        return self.add(Album, name=name, author=self.add(Author, slug=name, name=name))

    def cut(self, *roots, **options):
        bundle = MemoryBundle()
        self.slicer.export(DataSlicer.plan(*roots, **options), bundle, Told())
        return bundle

    def load(self, bundle, **choice):
        return {one.model: one for one in self.slicer.load(bundle, LoadChoice(**choice), Told())}

    def empty(self, *models):
        for model in models:
            self.rows(model)._raw_delete(self.alias)


def names(bundle, label, column="name"):
    return set(bundle.column(label, column))


def from_elsewhere(bundle):
    """The bundle as if it came from a database whose content types have other keys."""
    columns = {"contenttypes.ContentType": "id", "testapp.Remark": "about_type_id", "testapp.Rating": "kind_id",
               "auth.Permission": "content_type_id"}  # fmt: skip
    for label, column in columns.items():
        if label in bundle.texts:
            bundle.change(label, lambda rows, column=column: [rows[0], *_moved(rows, column)])
    return bundle


def _moved(rows, column):
    at = rows[0].index(column)
    return [[*row[:at], row[at] and str(int(row[at]) + 5000), *row[at + 1 :]] for row in rows[1:]]


class DerivedPlans:
    """Generic foreign keys up and down, tables between, trees and multi-table models, content types by their names."""

    def test_what_a_generic_foreign_key_points_to_comes_along_with_what_that_needs(self, place):
        album, other = place.album("one"), place.album("two")
        place.remark(album)
        place.remark(place.add(Restaurant, name="inn", stars=2))
        one, two = uuid.UUID(int=1), uuid.UUID(int=2)
        first = Document(id=one, title="first", next_id=two)
        place.rows(Document).bulk_create([first, Document(id=two, title="second", next_id=one)])
        place.remark(first)
        bundle = place.cut(place.rows(Remark).exclude(text=str(other)))
        assert set(bundle.texts) == {
            "contenttypes.ContentType", "testapp.Remark", "testapp.Album", "testapp.Author", "testapp.Place",
            "testapp.Restaurant", "testapp.Document",
        }  # fmt: skip
        assert names(bundle, "testapp.Album") == names(bundle, "testapp.Author") == {"one"}
        assert names(bundle, "testapp.Place") == {"inn"}
        assert names(bundle, "testapp.Document", "title") == {"first", "second"}
        assert names(bundle, "contenttypes.ContentType", "model") == {"album", "restaurant", "document"}

    def test_a_generic_foreign_key_of_what_came_along_is_followed_too(self, place):
        remark = place.remark(place.album("one"))
        place.remark(place.remark(remark, "on the remark"), "on that one")
        bundle = place.cut(place.rows(Remark).filter(text="on that one"))
        assert names(bundle, "testapp.Remark", "text") == {"on that one", "on the remark", "one"}
        assert names(bundle, "testapp.Album") == {"one"}

    @pytest.mark.parametrize("key", ["abc", "", "0x1", "99999999999999999999999", " 1", "1.0"])
    def test_a_generic_foreign_key_that_points_nowhere_brings_nothing(self, place, key):
        album = place.album("one")
        place.remark(album, "lost", key="77777")
        place.rows(Remark).update(about_id=key)
        gone = place.rows(ContentType).create(app_label="gone", model="model")
        place.add(Remark, text="of a model that is gone", about_type=gone, about_id=str(album.pk))
        place.add(Remark, text="of nothing", about_id=str(album.pk))
        bundle = place.cut(place.rows(Remark).all())
        assert set(bundle.texts) == {"contenttypes.ContentType", "testapp.Remark"}
        assert bundle.counts["testapp.Remark"] == 3

    def test_what_points_to_a_row_by_a_generic_foreign_key_comes_where_it_is_named(self, place):
        one, two = place.album("one"), place.album("two")
        for album in (one, two):
            place.remark(album)
            place.add(Rating, kind=place.kind(Album), number=album.pk, stars=album.pk % 5)
        # The key of the album, of something else.
        place.add(Remark, text="other", about_type=place.kind(Tag), about_id=str(one.pk))
        bundle = place.cut(place.rows(Album).filter(name="one"), follow=["remarks", "ratings"])
        assert names(bundle, "testapp.Remark", "text") == {"one"}
        assert names(bundle, "testapp.Rating", "number") == {str(one.pk)}
        assert names(bundle, "testapp.Album") == {"one"}
        only = place.cut(place.rows(Album).filter(name="one"))
        assert set(only.texts) == {"testapp.Album", "testapp.Author"}

    def test_an_estimate_leaves_out_what_nothing_points_to(self, place):
        place.remark(place.album("one"))
        found = place.slicer.estimate(DataSlicer.plan(place.rows(Remark).all()))
        assert {"testapp.Remark", "testapp.Album", "testapp.Author"} <= set(found)
        assert "testapp.Section" not in found

    @pytest.mark.parametrize("ids", ["remap", "natural"])
    def test_generic_foreign_keys_follow_their_rows_to_new_keys(self, place, ids):
        one, inn = place.album("one"), place.add(Restaurant, name="inn", stars=2)
        for about in (one, inn):
            place.remark(about)
            place.add(Rating, kind=place.kind(type(about)), number=about.pk, stars=3)
        bundle = from_elsewhere(place.cut(place.rows(Remark).all(), place.rows(Rating).all()))
        place.empty(Rating, Remark, Album, Restaurant, Place, Author)
        # So that no new key is one of the old ones.
        place.album("another")
        place.add(Place, name="elsewhere")
        place.load(bundle, ids=ids)
        album, place_of = (place.rows(model).get(name=name) for model, name in ((Album, "one"), (Place, "inn")))
        assert (album.pk, place_of.pk) != (one.pk, inn.pk)
        found = place.rows(Remark).values_list("text", "about_type__model", "about_id")
        assert set(found) == {("one", "album", str(album.pk)), ("inn", "restaurant", str(place_of.pk))}
        rated = place.rows(Rating).values_list("kind__model", "number")
        assert set(rated) == {("album", album.pk), ("restaurant", place_of.pk)}

    def test_a_row_that_is_there_is_found_by_what_it_points_to_and_not_by_its_old_key(self, place):
        one = place.album("one")
        place.add(Rating, kind=place.kind(Album), number=one.pk, stars=1)
        bundle = from_elsewhere(place.cut(place.rows(Rating).all()))
        place.empty(Rating, Album)
        there = place.add(Album, name="one", author=one.author)
        # It has the number that the album had where the bundle comes from.
        other = place.add(Album, id=one.pk, name="other", author=one.author)
        place.add(Rating, kind=place.kind(Album), number=other.pk, stars=5)
        place.add(Rating, kind=place.kind(Album), number=there.pk, stars=2)
        report = place.load(bundle, ids="natural")["testapp.Rating"]
        assert (report.created, report.updated) == (0, 1)
        assert set(place.rows(Rating).values_list("number", "stars")) == {(other.pk, 5), (there.pk, 1)}

    def test_a_generic_foreign_key_to_a_row_outside_the_bundle_is_refused_null_or_kept(self, place):
        place.remark(place.album("one"), key="987654")
        bundle = place.cut(place.rows(Remark).all())
        place.empty(Remark)
        with pytest.raises(StagingError, match=r"testapp\.Remark\.about_id.*\b1\b"):
            place.load(bundle)
        place.load(bundle, dangling="null")
        assert set(place.rows(Remark).values_list("about_id", flat=True)) == {None}
        place.empty(Remark)
        place.load(bundle, dangling="keep", name="again")
        assert set(place.rows(Remark).values_list("about_id", flat=True)) == {"987654"}

    def test_trees_tables_between_and_parent_tables_arrive_whole_under_new_keys(self, place):
        root = place.add(Section, slug="root", title="Root")
        leaf = place.add(Section, slug="leaf", title="Leaf", parent=place.add(Section, slug="mid", parent=root))
        author = place.add(Author, slug="a", name="A")
        one, two = (place.add(Article, slug=slug, author=author, section=leaf) for slug in ("one", "two"))
        tag = place.add(Tag, name="red")
        one.tags.add(tag)
        one.related.add(two)
        place.add(Tag, name="blue")
        inn = place.add(Restaurant, name="inn", stars=2)
        bundle = place.cut(
            place.rows(Article).filter(slug="one"), place.rows(Restaurant).all(), follow=["tags", "related"]
        )
        place.empty(*(Article.tags.through, Article.related.through, Article, Tag, Section, Author, Restaurant, Place))
        place.add(Section, slug="new", title="New")
        place.load(bundle)
        found = place.rows(Article).get(slug="one")
        assert [row.name for row in found.tags.all()] == ["red"]
        assert [row.slug for row in found.related.all()] == ["two"]
        assert found.section.parent.parent.slug == "root"
        assert found.section.pk != leaf.pk
        assert place.rows(Restaurant).get().place_ptr.name == inn.name
        assert not place.rows(Tag).filter(name="blue").exists()

    def test_content_types_and_permissions_become_those_that_are_there(self, place):
        kind = place.kind(Album)
        permission = place.rows(Permission).get_or_create(codename="play", content_type=kind, name="Play")[0]
        group = place.add(Group, name="players")
        group.permissions.add(permission)
        bundle = from_elsewhere(place.cut(place.rows(Group).filter(name="players"), follow=["permissions"]))
        place.rows(Group.permissions.through).filter(group=group)._raw_delete(place.alias)
        place.rows(Group).filter(name="players")._raw_delete(place.alias)
        before = place.rows(Permission).count(), place.rows(ContentType).count()
        place.load(bundle, ids="keep")
        assert (place.rows(Permission).count(), place.rows(ContentType).count()) == before
        assert place.rows(Group).get(name="players").permissions.get() == permission
