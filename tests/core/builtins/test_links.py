"""Many-to-many fields of the `models` loader: only the difference is written, whatever the links are rows of."""

import datetime as dt
import sqlite3
import uuid

import pytest
from django.db import connection
from django.db.models.signals import m2m_changed
from testapp.models import (
    Article,
    ArticleStats,
    Author,
    Country,
    Document,
    Invitation,
    Membership,
    Person,
    Shelf,
    Song,
    Tag,
)

from isekai_core.errors import LoadError

from .conftest import again, item, load

pytestmark = pytest.mark.django_db

SAVES = pytest.mark.parametrize("save", ["bulk", "each"])


def people(*names):
    return [Person.objects.create(name=name).pk for name in names]


def roles():
    return dict(Membership.objects.values_list("person__name", "role"))


@SAVES
def test_a_link_that_stays_keeps_what_else_its_row_says(save):
    ada, bob, eve = people("ada", "bob", "eve")
    (one,) = load(item("Team", {"name": "a", "members": [ada, eve]}), save=save)
    assert roles() == {"ada": "member", "eve": "member"}
    Membership.objects.filter(person=ada).update(role="captain")
    (later,) = load(again(one, name="a", members=[bob, ada]), save=save)
    assert later.changed == ("members",)
    assert roles() == {"ada": "captain", "bob": "member"}
    (same,) = load(again(later, name="a", members=[ada, bob]), save=save)
    assert same.action == "unchanged"


def test_links_that_stay_are_the_same_rows_of_every_field():
    ada, bob, eve, dan = people("ada", "bob", "eve", "dan")
    red, blue, green = (Tag.objects.create(name=name).pk for name in ("red", "blue", "green"))
    author = Author.objects.create(slug="ada", name="Ada").pk
    values = {"slug": "a", "title": "t", "author": author}
    (article,) = load(item("Article", values | {"tags": [red, blue]}))
    (friend,) = load(item("Person", {"name": "ada", "friends": [bob, eve]}, pk=ada))
    tags, friends = Article.tags.through.objects, Person.friends.through.objects
    kept_tag = tags.get(tag=red).pk
    kept_friends = set(
        friends.filter(from_person__in=[ada, bob], to_person__in=[ada, bob]).values_list("pk", flat=True)
    )
    load(again(article, **values, tags=[green, red]))
    load(again(friend, name="ada", friends=[dan, bob]))
    assert tags.get(tag=red).pk == kept_tag
    assert set(tags.values_list("tag", flat=True)) == {red, green}
    assert set(friends.values_list("from_person", "to_person")) == {(ada, bob), (bob, ada), (ada, dan), (dan, ada)}
    assert kept_friends < set(friends.values_list("pk", flat=True))


def test_a_link_that_is_there_twice_stays_or_goes_as_one():
    ada, bob = people("ada", "bob")
    (one,) = load(item("Team", {"name": "a", "members": [ada]}))
    Membership.objects.create(team_id=one.pk, person_id=ada, role="coach")
    (later,) = load(again(one, name="a", members=[ada, bob]))
    assert sorted(Membership.objects.values_list("person", "role")) == [
        (ada, "coach"),
        (ada, "member"),
        (bob, "member"),
    ]
    load(again(later, name="a", members=[bob]))
    assert roles() == {"bob": "member"}


def test_a_row_that_links_nothing_is_no_link_and_stays():
    (ada,) = people("ada")
    (one,) = load(item("Team", {"name": "a", "members": [ada]}))
    Membership.objects.create(team_id=one.pk, person=None, role="vacant")
    (same,) = load(again(one, name="a", members=[ada]))
    assert same.action == "unchanged"
    load(again(one, name="a", members=[]))
    assert roles() == {None: "vacant"}


@SAVES
def test_a_link_that_needs_more_than_its_ends_is_an_error_with_the_fields_name(save):
    ada, bob = people("ada", "bob")
    reason = (
        "field 'guests': a new link is a row of testapp.Invitation, which needs 'invited_on'; "
        "give that a default, or load testapp.Invitation as rows of its own"
    )
    one, bad = load(item("Team", {"name": "a"}), item("Team", {"name": "b", "guests": [ada]}), save=save)
    assert (bad.action, str(bad.error)) == ("error", reason)
    for guest in (ada, bob):
        Invitation.objects.create(team_id=one.pk, guest_id=guest, invited_on=dt.date(2026, 1, 1))
    (fewer,) = load(again(one, name="a", guests=[bob]), save=save)
    assert (fewer.changed, Invitation.objects.get().guest_id) == (("guests",), bob)
    (more,) = load(again(fewer, name="a", guests=[ada, bob]), save=save)
    assert (more.action, str(more.error)) == ("error", reason)
    assert Invitation.objects.get().guest_id == bob


