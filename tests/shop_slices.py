"""Slices of the shop's tables for tests of sources and targets."""

import dataclasses
import datetime as dt
from decimal import Decimal

from django.db import transaction
from memory_bundle import MemoryBundle, Told

from isekai_core.builtins.orm.database import Orm
from isekai_core.slicing import DataSlicer
from isekai_core.testing.shop.models import (
    Branch,
    Country,
    Customer,
    Firm,
    Label,
    Order,
    OrderItem,
    Person,
    Product,
    Shop,
    Tenant,
)
from isekai_core.types.slices import LoadChoice

AT = dt.datetime(2020, 1, 2, 3, 4, 5, 6, dt.UTC)
SHOP = (OrderItem, Order, Customer, Product, Shop, Tenant)
CIRCLE = (Person.labels.through, Branch, Firm, Person, Label, Country)


def export(*roots, follow=()):
    bundle = MemoryBundle()
    Orm().export(DataSlicer.plan(*roots, follow=follow), bundle, Told())
    return bundle


def load(bundle, **choice):
    """The reports by model: created, updated, unchanged."""
    reports = Orm().load(bundle, LoadChoice(**choice), Told())
    return {one.model: (one.created, one.updated, one.unchanged) for one in reports}


def fill(prefix="a"):
    tenant = Tenant.objects.create(name=prefix, subdomain=prefix)
    shop = Shop.objects.create(tenant=tenant, name=f"{prefix}shop", url="https://s.test/")
    both = {"tenant": tenant, "shop": shop}
    product = Product.objects.create(**both, sku="p", name="p", price=Decimal("1.25"))
    for c in range(2):
        one = Customer.objects.create(**both, email=f"{c}@x.org", first_name="a", last_name="b")
        order = Order.objects.create(**both, customer=one, order_number=f"o{c}", total_amount=1)
        OrderItem.objects.create(**both, order=order, product=product, quantity=c, unit_price=1, total_price=1)
    Tenant.objects.filter(pk=tenant.pk).update(created_at=AT)
    return tenant


def shop_bundle(tenant):
    return export(Tenant.objects.filter(pk=tenant.pk), follow=["shop__customer__order__items"])


def empty(*models):
    # As another database would be, where these keys have been given to nobody.
    with transaction.atomic():
        for model in models:
            model._base_manager.all()._raw_delete("default")


def count():
    return {model.__name__: model._base_manager.count() for model in SHOP}


def circle():
    country = Country.objects.create(code="fr", name="France")
    ann = Person.objects.create(name="ann", country=country, born=AT.date(), height=1.5, notes={"b": 1}, portrait=b"\0")
    branch = Branch.objects.create(name="firm", owner=ann, town="Paris")
    Person.objects.filter(pk=ann.pk).update(employer=branch)
    ann.labels.add(Label.objects.create(name="x"))
    return export(Branch.objects.all(), follow=["owner__labels"])


def without_customers(bundle):
    bundle.plans = [one for one in bundle.plans if one.model != "shop.Customer"]
    return bundle


def replace(bundle, label, column, text):
    place = [one.name for one in bundle.plans[[p.model for p in bundle.plans].index(label)].columns].index(column)
    bundle.change(label, lambda rows: [rows[0], *([*row[:place], text, *row[place + 1 :]] for row in rows[1:])])


def changed_plan(bundle, label, **changes):
    bundle.plans = [dataclasses.replace(one, **changes) if one.model == label else one for one in bundle.plans]
    return bundle
