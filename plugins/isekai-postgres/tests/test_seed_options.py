"""What the table seeder refuses before anything is read."""

import pytest
from django.db import connections
from isekai_postgres.seed import TableSeeder

from isekai_core.testing import database_settings
from isekai_core.testing.postgres import run_sql

URL = "postgresql://ada@db.example.org/shop"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"table": "t"}, "exactly one of dsn and alias is needed"),
        ({"table": "t", "dsn": URL, "alias": "default"}, "exactly one of dsn and alias is needed"),
        ({"dsn": URL}, "exactly one of table and query is needed"),
        ({"dsn": URL, "table": "t", "query": "SELECT 1"}, "exactly one of table and query is needed"),
        ({"dsn": URL, "query": "SELECT 1", "name": "x"}, "a query needs key"),
        ({"dsn": URL, "query": "SELECT 1", "key": "x"}, "a query needs key"),
        ({"dsn": URL, "table": "t", "params": [1]}, "with table there are none"),
        ({"dsn": URL, "table": "t", "key": []}, "name at least one column"),
        ({"dsn": URL, "table": "t", "columns": []}, "name at least one column"),
        ({"dsn": URL, "table": "t", "batch_size": 0}, "batch_size is at least 1, got 0"),
        ({"alias": "legacy", "table": "t"}, "DATABASES has no 'legacy'; it has default"),
    ],
)
def test_options_that_cannot_be_right_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TableSeeder(**options)


@pytest.mark.parametrize(
    "dsn",
    [
        "",
        "mysql://ada:s3cret@h/db",
        "host=h password=s3cret",
        "postgresql://ada:s3cret@h/db?nonsense=1",
        "postgresql://ada:x@s3cret@h/db",
        "postgresql://ada:s3cret/x@h/db",
        "postgresql://ada@h:s3cret/db",
    ],
)
def test_a_dsn_that_cannot_be_one_is_refused_without_showing_any_of_it(dsn):
    with pytest.raises(ValueError, match="expected postgresql://") as caught:
        TableSeeder(dsn=dsn, table="t")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_database_of_another_kind_is_refused(monkeypatch):
    monkeypatch.setitem(
        connections.settings, "lite", connections.settings["default"] | {"ENGINE": "django.db.backends.sqlite3"}
    )
    with pytest.raises(ValueError, match="the database 'lite' is sqlite, not postgresql"):
        TableSeeder(alias="lite", table="t")


def test_an_alias_reads_what_django_would_connect_to(monkeypatch, postgres_database):
    run_sql(postgres_database, "CREATE TABLE pages (id int PRIMARY KEY)", "INSERT INTO pages VALUES (7)")
    # Options that are Django's own must not reach the driver.
    options = {"isolation_level": 1, "server_side_binding": True, "assume_role": "postgres", "application_name": "mine"}
    database = database_settings(postgres_database)
    whole = connections.settings["default"] | database | {"OPTIONS": database["OPTIONS"] | options}
    monkeypatch.setitem(connections.settings, "legacy", whole)
    assert [str(seed.key) for seed in TableSeeder(alias="legacy", table="pages").seed()] == ["row:pages/7"]
