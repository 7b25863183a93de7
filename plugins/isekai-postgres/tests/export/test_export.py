"""Exports from a real server: the rows are those of the ORM, the CSV is PostgreSQL's, the order is that of the keys."""

import datetime as dt
import json
import uuid
from decimal import Decimal

import pytest
from django.db import models, transaction
from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber
from isekai_postgres.slices import Postgres

from isekai_core.errors import ExportError
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

AT = dt.datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=dt.UTC)


def orm(source, rows):
    """The keys that the ORM finds."""
    return sorted(rows.using(source.alias).values_list("pk", flat=True))


# What is in the files


def test_values_are_written_as_postgres_writes_them(source):
    source.create(Country, Label, Person, Firm)
    nasty = 'a "quote", a comma\na line\r\n\\. and 100% %s ✓'
    source.sql(
        "INSERT INTO shop_person (id, name, notes, portrait, picture, height) VALUES (1, %s, %s, %s, '', 0.1)",
        values=(nasty, json.dumps({"a": 'b"c'}), b"\x00\xff"),
    )
    source.sql("INSERT INTO shop_person (id, name, picture, born) VALUES (2, '', '', '2026-01-02')")
    bundle = source.cut(source.table(Person, whole=True))
    first, second = bundle.records(Person)
    assert (first["name"], first["portrait"], first["height"]) == (nasty, "\\x00ff", "0.1")
    assert json.loads(first["notes"]) == {"a": 'b"c'}
    assert second["born"] == "2026-01-02"
    assert bundle.content["shop.Person"].endswith(b'\n2,"",,,2026-01-02,,,,""\n')
    assert bundle.rows == {"shop.Person": 2}


def test_moments_are_in_utc_whatever_the_server_prefers(source):
    source.create(Tenant)
    name = source.sql("SELECT current_database()")[0][0]
    source.sql(f"ALTER DATABASE {name} SET TimeZone = 'Asia/Tokyo'")
    source.sql(f"ALTER DATABASE {name} SET DateStyle = 'SQL, DMY'")
    source.sql(f"INSERT INTO shop_tenant VALUES (1, 'A', 'a', '{AT}', true)")
    assert source.cut(source.table(Tenant, whole=True)).content["shop.Tenant"] == (
        b"id,name,subdomain,created_at,is_active\n1,A,a,2026-01-02 03:04:05.123456+00,t\n"
    )


def test_rows_come_in_the_order_of_their_keys_so_that_the_same_rows_give_the_same_file(source):
    source.create(Label, Tenant)
    source.sql(f"INSERT INTO shop_tenant SELECT i, 'T', 't'||i, '{AT}', true FROM generate_series(50, 1, -1) i")
    source.sql("INSERT INTO shop_label SELECT md5(i::text)::uuid, i::text FROM generate_series(1, 50) i")
    plan = source.table(Tenant, whole=True), source.table(Label, whole=True)
    first = source.cut(*plan)
    source.sql("UPDATE shop_tenant SET name = 'T' WHERE id % 3 = 0")
    assert source.cut(*plan).content == first.content
    assert first.keys(Tenant) == list(range(1, 51))
    assert first.keys(Label) == sorted(first.keys(Label), key=str)


class Word(models.Model):
    """A key that is a text."""

    id = models.CharField(primary_key=True, max_length=20)
    root = models.ForeignKey("self", models.CASCADE, null=True)

    class Meta:
        app_label = "exporting"


def test_keys_that_are_texts_are_chosen_and_ordered_by_their_bytes(source):
    source.create(Word)
    words = ["a", "B", "ä", "a,b", '"', "{x}", "NULL", "", "\\", "%s", "b\nc", "it's"]
    for word in words:
        source.sql("INSERT INTO exporting_word VALUES (%s, NULL)", values=[word])
    source.sql("UPDATE exporting_word SET root_id = '{x}' WHERE id IN ('a', '\\')")
    everything = source.cut(source.table(Word, whole=True))
    assert everything.keys(Word) == sorted(words, key=str.encode)
    limited = source.cut(source.table(Word, "root", limit=20, order_by=("-id",)))
    assert limited.content == everything.content
    without = source.cut(source.table(Word, "root", queryset=Word.objects.exclude(pk="{x}"), sample=1.0))
    assert without.keys(Word) == sorted(set(words) - {"{x}", "a", "\\"}, key=str.encode)


# Querysets of every kind


