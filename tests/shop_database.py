"""A PostgreSQL database with the shop's tables, for tests that cut slices out of it and load them into it."""

from django.apps import apps
from django.db import connections
from django.db.utils import load_backend

from isekai_core.testing import database_settings

NOW = "'2026-01-02 03:04:05+00'"
FILL = f"""
INSERT INTO shop_tenant SELECT i, 'tenant ' || i, 'sub' || i, {NOW}, true FROM generate_series(1, 3) i;
INSERT INTO shop_shop SELECT i, (i - 10) / 4 + 1, 'shop ' || i, 'https://example.org/', 'EUR', {NOW}
    FROM generate_series(10, 21) i;
INSERT INTO shop_customer SELECT i, (i %% 12) / 4 + 1, i %% 12 + 10, 'c' || i || '@example.org', 'A', 'B', '', {NOW}
    FROM generate_series(1, 1200) i;
INSERT INTO shop_product SELECT i, (i %% 12) / 4 + 1, i %% 12 + 10, 'SKU' || i, 'product', 'a "quoted", text', 1.50, 3,
    true, {NOW} FROM generate_series(1, 240) i;
INSERT INTO shop_order SELECT i, (c %% 12) / 4 + 1, c %% 12 + 10, c, 'N' || i, 'pending', 10, 1, 1,
    timestamptz {NOW} + make_interval(mins => i) FROM (SELECT i, i %% 1200 + 1 AS c FROM generate_series(1, 18000) i) o;
INSERT INTO shop_orderitem SELECT row_number() OVER (), tenant_id, shop_id, id, shop_id - 10 + 12 * k, k, 1, k
    FROM shop_order, generate_series(1, 3) k;
"""


class ShopDatabase:
    """A PostgreSQL database with the shop's tables."""

    def __init__(self, url):
        self.url = url
        settings = connections.settings["default"] | database_settings(url) | {"TEST": {}}
        self.alias = f"slices_{id(self)}"
        self.connection = load_backend("django.db.backends.postgresql").DatabaseWrapper(settings, self.alias)
        # Django's schema editor looks the connection up by its alias.
        connections[self.alias] = self.connection
        with self.connection.schema_editor() as editor:
            for model in apps.get_app_config("shop").get_models():
                editor.create_model(model)

    def ask(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def fill(self):
        """Three tenants with a few thousand rows, of which the document's example takes some."""
        for statement in FILL.replace("%%", "%").split(";")[:-1]:
            self.ask(statement)

    def close(self):
        self.connection.close()
        del connections[self.alias]