def test_keys_are_the_same_however_they_are_written():
    key = uuid.UUID("12345678-1234-5678-1234-567812345678")
    Document.objects.create(pk=key, title="d", next_id=key)
    author = Author.objects.create(slug="ada", name="Ada")
    article = Article.objects.create(slug="a", title="t", author=author)
    ArticleStats.objects.create(article=article)
    Country.objects.create(code="7")
    (one,) = load(
        item("Shelf", {"name": "a", "documents": [key.hex], "stats": [str(article.pk)], "countries": [7, "7"]})
    )
    assert Shelf.objects.values_list("documents", "stats", "countries").get() == (key, article.pk, "7")
    (same,) = load(again(one, name="a", documents=[str(key)], stats=[article.pk], countries=["7"]))
    assert (same.action, same.written) == ("unchanged", one.written)


@pytest.mark.parametrize(
    ("field", "keys", "reason"),
    [
        ("documents", ["x"], "“x” is not a valid UUID"),
        ("stats", [1, "many"], "“many” value must be an integer"),
        ("countries", ["d\x00"], "holds a NUL character, which PostgreSQL refuses in text"),
    ],
)
def test_a_key_that_the_target_cannot_have_is_refused_by_the_name_of_its_field(field, keys, reason):
    (one,) = load(item("Shelf", {"name": "a", field: keys}))
    assert one.action == "error"
    assert str(one.error).startswith(f"field {field!r}: {reason}")


@pytest.fixture
def few_parameters(db):
    """As older builds of SQLite have it; PostgreSQL's own limit is far away."""
    if connection.vendor != "sqlite":
        yield
        return
    before = connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    yield
    connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)


def test_more_rows_and_more_links_than_a_statement_takes_parameters_are_written(few_parameters):
    ada, bob = people("ada", "bob")
    friends = Person.objects.bulk_create(Person(name=f"p{number}") for number in range(1_100))
    keys = [friend.pk for friend in friends]
    (one,) = load(item("Person", {"name": "ada", "friends": keys}, pk=ada))
    many = load(*(item("Person", {"name": friend.name, "friends": [ada]}, pk=friend.pk) for friend in friends))
    assert {one.action for one in many} == {"unchanged"}
    load(again(one, name="ada", friends=[bob]))
    assert set(Person.friends.through.objects.values_list("from_person", "to_person")) == {(ada, bob), (bob, ada)}
    many = load(*(item("Person", {"name": friend.name, "friends": [bob]}, pk=friend.pk) for friend in friends))
    assert {one.action for one in many} == {"update"}
    assert Person.friends.through.objects.filter(from_person__in=keys[:10], to_person=bob).count() == 10


def test_links_of_many_rows_are_written_with_as_many_statements_as_those_of_one(django_assert_max_num_queries):
    author = Author.objects.create(slug="ada", name="Ada").pk
    tags = [Tag.objects.create(name=name).pk for name in ("red", "blue")]
    items = [item("Article", {"slug": f"a{n}", "title": "t", "author": author, "tags": tags}) for n in range(300)]
    with django_assert_max_num_queries(16):
        load(*items)
    later = [again(one, slug=f"a{n}", title="t", author=author, tags=tags[:1]) for n, one in enumerate(items)]
    with django_assert_max_num_queries(8):
        load(*later)
    assert Article.tags.through.objects.count() == 300


@SAVES
def test_a_link_by_another_column_than_the_key_says_that_column(save):
    ada, bob, eve = people("ada", "bob", "eve")
    (one,) = load(item("Playlist", {"name": "a", "singers": [str(ada), bob]}), save=save)
    assert set(Song.objects.values_list("playlist_id", "singer_id")) == {("a", "ada"), ("a", "bob")}
    (same,) = load(again(one, name="a", singers=[bob, ada]), save=save)
    assert same.action == "unchanged"
    load(again(one, name="a", singers=[eve, bob]), save=save)
    assert set(Song.objects.values_list("singer_id", flat=True)) == {"bob", "eve"}


def test_a_link_by_another_column_to_a_row_that_is_not_there_is_refused_by_name():
    one = item("Playlist", {"name": "a", "singers": [987]})
    with pytest.raises(LoadError, match=r"^testapp\.Person has no row 987 to link to$"):
        load(one)


def test_rows_that_are_saved_each_tell_signal_receivers_what_is_linked_and_no_more():
    ada, bob, eve = people("ada", "bob", "eve")
    told = []

    def hear(sender, instance, action, pk_set, **_):
        told.append((sender.__name__, instance.name, action, pk_set))

    m2m_changed.connect(hear)
    try:
        (one,) = load(item("Team", {"name": "a", "members": [ada, bob]}), save="each")
        (later,) = load(again(one, name="a", members=[bob, eve]), save="each")
        load(again(later, name="a", members=[eve, bob]), save="each")
    finally:
        m2m_changed.disconnect(hear)
    assert [one for one in told if one[2].startswith("post")] == [
        ("Membership", "a", "post_add", {ada, bob}),
        ("Membership", "a", "post_remove", {ada}),
        ("Membership", "a", "post_add", {eve}),
    ]
    assert roles() == {"bob": "member", "eve": "member"}
