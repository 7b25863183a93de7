"""What isekai-postgres registers keeps the contract, as the kit has it."""

from typing import ClassVar

import psycopg
import pytest

from isekai_core import use
from isekai_core.slicing import DataSlicer, ImportJob
from isekai_core.testing import (
    SeederConformance,
    SliceSourceConformance,
    SliceTargetConformance,
)
from isekai_core.testing.shop.models import Shop, Tenant


class TestTableSeeder(SeederConformance):
    @pytest.fixture
    def processor(self, postgres_database):
        with psycopg.connect(postgres_database, autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE tide (harbour text, day date, height numeric, seen timestamptz, tags text[], "
                "PRIMARY KEY (harbour, day))"
            )
            connection.execute(
                "INSERT INTO tide VALUES ('L\u00f6nborg/S', '2026-01-31', 1.50, '2026-01-31 12:00+02', '{a,b}'), "
                "('Dover', '2026-02-01', NULL, NULL, NULL)"
            )
        return use("table", dsn=postgres_database, table="tide", version="seen")


class TestQuerySeeder(SeederConformance):
    @pytest.fixture
    def processor(self, postgres_database):
        return use("table", dsn=postgres_database, query="SELECT n FROM generate_series(1, 5) n", key="n", name="five")


JOBS = (ImportJob(Shop), ImportJob(Tenant))
FILL = """
    INSERT INTO shop_tenant SELECT i, 't' || i, 't' || i, now(), true FROM generate_series(1, 2) i;
    INSERT INTO shop_shop SELECT i, i % 2 + 1, 'a "shop", ' || i, 'https://example.org/', 'EUR', now()
        FROM generate_series(1, 6) i
"""


@pytest.fixture
def shops(source, isekai_importers):
    """The address of a database with two tenants and their shops."""
    isekai_importers(Tenant)
    isekai_importers(Shop, tenant=Tenant)
    source.create(Tenant, Shop)
    source.sql(*FILL.split(";"))
    return source.url


def run(url, *statements):
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


class TestPostgresAsSource(SliceSourceConformance):
    jobs = JOBS
    rows: ClassVar = {"shop.Tenant": 2, "shop.Shop": 6}

    @pytest.fixture
    def source(self, shops):
        return DataSlicer.Postgres(shops)


class TestPostgresAsTarget(SliceTargetConformance):
    @pytest.fixture
    def bundle(self, shops, tmp_path):
        store = DataSlicer.File(tmp_path / "bundle")
        DataSlicer.run(DataSlicer.Postgres(shops), store, JOBS, progress=False)
        run(shops, "DELETE FROM shop_shop", "DELETE FROM shop_tenant")
        return store

    @pytest.fixture
    def target(self, shops):
        return DataSlicer.Postgres(shops)
