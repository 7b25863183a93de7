"""`pipeline/loading/create.py`: new rows in bulk, the same whether the database has COPY or not."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from testapp.models import Article, Author, Notice

from isekai_core.pipeline.loading.create import create_rows
from isekai_core.pipeline.store.rows import update_rows

pytestmark = pytest.mark.django_db(transaction=True)


def create(model, *instances):
    with transaction.atomic():
        create_rows(model, instances)
    return instances


def test_new_rows_have_their_keys_and_are_saved():
    one, two = create(Author, Author(slug="ada", name="Ada"), Author(slug="bob", name="Bob'\\\n%s"))
    assert {one.pk: one.name, two.pk: two.name} == dict(Author.objects.values_list("pk", "name"))
    assert not one._state.adding
    one.name = "Ada Lovelace"
    one.save()
    assert Author.objects.get(slug="ada").name == "Ada Lovelace"


def test_a_key_that_is_given_stands_and_the_next_one_is_another():
    create(Author, Author(pk=1, slug="ada", name="Ada"))
    if connection.vendor == "postgresql":
        # As after any INSERT that gives the key: the sequence does not know of it.
        connection.cursor().execute("SELECT setval(pg_get_serial_sequence('testapp_author', 'id'), 1)")
    (other,) = create(Author, Author(slug="bob", name="Bob"))
    assert other.pk > 1


def test_values_of_every_type_come_back_equal():
    (author,) = create(Author, Author(slug="ada", name="Ada"))
    given = {"slug": "a", "title": "ä😀", "body": "x" * 30_000, "author": author}
    names = {field.name for field in Article._meta.concrete_fields}
    more = {"published": dt.date(2026, 2, 3), "price": Decimal("1.50"), "data": {"a": [1, None, "é"]}, "featured": True}
    given |= {name: value for name, value in more.items() if name in names}
    create(Article, Article(**given))
    stored = Article.objects.get()
    assert {name: getattr(stored, name) for name in given} == given


def test_a_field_of_the_projects_own_prepares_its_values_itself():
    notice = Notice.objects.create(text="first")
    create(Notice, Notice(text="second"))
    update_rows(connection, Notice, ("id",), ("text",), [(notice.pk, "third")])
    assert sorted(Notice.objects.values_list("text", flat=True)) == ["SECOND", "THIRD"]


def test_what_the_database_fills_in_is_known_afterwards():
    (notice,) = create(Notice, Notice(text="first"))
    assert Notice.objects.get().colour == "grey"
    assert notice.colour == "grey" or connection.vendor == "sqlite"


def test_a_row_that_breaks_a_constraint_is_the_databases_own_error():
    create(Author, Author(slug="ada", name="Ada"))
    with pytest.raises(IntegrityError):
        create(Author, Author(slug="bob", name="Bob"), Author(slug="ada", name="Ada"))
    assert list(Author.objects.values_list("slug", flat=True)) == ["ada"]
