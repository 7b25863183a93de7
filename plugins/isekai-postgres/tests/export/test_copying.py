"""`copying.py`: the same bytes, whichever format the server writes."""

import psycopg
import pytest
from isekai_postgres.reading.copying import copied
from isekai_postgres.reading.tables import source_tables
from isekai_postgres.slices import Postgres
from psycopg import sql

from isekai_core.testing.shop.models import Country, Firm, Label, OrderItem, Person, Tenant

BARE = {
    "smallint": ("-32768", "0", None),
    "integer": ("2147483647", "-1", None),
    "bigint": ("-9223372036854775808", "7", None),
    "oid": ("4294967295", "0", None),
    "boolean": ("true", "false", None),
    "real": ("1e-20", "NaN", "-Infinity"),
    "double precision": ("1.7976931348623157e308", "-0", None),
    "numeric": ("123456789012345678901234567890.0000000001", "NaN", "-0.50"),
    "uuid": ("00000000-0000-0000-0000-00000000002c", None, "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    "date": ("0044-03-15 BC", "infinity", "9999-12-31"),
    "timestamp with time zone": ("-infinity", "4713-01-01 00:00:00 BC", "2026-01-02 03:04:05.123456+05:45"),
    "timestamp without time zone": ("infinity", None, "2026-01-02 03:04:05"),
    "time without time zone": ("24:00:00", "00:00:00.000001", None),
}


def content(source, table, **options):
    with psycopg.connect(source.url) as connection:
        select = sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier(table))
        return b"".join(copied(connection, select, lambda rows, size: None, **options))


@pytest.mark.parametrize("style", ["ISO, YMD", "SQL, DMY", "German", "Postgres"])
def test_values_that_need_no_quotes_are_the_same_bytes_in_both_formats(source, style):
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(BARE))
    source.sql(f"CREATE TABLE bare (id int, {columns})")
    for number, values in enumerate(zip(*BARE.values(), strict=True)):
        source.sql(f"INSERT INTO bare VALUES ({', '.join(['%s'] * (len(BARE) + 1))})", values=(number, *values))
    name = source.sql("SELECT current_database()")[0][0]
    source.sql(f"ALTER DATABASE \"{name}\" SET datestyle = '{style}'")
    found = content(source, "bare", is_bare=True)
    assert found == content(source, "bare")
    assert found.count(b"\n") == 4


def test_a_single_column_with_nothing_in_it_is_the_same_in_both_formats(source):
    source.sql("CREATE TABLE bare (id int)", "INSERT INTO bare VALUES (1), (NULL), (2)")
    assert content(source, "bare", is_bare=True) == content(source, "bare") == b"id\n1\n2\n\n"


def is_bare(source, model):
    plan = source.plan(source.table(model, whole=True))
    with psycopg.connect(source.url) as connection:
        return source_tables(connection, plan, Postgres(source.url)._origin)[model._meta.label].is_bare


def test_numbers_and_moments_need_no_quotes(source):
    source.fill()
    assert is_bare(source, OrderItem)


@pytest.mark.parametrize("model", [Tenant, Person])
def test_a_text_may_need_some(source, model):
    source.create(Tenant, Country, Label, Person, Firm)
    assert not is_bare(source, model)


@pytest.mark.parametrize("kind", ["varchar(9)", "money", "interval", "point", "int[]", "jsonb", "positive"])
def test_any_other_type_may_need_some_whatever_the_model_says(source, kind):
    source.fill()
    source.sql("CREATE DOMAIN positive AS int CHECK (VALUE > 0)")
    source.sql("ALTER TABLE shop_orderitem DROP COLUMN quantity", f"ALTER TABLE shop_orderitem ADD quantity {kind}")
    assert not is_bare(source, OrderItem)
