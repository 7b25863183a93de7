"""Rows in bulk: inserts that leave what is there, updates that compare and set, every type of column."""

import datetime as dt

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import connection
from django.utils import timezone
from testapp.models import Author

from isekai_core.models import Payload, Resource
from isekai_core.pipeline.store.rows import chunks, insert_rows, update_rows

pytestmark = pytest.mark.django_db(transaction=True)


def make(number, **columns):
    values = {"pipeline": "p", "key": f"thing:{number}", "key_hash": str(number)} | columns
    return Resource.objects.create(**values)


def test_ids_come_in_chunks():
    assert [list(part) for part in chunks(list(range(7)), 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([])) == []


def test_an_update_sets_columns_of_every_type_row_by_row():
    now = timezone.now()
    rows = [make(number) for number in range(3)]
    payload = Payload.objects.create(sha256="x", kind="text", media_type="text/plain", size=1)
    values = [
        (rows[0].pk, "failed", 3, now, "one\n'two' %s \\ ;", rows[1].pk, payload.pk),
        (rows[1].pk, "ready", 0, None, "", None, None),
        (rows[2].pk, "x" * 12, 32767, now + dt.timedelta(days=1), "ä😀", rows[2].pk, None),
    ]
    columns = ("state", "attempts", "next_attempt_at", "message", "alias_of", "payload")
    assert update_rows(connection, Resource, ("id",), columns, values) == 3
    stored = Resource.objects.order_by("pk").values_list("pk", *columns[:-2], "alias_of_id", "payload_id")
    assert list(stored) == values


def test_a_row_whose_keys_do_not_fit_is_left_alone_and_not_counted():
    mine, lost = make(1, lease_owner="me"), make(2, lease_owner="somebody")
    rows = [(mine.pk, "me", "done"), (lost.pk, "me", "done"), (99_999, "me", "done")]
    assert update_rows(connection, Resource, ("id", "lease_owner"), ("state",), rows) == 1
    assert list(Resource.objects.order_by("pk").values_list("state", flat=True)) == ["done", "ready"]


def test_all_null_and_one_row_alone_need_no_hints_of_type():
    row = make(1, next_attempt_at=timezone.now())
    assert update_rows(connection, Resource, ("id",), ("next_attempt_at", "alias_of"), [(row.pk, None, None)]) == 1
    assert Resource.objects.get().next_attempt_at is None


def test_nothing_to_do_is_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert update_rows(connection, Resource, ("id",), ("state",), []) == 0
        insert_rows(connection, Resource, ("key",), [])


def test_thousands_of_rows_are_no_limit():
    now = timezone.now()
    columns = ("pipeline", "key", "key_hash", "metadata", "created_at", "updated_at")
    insert_rows(connection, Resource, columns, [("p", f"k{n}", str(n), "x" * 100, now, now) for n in range(5000)])
    assert Resource.objects.count() == 5000
    ids = list(Resource.objects.values_list("pk", flat=True))
    assert update_rows(connection, Resource, ("id",), ("state", "message"), [(pk, "done", "m") for pk in ids]) == 5000
    assert Resource.objects.filter(state="done", message="m").count() == 5000


def test_an_insert_leaves_what_is_there_and_fills_in_the_defaults_of_the_database():
    make(1, message="was here")
    now = timezone.now()
    columns = ("pipeline", "key", "key_hash", "message", "created_at", "updated_at")
    insert_rows(connection, Resource, columns, [("p", "k", "1", "new", now, now), ("p", "k", "2", "new", now, now)])
    assert list(Resource.objects.order_by("key_hash").values_list("message", flat=True)) == ["was here", "new"]
    new = Resource.objects.get(key_hash="2")
    assert (new.stage, new.state, new.depth, new.attempts, new.lease_owner) == ("seeded", "ready", 0, 0, "")


def test_bytes_come_back_as_they_were():
    content = bytes(range(256)) * 10
    columns = ("sha256", "kind", "media_type", "charset", "size", "data", "blob")
    insert_rows(connection, Payload, columns, [("h", "text", "text/plain", "", len(content), content, "")])
    assert bytes(Payload.objects.get().data) == content


def test_a_column_that_does_not_exist_is_named():
    row = make(1)
    with pytest.raises(FieldDoesNotExist) as caught:
        update_rows(connection, Resource, ("id",), ("no_such_column",), [(row.pk, "x")])
    assert "no_such_column" in str(caught.value)


def test_names_are_quoted_and_values_are_never_sql():
    Author.objects.create(slug="a", name="x")
    evil = "x'); DELETE FROM testapp_author; --"
    pk = Author.objects.get().pk
    assert update_rows(connection, Author, ("id",), ("name",), [(pk, evil)]) == 1
    assert Author.objects.get().name == evil
