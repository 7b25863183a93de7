"""What goes wrong while exporting: a clear error with the driver's own as its cause, and no connection left."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import psycopg
import pytest
from isekai_postgres.reading.workers import _Crew
from isekai_postgres.slices import Postgres
from postgres_shared.source import Gathered

from isekai_core.errors import ExportError
from isekai_core.slicing.job import per
from isekai_core.testing.shop.models import Customer, Label, Order, OrderItem, Product, Shop, Tenant
from isekai_core.types.estimates import Estimate
from isekai_core.types.slices import SliceSource, SliceTarget

PASSWORD = "s3cret pass"
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'isekai' AND datname = current_database()"


def refused(source, message, *tables, **options):
    error = source.refuses(message, *tables, **options)
    assert PASSWORD not in str(error)
    return error


def test_it_is_a_source_and_a_target_and_never_shows_its_password():
    postgres = Postgres("postgresql://ada:s3cret%20pass@db.example.org:5433/shop")
    assert repr(postgres) == "Postgres('postgresql://ada@db.example.org:5433/shop')"
    assert isinstance(postgres, SliceSource)
    assert isinstance(postgres, SliceTarget)
    assert PASSWORD not in repr(vars(postgres))
    assert Postgres(service="prod").name == "service prod"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "exactly one of url, alias and service"),
        ({"url": "postgresql://h/d", "alias": "default"}, "exactly one of url, alias and service"),
        ({"url": "mysql://h/d"}, "not a PostgreSQL URL"),
        ({"alias": "nowhere"}, "DATABASES has no 'nowhere'"),
        *[
            (
                {"service": "x", "statement_timeout": timeout},
                "statement_timeout is a number of seconds above 0",
            )
            for timeout in (0, -1, "5", True, float("nan"), float("inf"), 1e12)
        ],
        ({"service": ""}, "service: expected a name in libpq's service file, got ''"),
        ({"service": 5}, "service: expected a name in libpq's service file, got 5"),
        ({"url": 5}, "not a PostgreSQL URL"),
        ({"url": b"postgresql://h/d"}, "not a PostgreSQL URL"),
    ],
)
def test_options_that_cannot_be_right_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Postgres(**options)


def test_a_server_that_does_not_answer_is_named_without_the_password(source):
    postgres = Postgres("postgresql://ada:s3cret%20pass@127.0.0.1:1/shop")
    error = refused(source, r"cannot connect to postgresql://ada@127\.0\.0\.1:1/shop: .*efused", postgres=postgres)
    assert isinstance(error.__cause__, psycopg.OperationalError)


def test_a_service_that_there_is_not_is_an_error_of_the_export(source):
    error = refused(source, "cannot connect to service nowhere: .*nowhere", postgres=Postgres(service="nowhere"))
    assert isinstance(error.__cause__, psycopg.Error)


def test_a_service_file_is_read(source, tmp_path, monkeypatch):
    source.create(Tenant)
    parameters = psycopg.conninfo.conninfo_to_dict(source.url)
    lines = [f"{name}={value}" for name, value in parameters.items() if value]
    (tmp_path / "services").write_text("\n".join(["[here]", *lines]))
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    assert source.cut(source.table(Tenant), postgres=Postgres(service="here")).rows == {"shop.Tenant": 0}


@pytest.fixture
def reader(source):
    """A role that may read nothing, and the URL by which it connects."""
    name = f"reader_{psycopg.conninfo.conninfo_to_dict(source.url)['dbname'][-12:]}"
    source.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    yield name
    source.sql(f"DROP OWNED BY {name}")
    source.sql(f"DROP ROLE {name}")


def reading(source, reader):
    host = psycopg.conninfo.conninfo_to_dict(source.url)
    return Postgres(f"postgresql://{reader}:s3cret%20pass@/{host['dbname']}?host={host['host']}")


def test_a_privilege_that_is_missing_on_one_table_is_told_with_the_grant(source, reader):
    source.create(Tenant, Shop)
    source.sql(f"GRANT SELECT ON shop_shop TO {reader}")
    message = (
        rf"shop\.Tenant: {reader} may not read the table shop_tenant .*GRANT SELECT ON \"shop_tenant\" TO {reader}"
    )
    error = refused(source, message, source.table(Tenant), source.table(Shop), postgres=reading(source, reader))
    assert error.__cause__ is None  # Nothing was asked that the server had to refuse.


def test_row_policies_refuse_and_do_not_hide(source, reader):
    source.create(Tenant)
    source.sql(f"GRANT SELECT ON shop_tenant TO {reader}")
    source.sql("ALTER TABLE shop_tenant ENABLE ROW LEVEL SECURITY")
    error = refused(source, "row-level security", source.table(Tenant), postgres=reading(source, reader))
    assert isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege)


def test_a_missing_column_is_named(source):
    source.create(Tenant)
    source.sql("ALTER TABLE shop_tenant DROP COLUMN is_active")
    message = r"shop\.Tenant: the table shop_tenant in .* has no column is_active; run"
    error = refused(source, message, source.table(Tenant))
    assert error.__cause__ is None


def slow(source):
    """A table whose every row takes a while, once it is read."""
    source.create(Label)
    source.sql("ALTER TABLE shop_label RENAME TO shop_label_rows")
    source.sql("INSERT INTO shop_label_rows SELECT md5(i::text)::uuid, i FROM generate_series(1, 2000) i")
    source.sql(
        "CREATE VIEW shop_label AS"
        " SELECT id, name || left(pg_sleep(0.02)::text, 0) AS name FROM shop_label_rows OFFSET 0"
    )


def test_a_statement_that_takes_too_long_is_given_up(source):
    slow(source)
    postgres = Postgres(source.url, statement_timeout=0.2)
    error = refused(
        source,
        r"shop\.Label .*statement timeout; give a longer statement_timeout=",
        source.table(Label),
        postgres=postgres,
    )
    assert isinstance(error.__cause__, psycopg.errors.QueryCanceled)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_ends_the_connection_in_the_middle_is_told(source, workers):
    slow(source)
    source.create(Tenant)
    asked = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE query LIKE 'COPY%shop_label%' AND datname = current_database()"
    )
    done = threading.Event()

    def kill():
        while not source.sql(asked) and not done.is_set():
            pass

    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(kill)
        try:
            error = refused(
                source,
                r"shop\.Label .*terminating connection",
                source.table(Label),
                source.table(Tenant),
                workers=workers,
            )
        finally:
            done.set()
        killing.result()
    assert isinstance(error.__cause__, psycopg.OperationalError)


def test_a_snapshot_that_is_gone_with_the_connection_that_took_it_is_not_given_as_the_reason():
    at_work = threading.Event()
    gone, ended = ExportError("the snapshot cannot be taken"), ExportError("terminating connection")

    @contextmanager
    def late():
        at_work.wait(10)
        raise gone
        yield

    def cut_off(connection, job, is_over):
        at_work.set()
        while not is_over():
            pass
        raise ended

    leader = nullcontext(SimpleNamespace(cancel_safe=lambda timeout: None))
    with pytest.raises(ExportError, match="terminating connection"):
        _Crew([SimpleNamespace(rows=1)], cut_off).run([leader, late()])


@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_bundle_raises_passes_through_and_the_server_is_let_go(source, workers):
    slow(source)
    source.create(Tenant)
    # With two, the other one is in the middle of the slow table.
    tables = [source.table(Tenant), source.table(Label)][:workers]
    with pytest.raises(OSError, match="No space left"):
        source.cut(*tables, workers=workers, fail_in="shop.Tenant")
    assert source.is_left_alone()


def test_a_bundle_that_does_not_take_everything_is_an_error(source):
    source.create(Tenant)
    with pytest.raises(ExportError, match=r"shop\.Tenant: the bundle did not take all of the table"):
        source.cut(source.table(Tenant), lazy=True)


def test_a_declared_parent_without_a_job_is_told(source):
    source.create(Tenant, Shop)
    message = r"shop\.Shop\.tenant is declared to need shop\.Tenant, which has no job"
    error = refused(source, message, source.table(Shop, "tenant"))
    assert error.__cause__ is None


# Workers, progress, facts


def test_many_workers_give_the_same_files_as_one(source):
    source.fill(customers=30)
    tables = [
        source.table(Customer, limit=9, order_by=("-id",)),
        source.table(Order, "customer", per=(per("customer", 2),)),
        source.table(OrderItem, "order"),
        source.table(Product, whole=True),
        source.table(Tenant, whole=True),
    ]
    one = source.cut(*tables)
    four = source.cut(*tables, workers=4)
    assert four.content == one.content
    assert (
        four.rows
        == one.rows
        == {
            "shop.Customer": 9,
            "shop.Order": 18,
            "shop.OrderItem": 36,
            "shop.Product": 2,
            "shop.Tenant": 2,
        }
    )
    assert source.is_left_alone()


def test_progress_tells_totals_rows_and_bytes(source):
    source.create(Label)
    source.sql("INSERT INTO shop_label SELECT md5(i::text)::uuid, i FROM generate_series(1, 20000) i")
    bundle = source.cut(source.table(Label, sample=1))
    begin, *steps, end = bundle.told
    assert (begin, end) == (("begin", "shop.Label", 20000), ("end", "shop.Label"))
    assert sum(step[2] for step in steps) == 20000
    assert len(steps) > 3
    assert all(64 * 1024 <= size <= 256 * 1024 for size in bundle.pieces["shop.Label"][:-1])


def test_the_facts_name_the_snapshot_and_the_server(source):
    source.create(Tenant)
    source.cut(source.table(Tenant))
    assert set(source.facts) == {"server_version", "wal", "standby", "snapshot", "exported_at"}
    assert source.facts["standby"] is False
    assert source.facts["exported_at"].endswith("+00:00")


# Estimates


def test_an_estimate_reads_nothing_and_knows_limits(source):
    source.fill(customers=200, orders=10)
    source.sql("ANALYZE")
    found = source.estimate(
        source.table(Customer, limit=20),
        source.table(Order, "customer", per=(per("customer", 3),)),
        source.table(OrderItem, "order", sample=0.5),
        source.table(Product, whole=True),
    )
    assert found["shop.Customer"].rows == 20
    assert found["shop.Order"].rows == 60
    assert 20 <= found["shop.OrderItem"].rows <= 180
    assert isinstance(found["shop.Product"], Estimate)
    assert source.is_left_alone()


def test_an_estimate_of_circles_and_closures_is_one_too(source):
    source.fill()
    found = source.estimate(
        source.table(Order, queryset=Order.objects.filter(pk=1)),
        source.table(Customer, queryset=Customer.objects.none(), closure=(("shop.Order", "customer_id"),)),
    )
    assert found["shop.Customer"].rows >= 1


def test_two_workers_are_two_connections_the_leader_s_among_them(source):
    source.fill()
    seen = []

    class Counting(Gathered):
        def write(self, table, chunks):
            size = super().write(table, chunks)
            seen.append(source.sql(COUNT)[0][0])
            return size

    bundle = Counting()
    tables = [source.table(model, whole=True) for model in (Tenant, Shop, Customer)]
    Postgres(source.url).export(source.plan(*tables), bundle, bundle, workers=2)
    assert len(bundle.content) == 3
    assert max(seen) <= 2
