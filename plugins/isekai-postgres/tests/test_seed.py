"""The table seeder against a real PostgreSQL."""

import datetime as dt
import tracemalloc
import uuid
from decimal import Decimal
from itertools import islice
from urllib.parse import urlsplit

import psycopg
import pytest
from isekai_postgres.seed import TableSeeder

from isekai_core.errors import SeedError
from isekai_core.types import Key, Seeder


@pytest.fixture
def database(postgres_database):
    """A connection to an empty database, for the test to fill it."""
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.url = postgres_database
        yield connection


@pytest.fixture
def customers(database):
    database.execute("CREATE SCHEMA shop")
    database.execute("CREATE TABLE shop.customers (id int PRIMARY KEY, name text, city text, seen timestamptz)")
    database.execute(
        "INSERT INTO shop.customers VALUES (1, 'Ada', 'London', '2026-01-31 12:00+02'), (2, 'Grace', NULL, NULL)"
    )
    return database


def seeds(database, **options):
    return list(TableSeeder(dsn=database.url, **options).seed())


def keys(database, **options):
    return [str(seed.key) for seed in seeds(database, **options)]


def fails(database, **options):
    with pytest.raises(SeedError) as caught:
        seeds(database, **options)
    return str(caught.value)


def connections_of_isekai(database):
    found = database.execute("SELECT query FROM pg_stat_activity WHERE application_name = 'isekai'").fetchall()
    return [query for (query,) in found]


def all_closed(database):
    """Whether no connection is left. The server needs a moment to notice a closed one: ask, without waiting."""
    return any(not connections_of_isekai(database) for _ in range(5000))


# What is given


def test_the_rows_of_a_table_are_records_under_its_primary_key(customers):
    first, second = seeds(customers, table="shop.customers")
    assert first.key == Key("row", "shop.customers/1")
    moment = dt.datetime(2026, 1, 31, 10, tzinfo=dt.UTC)
    assert first.payload.record == {"id": 1, "name": "Ada", "city": "London", "seen": moment}
    assert second.payload.record == {"id": 2, "name": "Grace", "city": None, "seen": None}


def test_it_is_a_seeder_and_shows_no_password(postgres_url):
    seeder = TableSeeder(dsn="postgresql://ada:s3cret@h/db", table="t")
    assert isinstance(seeder, Seeder)
    assert "s3cret" not in repr(seeder)
    assert TableSeeder.secret_options == ("dsn",)


def test_the_rows_of_a_query_are_records_under_the_named_key(customers):
    options = {"query": "SELECT name, mod(id, 2) AS odd FROM shop.customers WHERE id < %s", "params": [2]}
    (seed,) = seeds(customers, **options, key="name", name="people")
    assert (str(seed.key), seed.payload.record) == ("row:people/Ada", {"name": "Ada", "odd": 1})


def test_parameters_may_be_named_and_are_never_pasted(customers):
    options = {"query": "SELECT id FROM shop.customers WHERE name = %(name)s", "key": "id", "name": "people"}
    assert keys(customers, **options, params={"name": "Ada"}) == ["row:people/1"]
    assert keys(customers, **options, params={"name": "' OR 'a' = 'a"}) == []


def test_a_query_without_parameters_may_hold_percent_signs(customers):
    options = {"query": "SELECT id FROM shop.customers WHERE name LIKE 'A%'", "key": "id", "name": "people"}
    assert keys(customers, **options) == ["row:people/1"]


def test_columns_limit_the_record_and_not_the_key(customers):
    first, _ = seeds(customers, table="shop.customers", columns=["name"], version="seen")
    assert (str(first.key), first.payload.record) == ("row:shop.customers/1", {"name": "Ada"})


def test_a_version_column_becomes_a_text_that_grows(customers):
    first, second = seeds(customers, table="shop.customers", version="seen")
    assert (first.version, second.version) == ("2026-01-31T10:00:00.000000Z", None)


