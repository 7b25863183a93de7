"""Rows that the table seeder cannot use: told with their columns, after all others."""

import datetime as dt

import psycopg
import pytest
from isekai_postgres.seed import TableSeeder

from isekai_core.errors import SeedError


@pytest.fixture
def database(postgres_database):
    """A connection to an empty database, for the test to fill it."""
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.url = postgres_database
        yield connection


def given_and_failure(database, **options):
    """The keys that came before the error, and its message."""
    given = []
    with pytest.raises(SeedError) as caught:
        given.extend(str(seed.key) for seed in TableSeeder(dsn=database.url, **options).seed())
    return given, str(caught.value)


@pytest.mark.parametrize(
    ("expression", "kind"),
    [("inet '10.0.0.1'", "IPv4Address"), ("int4range(1, 5)", "Range"), ("ARRAY[inet '::1']", "list")],
)
def test_a_type_that_no_record_holds_is_told_with_its_column(database, expression, kind):
    database.execute(f"CREATE TABLE hosts AS SELECT 1 AS id, {expression} AS what")
    _, message = given_and_failure(database, table="hosts", key="id")
    assert message.startswith(
        f"table hosts: 1 of 1 rows cannot be used: row 1 (id=1, what={'' if kind != 'list' else '['}"
    )
    assert f"column 'what': a record cannot hold a {kind}" in message
    assert message.endswith("select it as text in a query, for example what::text")


@pytest.mark.parametrize(
    "expression",
    ["date 'infinity'", "date '0044-03-15 BC'", "timestamp '-infinity'", "timestamptz '20000-01-01Z'", "time '24:00'"],
)
def test_a_date_that_python_cannot_hold_is_told_with_its_column(database, expression):
    database.execute(f"CREATE TABLE days AS SELECT 1 AS id, {expression} AS due")
    _, message = given_and_failure(database, table="days", key="id")
    assert message.startswith("table days: 1 of 1 rows cannot be used: row 1 (id=1, ")
    assert "column 'due': '" in message
    assert "has no equal in Python" in message


# The numbers of rows, of which two are fetched together: the first of all, one within, the last of all.
@pytest.mark.parametrize("bad", [{1}, {4}, {7}, {3, 4}, {1, 4, 7}, set(range(1, 8))], ids=str)
@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("date", "'infinity'"),
        ("jsonb", "('1' || repeat('0', 5000))::jsonb"),
        ("json", "(repeat('[', 500) || repeat(']', 500))::json"),
        ("json", "(repeat('[', 3000) || repeat(']', 3000))::json"),
        ("inet", "'10.0.0.1'"),
    ],
)
def test_rows_that_cannot_be_used_cost_no_other(database, type_, value, bad):
    database.execute(f"CREATE TABLE days (id int PRIMARY KEY, due {type_})")
    for number in range(1, 8):
        database.execute(f"INSERT INTO days VALUES ({number}, {value if number in bad else 'NULL'})")
    query = "SELECT * FROM days ORDER BY id"
    given, message = given_and_failure(database, query=query, key="id", name="days", batch_size=2)
    assert given == [f"row:days/{number}" for number in range(1, 8) if number not in bad]
    assert message.startswith(f"query 'days': {len(bad)} of 7 rows cannot be used: row {min(bad)} (id={min(bad)}, due=")
    assert message.count("column 'due': ") == min(len(bad), 5)


def test_of_many_rows_that_cannot_be_used_the_first_are_named(database):
    database.execute("CREATE TABLE days AS SELECT n AS id, date 'infinity' AS due FROM generate_series(1, 1000) AS n")
    _, message = given_and_failure(database, table="days", key="id")
    assert message.startswith("table days: 1000 of 1000 rows cannot be used: row 1 (id=1, ")
    assert "row 5 (" in message
    assert "row 6 (" not in message
    assert message.endswith("; and 995 more")


@pytest.mark.parametrize("style", ["German, DMY", "SQL, MDY", "Postgres, DMY"])
def test_moments_and_spans_are_read_whatever_the_database_prefers(database, style):
    name = database.execute("SELECT current_database()").fetchone()[0]
    for setting, value in (("datestyle", style), ("intervalstyle", "iso_8601"), ("timezone", "UTC")):
        database.execute(f"ALTER DATABASE \"{name}\" SET {setting} = '{value}'")
    columns = "timestamptz '2026-02-03 04:05:06Z' AS at, date '2026-02-03' AS day, interval '1 day 2:03' AS span"
    database.execute(f"CREATE TABLE moments AS SELECT 1 AS id, {columns}")
    (seed,) = TableSeeder(dsn=database.url, table="moments", key="id", version="at").seed()
    assert seed.version == "2026-02-03T04:05:06.000000Z"
    record = seed.payload.record
    assert (record["at"], record["day"]) == (dt.datetime(2026, 2, 3, 4, 5, 6, tzinfo=dt.UTC), dt.date(2026, 2, 3))
    assert record["span"] == dt.timedelta(days=1, hours=2, minutes=3)


def test_which_part_of_a_written_date_is_the_day_stays_what_the_database_says(database):
    name = database.execute("SELECT current_database()").fetchone()[0]
    database.execute(f"ALTER DATABASE \"{name}\" SET datestyle = 'SQL, DMY'")
    seeder = TableSeeder(dsn=database.url, query="SELECT 1 AS id, date '03/02/2026' AS day", key="id", name="days")
    (seed,) = seeder.seed()
    assert seed.payload.record["day"] == dt.date(2026, 2, 3)
