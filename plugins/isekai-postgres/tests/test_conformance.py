"""The seeder of isekai-postgres keeps the contract, as the kit has it."""

import psycopg
import pytest

from isekai_core import use
from isekai_core.testing import SeederConformance


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