def test_a_table_is_found_on_the_search_path(database):
    database.execute("CREATE TABLE pages (slug text PRIMARY KEY)")
    database.execute("INSERT INTO pages VALUES ('about')")
    assert keys(database, table="pages") == ["row:pages/about"]


def test_a_view_is_read_like_a_table(customers):
    customers.execute("CREATE VIEW shop.londoners AS SELECT id, name FROM shop.customers WHERE city = 'London'")
    assert keys(customers, table="shop.londoners", key="id") == ["row:shop.londoners/1"]


def test_an_empty_table_gives_nothing(database):
    database.execute("CREATE TABLE pages (id int PRIMARY KEY)")
    assert seeds(database, table="pages") == []


def test_names_are_quoted_whatever_they_hold(database):
    database.execute('CREATE TABLE "drop table; --" ("a "" b" int PRIMARY KEY, "select" text, "100%%" text)')
    database.execute("""INSERT INTO "drop table; --" VALUES (1, 'x', 'y')""")
    (seed,) = seeds(database, table="drop table; --")
    assert seed.payload.record == {'a " b': 1, "select": "x", "100%%": "y"}


def test_every_type_comes_back_as_it_is_in_python(database):
    database.execute("""
        CREATE TABLE everything AS SELECT 1 AS id, 1.50::numeric(8, 2) AS price, '2026-01-31'::date AS day,
            '12:30:00.5'::time AS hour, '2026-01-31 12:00'::timestamp AS naive, interval '1 day 2 hours' AS span,
            '7f1f2d4c-0000-4000-8000-000000000001'::uuid AS uid, '{"$": [1, null, {"a": true}]}'::jsonb AS data,
            '[1.5]'::json AS list, ARRAY[1, NULL, 3] AS numbers, ARRAY[ARRAY['a'], ARRAY['b']] AS nested,
            '\\x00ff'::bytea AS raw, true AS yes, 9223372036854775807 AS big, 0.1::float8 AS ratio, NULL::text AS none,
            'NaN'::float8 AS nan_, repeat('x', 100000) AS long
    """)
    (seed,) = seeds(database, table="everything", key="id")
    record = seed.payload.record
    assert str(record.pop("nan_")) == "nan"
    assert record.pop("long") == "x" * 100_000
    assert record == {
        "id": 1,
        "price": Decimal("1.50"),
        "day": dt.date(2026, 1, 31),
        "hour": dt.time(12, 30, 0, 500_000),
        "naive": dt.datetime(2026, 1, 31, 12),  # noqa: DTZ001 - a timestamp without time zone
        "span": dt.timedelta(days=1, hours=2),
        "uid": uuid.UUID("7f1f2d4c-0000-4000-8000-000000000001"),
        "data": {"$": [1, None, {"a": True}]},
        "list": [1.5],
        "numbers": [1, None, 3],
        "nested": [["a"], ["b"]],
        "raw": b"\x00\xff",
        "yes": True,
        "big": 9223372036854775807,
        "ratio": 0.1,
        "none": None,
    }


def test_enumerations_and_domains_are_text(database):
    database.execute("CREATE TYPE mood AS ENUM ('happy')")
    database.execute("CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%')")
    database.execute("CREATE TABLE people AS SELECT 1 AS id, 'happy'::mood AS mood, 'a@b'::email AS mail")
    (seed,) = seeds(database, table="people", key="id")
    assert seed.payload.record == {"id": 1, "mood": "happy", "mail": "a@b"}


# Keys


def test_several_key_columns_are_joined_and_cannot_collide(database):
    database.execute("CREATE TABLE parts (a text, b text, PRIMARY KEY (a, b))")
    database.execute("INSERT INTO parts VALUES ('x/y', 'z'), ('x', 'y/z'), ('x%2Fy', 'z'), ('', 'é ü')")
    found = keys(database, table="parts")
    assert sorted(found) == ["row:parts//é ü", "row:parts/x%252Fy/z", "row:parts/x%2Fy/z", "row:parts/x/y%2Fz"]


