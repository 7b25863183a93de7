"""The tables as the source has them: its constraints are believed, and not what models say of them."""

import pytest

from isekai_core.testing.shop.models import Customer, Order, OrderItem

# The table, and what lets a row point to a customer that is not there.
DROPPED = ("ALTER TABLE shop_order DROP CONSTRAINT {constraint}", "{orphan}")
NEVER_VALIDATED = (
    *DROPPED,
    "ALTER TABLE shop_order ADD FOREIGN KEY (customer_id) REFERENCES shop_customer NOT VALID",
)
INHERITED = ("CREATE TABLE shop_order_2009 () INHERITS (shop_order)", "{orphan}")
CONSTRAINT = """
    SELECT conname FROM pg_constraint
    WHERE conrelid = 'shop_order'::regclass AND confrelid = 'shop_customer'::regclass
"""


@pytest.mark.parametrize(
    ("statements", "table"),
    [(DROPPED, "shop_order"), (NEVER_VALIDATED, "shop_order"), (INHERITED, "shop_order_2009")],
    ids=["dropped", "never validated", "inherited"],
)
def test_of_whole_tables_rows_stay_only_with_the_rows_they_point_to(source, statements, table):
    source.fill()
    (constraint,) = source.sql(CONSTRAINT)[0]
    orphan = (
        "CREATE TABLE one AS SELECT * FROM shop_order WHERE id = 1;"
        "UPDATE one SET id = 999, customer_id = 777, order_number = '0';"
        f"INSERT INTO {table} SELECT * FROM one"
    )
    for statement in statements:
        source.sql(statement.format(constraint=constraint, orphan=orphan))
    if table == "shop_order":
        source.sql("UPDATE shop_orderitem SET order_id = 999 WHERE id IN (SELECT max(id) FROM shop_orderitem)")
    tables = [
        source.table(Customer, whole=True),
        source.table(Order, "customer", whole=True),
        source.table(OrderItem, "order", whole=True),
    ]
    bundle = source.cut(*tables)
    assert 999 not in bundle.keys(Order)
    assert len(bundle.keys(Order)) == 48
    assert len(bundle.keys(OrderItem)) == (95 if table == "shop_order" else 96)
    assert {record["order_id"] for record in bundle.records(OrderItem)} <= set(map(str, bundle.keys(Order)))
    kinds = {reason.kind for reason in source.estimate(*tables)["shop.OrderItem"].because}
    assert kinds == {"all", "parent"}


def test_where_constraints_see_to_it_whole_tables_are_read_without_comparing(source):
    source.fill()
    tables = [source.table(Customer, whole=True), source.table(Order, "customer", whole=True)]
    assert {reason.kind for reason in source.estimate(*tables)["shop.Order"].because} == {"all"}
    assert len(source.cut(*tables).keys(Order)) == 48
