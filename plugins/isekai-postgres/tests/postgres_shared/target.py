"""A database to load into, and bundles in memory."""

import csv
import hashlib
import io

import pytest
from isekai_postgres import merge
from isekai_postgres.connection import parameters_of_dsn

from isekai_core.slicing.columns import columns_of
from isekai_core.types.slices import BundleTable, LoadChoice
from postgres_shared.database import Database


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


class Target(Database):
    """A database that slices are loaded into."""

    def __init__(self, url, alias):
        super().__init__(url, alias)
        self.parameters = parameters_of_dsn(url)
        self.progress = Progress()

    def load(self, *tables, parameters=None, **choice):
        """Load a bundle of `tables`, or of one that is given."""
        bundle = tables[0] if not isinstance(tables[0], tuple) else MemoryBundle(*tables)
        return merge.load({**self.parameters, **(parameters or {})}, bundle, LoadChoice(**choice), self.progress)

    def unload(self, name):
        return merge.unload(self.parameters, name)

    def refuses(self, kind, *tables, **choice):
        """What a load says that fails with this kind of error; everything is as it was."""
        before = self.content()
        with pytest.raises(kind) as caught:
            self.load(*tables, **choice)
        assert self.content() == before
        assert self.is_left_alone()
        return str(caught.value)

    def shops(self):
        """Name of each shop, and subdomain of its tenant."""
        return self.sql(
            "SELECT s.name, t.subdomain FROM shop_shop s JOIN shop_tenant t ON t.id = s.tenant_id ORDER BY 1"
        )
