"""A hot standby as the source: slices are cut from it while its primary writes, and nothing is written to it."""

import threading
from contextlib import contextmanager

import psycopg
import pytest
from isekai_postgres.slices import Postgres
from postgres_shared.rows import AT, TENANTS
from postgres_shared.target import MemoryBundle

from isekai_core.errors import ExportError, StagingError
from isekai_core.slicing.job import per
from isekai_core.testing.postgres import with_database
from isekai_core.testing.shop.models import Category, Customer, Order, OrderItem, Product, Shop, Tenant

GROW = """
    WITH t AS (INSERT INTO shop_tenant (name, subdomain, created_at, is_active)
               VALUES ('N', gen_random_uuid()::text, now(), true) RETURNING id),
         s AS (INSERT INTO shop_shop (tenant_id, name, url, currency, created_at)
               SELECT id, 'N', 'n', 'USD', now() FROM t RETURNING id, tenant_id),
         c AS (INSERT INTO shop_customer (tenant_id, shop_id, email, first_name, last_name, phone, created_at)
               SELECT tenant_id, id, 'e' || i, '', '', '', now() FROM s, generate_series(1, 3) i
               RETURNING id, tenant_id, shop_id)
    INSERT INTO shop_order (tenant_id, shop_id, customer_id, order_number, status, total_amount, tax_amount,
                            shipping_amount, created_at)
    SELECT tenant_id, shop_id, id, id || '-' || i, 'pending', i, 0, 0, now() FROM c, generate_series(1, 3) i
"""


@contextmanager
def growing(url):
    """Tenants with shops, customers and orders are added all the time; gives the number of times, when asked."""
    stop, made = threading.Event(), []

    def write():
        with psycopg.connect(url, autocommit=True) as connection:
            while not stop.is_set():
                connection.execute(GROW)
                made.append(True)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield made
    finally:
        stop.set()
        writer.join()


def caught_up(primary, standby):
    """Wait until the standby has what the primary has now."""
    (position,) = primary.sql("SELECT pg_current_wal_flush_lsn()")[0]
    with psycopg.connect(standby, autocommit=True) as connection:
        for _ in range(100_000):
            if connection.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position]).fetchone()[0]:
                return
    msg = "the standby does not follow"
    raise AssertionError(msg)


def columns(bundle, model, name):
    return [int(one[name]) for one in bundle.records(model)]


def dangling(bundle):
    """References in the bundle to rows that are not in it."""
    keys = {model: set(bundle.keys(model)) for model in (Tenant, Shop, Customer)}
    return {
        *(set(columns(bundle, Shop, "tenant_id")) - keys[Tenant]),
        *(set(columns(bundle, Customer, "shop_id")) - keys[Shop]),
        *(set(columns(bundle, Order, "customer_id")) - keys[Customer]),
    }


def test_a_standby_is_as_good_a_source_as_its_primary(server, fragile_source):
    source = fragile_source
    source.fill()
    for name in ("tenant", "shop", "customer", "order"):
        source.sql(f"SELECT setval('shop_{name}_id_seq', 1000)")
    with server.standby() as address:
        url = with_database(address, source.alias)
        standby = Postgres(url)
        caught_up(source, url)
        limited = [
            source.table(Tenant, queryset=Tenant.objects.filter(subdomain__in=["t1", "t2"])),
            source.table(Shop, "tenant"),
            source.table(Product, "shop", sample=1.0),
            source.table(Customer, "shop", limit=5, order_by=("-id",)),
            source.table(Order, "customer", per=(per("customer", 2, order_by="-total_amount"),)),
            source.table(OrderItem, "order"),
        ]
        expected = source.cut(*limited)
        assert expected.rows["shop.Order"] == 10
        with growing(source.url) as made:
            for workers in (1, 2):
                found = source.cut(*limited, postgres=standby, workers=workers)
                assert source.facts["standby"] is True
                assert {model: found.content[model] for model in ("shop.Order", "shop.OrderItem", "shop.Customer")} == {
                    model: expected.content[model] for model in ("shop.Order", "shop.OrderItem", "shop.Customer")
                }
            whole = [source.table(model, whole=True) for model in (Tenant, Shop, Customer, Order)]
            for number in range(4):
                assert dangling(source.cut(*whole, postgres=standby, workers=1 + number % 2)) == set()
            assert made
        assert_nobody_reads(url)
        assert_it_takes_no_load(source, url)
        assert_a_table_that_it_must_drop_is_told(source, url, standby)


def assert_nobody_reads(url):
    with psycopg.connect(url, autocommit=True) as connection:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'isekai'"
        assert any(connection.execute(asked).fetchone() == (0,) for _ in range(5000))


def assert_it_takes_no_load(source, url):
    with pytest.raises(StagingError, match="takes no writes; it is a standby: load into its primary"):
        Postgres(url).load(MemoryBundle((Tenant, TENANTS)), None, None)


def assert_a_table_that_it_must_drop_is_told(source, url, standby):
    """The primary drops what is being read there; the standby waits no time for the reader."""
    source.create(Category)
    source.sql(f"INSERT INTO shop_category SELECT i, i || '{AT}', NULL FROM generate_series(1, 100000) i")
    caught_up(source, url)
    dropped = []

    class Dropping(list):
        def append(self, told):
            super().append(told)
            if told[0] == "advance" and not dropped:
                dropped.append(source.sql("DROP TABLE shop_category"))

    source.refuses(
        r"conflict with recovery.*run it again, or set hot_standby_feedback = on",
        source.table(Category, whole=True),
        postgres=standby,
        told=Dropping(),
        kind=ExportError,
    )
