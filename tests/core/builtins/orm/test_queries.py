"""Querysets of every kind: the portable source takes the rows that Django itself would give, each once."""

from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Count, Exists, F, FilteredRelation, OuterRef, Q, Subquery, Sum, Window
from django.db.models.functions import RowNumber
from memory_bundle import MemoryBundle, Told

from isekai_core.builtins.orm.database import Orm
from isekai_core.slicing import Importer, ImportJob
from isekai_core.slicing import importer as home
from isekai_core.slicing.plan import plan_of
from isekai_core.testing.shop.models import Customer, Order, OrderItem, Product, Shop, Tenant

pytestmark = pytest.mark.django_db


class Cheap(Order):
    """The same table, under another name."""

    class Meta:
        app_label = "exporting"
        proxy = True


QUERYSETS = {
    "filter": lambda: Order.objects.filter(total_amount__gt=Decimal("2.5"), created_at__year__gt=2000),
    "join": lambda: Order.objects.filter(customer__shop__tenant__subdomain="t1"),
    "join to many": lambda: Order.objects.filter(items__quantity__gte=1),
    "either of two joins": lambda: Order.objects.filter(Q(items__quantity=1) | Q(customer__email="c1@x.org")),
    "subquery": lambda: Order.objects.filter(customer__in=Customer.objects.filter(email__lt="c2")),
    "exists": lambda: Order.objects.filter(Exists(OrderItem.objects.filter(order=OuterRef("pk"), quantity=2))),
    "exclude": lambda: Order.objects.exclude(items__quantity=2),
    "annotate": lambda: Order.objects.annotate(n=Count("items")).filter(n=2),
    "annotate a subquery": lambda: Order.objects.annotate(
        first=Subquery(OrderItem.objects.filter(order=OuterRef("pk")).order_by("pk").values("quantity")[:1])
    ).filter(first=1),
    "annotate, then values": lambda: Order.objects.annotate(n=Count("items")).values("status", "n").filter(n=2),
    "alias": lambda: Order.objects.alias(all=Sum("items__quantity")).filter(all__gte=3),
    "filtered relation": lambda: Order.objects.annotate(
        twos=FilteredRelation("items", condition=Q(items__quantity=2))
    ).filter(twos__isnull=False),
    "values": lambda: Order.objects.filter(total_amount__lt=2).values("status", "pk"),
    "values_list": lambda: Order.objects.filter(total_amount__lt=2).values_list("pk", "status"),
    "distinct": lambda: Order.objects.filter(items__quantity__gte=1).distinct(),
    "window": lambda: Order.objects.annotate(
        n=Window(RowNumber(), partition_by="customer", order_by=F("total_amount").desc())
    ).filter(n__lte=2),
    "only and select_related": lambda: (
        Order.objects.select_related("customer").only("customer__email").filter(total_amount=1)
    ),
    "prefetched": lambda: Order.objects.prefetch_related("items").filter(total_amount=1),
    "ordered and reversed": lambda: Order.objects.order_by("customer__email").reverse().filter(total_amount=1),
    "extra": lambda: Order.objects.extra(where=["total_amount = %s"], params=[3]),
    "proxy": lambda: Cheap.objects.filter(total_amount__lt=2),
    "and and or of querysets": lambda: (
        (Order.objects.filter(total_amount=1) | Order.objects.filter(total_amount=2))
        & Order.objects.filter(customer__email__lt="c2")
    ),
    "none": Order.objects.none,
    "none within": lambda: Order.objects.filter(Q(customer__in=Customer.objects.none()) | Q(total_amount=3)),
    "everything": lambda: Order.objects.filter(~Q(pk__in=[])),
}


@pytest.fixture(autouse=True)
def orders(monkeypatch):
    """Customers of two tenants with orders of one, two or three items."""
    monkeypatch.setattr(home, "_importers", {})
    type("OrderImporter", (Importer,), {"model": Order})
    for number in (1, 2):
        tenant = Tenant.objects.create(name="t", subdomain=f"t{number}")
        both = {"tenant": tenant, "shop": Shop.objects.create(tenant=tenant, name="s", url="https://s.test/")}
        product = Product.objects.create(**both, sku="p", name="p", price=1)
        for c in range(3):
            customer = Customer.objects.create(**both, email=f"c{c}@x.org")
            for o in range(4):
                order = Order.objects.create(**both, customer=customer, order_number=f"{c}-{o}", total_amount=o)
                OrderItem.objects.bulk_create(
                    OrderItem(**both, order=order, product=product, quantity=q, unit_price=1, total_price=1)
                    for q in range(1, 2 + (c + o) % 3)
                )


def taken(query):
    bundle = MemoryBundle()
    Orm().export(plan_of([ImportJob(Order, query)]), bundle, Told())
    return [int(key) for key in bundle.column("shop.Order", "id")]


@pytest.mark.parametrize("kind", QUERYSETS)
def test_the_rows_are_those_of_the_queryset(kind):
    wanted = {row["pk"] for row in QUERYSETS[kind]().values("pk")}
    assert taken(QUERYSETS[kind]()) == sorted(wanted)
    assert bool(wanted) is (kind != "none")


def test_distinct_on_takes_the_first_of_each():
    query = Order.objects.order_by("customer", "-total_amount").distinct("customer")
    if connection.vendor == "postgresql":
        assert taken(query) == sorted(Order.objects.filter(total_amount=3).values_list("pk", flat=True))