def test_the_order_of_the_primary_key_is_that_of_the_database(database):
    database.execute("CREATE TABLE parts (a int, b int, c int, PRIMARY KEY (c, a))")
    database.execute("INSERT INTO parts VALUES (1, 2, 3)")
    assert keys(database, table="parts") == ["row:parts/3/1"]


def test_a_key_column_may_be_any_that_identifies(database):
    database.execute(
        "CREATE TABLE days AS SELECT date '2026-01-31' AS day, true AS yes, 1.0 AS n, '\\xff'::bytea AS raw"
    )
    assert keys(database, table="days", key=["day", "yes", "n", "raw"]) == ["row:days/2026-01-31/true/1.0/ff"]


def test_the_name_replaces_the_table_in_the_key(customers):
    assert keys(customers, table="shop.customers", name="people")[0] == "row:people/1"


def test_the_same_key_twice_is_left_to_the_engine(database):
    database.execute("CREATE TABLE visits AS SELECT 'Ada' AS who FROM generate_series(1, 2)")
    assert keys(database, table="visits", key="who") == ["row:visits/Ada", "row:visits/Ada"]


def test_a_control_character_in_a_key_is_escaped(database):
    database.execute("CREATE TABLE visits AS SELECT E'a\\nb' AS who")
    assert keys(database, table="visits", key="who") == ["row:visits/a%0Ab"]


def test_null_in_a_key_column_names_the_row_and_the_column(database):
    database.execute("CREATE TABLE people (code text, name text)")
    database.execute("INSERT INTO people VALUES ('a', 'Ada'), (NULL, 'Grace')")
    seeder = TableSeeder(dsn=database.url, table="people", key="code").seed()
    assert str(next(seeder).key) == "row:people/a"
    with pytest.raises(SeedError) as caught:
        next(seeder)
    assert str(caught.value) == (
        "table people: 1 of 2 rows cannot be used: row 2 (code=None, name='Grace'): key column 'code' is NULL"
    )


def test_a_value_that_identifies_nothing_is_refused_as_a_key(database):
    database.execute("CREATE TABLE people AS SELECT ARRAY[1, 2] AS code")
    assert "key column 'code': a value of type list cannot be a key" in fails(database, table="people", key="code")


# Server-side, read-only, closed


def test_rows_come_from_a_server_side_cursor_batch_by_batch(database):
    # All of them would fill the memory: the first can only come when they are not fetched together.
    options = {"query": "SELECT generate_series(1, 10000000000) AS n", "key": "n", "name": "numbers", "batch_size": 50}
    seeder = TableSeeder(dsn=database.url, **options).seed()
    assert [str(seed.key) for seed in islice(seeder, 120)][-1] == "row:numbers/120"
    assert connections_of_isekai(database) == ['FETCH FORWARD 50 FROM "isekai"']
    seeder.close()
    assert all_closed(database)


def test_memory_does_not_grow_with_the_table(database):
    database.execute("CREATE TABLE big AS SELECT n, repeat('x', 500) AS text FROM generate_series(1, 20000) AS n")
    peaks = []
    for limit in (2_000, 20_000):
        seeder = TableSeeder(dsn=database.url, table="big", key="n", batch_size=500).seed()
        tracemalloc.start()
        assert sum(1 for _ in islice(seeder, limit)) == limit
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        seeder.close()
    # When Python collects what is no longer used is chance; a tenth of the 18,000 further rows would be seen.
    assert peaks[1] - peaks[0] < 1_800 * 500


def test_a_query_cannot_write(customers):
    customers.execute("""
        CREATE FUNCTION remove() RETURNS int LANGUAGE sql AS 'DELETE FROM shop.customers RETURNING id'
    """)
    message = fails(customers, query="SELECT remove() AS id", key="id", name="x")
    assert message == "query 'x': cannot execute DELETE in a read-only transaction"
    assert customers.execute("SELECT count(*) FROM shop.customers").fetchone() == (2,)


