"""A database with the shop's rows, and a bundle that gathers what is exported from it."""

import csv
import io
import threading

import pytest
from isekai_postgres.slices import Postgres

from isekai_core.errors import ExportError
from isekai_core.slicing.columns import columns_of
from isekai_core.slicing.order import groups_of
from isekai_core.testing.shop.models import Customer, Order, OrderItem, Product, Shop, Tenant
from isekai_core.types.slices import SlicePlan, TablePlan
from postgres_shared.database import Database


class Gathered:
    """A bundle in memory, and the progress of its making."""

    def __init__(self, *, fail_in=None, told=None, lazy=False):
        self.content, self.pieces, self.rows, self.order = {}, {}, {}, []
        self.told = [] if told is None else told
        self._lazy = lazy
        self._fail_in = fail_in
        self._lock = threading.Lock()

    def write(self, table, chunks):
        with self._lock:
            self.order.append(table.model)
        pieces = []
        if self._lazy:
            return 0
        for piece in chunks:
            if table.model == self._fail_in:
                msg = "No space left on device"
                raise OSError(msg)
            pieces.append(piece)
        self.pieces[table.model] = [len(piece) for piece in pieces]
        self.content[table.model] = b"".join(pieces)
        return len(self.content[table.model])

    def count(self, model, rows):
        self.rows[model] = rows

    def begin(self, model, total):
        self.told.append(("begin", model, total))

    def advance(self, model, rows, size):
        self.told.append(("advance", model, rows, size))

    def end(self, model):
        self.told.append(("end", model))

    def records(self, model):
        """The rows of the model's CSV, as mappings."""
        return list(csv.DictReader(io.StringIO(self.content[model._meta.label].decode(), newline="")))

    def keys(self, model):
        """The keys of the exported rows, in their order, as numbers where they are."""
        found = [record[model._meta.pk.column] for record in self.records(model)]
        return [int(key) if key.isdigit() else key for key in found]


class Source(Database):
    """A database that slices are cut from."""

    facts = None

    def fill(self, customers=12, orders=4):
        """Two tenants with a shop and a product each, customers in turn, so many orders and two items for each."""
        self.create(Tenant, Shop, Customer, Product, Order, OrderItem)
        two = [1, 2]
        self.save(Tenant(id=n, name=f"T{n}", subdomain=f"t{n}") for n in two)
        self.save(Shop(id=n, tenant_id=n, name="S", url="http://s") for n in two)
        self.save(Product(id=n, tenant_id=n, shop_id=n, sku="p", name="P", price=1) for n in two)
        people = [
            Customer(id=n, tenant_id=1 + n % 2, shop_id=1 + n % 2, email=f"c{n}") for n in range(1, customers + 1)
        ]
        bought = [
            Order(
                id=n,
                tenant_id=person.tenant_id,
                shop_id=person.shop_id,
                customer=person,
                order_number=n,
                total_amount=n * 7 % 11,
            )
            for n, person in enumerate(people * orders, start=1)
        ]
        self.save(people)
        self.save(bought)
        self.save(
            OrderItem(
                tenant_id=one.tenant_id,
                shop_id=one.shop_id,
                order=one,
                product_id=one.shop_id,
                quantity=n,
                unit_price=1,
                total_price=n,
            )
            for one in bought
            for n in two
        )

    def table(self, model, *declared, whole=False, **options):
        """The plan of one table."""
        meta = model._meta
        columns = columns_of(model, declared)
        return TablePlan(meta.label, model, meta.db_table, meta.pk.column, columns, is_whole=whole, **options)

    def plan(self, *tables, seed="0"):
        needs = {one.model: [column.reference.model for column in one.columns if column.reference] for one in tables}
        groups = groups_of(needs)
        by_label = {one.model: one for one in tables}
        ordered = tuple(by_label[label] for group in groups for label in group)
        return SlicePlan(ordered, tuple(map(tuple, groups)), seed)

    def cut(self, *tables, seed="0", workers=1, postgres=None, **options):
        """Export the tables."""
        bundle = Gathered(**options)
        self.facts = (postgres or Postgres(self.url)).export(self.plan(*tables, seed=seed), bundle, bundle, workers)
        return bundle

    def estimate(self, *tables):
        return Postgres(self.url).estimate(self.plan(*tables))

    def refuses(self, message, *tables, kind=ExportError, **options):
        """The error, of this kind and with this message, of an export that leaves no connection."""
        with pytest.raises(kind, match=message) as caught:
            self.cut(*tables, **options)
        assert self.is_left_alone()
        return caught.value