QUERYSETS = {
    "filter": lambda: Order.objects.filter(total_amount__gt=Decimal("5.5"), created_at__date__gt=AT.date()),
    "join": lambda: Order.objects.filter(customer__shop__tenant__subdomain="t1"),
    "join to many": lambda: Order.objects.filter(items__quantity__gte=1),
    "subquery": lambda: Order.objects.filter(customer__in=Customer.objects.filter(pk__lt=5)),
    "exclude": lambda: Order.objects.exclude(items__quantity=5),
    "annotate": lambda: Order.objects.annotate(n=Count("items")).filter(n=2, pk__gt=7),
    "values": lambda: Order.objects.filter(pk__lt=9).values("status", "pk"),
    "values_list": lambda: Order.objects.filter(pk__lt=9).values_list("pk", "status"),
    "distinct": lambda: Order.objects.filter(items__quantity__gte=1).distinct(),
    "distinct on": lambda: Order.objects.order_by("customer", "-total_amount").distinct("customer"),
    "window": lambda: Order.objects.annotate(
        n=Window(RowNumber(), partition_by="customer", order_by=F("created_at").desc())
    ).filter(n__lte=2),
    "only and select_related": lambda: Order.objects.select_related("customer").only("customer__email").filter(pk=3),
    "ordered": lambda: Order.objects.order_by("customer__email").filter(pk__lt=4),
    "locking": lambda: Order.objects.select_for_update().filter(pk__lt=4),
    "none": Order.objects.none,
    "none within": lambda: Order.objects.filter(Q(customer__in=Customer.objects.none()) | Q(pk=4)),
    "everything": lambda: Order.objects.filter(~Q(pk__in=[])),
}


@pytest.mark.parametrize("kind", QUERYSETS)
def test_the_rows_are_those_of_the_orm(source, kind):
    source.fill()
    rows = QUERYSETS[kind]()
    with transaction.atomic(using=source.alias):
        expected = {_key(row) for row in rows.using(source.alias)}
    bundle = source.cut(source.table(Order, queryset=rows))
    assert bundle.keys(Order) == sorted(expected)
    assert (bundle.rows["shop.Order"] == 0) == (kind == "none")


def _key(row):
    if isinstance(row, Order):
        return row.pk
    return row["pk"] if isinstance(row, dict) else row[0]