def test_the_connection_is_closed_at_the_end_and_after_an_error(customers):
    seeds(customers, table="shop.customers")
    assert all_closed(customers)
    fails(customers, query="SELECT 1 / (id - 2) AS id FROM shop.customers", key="id", name="x")
    assert all_closed(customers)


def test_what_was_given_before_an_error_is_kept(customers):
    options = {"query": "SELECT 1 / (2 - n) AS id FROM generate_series(0, 9) AS n", "batch_size": 1}
    seeder = TableSeeder(dsn=customers.url, **options, key="id", name="x").seed()
    assert len(list(islice(seeder, 2))) == 2
    with pytest.raises(SeedError, match="query 'x': division by zero"):
        next(seeder)


# Errors name the thing


def test_a_missing_table_is_told_with_those_that_are_there(customers):
    message = fails(customers, table="shop.custmers")
    assert message == "there is no table 'shop.custmers'; the schema 'shop' has customers"
    assert fails(customers, table="pages") == "there is no table 'pages'; the search path has none"


def test_a_missing_column_is_told_with_those_that_are_there(customers):
    expected = "table shop.customers has no column 'nam'; it has id, name, city, seen"
    assert fails(customers, table="shop.customers", columns=["nam"]) == expected
    assert fails(customers, table="shop.customers", key="nam") == expected
    assert fails(customers, table="shop.customers", version="nam") == expected


def test_a_column_that_a_query_does_not_give_is_told(customers):
    query = "SELECT id FROM shop.customers"
    assert fails(customers, query=query, key="name", name="x") == "query 'x' has no column 'name'; it has id"


def test_a_column_that_a_query_gives_twice_is_told(customers):
    message = fails(customers, query="SELECT 1 AS id, 2 AS id", key="id", name="x")
    assert message == "query 'x' gives the column 'id' twice; name one of them with AS"


def test_a_table_without_a_primary_key_needs_a_key(database):
    database.execute("CREATE TABLE visits (who text)")
    assert fails(database, table="visits") == (
        "table visits has no primary key; name the columns that identify a row: key=…"
    )


def test_a_version_that_does_not_sort_is_refused(database):
    database.execute("CREATE TABLE pages AS SELECT 1 AS id, 1.5 AS version")
    message = fails(database, table="pages", key="id", version="version")
    assert "version column 'version': expected a date, a timestamp, a text or a whole number" in message


def test_a_query_that_cannot_be_read_is_told(customers):
    assert fails(customers, query="SELEC 1", key="id", name="x") == "query 'x': syntax error at or near \"SELEC\""
    message = fails(customers, query="SELECT %s AS id", params=[1, 2], key="id", name="x")
    assert message == "query 'x': the query has 1 placeholders but 2 parameters were passed"


def test_a_table_that_may_not_be_read_is_told(customers):
    customers.execute("CREATE ROLE nobody_here LOGIN")
    try:
        url = customers.url.replace("postgres:@", "nobody_here:@")
        with pytest.raises(SeedError, match=r"table shop.customers: permission denied for schema shop"):
            list(TableSeeder(dsn=url, table="shop.customers").seed())
    finally:
        customers.execute("DROP ROLE nobody_here")


def test_a_server_that_is_not_there_is_told_without_the_password():
    seeder = TableSeeder(dsn="postgresql://ada:s3cret@127.0.0.1:1/shop", table="t")
    with pytest.raises(SeedError) as caught:
        list(seeder.seed())
    assert str(caught.value).startswith("table t: connection failed:")
    assert "127.0.0.1" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_database_that_is_not_there_is_told(postgres_url):
    url = urlsplit(postgres_url)._replace(path="/nowhere").geturl()
    with pytest.raises(SeedError, match='database "nowhere" does not exist'):
        list(TableSeeder(dsn=url, table="t").seed())
