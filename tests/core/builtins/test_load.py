"""The `models` loader: every way of saving, every kind of field, files, and what was edited by hand."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models.signals import post_save
from testapp.models import Article, Author, Country, Person, Photo, Place, Restaurant, Saved, Section, Tag

from isekai_core import Payload
from isekai_core.errors import LoadError
from isekai_core.types import FileValue

from .conftest import again, item, load

pytestmark = pytest.mark.django_db

SAVES = pytest.mark.parametrize("save", ["bulk", "each"])


@SAVES
def test_rows_are_created_updated_and_left_unchanged(save):
    ada, bob = load(
        item("Author", {"slug": "ada", "name": "Ada"}), item("Author", {"slug": "bob", "name": "Bob"}), save=save
    )
    assert [one.action for one in (ada, bob)] == ["create", "create"]
    assert {ada.pk, bob.pk} == set(Author.objects.values_list("pk", flat=True))
    same, other = load(again(ada, slug="ada", name="Ada"), again(bob, slug="bob", name="Robert"), save=save)
    assert (same.action, other.action, other.changed) == ("unchanged", "update", ("name",))
    assert dict(Author.objects.values_list("slug", "name")) == {"ada": "Ada", "bob": "Robert"}
    assert other.pk == bob.pk


def test_bulk_writes_many_rows_with_a_few_statements(django_assert_max_num_queries):
    items = [item("Author", {"slug": f"a{number}", "name": "x"}) for number in range(500)]
    with django_assert_max_num_queries(12):
        load(*items)
    with django_assert_max_num_queries(24):
        load(*(again(one, slug=one.values["slug"].value, name="y") for one in items))
    assert Author.objects.filter(name="y").count() == 500


def test_each_calls_save_signals_and_the_models_own_checks_and_bulk_does_not():
    saved = []

    def keep(sender, instance, created, **_):
        saved.append((instance.name, created))

    post_save.connect(keep, sender=Saved)
    try:
        load(item("Saved", {"name": "quiet"}))
        assert saved == []
        (loud,) = load(item("Saved", {"name": "loud"}), save="each")
        load(again(loud, name="louder"), save="each")
    finally:
        post_save.disconnect(keep, sender=Saved)
    assert saved == [("loud", True), ("louder", False)]
    assert dict(Saved.objects.values_list("name", "shouted")) == {"quiet": "", "louder": "LOUDER"}


def test_a_model_in_two_tables_is_saved_one_by_one_in_either_case():
    (one,) = load(item("Restaurant", {"name": "r", "stars": 2}))
    assert (Restaurant.objects.get().stars, Place.objects.get().name) == (2, "r")
    (later,) = load(again(one, name="s", stars=3))
    assert later.changed == ("name", "stars")
    assert (Restaurant.objects.get().stars, Place.objects.get().name, Place.objects.count()) == (3, "s", 1)


def test_what_a_model_refuses_is_told_by_field_with_each():
    product = {"sku": "forbidden", "shop": "s", "price": 1}
    with pytest.raises(Exception, match=r"^this sku is not allowed$"):
        load(item("Product", product), save="each")
    Author.objects.create(slug="ada", name="x")
    with pytest.raises(Exception, match=r"^field 'slug': Author with this Slug already exists"):
        load(item("Author", {"slug": "ada", "name": "x"}), save="each")


@pytest.mark.parametrize("model", ["Picky", "PickyPlace"])
def test_a_save_that_writes_nothing_is_an_error(model):
    load(item(model, {"name": "wanted"}), save="each")
    with pytest.raises(LoadError, match=rf"^save\(\) of testapp.{model} wrote no row; to leave a resource out, raise "):
        load(item(model, {"name": "unwanted"}), save="each")


@SAVES
@pytest.mark.parametrize(
    ("model", "values", "reason"),
    [
        ("Author", {"slug": "a"}, "testapp.Author needs 'name', which the spec gives no value for"),
        ("Author", {"slug": "a b", "name": "x"}, "field 'slug': Enter a valid"),
        ("Author", {"slug": "a", "name": ""}, "field 'name': This field cannot be blank"),
        ("Author", {"slug": "a", "name": None}, "field 'name': This field cannot be null"),
        ("Author", {"slug": "a", "name": "x" * 101}, "field 'name': Ensure this value has at most 100 characters"),
        ("Author", {"slug": "a", "name": "x\x00"}, "field 'name': holds a NUL character, which PostgreSQL refuses"),
        ("Author", {"slug": "a", "name": "x\udc80"}, "field 'name': holds bytes that are not of the charset"),
        ("Author", {"slug": "a", "name": "x", "email": "nobody"}, "field 'email': Enter a valid email address"),
        ("Product", {"sku": "1", "shop": "s", "price": -1}, "field 'price': Ensure this value is greater"),
        ("Product", {"sku": "1", "shop": "s", "price": "a lot"}, "field 'price': “a lot” value must be a decimal"),
        (
            "Product",
            {"sku": "1", "shop": "s", "price": Decimal("1.234")},
            "field 'price': Ensure that there are no more",
        ),
        (
            "Product",
            {"sku": "1", "shop": "s", "price": 1, "color": "blue"},
            "field 'color': Value 'blue' is not a valid",
        ),
        ("Product", {"sku": "1", "shop": "s", "price": 1, "stock": -1}, "field 'stock': Ensure this value is greater"),
        ("Product", {"sku": "1", "shop": "s", "price": 1, "stock": "many"}, "field 'stock': “many” value must be an"),
        ("Article", {"slug": "a", "title": "t", "author": None}, "field 'author': it must not be empty"),
        ("Article", {"slug": "a", "title": "t", "author": "x"}, "field 'author': “x” value must be an integer"),
        (
            "Article",
            {"slug": "a", "title": "t", "author": 1, "tags": 3},
            "field 'tags': expected a list of refs, got 3",
        ),
        ("Article", {"slug": "a", "title": "t", "author": 1, "published_on": "soon"}, "field 'published_on': “soon”"),
        (
            "Article",
            {"slug": "a", "title": "t", "author": 1, "data": {"on": {1, 2}}},
            "field 'data': Object of type set",
        ),
        ("Article", {"slug": "a", "title": "t", "author": 1, "data": [float("nan")]}, "field 'data': "),
        ("Article", {"slug": "a", "title": "t", "author": 1, "data": {"a\x00": 1}}, "field 'data': holds a NUL"),
    ],
)
def test_what_a_field_does_not_take_is_an_error_with_its_name_and_costs_no_other_row(model, values, reason, save):
    bad, good = load(
        item(model, values), item(model, {"slug": "ok", "name": "ok"} if model == "Author" else values), save=save
    )
    assert bad.action == "error"
    assert str(bad.error).startswith(reason)
    assert (good.action == "create") == (model == "Author")


def test_values_are_taken_as_the_field_has_them():
    ada = Author.objects.create(slug="ada", name="Ada")
    values = {
        "slug": "a",
        "title": 7,
        "author": str(ada.pk),
        "price": "1.5",
        "published_on": "2026-01-31",
        "updated_at": dt.datetime(2026, 1, 31, 12, 30),  # noqa: DTZ001 - taken for the project's time zone
        "featured": "True",
        "data": {"list": [1, 2]},
    }
    (one,) = load(item("Article", values))
    row = Article.objects.get()
    assert (row.title, row.author, row.price, row.featured) == ("7", ada, Decimal("1.50"), True)
    assert row.published_on == dt.date(2026, 1, 31)
    assert row.updated_at == dt.datetime(2026, 1, 31, 12, 30, tzinfo=dt.UTC)
    assert row.data == {"list": [1, 2]}
    (same,) = load(again(one, **values))
    assert same.action == "unchanged", same.changed


def test_only_what_changed_is_written():
    (one,) = load(item("Author", {"slug": "ada", "name": "Ada", "email": "a@example.org"}))
    Author.objects.update(email="by@hand.org")
    (later,) = load(again(one, slug="ada", name="Countess"))
    row = Author.objects.get()
    assert (later.changed, row.name, row.email) == (("name",), "Countess", "by@hand.org")


# Edited by hand


@SAVES
def test_a_field_that_was_edited_since_is_kept_and_named_and_the_others_are_written(save):
    (one,) = load(item("Author", {"slug": "ada", "name": "Ada", "email": "a@example.org"}), save=save)
    Author.objects.update(name="By hand")
    (later,) = load(again(one, slug="ada", name="New", email="b@example.org"), save=save)
    row = Author.objects.get()
    assert (later.kept, later.changed, row.name, row.email) == (("name",), ("email",), "By hand", "b@example.org")
    (third,) = load(again(later, slug="ada", name="Newer", email="b@example.org"), save=save)
    assert (third.action, third.kept) == ("unchanged", ("name",))


def test_overwrite_writes_what_was_edited_too():
    (one,) = load(item("Author", {"slug": "ada", "name": "Ada"}))
    Author.objects.update(name="By hand")
    (later,) = load(again(one, slug="ada", name="New"), overwrite=True)
    assert (later.kept, Author.objects.get().name) == ((), "New")


def test_an_edit_to_what_the_source_says_now_is_no_conflict():
    (one,) = load(item("Author", {"slug": "ada", "name": "Ada"}))
    Author.objects.update(name="New")
    (later,) = load(again(one, slug="ada", name="New"))
    assert (later.action, later.kept) == ("unchanged", ())
    (third,) = load(again(later, slug="ada", name="Newest"))
    assert (third.changed, Author.objects.get().name) == (("name",), "Newest")


def test_a_row_that_was_there_before_is_taken_over_field_by_field():
    old = Author.objects.create(slug="ada", name="Old", email="old@example.org")
    (one,) = load(item("Author", {"slug": "ada", "name": "New"}, pk=old.pk))
    assert (one.action, one.changed, one.pk) == ("update", ("name",), old.pk)
    assert set(one.written) == {"slug", "name"}
    assert Author.objects.get().email == "old@example.org"


def test_links_edited_by_hand_are_kept_too():
    ada = Author.objects.create(slug="ada", name="Ada")
    red, blue, green = (Tag.objects.create(name=name) for name in ("red", "blue", "green"))
    values = {"slug": "a", "title": "t", "author": ada.pk}
    (one,) = load(item("Article", values | {"tags": [red.pk, blue.pk, red.pk]}))
    article = Article.objects.get()
    assert set(article.tags.all()) == {red, blue}
    (same,) = load(again(one, **values, tags=[blue.pk, red.pk]))
    assert same.action == "unchanged"
    (later,) = load(again(one, **values, tags=[green.pk]))
    assert (later.changed, set(article.tags.all())) == (("tags",), {green})
    article.tags.add(red)
    (third,) = load(again(later, **values, tags=[blue.pk]))
    assert (third.kept, set(article.tags.all())) == (("tags",), {green, red})
    (none,) = load(again(later, **values, tags=[]), overwrite=True)
    assert (none.changed, article.tags.count()) == (("tags",), 0)


@SAVES
def test_links_of_rows_that_are_updated_touch_no_other_rows(save):
    ada = Author.objects.create(slug="ada", name="Ada")
    tag = Tag.objects.create(name="t")
    mine, other = load(
        *(item("Article", {"slug": slug, "title": slug, "author": ada.pk, "tags": [tag.pk]}) for slug in "ab"),
        save=save,
    )
    load(again(mine, slug="a", title="a", author=ada.pk, tags=[]), save=save)
    assert dict(Article.objects.values_list("slug", "tags")) == {"a": None, "b": tag.pk}
    assert other.pk != mine.pk


def test_the_key_of_a_row_that_is_data_is_not_changed_under_it():
    (one,) = load(item("Country", {"code": "de"}))
    assert one.pk == "de"
    (later,) = load(again(one, code="fr"))
    assert later.action == "error"
    assert str(later.error) == "field 'code' is the primary key of testapp.Country 'de', which cannot become another"
    assert Country.objects.get().code == "de"


def test_nothing_to_do_is_nothing_done(django_assert_num_queries):
    with django_assert_num_queries(0):
        load()


# Files


def file(content, name="a.txt"):
    return FileValue(Payload.from_blob(content), name)


def stored(settings):
    root = Path(settings.MEDIA_ROOT)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_file_is_saved_once_and_reused_by_its_bytes(settings):
    one, _two = load(item("Photo", {"file": file(b"same")}), item("Photo", {"file": file(b"same")}))
    assert stored(settings) == {"photos/a.txt": b"same"}
    assert set(Photo.objects.values_list("file", flat=True)) == {"photos/a.txt"}
    (same,) = load(again(one, file=file(b"same")))
    assert same.action == "unchanged"


def test_two_files_of_one_name_and_other_bytes_get_names_that_are_the_same_every_time(settings):
    load(item("Photo", {"file": file(b"one")}))
    load(item("Photo", {"file": file(b"two")}))
    names = set(stored(settings))
    assert len(names) == 2
    other = (names - {"photos/a.txt"}).pop()
    assert other.startswith("photos/a-")
    assert other.endswith(".txt")
    load(item("Photo", {"file": file(b"two")}), item("Photo", {"file": file(b"one")}))
    assert set(stored(settings)) == names


@pytest.mark.parametrize("left", [b"", b"o", b"on"])
def test_what_a_killed_save_left_under_the_name_is_replaced(left, settings):
    path = Path(settings.MEDIA_ROOT) / "photos" / "a.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(left)
    load(item("Photo", {"file": file(b"one")}))
    assert stored(settings) == {"photos/a.txt": b"one"}


@pytest.mark.parametrize("other", [b"onE", b"one and more", b"x"])
def test_a_file_that_may_be_somebody_else_s_stays_and_the_name_gets_a_part_of_the_hash(other, settings):
    path = Path(settings.MEDIA_ROOT) / "photos" / "a.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(other)
    for _ in range(2):
        load(item("Photo", {"file": file(b"one")}))
    assert stored(settings) == {"photos/a.txt": other, "photos/a-7692c3ad.txt": b"one"}


def test_a_changed_file_of_a_row_is_saved_and_the_field_is_updated(settings):
    (one,) = load(item("Photo", {"file": file(b"old")}))
    (later,) = load(again(one, file=file(b"new")))
    assert (later.action, later.changed) == ("update", ("file",))
    row = Photo.objects.get()
    assert row.file.read() == b"new"
    row.file.close()


def test_a_file_that_others_show_is_not_changed_under_them(settings):
    one, two = load(item("Photo", {"file": file(b"old")}), item("Photo", {"file": file(b"old")}))
    load(again(one, file=file(b"new")))
    files = {row.pk: (Path(settings.MEDIA_ROOT) / row.file.name).read_bytes() for row in Photo.objects.all()}
    assert files == {one.pk: b"new", two.pk: b"old"}


def test_a_file_that_was_deleted_is_saved_again(settings):
    (one,) = load(item("Photo", {"file": file(b"one")}))
    (Path(settings.MEDIA_ROOT) / "photos" / "a.txt").unlink()
    (later,) = load(again(one, file=file(b"one")))
    assert later.action == "update"
    assert stored(settings) == {"photos/a.txt": b"one"}


def test_a_file_that_was_exchanged_by_hand_is_kept(settings):
    (one,) = load(item("Photo", {"file": file(b"one")}))
    (Path(settings.MEDIA_ROOT) / "photos" / "mine.txt").write_bytes(b"mine")
    Photo.objects.update(file="photos/mine.txt")
    (later,) = load(again(one, file=file(b"two")))
    assert (later.kept, Photo.objects.get().file.name) == (("file",), "photos/mine.txt")


@pytest.mark.parametrize(
    ("name", "stem"), [("x" * 300 + ".txt", "x"), ("ä" * 200 + ".jpeg", "ä"), ("x" * 300, "x"), ("." + "x" * 200, "")]
)
def test_over_long_names_are_cut_so_that_the_column_holds_them(name, stem, settings):
    for content in (b"one", b"two", b"three"):
        load(item("Photo", {"file": file(content, name)}))
    names = list(Photo.objects.values_list("file", flat=True))
    assert len(set(names)) == 3
    assert all(len(one) <= 100 and one.startswith(f"photos/{stem}") for one in names)
    assert sorted(stored(settings).values()) == [b"one", b"three", b"two"]


@pytest.mark.parametrize(
    "name",
    ["../../a.txt", "/etc/a.txt", "..\\..\\a.txt", "a\x00.txt", "sub/a.txt", "..", ".", "", "a b.txt", "a\nb.txt"],
)
def test_s3_a_name_from_a_source_leads_nowhere_but_into_the_folder_of_the_field(name, settings):
    (one,) = load(item("Photo", {"file": file(b"one", name)}))
    assert one.action == "create"
    (path,) = stored(settings)
    assert path.startswith("photos/")
    assert path.count("/") == 1
    assert Photo.objects.get().file.name == path


def test_a_field_that_is_no_file_takes_none():
    (one,) = load(item("Author", {"slug": "a", "name": file(b"x")}))
    assert str(one.error) == "field 'name': expected CharField, got a file"


def test_an_emptied_file_field_shows_nothing():
    ada = Author.objects.create(slug="ada", name="Ada")
    values = {"slug": "a", "title": "t", "author": ada.pk}
    (one,) = load(item("Article", values | {"attachment": file(b"one")}))
    (later,) = load(again(one, **values, attachment=""))
    assert later.changed == ("attachment",)
    assert not Article.objects.get().attachment


def test_a_section_tree_of_one_batch_needs_the_parent_first():
    (root,) = load(item("Section", {"slug": "root", "title": "r"}))
    (child,) = load(item("Section", {"slug": "child", "title": "c", "parent": root.pk}))
    assert Section.objects.get(pk=child.pk).parent_id == root.pk


def test_friends_are_friends_of_each_other():
    ada, bob, eve = load(*(item("Person", {"name": name}) for name in ("ada", "bob", "eve")))
    friends = {"bob": [ada.pk, eve.pk], "eve": [bob.pk]}
    (bob, eve) = load(again(bob, name="bob", friends=friends["bob"]), again(eve, name="eve", friends=friends["eve"]))

    def of(name):
        return set(Person.objects.get(name=name).friends.values_list("name", flat=True))

    assert (of("ada"), of("bob"), of("eve")) == ({"bob"}, {"ada", "eve"}, {"bob"})
    load(again(bob, name="bob", friends=[eve.pk]))
    assert (of("ada"), of("bob"), of("eve")) == (set(), {"eve"}, {"bob"})
