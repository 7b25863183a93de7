"""An empty database on a real server, reached by Django under an alias and by the driver."""

from contextlib import contextmanager

import psycopg
from django.db import connections

from isekai_core.testing import database_settings


class Database:
    """A database that is a test's own.

    url: where slices find it; alias: where Django does.
    """

    def __init__(self, url, alias):
        self.url = url
        self.alias = alias
        self.connection = None
        self.connect()

    def connect(self):
        """Connect, again where the server went away."""
        if self.connection:
            self.connection.close()
        self.connection = psycopg.connect(self.url, autocommit=True, client_encoding="utf8")

    def create(self, *models):
        """Make the tables of the models, as Django does."""
        with connections[self.alias].schema_editor() as editor:
            for model in models:
                editor.create_model(model)

    def save(self, rows):
        """Write instances of one model."""
        rows = list(rows)
        type(rows[0])._base_manager.using(self.alias).bulk_create(rows)

    def sql(self, *statements, values=None):
        """Run statements; the rows of the last one. A percent sign means itself where there are no values."""
        for statement in statements:
            cursor = self.connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []

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
        """Whether no connection of a slice is left. The server needs a moment to notice a closed one: ask again."""
        asked = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'isekai' AND datname = current_database()"
        return any(not self.sql(asked) for _ in range(5000))


@contextmanager
def opened(kind, url, alias, blocker):
    """A `Database` of this kind; afterwards Django knows nothing of it."""
    connections.settings[alias] = connections.settings["default"] | database_settings(url)
    with blocker.unblock():
        database = kind(url, alias)
        try:
            yield database
        finally:
            database.connection.close()
            connections[alias].close()
            del connections[alias]
            del connections.settings[alias]
