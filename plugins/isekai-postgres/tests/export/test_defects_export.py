"""The defects of an earlier exporter of slices, each with a test that it is not here."""

import datetime as dt
import threading
import uuid
from decimal import Decimal

import psycopg
import pytest
from django.db.models import Q
from isekai_postgres.slices import Postgres

from isekai_core.errors import ExportError
from isekai_core.slicing.columns import columns_of
from isekai_core.testing.shop.models import Category, Customer, Label, Order, Product, Shop, Tenant
from isekai_core.types.slices import TablePlan

INJECTION = "x\\' OR TRUE) TO STDOUT WITH (FORMAT CSV, HEADER) --"


def keys(source, model, queryset):
    return source.cut(source.table(model, queryset=queryset)).keys(model)


def test_defect_01_a_filter_s_value_is_a_value_whatever_it_holds(source):
    source.create(Tenant, Label)
    names = [INJECTION, "O'Brien", "%s and %s", 'a"b', "plain"]
    source.save(Tenant(id=n, name=name, subdomain=n) for n, name in enumerate(names))
    for number, name in enumerate(names):
        assert keys(source, Tenant, Tenant.objects.filter(name=name)) == [number]
    assert keys(source, Tenant, Tenant.objects.filter(name="x' OR TRUE --")) == []
    assert keys(source, Tenant, Tenant.objects.filter(name="%s and %s", subdomain="2")) == [2]
    now = dt.datetime.now(dt.UTC)
    moments = Q(created_at__lt=now + dt.timedelta(1)) & Q(created_at__date__gte=now.date() - dt.timedelta(1))
    assert keys(source, Tenant, Tenant.objects.filter(moments)) == [0, 1, 2, 3, 4]
    one = uuid.uuid4()
    source.save([Label(id=one, name="one"), Label(name="two")])
    assert keys(source, Label, Label.objects.filter(pk=one)) == [str(one)]


def test_defect_01_numbers_and_remainders_are_compiled_too(source):
    source.fill()
    rows = Product.objects.filter(price=Decimal("1.00")).extra(where=["id %% 2 = 0"])
    assert keys(source, Product, rows) == [2]


def test_defect_02_queries_are_compiled_for_the_source_and_not_for_the_default_database(source):
    source.create(Tenant)
    source.save(Tenant(id=n, name=name, subdomain=n) for n, name in enumerate(["aXb", "axb"]))
    # SQLite, the default of the tests, would be asked for a function of its own.
    assert keys(source, Tenant, Tenant.objects.filter(name__regex="^a[A-Z]b$", created_at__hour__gte=0)) == [0]


def test_defect_03_leaving_out_a_column_leaves_the_others(source):
    source.fill()
    columns = columns_of(Order, exclude=["tax_amount", "status"])
    plan = TablePlan("shop.Order", Order, "shop_order", "id", columns)
    bundle = source.cut(plan)
    assert bundle.content["shop.Order"].split(b"\n")[0] == (
        b"id,tenant_id,shop_id,customer_id,order_number,total_amount,shipping_amount,created_at"
    )


@pytest.mark.parametrize("workers", [1, 3])
def test_defect_04_every_table_is_read_in_one_snapshot(source, workers):
    source.fill()
    tables = [source.table(model) for model in (Tenant, Shop, Customer)]
    grown = []

    class Growing(list):
        """As soon as the first table begins, another process adds a tenant with a shop and a customer."""

        def append(self, told):
            if not grown:
                grown.append(True)
                source.sql("INSERT INTO shop_tenant VALUES (9, 'N', 'n', now(), true)")
                source.sql(
                    "INSERT INTO shop_shop (id, tenant_id, name, url, currency, created_at)"
                    " VALUES (9, 9, 'N', 'n', 'USD', now())"
                )
            super().append(told)

    bundle = source.cut(*tables, workers=workers, told=Growing())
    assert grown
    assert (bundle.keys(Tenant), bundle.keys(Shop)) == ([1, 2], [1, 2])
    assert len(source.cut(*tables).keys(Shop)) == 3


