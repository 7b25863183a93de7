"""Match: which items mean a row that exists, one query for all of a model."""

import datetime as dt
from decimal import Decimal

import pytest
from testapp.models import Article, Author, Product, Section

from isekai_core import Key
from isekai_core.pipeline.loading.match import match
from isekai_core.types import LoadItem

pytestmark = pytest.mark.django_db


def item(model, values, names, pk=None):
    return LoadItem(Key("thing", "x"), model, values, tuple(names), pk)


def test_rows_are_found_by_one_field_and_by_several_with_one_query_a_model(django_assert_num_queries):
    ada = Author.objects.create(slug="ada", name="Ada")
    one = Product.objects.create(shop="a", sku="1", price=1)
    Product.objects.create(shop="b", sku="1", price=1)
    items = [
        item("testapp.Author", {"slug": "ada"}, ["slug"]),
        item("testapp.Author", {"slug": "bob"}, ["slug"]),
        item("testapp.Product", {"shop": "a", "sku": "1"}, ["shop", "sku"]),
        item("testapp.Product", {"shop": "a", "sku": "2"}, ["shop", "sku"]),
    ]
    with django_assert_num_queries(2):
        assert match(items) == {}
    assert [one.pk for one in items] == [ada.pk, None, one.pk, None]


def test_what_is_known_already_or_names_no_field_is_not_looked_for(django_assert_num_queries):
    items = [item("testapp.Author", {"slug": "a"}, ["slug"], pk=7), item("testapp.Author", {"slug": "a"}, [])]
    with django_assert_num_queries(0):
        match(items)
    assert [one.pk for one in items] == [7, None]


def test_of_two_that_mean_one_row_the_second_waits():
    items = [item("testapp.Author", {"slug": "a"}, ["slug"]) for _ in range(3)]
    assert match(items) == {id(items[1]): 1, id(items[2]): 2}


def test_values_are_compared_as_the_field_has_them():
    ada = Author.objects.create(slug="ada", name="Ada")
    news = Section.objects.create(slug="news", title="News")
    row = Article.objects.create(
        slug="a",
        title="t",
        author=ada,
        section=news,
        price=Decimal("1.50"),
        published_on=dt.date(2026, 1, 31),
        updated_at=dt.datetime(2026, 1, 31, 12, 30, tzinfo=dt.UTC),
    )
    for values in (
        {"author": str(ada.pk)},
        {"price": "1.5"},
        {"published_on": "2026-01-31"},
        {"section": news.pk, "author": ada.pk},
        {"updated_at": dt.datetime(2026, 1, 31, 12, 30)},  # noqa: DTZ001 - taken for the project's time zone
        {"updated_at": "2026-01-31 12:30"},
        {"author_id": ada.pk},
    ):
        one = item("testapp.Article", values, list(values))
        match([one])
        assert one.pk == row.pk, values


def test_an_empty_value_matches_only_what_is_empty_too():
    news = Section.objects.create(slug="news", title="News")
    with_parent = Section.objects.create(slug="local", title="News", parent=news)
    items = [
        item("testapp.Section", {"title": "News", "parent": None}, ["title", "parent"]),
        item("testapp.Section", {"title": "News", "parent": news.pk}, ["title", "parent"]),
    ]
    match(items)
    assert [one.pk for one in items] == [news.pk, with_parent.pk]


def test_a_field_that_is_empty_alone_is_matched_too():
    news = Section.objects.create(slug="news", title="News")
    one = item("testapp.Section", {"parent": None}, ["parent"])
    match([one])
    assert one.pk == news.pk


def test_more_than_one_row_is_an_error_that_lists_them():
    pks = [Section.objects.create(slug=str(number), title="News").pk for number in range(7)]
    one = item("testapp.Section", {"title": "News"}, ["title"])
    match([one])
    listed = ", ".join(str(pk) for pk in pks[:5])
    assert one.action == "error"
    assert str(one.error) == f"title='News' fits 7 rows of testapp.Section ({listed}, …); match must fit one"


def test_values_that_cannot_be_looked_for_are_errors_of_their_own_item():
    items = [
        item("testapp.Article", {"published_on": "no date"}, ["published_on"]),
        item("testapp.Article", {"data": {"a": []}}, ["data"]),
        item("testapp.Article", {"slug": "ok"}, ["slug"]),
    ]
    match(items)
    assert [one.action for one in items] == ["error", "error", "create"]
    assert "no date" in str(items[0].error)
    assert "match fields data cannot be compared" in str(items[1].error)


def test_text_that_no_database_keeps_is_not_looked_for():
    one = item("testapp.Author", {"slug": "a\x00"}, ["slug"])
    two = item("testapp.Author", {"slug": "a\udce9"}, ["slug"])
    assert match([one, two]) == {}
    assert (one.pk, one.action, two.pk) == (None, "create", None)
