"""`per`, `limit` and `sample`, alone and together, against a plain model in Python; nested to any depth."""

import hashlib
import random
import uuid

import pytest
from django.db import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isekai_core.slicing.job import per
from isekai_core.testing.shop.models import Customer, Label, Order, OrderItem


class Root(models.Model):
    """What leaves hang on."""

    class Meta:
        app_label = "exporting"


class Leaf(models.Model):
    """A child of two parents, one of which may be missing."""

    root = models.ForeignKey(Root, models.CASCADE)
    other = models.ForeignKey(Root, models.CASCADE, null=True, related_name="+")
    weight = models.IntegerField(null=True)

    class Meta:
        app_label = "exporting"


def is_sampled(key, share, seed):
    """The same as the server's, in Python."""
    return int(hashlib.md5(f"{key}:{seed}".encode()).hexdigest()[:8], 16) < share * 2**32


def ordered(rows, order_by):
    """Sorted as PostgreSQL does: NULL is greater than everything."""
    rows = sorted(rows, key=lambda row: row["id"])
    for name in reversed(order_by):
        field = name.removeprefix("-")
        rows.sort(key=lambda row, f=field: (row[f] is None, row[f] or 0), reverse=name.startswith("-"))
        # Stable downwards, too: equal ones stay in the order of their keys.
    return rows


def within(rows, pers, limit, order_by):
    """What the limits leave of `rows`."""
    kept = list(rows)
    for one in pers:
        column, seen, passed = f"{one.field}_id", {}, set()
        for row in ordered(rows, one.order_by):
            seen[row[column]] = seen.get(row[column], 0) + 1
            if row[column] is None or seen[row[column]] <= one.limit:
                passed.add(row["id"])
        kept = [row for row in kept if row["id"] in passed]
    return {row["id"] for row in ordered(kept, order_by)[:limit]}


ORDERS = st.lists(st.sampled_from(["weight", "-weight", "root", "-id", "pk"]), max_size=2, unique=True).map(tuple)
PERS = st.lists(st.builds(per, st.sampled_from(["root", "other"]), st.integers(1, 4), order_by=ORDERS), max_size=2)
SHARES = st.none() | st.floats(0.05, 1)


def _names(order_by):
    return [name.replace("root", "root_id").replace("pk", "id") for name in order_by]


def test_limits_are_exactly_what_the_model_in_python_says(source):
    source.create(Root, Leaf)
    chance = random.Random(7)
    source.save(Root(id=n) for n in range(1, 9))
    rows = [
        {
            "id": n,
            "root_id": chance.randint(1, 8),
            "other_id": chance.choice([None, 1, 2, 3]),
            "weight": chance.choice([None, 1, 2, 3]),
        }
        for n in chance.sample(range(1, 500), 120)
    ]
    source.save(Leaf(**row) for row in rows)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(
        pers=PERS,
        limit=st.none() | st.integers(1, 60),
        order_by=ORDERS,
        sample=SHARES,
        roots=st.integers(1, 8),
        seed=st.sampled_from(["0", "it's 100%"]),
    )
    def check(pers, limit, order_by, sample, roots, seed):
        bundle = source.cut(
            source.table(Root, limit=roots, order_by=("-id",)),
            source.table(
                Leaf,
                "root",
                queryset=Leaf.objects.exclude(weight=3),
                per=tuple(pers),
                limit=limit,
                order_by=order_by,
                sample=sample,
            ),
            seed=seed,
        )
        there = [row for row in rows if row["root_id"] > 8 - roots and row["weight"] != 3]
        there = [row for row in there if sample is None or is_sampled(row["id"], sample, seed)]
        adapted = [type(one)(one.field, one.limit, tuple(_names(one.order_by))) for one in pers]
        assert set(bundle.keys(Leaf)) == within(there, adapted, limit, _names(order_by))
        assert bundle.rows["exporting.Leaf"] == len(bundle.keys(Leaf))

    check()


def test_the_issue_s_example_is_exact_a_hundred_customers_ten_orders_each_all_their_items(source):
    source.fill(customers=150, orders=15)
    bundle = source.cut(
        source.table(Customer, limit=100),
        source.table(Order, "customer", per=(per("customer", 10, order_by="-created_at"),)),
        source.table(OrderItem, "order"),
    )
    assert bundle.keys(Customer) == list(range(1, 101))
    assert bundle.rows == {"shop.Customer": 100, "shop.Order": 1000, "shop.OrderItem": 2000}
    found = {}
    for record in bundle.records(Order):
        found.setdefault(int(record["customer_id"]), []).append(int(record["id"]))
    # Each customer's orders are 150 apart; the last ten are the newest.
    newest = {
        customer: sorted(
            Order.objects.using(source.alias)
            .filter(customer=customer)
            .order_by("-created_at", "pk")
            .values_list("pk", flat=True)[:10]
        )
        for customer in (1, 57, 100)
    }
    assert {customer: found[customer] for customer in newest} == newest
    assert {len(orders) for orders in found.values()} == {10}


def test_limits_nest_to_any_depth(source):
    source.fill(customers=20, orders=6)
    bundle = source.cut(
        source.table(Customer, per=(per("shop", 3),)),
        source.table(Order, "customer", per=(per("customer", 2, order_by=("-total_amount",)),)),
        source.table(OrderItem, "order", per=(per("order", 1, order_by="-quantity"),)),
    )
    assert bundle.rows == {"shop.Customer": 6, "shop.Order": 12, "shop.OrderItem": 12}
    assert {record["quantity"] for record in bundle.records(OrderItem)} == {"2"}


def test_a_smaller_sample_is_in_a_greater_one_and_stays_as_data_grows(source):
    source.create(Label)
    source.save(Label(id=uuid.UUID(int=n), name=n) for n in range(4000))

    def taken(share, seed="0"):
        return set(source.cut(source.table(Label, sample=share), seed=seed).keys(Label))

    one, five = taken(0.01), taken(0.05)
    assert one < five
    assert 10 < len(one) < 80
    assert 120 < len(five) < 280
    assert five == {str(uuid.UUID(int=n)) for n in range(4000) if is_sampled(uuid.UUID(int=n), 0.05, "0")}
    assert taken(0.05, seed="1") != five
    source.save(Label(id=uuid.UUID(int=n), name=n) for n in range(4000, 8000))
    assert five < taken(0.05)
    assert len(taken(1)) == 8000


def test_a_limit_within_an_empty_table_is_empty(source):
    source.create(Label)
    bundle = source.cut(source.table(Label, limit=5, sample=0.5))
    assert bundle.content["shop.Label"] == b"id,name\n"
    assert bundle.rows == {"shop.Label": 0}


@pytest.mark.parametrize("workers", [1, 2])
def test_large_key_sets_are_handed_on_whole(source, workers):
    source.create(Root, Leaf)
    source.sql("INSERT INTO exporting_root SELECT generate_series(1, 30000)")
    source.sql("INSERT INTO exporting_leaf (id, root_id) SELECT i, 1 + i / 2 FROM generate_series(1, 50000) i")
    bundle = source.cut(
        source.table(Root, limit=20000), source.table(Leaf, "root", per=(per("root", 1),)), workers=workers
    )
    assert bundle.rows == {"exporting.Root": 20000, "exporting.Leaf": 20000}
