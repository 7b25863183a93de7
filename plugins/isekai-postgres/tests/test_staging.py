"""Before anything of the target is changed: the connection, drift, and what a CSV must not be."""

import socket
import threading

import psycopg
import pytest
from isekai_postgres import merge
from isekai_postgres.connection import parameters_of_dsn

from isekai_core.errors import MergeError, StagingError
from isekai_core.testing.shop.models import Category, Country, Firm, Label, Person, Product, Shop, Tenant
from isekai_core.types.slices import LoadChoice

TENANTS = "id,name,subdomain,created_at,is_active\n1,Acme,acme,2026-01-02 03:04:05.123456+00,t\n"
CATEGORIES = "id,slug,parent_id\n1,a,\n"


def test_values_arrive_as_they_were(target):
    target.create(Country, Label, Firm, Person)
    person = (
        "id,name,country_id,works_at,born,height,notes,portrait,picture\n"
        '1,"O\'Brien, ""the"" %s ; \\\n\\.\n\U0001f600",,,1815-12-10,1.5,"{""a"": [null]}",\\x00ff,""\n'
        '2,"",,,,,,,x/y.png\n'
    )
    (report,) = target.load((Person, person), dangling="null")
    assert (report.rows, report.created, report.updated, report.unchanged) == (2, 2, 0, 0)
    rows = target.sql("SELECT name, born::text, height, notes, portrait, picture FROM shop_person ORDER BY id")
    assert rows == [
        ('O\'Brien, "the" %s ; \\\n\\.\n\U0001f600', "1815-12-10", 1.5, {"a": [None]}, b"\x00\xff", ""),
        ("", None, None, None, None, "x/y.png"),
    ]


def test_progress_tells_bytes_as_they_are_staged_and_rows_as_they_are_merged(target):
    target.create(Tenant)
    target.load((Tenant, TENANTS))
    size = len(TENANTS.encode())
    name = "shop.Tenant"
    assert target.progress.told == [
        ("begin", name, 1), ("advance", name, 0, size), ("advance", name, 1, 0), ("end", name),
    ]  # fmt: skip


# Drift


def test_all_differences_are_told_at_once(target):
    target.create(Tenant, Category)
    target.sql(
        "ALTER TABLE shop_tenant DROP COLUMN is_active, ALTER COLUMN subdomain TYPE varchar(20),"
        " ALTER COLUMN created_at TYPE text, ADD COLUMN plan text NOT NULL"
    )
    shop = "id,tenant_id,name,url,currency,created_at\n"
    told = target.refuses(StagingError, (Tenant, TENANTS), (Shop, shop), (Category, CATEGORIES))
    assert "does not fit the target (5)" in told
    assert "shop.Tenant.is_active: the table has no such column" in told
    assert "shop.Tenant.subdomain: texts of up to 50 characters do not fit the type character varying(20)" in told
    assert "shop.Tenant.created_at: a DateTimeField does not fit the type text" in told
    assert "shop.Tenant.plan: it is required and has no default, and the bundle does not have it" in told
    assert "shop.Shop: there is no table 'shop_shop'" in told


def test_required_columns_that_were_left_out_get_the_defaults_of_the_field(target):
    target.create(Tenant, Shop, Product)
    shop = "id,tenant_id,name,url,currency,created_at\n1,1,S,http://s,EUR,2026-01-02 03:04:05+00\n"
    product = "id,tenant_id,shop_id,sku,name,price,created_at\n1,1,1,x,y,1.50,2026-01-02 03:04:05+00\n"
    target.load((Tenant, TENANTS), (Shop, shop), (Product, product))
    assert target.sql("SELECT description, inventory_count, is_active FROM shop_product") == [("", 0, True)]


def test_a_required_column_without_a_default_must_be_in_the_bundle(target):
    target.create(Tenant)
    told = target.refuses(StagingError, (Tenant, "id,name,subdomain,is_active\n1,Acme,acme,t\n"))
    assert "shop.Tenant.created_at: it is required and has no default" in told


# The CSV


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("id,slug", "it lacks 'parent_id'"),
        ("id,slug,parent_id,more", "it has besides 'more'"),
        ("id,slug,parent_id,id", "it has twice 'id'"),
        ("\ufeffid,slug,parent_id", "it has besides '\\ufeffid'"),
    ],
)
def test_a_file_with_other_columns_is_refused(target, memory_bundle, header, told):
    target.create(Category)
    bundle = memory_bundle((Category, CATEGORIES))
    bundle._content["shop.Category"] = CATEGORIES.replace("id,slug,parent_id", header).encode()
    assert told in target.refuses(StagingError, bundle)


def test_columns_may_come_in_another_order(target, memory_bundle):
    target.create(Category)
    bundle = memory_bundle((Category, CATEGORIES))
    bundle._content["shop.Category"] = b"slug,parent_id,id\nnews,,1\n"
    target.load(bundle)
    assert target.sql("SELECT slug, parent_id FROM shop_category") == [("news", None)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"id,slug,parent_id\n1,a\x00b,\n", "0x00"),
        (b"id,slug,parent_id\n1,caf\xe9,\n", "0xe9"),
        (b"id,slug,parent_id\none,a,\n", 'invalid input syntax for type bigint: "one"'),
        (b"id,slug,parent_id\n1,a,,b\n", "extra data after last expected column"),
        (b"id,slug,parent_id\n1,a\n", "missing data for column"),
        (b'id,slug,parent_id\n1,"a,\n', "unterminated CSV quoted field"),
        (b"id,slug,parent_id\n1," + b"x" * 51 + b",\n", "value too long for type character varying(50)"),
        (b"id,slug,parent_id\n1,a,\n1,b,\n", "the bundle has a key twice"),
        (b"id,slug,parent_id\n,a,\n", "a row without one"),
        # the end of the data before version 18, a broken row since
        (b"id,slug,parent_id\n1,a,\n\\.\n2,b,\n", "shop.Category"),
    ],
)
def test_what_is_no_such_row_is_refused_with_its_place(target, memory_bundle, content, told):
    target.create(Category)
    bundle = memory_bundle((Category, content))
    text = target.refuses(StagingError, bundle)
    assert text.startswith("staging shop.Category: ")
    assert told in text