class Hidden(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(slug__startswith="a")


class Page(models.Model):
    """A model whose default manager hides rows."""

    slug = models.CharField(max_length=20)
    objects = Hidden()

    class Meta:
        app_label = "exporting"


def test_a_custom_manager_hides_rows_only_where_its_queryset_is_given(source):
    source.create(Page)
    source.sql("INSERT INTO exporting_page (slug) VALUES ('a'), ('b'), ('ab')")
    assert source.cut(source.table(Page, limit=10)).keys(Page) == [1, 2, 3]
    assert source.cut(source.table(Page, queryset=Page.objects.all())).keys(Page) == [1, 3]


HOSTILE = [
    "O'Brien",
    'say "hi"',
    "100%",
    "%s",
    "%(x)s",
    "%%",
    "a\nb",
    "a\r\nb",
    "\\.",
    "\\",
    "\\' OR TRUE --",
    "x') TO STDOUT WITH (FORMAT CSV, HEADER) --",
    "'; DROP TABLE shop_category; --",
    "$1",
    "$$x$$",
    "{}",
    "{0}",
    "\u2028",
    "' OR '1'='1",
    "✓ ünïcode",
    "",
    "NULL",
]


def test_hostile_texts_pass_as_values_through_filters_and_files(source):
    source.create(Tenant)
    for number, text in enumerate(HOSTILE):
        source.sql("INSERT INTO shop_tenant VALUES (%s, %s, %s, now(), true)", values=(number, text, f"t{number}"))
    for number, text in enumerate(HOSTILE):
        bundle = source.cut(source.table(Tenant, queryset=Tenant.objects.filter(name=text)), seed=text)
        assert [(one["id"], one["name"]) for one in bundle.records(Tenant)] == [(str(number), text)]


def test_a_nul_in_a_filter_is_refused_with_the_model(source):
    source.create(Tenant)
    with pytest.raises(ExportError, match=r"shop\.Tenant: its query cannot be made into SQL.*NUL"):
        source.cut(source.table(Tenant, queryset=Tenant.objects.filter(name="a\0b")))
    assert source.is_left_alone()


def test_a_queryset_of_another_database_is_refused_and_one_of_the_source_s_alias_is_not(source):
    source.fill()
    rows = Order.objects.filter(customer__in=Customer.objects.using(source.alias).filter(pk=3))
    with pytest.raises(ExportError, match=r"shop\.Order: .*different databases"):
        source.cut(source.table(Order, queryset=rows))
    bundle = source.cut(source.table(Order, queryset=rows), postgres=Postgres(alias=source.alias))
    assert bundle.keys(Order) == orm(source, Order.objects.filter(customer=3))


# Parents


def test_rows_stay_only_with_the_rows_they_point_to(source):
    source.fill()
    bundle = source.cut(
        source.table(Tenant, queryset=Tenant.objects.filter(pk=1)),
        source.table(Shop, "tenant"),
        source.table(Customer, "tenant", "shop", limit=3, order_by=("-id",)),
        source.table(Order, "customer"),
        source.table(OrderItem, "order", "product"),
        source.table(Product, whole=True),
    )
    assert bundle.keys(Customer) == [8, 10, 12]
    orders = orm(source, Order.objects.filter(customer__in=[8, 10, 12]))
    assert bundle.keys(Order) == orders
    assert bundle.keys(OrderItem) == orm(source, OrderItem.objects.filter(order__in=orders))
    assert len(orders) == 12
    assert bundle.order == ["shop.Tenant", "shop.Shop", "shop.Customer", "shop.Product", "shop.Order", "shop.OrderItem"]


def test_null_points_nowhere_and_stays_and_a_column_that_is_no_primary_key_is_compared_by_itself(source):
    source.create(Country, Label, Person, Firm)
    source.sql("INSERT INTO shop_country VALUES (1, 'DE', ''), (2, 'FR', '')")
    source.sql(
        "INSERT INTO shop_person (id, name, picture, country_id) VALUES (1,'','','DE'),(2,'','','FR'),(3,'','',NULL)"
    )
    bundle = source.cut(
        source.table(Country, queryset=Country.objects.filter(code="FR")), source.table(Person, "country")
    )
    assert bundle.keys(Person) == [2, 3]


def test_keys_that_are_uuids_go_through_a_table_between(source):
    source.create(Country, Label, Person, Firm)
    red, blue = uuid.UUID(int=1), uuid.UUID(int=2)
    source.sql("INSERT INTO shop_label VALUES (%s, 'red'), (%s, 'blue')", values=(red, blue))
    source.sql("INSERT INTO shop_person (id, name, picture) VALUES (1,'',''),(2,'','')")
    source.sql("INSERT INTO shop_person_labels VALUES (1, 1, %s), (2, 1, %s), (3, 2, %s)", values=(red, blue, red))
    bundle = source.cut(
        source.table(Label, limit=1, order_by=("name",)),
        source.table(Person, queryset=Person.objects.filter(pk=1)),
        source.table(Person.labels.through, "person", "label"),
    )
    assert bundle.keys(Label) == [str(blue)]
    assert bundle.keys(Person.labels.through) == [2]


def test_multi_table_children_are_limited_by_fields_of_their_parents(source):
    source.create(Country, Label, Person, Firm, Branch)
    source.sql("INSERT INTO shop_person (id, name, picture) VALUES (1,'',''),(2,'','')")
    source.sql("INSERT INTO shop_firm SELECT i, 'f'||(9-i), 1 + i % 2 FROM generate_series(1, 6) i")
    source.sql("INSERT INTO shop_branch SELECT i, 'x' FROM generate_series(1, 5) i")
    limited = source.cut(source.table(Branch, limit=2, order_by=("name",)))
    assert limited.keys(Branch) == [4, 5]
    per_owner = source.cut(
        source.table(Branch, per=(_per("owner", 1, "-name"),), queryset=Branch.objects.exclude(pk=1))
    )
    assert per_owner.keys(Branch) == [2, 3]
    closed = source.cut(
        source.table(Branch, limit=2),
        source.table(Firm, queryset=Firm.objects.none(), closure=(("shop.Branch", "firm_ptr_id"),)),
    )
    assert closed.keys(Firm) == [1, 2]


def _per(name, limit, *order_by):
    from isekai_core.slicing.job import per

    return per(name, limit, order_by=order_by)


# Circles


def tree(source):
    """1 → 2 → 3, 4 → 5, 6 ⇄ 7; each `a → b` is a parent and its child."""
    source.create(Category)
    source.sql(
        "INSERT INTO shop_category VALUES (1,'1',NULL),(2,'2',1),(3,'3',2),"
        "(4,'4',NULL),(5,'5',4),(6,'6',NULL),(7,'7',6)"
    )
    source.sql("UPDATE shop_category SET parent_id = 7 WHERE id = 6")


@pytest.mark.parametrize(
    ("left_out", "there"),
    [
        ([], [1, 2, 3, 4, 5, 6, 7]),
        ([1], [4, 5, 6, 7]),
        ([2], [1, 4, 5, 6, 7]),
        ([7], [1, 2, 3, 4, 5]),
        ([3], [1, 2, 4, 5, 6, 7]),
    ],
)
def test_of_a_tree_those_stay_whose_ancestors_are_all_there(source, left_out, there):
    tree(source)
    rows = Category.objects.exclude(pk__in=left_out)
    assert source.cut(source.table(Category, "parent", queryset=rows)).keys(Category) == there


def test_a_limit_within_a_tree_leaves_out_what_would_point_nowhere(source):
    tree(source)
    assert source.cut(source.table(Category, "parent", limit=3, order_by=("-id",))).keys(Category) == [6, 7]
    assert source.facts["left_out"] == {"shop.Category": {"rows": 1, "fields": ["parent"]}}
    source.cut(source.table(Category, "parent", limit=3))
    assert "left_out" not in source.facts
    assert source.cut(source.table(Category, "parent", per=(_per("parent", 1),))).keys(Category) == [
        1,
        2,
        3,
        4,
        5,
        6,
        7,
    ]


def test_closure_takes_ancestors_to_the_root_and_circles_once(source):
    tree(source)
    rows = Category.objects.filter(pk__in=[3, 7])
    bundle = source.cut(source.table(Category, queryset=rows, closure=(("shop.Category", "parent_id"),)))
    assert bundle.keys(Category) == [1, 2, 3, 6, 7]


def circle(source):
    """Persons 1 to 4 work at the firm before theirs; firms 1 to 4 belong to the person of their number."""
    source.create(Country, Label, Person, Firm)
    source.sql("INSERT INTO shop_country VALUES (1, 'DE', '')")
    source.sql(
        "INSERT INTO shop_person (id, name, picture, country_id) SELECT i, '', '', 'DE' FROM generate_series(1, 5) i"
    )
    source.sql("INSERT INTO shop_firm SELECT i, 'f'||i, i FROM generate_series(1, 4) i")
    source.sql("UPDATE shop_person SET works_at = nullif(id - 1, 0)")


def test_tables_that_need_one_another_are_settled_together(source):
    circle(source)
    both = source.table(Person, "employer", queryset=Person.objects.exclude(pk=3)), source.table(Firm, "owner")
    bundle = source.cut(*both)
    # Person 3 is left out, and so firm 3, and so person 4, and so firm 4, and so person 5.
    assert (bundle.keys(Person), bundle.keys(Firm)) == ([1, 2], [1, 2])


def test_closure_goes_around_a_circle_of_tables(source):
    circle(source)
    bundle = source.cut(
        source.table(Person, queryset=Person.objects.filter(pk=3), closure=(("shop.Firm", "owner_id"),)),
        source.table(Firm, queryset=Firm.objects.none(), closure=(("shop.Person", "works_at"),)),
        source.table(Country, queryset=Country.objects.none(), closure=(("shop.Person", "country_id"),)),
    )
    assert (bundle.keys(Person), bundle.keys(Firm), bundle.keys(Country)) == ([1, 2, 3], [1, 2], [1])


def test_closure_wins_over_a_declared_parent_and_brings_no_children(source):
    source.fill()
    bundle = source.cut(
        source.table(Order, "customer", queryset=Order.objects.filter(pk__lte=2)),
        source.table(Customer, "shop", queryset=Customer.objects.none(), closure=(("shop.Order", "customer_id"),)),
        source.table(Shop, queryset=Shop.objects.filter(pk=1), closure=(("shop.Customer", "shop_id"),)),
        source.table(Product, "shop"),
    )
    assert bundle.keys(Order) == [1, 2]
    assert bundle.keys(Customer) == [1, 2]
    assert bundle.keys(Shop) == [1, 2]
    assert bundle.keys(Product) == [1]