@pytest.mark.parametrize("workers", [1, 2])
def test_defect_04_nothing_dangles_while_others_write(source, workers):
    source.fill()
    stop = threading.Event()

    def write():
        with psycopg.connect(source.url, autocommit=True) as connection:
            for number in range(100, 100_000):
                if stop.is_set():
                    return
                with connection.transaction():
                    connection.execute("INSERT INTO shop_tenant VALUES (%s, 'N', %s, now(), true)", [number, number])
                    connection.execute(
                        "INSERT INTO shop_shop (id, tenant_id, name, url, currency, created_at)"
                        " VALUES (%s, %s, 'N', 'n', 'USD', now())",
                        [number, number],
                    )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(20):
            bundle = source.cut(source.table(Tenant), source.table(Shop), workers=workers)
            pointed_at = {int(record["tenant_id"]) for record in bundle.records(Shop)}
            assert pointed_at == set(bundle.keys(Tenant))
    finally:
        stop.set()
        writer.join()


def test_defect_04_a_limit_chooses_the_same_rows_for_every_table(source):
    source.fill(customers=30)
    bundle = source.cut(source.table(Customer, sample=0.4, limit=5), source.table(Order, "customer"))
    assert {int(record["customer_id"]) for record in bundle.records(Order)} == set(bundle.keys(Customer))


def test_defect_05_no_connection_is_left_open_and_an_error_spoils_no_later_export(source):
    source.create(Tenant)
    postgres = Postgres(source.url)
    with pytest.raises(ExportError, match="has no table shop_label"):
        source.cut(source.table(Tenant), source.table(Label), postgres=postgres)
    assert source.is_left_alone()
    assert source.cut(source.table(Tenant), postgres=postgres).rows == {"shop.Tenant": 0}
    assert source.is_left_alone()


def test_defect_06_rows_are_counted_by_the_server_and_not_by_lines(source):
    source.create(Tenant)
    source.save(Tenant(id=n, name="two\nlines\r\nand more", subdomain=n) for n in range(5))
    bundle = source.cut(source.table(Tenant))
    assert bundle.rows == {"shop.Tenant": 5}
    assert bundle.content["shop.Tenant"].count(b"\n") == 16
    assert sum(told[2] for told in bundle.told if told[0] == "advance") == 5
    assert sum(told[3] for told in bundle.told if told[0] == "advance") == len(bundle.content["shop.Tenant"])


def test_defect_07_a_queryset_of_nothing_gives_a_header_and_errors_say_what_they_are(source):
    source.create(Category)
    bundle = source.cut(source.table(Category, queryset=Category.objects.none()))
    assert bundle.content == {"shop.Category": b"id,slug,parent_id\n"}
    with pytest.raises(ExportError, match=r"shop\.Tenant: postgresql://.* has no table shop_tenant; run the migr"):
        source.cut(source.table(Tenant))


def test_defect_08_estimates_are_the_planner_s_and_names_are_quoted(source):
    source.create(Category)
    source.save(Category(id=n, slug=f"s{n}") for n in range(1000))
    source.sql("ANALYZE shop_category")
    estimate = source.estimate(source.table(Category, whole=True))["shop.Category"]
    assert 900 < estimate.rows < 1100
    content = source.cut(source.table(Category, whole=True)).content["shop.Category"]
    assert len(content) / 3 < estimate.bytes < len(content) * 3
    source.sql('CREATE TABLE "we""ird %s" ("a ""b" int PRIMARY KEY)')
    source.sql('INSERT INTO "we""ird %s" VALUES (7)')
    (key, *_) = columns_of(Category)
    column = type(key)('a "b', "id", "IntegerField")
    weird = TablePlan("shop.Category", Category, 'we"ird %s', 'a "b', (column,), limit=3)
    assert source.cut(weird).content["shop.Category"] == b'"a ""b"\n7\n'