def test_a_file_with_fewer_rows_than_the_manifest_says_is_refused(target, memory_bundle):
    target.create(Category)
    bundle = memory_bundle((Category, CATEGORIES), rows=2)
    assert "the manifest says 2 rows, the server read 1" in target.refuses(StagingError, bundle)


def test_texts_that_the_encoding_of_the_target_has_not_are_refused(target, memory_bundle):
    target.sql("CREATE DATABASE latin ENCODING latin1 LOCALE 'C' TEMPLATE template0")
    parameters = {**target.parameters, "dbname": "latin"}
    try:
        with psycopg.connect(**parameters, autocommit=True) as connection:
            connection.execute("CREATE TABLE shop_category (id bigint PRIMARY KEY, slug varchar(50), parent_id bigint)")
            bundle = memory_bundle((Category, "id,slug,parent_id\n1,\u65e5,\n"))
            with pytest.raises(StagingError, match='has no equivalent in encoding "LATIN1"'):
                merge.load(parameters, bundle, LoadChoice(), target.progress)
            assert connection.execute("SELECT count(*) FROM shop_category").fetchone() == (0,)
    finally:
        target.sql("DROP DATABASE latin WITH (FORCE)")


# The connection


def test_an_unreachable_server_is_told_without_the_password(memory_bundle, target):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    parameters = parameters_of_dsn(f"postgresql://ada:s3cret@127.0.0.1:{port}/shop")
    with pytest.raises(StagingError) as caught:
        merge.load(parameters, memory_bundle((Tenant, TENANTS)), LoadChoice(), target.progress)
    assert "the target cannot be reached" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_wrong_password_is_told_and_not_shown(memory_bundle, target):
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_refuse_password, args=[server])
        thread.start()
        dsn = f"postgresql://ada:s3cret@127.0.0.1:{server.getsockname()[1]}/shop?sslmode=disable&gssencmode=disable"
        with pytest.raises(StagingError) as caught:
            merge.load(parameters_of_dsn(dsn), memory_bundle((Tenant, TENANTS)), LoadChoice(), target.progress)
        thread.join()
    assert 'password authentication failed for user "ada" with ***' in str(caught.value)
    assert "s3cret" not in repr(caught.value)


def _refuse_password(server):
    """A server that says no, and repeats the password."""
    text = b'SFATAL\0C28P01\0Mpassword authentication failed for user "ada" with s3cret\0\0'
    client, _ = server.accept()
    with client:
        client.recv(10_000)
        client.sendall(b"E" + (len(text) + 4).to_bytes(4, "big") + text)


def test_a_server_that_takes_no_writes_is_refused(target):
    target.create(Tenant)
    options = {"options": "-c default_transaction_read_only=on"}
    told = target.refuses(StagingError, (Tenant, TENANTS), parameters=options)
    assert told == "the target takes no writes; default_transaction_read_only is on"


def test_a_load_while_another_is_running_is_refused_and_names_it(target):
    target.create(Tenant)
    with psycopg.connect(target.url, application_name="the other") as other:
        other.execute(f"SELECT pg_advisory_xact_lock({int.from_bytes(b'isekai', 'big')})")
        told = target.refuses(StagingError, (Tenant, TENANTS))
        assert "another load or unload is running in this database: process" in told
        assert f"process {other.info.backend_pid} (the other, user " in told
    target.load((Tenant, TENANTS))
    assert target.sql("SELECT count(*) FROM shop_tenant") == [(1,)]


def test_a_missing_privilege_is_told(target):
    target.create(Tenant)
    target.sql("CREATE ROLE isekai_guest", "GRANT SELECT ON shop_tenant TO isekai_guest")
    try:
        before = target.content()
        with pytest.raises(StagingError, match="permission denied for sequence shop_tenant_id_seq"):
            target.load((Tenant, TENANTS), parameters={"assume_role": "isekai_guest"})
        told = "permission denied for table shop_tenant; the user needs SELECT, INSERT and UPDATE on tables"
        with pytest.raises(MergeError, match=told):
            target.load((Tenant, TENANTS), parameters={"assume_role": "isekai_guest"}, ids="keep")
        assert target.content() == before
    finally:
        target.sql("DROP OWNED BY isekai_guest", "DROP ROLE isekai_guest")


def test_of_two_loads_at_once_one_is_refused_while_the_other_goes_on(target, memory_bundle):
    target.create(Category)
    bundle, reached, done = memory_bundle((Category, CATEGORIES)), threading.Event(), threading.Event()
    content = bundle.open("shop.Category")

    class Waiting(type(content)):
        def read(self, size=-1):
            reached.set()
            assert done.wait(30)
            return super().read(size)

    bundle.open = lambda model: Waiting(content.getvalue())
    first = threading.Thread(target=target.load, args=[bundle])
    first.start()
    try:
        assert reached.wait(30)
        with pytest.raises(StagingError, match="another load or unload is running"):
            target.load((Category, CATEGORIES))
    finally:
        done.set()
        first.join()
    assert target.sql("SELECT count(*) FROM shop_category") == [(1,)]
