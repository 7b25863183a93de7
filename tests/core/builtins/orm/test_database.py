"""The portable source: the rows that a plan means, and the texts that PostgreSQL would print."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Count, F, JSONField, Value, Window
from django.db.models.functions import RowNumber
from memory_bundle import MemoryBundle, Told

from isekai_core.builtins.orm.database import Orm
from isekai_core.errors import ExportError
from isekai_core.plugins.registry import registry
from isekai_core.slicing import DataSlicer, ImportJob, per
from isekai_core.slicing.masking import masks_for
from isekai_core.slicing.masks import fake
from isekai_core.slicing.plan import plan_of
from isekai_core.testing.shop.models import (
    Branch,
    Category,
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
from isekai_core.types.slices import SliceSource, SliceTarget

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 1, 2, 3, 4, 5, 123456, dt.UTC)


@pytest.fixture(autouse=True)
def declare(isekai_importers):
    """Importers of this test alone; every foreign key is declared."""
    isekai_importers(Tenant)
    isekai_importers(Shop, tenant=Tenant)
    isekai_importers(Customer, shop=Shop)
    isekai_importers(Product, shop=Shop)
    isekai_importers(Order, customer=Customer)
    isekai_importers(OrderItem, order=Order, product=Product)
    return isekai_importers


def exported(*jobs, masks=None, **options):
    """The bundle of these jobs."""
    plan = jobs[0] if jobs and not isinstance(jobs[0], ImportJob) else plan_of(jobs, **options)
    bundle = MemoryBundle(masks)
    Orm().export(plan, bundle, Told())
    return bundle


def tenant(number=1):
    return Tenant.objects.create(id=number, name=f"t{number}", subdomain=f"t{number}")


def a_shop(customers=3, orders=4, items=2, number=1):
    """A tenant with a shop, customers, their orders, and the items of these."""
    owner = tenant(number)
    shop = Shop.objects.create(tenant=owner, name="s", url="https://s.test/")
    both = {"tenant": owner, "shop": shop}
    product = Product.objects.create(**both, sku="p", name="p", price=1)
    for c in range(customers):
        customer = Customer.objects.create(**both, email=f"c{c}@x.org", first_name="a", last_name="b")
        for o in range(orders):
            order = Order.objects.create(**both, customer=customer, order_number=f"{c}-{o}", total_amount=o)
            for _ in range(items):
                OrderItem.objects.create(**both, order=order, product=product, quantity=1, unit_price=1, total_price=1)
    return shop


def everything():
    return [ImportJob(model=model) for model in (Tenant, Shop, Product, Customer, Order, OrderItem)]


def test_it_is_a_source_and_a_target_under_the_name_orm():
    assert isinstance(Orm(), SliceSource)
    assert isinstance(Orm(), SliceTarget)
    for kind in ("slice_source", "slice_target"):
        assert registry().find(kind, "isekai-core/orm").load() is Orm


def test_an_alias_that_is_none_is_told_with_those_there_are():
    with pytest.raises(ValueError, match=r"one of DATABASES \(default\), got 'defualt' \(did you mean 'default'\?\)"):
        Orm("defualt")


def test_values_are_the_texts_that_postgresql_prints(declare):
    declare(Country)
    declare(Person, country=Country)
    Country.objects.create(code="fr", name="")
    key = Person.objects.create(
        name='a "b",\nc', country_id="fr", born=AT.date(), height=1e15, portrait=b"\x00\xff",
        notes={"bb": [1, 2.5, "ü"], "a": None},
    ).pk  # fmt: skip
    empty = Person.objects.create(name="\\.").pk
    bundle = exported(ImportJob(model=Country), ImportJob(model=Person))
    assert bundle.rows("shop.Person") == [
        {
            "id": str(key), "name": 'a "b",\nc', "country_id": "fr", "works_at": None, "born": "2026-01-02",
            "height": "1e+15", "notes": '{"a": null, "bb": [1, 2.5, "ü"]}', "portrait": "\\x00ff", "picture": "",
        },
        {
            "id": str(empty), "name": "\\.", "country_id": None, "works_at": None, "born": None,
            "height": None, "notes": None, "portrait": None, "picture": "",
        },
    ]  # fmt: skip
    assert bundle.texts["shop.Country"].endswith(b',fr,""\n')


def test_times_decimals_and_booleans_are_the_texts_that_postgresql_prints():
    shop = a_shop(1, 1, 1)
    Tenant.objects.update(created_at=AT, is_active=False)
    Product.objects.update(price=Decimal("10.5"))
    bundle = exported(*everything())
    assert bundle.column("shop.Tenant", "created_at") == ["2026-01-02 03:04:05.123456+00"]
    assert bundle.column("shop.Tenant", "is_active") == ["f"]
    assert bundle.column("shop.Product", "price") == ["10.50"]
    assert bundle.column("shop.Shop", "id") == [str(shop.pk)]


def test_a_json_null_is_not_null(declare):
    declare(Person)
    Person.objects.create(name="a", notes=Value(None, JSONField()))
    Person.objects.create(name="b")
    assert exported(ImportJob(model=Person)).column("shop.Person", "notes") == ["null", None]


def test_a_copy_of_the_server_has_the_same_bytes():
    a_shop()
    bundle = exported(*everything())
    if connection.vendor != "postgresql":
        assert bundle.counts["shop.OrderItem"] == 24
        return
    with connection.cursor() as cursor:
        for table in bundle.plans:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            statement = f'COPY (SELECT {names} FROM "{table.table}" ORDER BY 1) TO STDOUT (FORMAT csv, HEADER)'
            with cursor.copy(statement) as copy:
                assert bundle.texts[table.model] == b"".join(map(bytes, copy)), table.model


def test_a_row_stays_only_with_the_parents_that_it_declares():
    a_shop(number=1)
    a_shop(number=2)
    jobs = [ImportJob(model=Tenant, query=Tenant.objects.filter(pk=2)), *everything()[1:]]
    bundle = exported(*jobs)
    assert bundle.counts == {
        "shop.Tenant": 1, "shop.Shop": 1, "shop.Product": 1, "shop.Customer": 3, "shop.Order": 12, "shop.OrderItem": 24,
    }  # fmt: skip
    orders = set(bundle.column("shop.Order", "id"))
    assert set(bundle.column("shop.OrderItem", "order_id")) == orders


def test_at_most_n_per_parent_nested_and_exactly():
    a_shop(customers=5, orders=7, items=3)
    bundle = exported(
        *everything()[:3],
        ImportJob(model=Customer, limit=4),
        ImportJob(model=Order, limit=per("customer", 3, order_by="-total_amount")),
        ImportJob(model=OrderItem, limit=per("order", 2)),
    )
    assert (bundle.counts["shop.Customer"], bundle.counts["shop.Order"]) == (4, 12)
    assert bundle.counts["shop.OrderItem"] == 24
    assert sorted(bundle.column("shop.Order", "total_amount")) == sorted(["6.00", "5.00", "4.00"] * 4)


def test_a_limit_counts_rows_whose_parents_are_there():
    a_shop(number=1)
    a_shop(number=2)
    jobs = [ImportJob(model=Tenant, query=Tenant.objects.filter(pk=2)), ImportJob(model=Shop)]
    bundle = exported(*jobs, ImportJob(model=Customer, limit=2, order_by="-email"))
    assert bundle.column("shop.Customer", "email") == ["c1@x.org", "c2@x.org"]
    assert set(bundle.column("shop.Customer", "tenant_id")) == {"2"}


def test_nothing_is_first_or_last_the_same_on_every_database(declare):
    declare(Category)
    root = Category.objects.create(slug="root")
    Category.objects.create(slug="child", parent=root)
    for order, slug in (("parent", "child"), ("-parent", "root")):
        job = ImportJob(model=Category, limit=1, order_by=order)
        assert exported(job).column("shop.Category", "slug") == [slug]


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_sample_is_part_of_every_greater_one_and_does_not_change_as_rows_come(declare, share):
    declare(Country)
    Country.objects.bulk_create(Country(pk=n, code=f"{n}"[-2:], name="") for n in range(10, 90))
    small = exported(ImportJob(model=Country, sample=share), seed=7).column("shop.Country", "id")
    great = exported(ImportJob(model=Country, sample=0.9), seed=7).column("shop.Country", "id")
    assert set(small) < set(great)
    assert 0 < len(small) < 80
    Country.objects.create(pk=1000, code="zz", name="")
    again = exported(ImportJob(model=Country, sample=share), seed=7).column("shop.Country", "id")
    assert set(again) - {"1000"} == set(small)
    assert exported(ImportJob(model=Country, sample=share), seed=8).column("shop.Country", "id") != small


def test_a_sample_of_uuid_keys_is_the_same_on_every_database(declare):
    declare(Label)
    Label.objects.bulk_create(Label(id=uuid.UUID(int=number), name=str(number)) for number in range(40))
    bundle = exported(ImportJob(model=Label, sample=0.25), seed="s")
    assert bundle.column("shop.Label", "name") == ["9", "14", "18", "23", "28", "29"]


def test_any_queryset_chooses_rows():
    shop = a_shop(4, 2, 1)
    first = Window(RowNumber(), partition_by=F("customer"), order_by="id")
    queries = {
        "join": (Order.objects.filter(customer__email="c1@x.org"), 2),
        "annotated": (Order.objects.annotate(n=Count("items")).filter(n=1), 8),
        "distinct": (Order.objects.filter(items__product__sku="p").distinct(), 8),
        "window": (Order.objects.annotate(n=first).filter(n=1), 4),
        "values": (Order.objects.values("status"), 8),
        "deferred": (Order.objects.only("id").order_by("?"), 8),
        "reversed": (shop.order_set.order_by("-id"), 8),
        "none": (Order.objects.none(), 0),
        "hostile": (Order.objects.filter(order_number="x' OR 1=1 --%s"), 0),
    }
    for name, (query, count) in queries.items():
        jobs = [*everything()[:4], ImportJob(model=Order, query=query)]
        bundle = exported(*jobs)
        assert bundle.counts["shop.Order"] == count, name
        assert len(bundle.rows("shop.Order")) == count, name


def test_a_query_that_cannot_be_asked_names_its_model():
    query = Order.objects.extra(where=["no_such_column = 1"])
    with pytest.raises(ExportError, match="no_such_column"):
        exported(*everything()[:4], ImportJob(model=Order, query=query))


def test_rows_that_need_one_another_stay_while_all_that_they_need_stays(declare):
    declare(Person, employer=Firm)
    declare(Firm, owner=Person)
    ann, bob, cid = (Person.objects.create(name=name) for name in ("ann", "bob", "cid"))
    firm = Firm.objects.create(name="f", owner=bob)
    Person.objects.filter(pk__in=[ann.pk, cid.pk]).update(employer=firm)
    jobs = [ImportJob(model=Person, query=Person.objects.exclude(name="cid")), ImportJob(model=Firm)]
    assert exported(*jobs).column("shop.Person", "name") == ["ann", "bob"]
    # Without its owner the firm goes, and with it all whom it employs.
    jobs = [ImportJob(model=Person, query=Person.objects.exclude(name="bob")), ImportJob(model=Firm)]
    bundle = exported(*jobs)
    assert (bundle.counts["shop.Person"], bundle.counts["shop.Firm"]) == (0, 0)


def test_a_tree_loses_the_branches_whose_root_is_not_there(declare):
    declare(Category, parent=Category)
    above = None
    for number in range(6):
        above = Category.objects.create(slug=f"c{number}", parent=above)
    assert exported(ImportJob(model=Category)).counts == {"shop.Category": 6}
    job = ImportJob(model=Category, query=Category.objects.exclude(slug="c2"))
    assert exported(job).column("shop.Category", "slug") == ["c0", "c1"]
    job = ImportJob(model=Category, limit=2, order_by="-slug")
    assert exported(job).counts == {"shop.Category": 0}


def test_closure_brings_all_that_rows_need_to_the_last():
    tree = None
    for number in range(4):
        tree = Category.objects.create(slug=f"c{number}", parent=tree)
    Category.objects.create(slug="other")
    assert exported(DataSlicer.plan(Category.objects.filter(slug="c2"))).column("shop.Category", "slug") == [
        "c0",
        "c1",
        "c2",
    ]
    country = Country.objects.create(code="fr", name="France")
    owner = Person.objects.create(name="o", country=country)
    branch = Branch.objects.create(name="f", owner=owner, town="x")
    Person.objects.filter(pk=owner.pk).update(employer=branch)
    owner.labels.add(Label.objects.create(name="l"))
    Firm.objects.create(name="not this", owner=owner)
    bundle = exported(DataSlicer.plan(Branch.objects.all(), follow=["owner__labels"]))
    assert bundle.counts == {
        "shop.Branch": 1, "shop.Firm": 1, "shop.Person": 1, "shop.Country": 1, "shop.Label": 1, "shop.Person_labels": 1,
    }  # fmt: skip


def test_only_what_is_named_is_followed_downwards():
    a_shop(2, 2, 1)
    bundle = exported(DataSlicer.plan(Customer.objects.filter(email="c0@x.org"), follow=["order"]))
    assert (bundle.counts["shop.Customer"], bundle.counts["shop.Order"], bundle.counts["shop.Shop"]) == (1, 2, 1)
    assert "shop.OrderItem" not in bundle.counts


def test_masks_change_what_is_written_and_not_what_is_chosen(declare):
    a_shop(3, 1, 1)
    declare(Customer, shop=Shop, email=fake("email"))
    jobs = [*everything()[:2], ImportJob(model=Customer)]
    bundle = exported(*jobs, masks=masks_for(plan_of(jobs), "secret"))
    assert bundle.counts["shop.Customer"] == 3
    assert not {"c0@x.org", "c1@x.org", "c2@x.org"} & set(bundle.column("shop.Customer", "email"))


def test_progress_tells_rows_and_bytes_of_every_table():
    a_shop(3, 2, 1)
    told, bundle = Told(), MemoryBundle()
    facts = Orm().export(plan_of(everything()), bundle, told)
    assert told.totals == told.rows == bundle.counts
    assert told.bytes == {model: len(text) for model, text in bundle.texts.items()}
    assert told.ended == list(bundle.counts)
    assert facts["database"] == connection.vendor
    assert facts["migrations"]["auth"]


def test_an_estimate_counts_rows_without_writing_any():
    a_shop(3, 4, 2)
    jobs = [*everything()[:4], ImportJob(model=Order, limit=per("customer", 2))]
    estimated = Orm().estimate(plan_of(jobs))
    bundle = exported(*jobs)
    assert {model: one.rows for model, one in estimated.items()} == bundle.counts
    assert {model: one.bytes for model, one in estimated.items()} == {
        model: len(text) for model, text in bundle.texts.items()
    }


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_not_open_is_closed_again():
    a_shop(1, 1, 1)
    connection.close()
    facts = Orm().export(plan_of(everything()), MemoryBundle(), Told())
    assert facts["snapshot"] == "one transaction"
    assert connection.connection is None
    with pytest.raises(ExportError, match="orm:default cannot be read"):
        exported(*everything()[:4], ImportJob(model=Order, query=Order.objects.extra(where=["nothing = 1"])))
    assert connection.connection is None
