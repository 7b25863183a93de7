"""A target with the shop's tables, and bundles in memory, for the tests of loads."""

import csv
import hashlib
import io

import psycopg
import pytest
from django.apps import apps
from django.db.utils import ConnectionHandler
from isekai_postgres import merge
from isekai_postgres.connection import parameters_of_dsn

from isekai_core.slicing.columns import columns_of
from isekai_core.testing.postgres import database_settings
from isekai_core.types.slices import BundleTable, LoadChoice


class MemoryBundle:
    """A bundle of CSV texts: `(model, csv)`, parents first."""

    def __init__(self, *tables, rows=None):
        self.manifest = {}
        self.digest = hashlib.sha256(repr(tables).encode()).hexdigest()
        self.tables = []
        self._content = {}
        for model, given in tables:
            content = given.encode() if isinstance(given, str) else given
            header, *lines = csv.reader(io.StringIO(content.decode("utf-8", "replace"), newline=""))
            label = model._meta.label
            columns = [column for column in columns_of(model) if column.name in header]
            number = len(lines) if rows is None else rows
            self.tables.append(
                BundleTable(label, f"{label}.csv", number, len(content), "", model._meta.pk.column, tuple(columns))
            )
            self._content[label] = content

    def open(self, model):
        return io.BytesIO(self._content[model])

    def files(self):
        return iter(())


class Progress:
    """What was told, in order."""

    def __init__(self):
        self.told = []

    def begin(self, model, total):
        self.told.append(("begin", model, total))

    def advance(self, model, rows, size):
        self.told.append(("advance", model, rows, size))

    def end(self, model):
        self.told.append(("end", model))


class Target:
    """A database to load into, and a connection to look at it and to prepare it."""

    def __init__(self, url, blocker):
        self.url = url
        self.parameters = parameters_of_dsn(url)
        self.connection = psycopg.connect(url, autocommit=True)
        self._blocker = blocker
        self.progress = Progress()

    def create(self, *models):
        """Make the tables of the models, as Django does."""
        with self._blocker.unblock():
            django = ConnectionHandler({"default": database_settings(self.url)})["default"]
            try:
                with django.schema_editor() as editor:
                    for model in models:
                        editor.create_model(model)
            finally:
                django.close()

    def sql(self, *statements):
        """Run statements; the rows of the last one."""
        for statement in statements:
            cursor = self.connection.execute(statement)
        return cursor.fetchall() if cursor.description else []

    def load(self, *tables, parameters=None, **choice):
        """Load a bundle of `tables`, or of one that is given."""
        bundle = tables[0] if not isinstance(tables[0], tuple) else MemoryBundle(*tables)
        return merge.load({**self.parameters, **(parameters or {})}, bundle, LoadChoice(**choice), self.progress)

    def unload(self, name):
        return merge.unload(self.parameters, name)

    def content(self):
        """All rows of all tables, and how the tables are made."""
        tables = self.sql(
            "SELECT oid::regclass::text FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        rows = {name: self.sql(f"SELECT t::text FROM {name} t ORDER BY 1") for (name,) in tables}
        return rows | {"definitions": self.definitions()}

    def definitions(self):
        """Every index, constraint and comment."""
        return self.sql(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL"
            " SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || convalidated"
            " || coalesce(obj_description(oid, 'pg_constraint'), '') FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace UNION ALL"
            " SELECT relname || coalesce(obj_description(oid, 'pg_class'), '') FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'i' ORDER BY 1"
        )

    def is_left_alone(self):
        """Whether no connection of a load is left. The server needs a moment to notice a closed one: ask again."""
        asked = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'isekai' AND datname = current_database()"
        return any(not self.sql(asked) for _ in range(5000))


@pytest.fixture
def target(postgres_database, django_db_blocker):
    """An empty database."""
    target = Target(postgres_database, django_db_blocker)
    yield target
    target.connection.close()


@pytest.fixture
def memory_bundle():
    """Makes a bundle of `(model, csv)` pairs."""
    return MemoryBundle


@pytest.fixture
def own_models():
    """Models that a test declares in the app `shop` are forgotten at its end."""
    before = set(apps.all_models["shop"])
    yield
    for name in set(apps.all_models["shop"]) - before:
        del apps.all_models["shop"][name]
    apps.clear_cache()


@pytest.fixture
def tree():
    """A table that points to itself by a constraint that cannot be deferred."""

    class Tree:
        ddl = (
            "CREATE TABLE shop_category (id bigint GENERATED BY DEFAULT AS IDENTITY (START 100) PRIMARY KEY,"
            " slug varchar(50) UNIQUE NOT NULL, parent_id bigint REFERENCES shop_category)"
        )

    return Tree
