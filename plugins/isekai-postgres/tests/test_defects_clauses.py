"""What else the defects of an earlier implementation say: the clauses that the tests beside this leave out."""

import threading
from types import SimpleNamespace

import psycopg
import pytest
from isekai_postgres.slices import Postgres
from postgres_shared.rows import AT, SHOPS, TENANTS

from isekai_core.testing.shop.models import Category, Shop, Tenant


def test_defect_05_after_an_error_of_the_server_the_same_source_goes_on(source):
    source.create(Tenant, Shop)
    source.sql("ALTER TABLE shop_shop RENAME TO away")
    postgres = Postgres(source.url)
    for _ in range(2):
        source.refuses("has no table shop_shop", source.table(Tenant), source.table(Shop), postgres=postgres)
    source.sql("ALTER TABLE away RENAME TO shop_shop")
    assert source.cut(source.table(Tenant), source.table(Shop), postgres=postgres).rows.keys() == {
        "shop.Tenant", "shop.Shop",
    }  # fmt: skip


def test_defect_08_an_ordinary_role_exports_and_the_server_writes_no_file(source):
    source.create(Tenant)
    source.sql(f"INSERT INTO shop_tenant VALUES (1, 'A', 'a', '{AT}', true)")
    role = f"ordinary_{psycopg.conninfo.conninfo_to_dict(source.url)['dbname'][-12:]}"
    source.sql(f"CREATE ROLE {role} LOGIN NOSUPERUSER", f"GRANT SELECT ON shop_tenant TO {role}")
    try:
        parameters = psycopg.conninfo.conninfo_to_dict(source.url)
        url = f"postgresql://{role}@/{parameters['dbname']}?host={parameters['host']}"
        assert source.cut(source.table(Tenant), postgres=Postgres(url)).keys(Tenant) == [1]
    finally:
        source.sql(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_defect_18_columns_are_matched_by_name_and_not_by_place(target):
    target.sql(
        "CREATE TABLE shop_tenant (is_active bool NOT NULL, name varchar(200) NOT NULL, shout text GENERATED ALWAYS AS"
        " (upper(name)) STORED, created_at timestamptz NOT NULL, subdomain varchar(50) UNIQUE, id bigint PRIMARY KEY)"
    )
    target.load((Tenant, TENANTS), ids="keep")
    rows = target.sql("SELECT id, subdomain, shout, is_active FROM shop_tenant ORDER BY id")
    assert rows == [(1060, "acme", "ACME", True), (1061, "beta", "BETA", False)]


def test_defect_19_all_tables_are_committed_at_once(target):
    target.create(Tenant, Shop)
    seen = []

    def look(*told):
        seen.append(target.sql("SELECT count(*) FROM shop_tenant")[0][0])

    target.progress = SimpleNamespace(begin=look, advance=look, end=look)
    target.load((Tenant, TENANTS), (Shop, SHOPS))
    assert set(seen) == {0}
    assert target.sql("SELECT count(*) FROM shop_tenant") == [(2,)]


@pytest.mark.parametrize("ids", ["remap", "natural"])
def test_defect_22_who_inserts_during_a_load_gets_a_key_of_their_own(target, ids):
    target.create(Category)
    stop, made = threading.Event(), []

    def insert():
        with psycopg.connect(target.url, autocommit=True) as connection:
            while not stop.is_set():
                slug = f"other{len(made)}"
                made.append(connection.execute("INSERT INTO shop_category (slug) VALUES (%s) RETURNING id", [slug]))

    writer = threading.Thread(target=insert)
    writer.start()
    try:
        for number in range(3):
            rows = "id,slug,parent_id\n" + "".join(f"{key},{number}-{key},\n" for key in range(1, 2001))
            target.load((Category, rows), ids=ids, name=f"{number}")
    finally:
        stop.set()
        writer.join()
    total, different = target.sql("SELECT count(*), count(DISTINCT id) FROM shop_category")[0]
    assert total == different == 6000 + len(made)
