"""The seed's example, as the document writes it, on a real PostgreSQL: cut, loaded elsewhere, and loaded again."""

import csv
from collections import Counter

import pytest
from repository import ROOT
from shop_database import ShopDatabase

from isekai_core.slicing.slicer import DataSlicer
from isekai_core.testing import own_database

pytestmark = pytest.mark.django_db

PAGE = (ROOT / "docs" / "how-to" / "cut-a-slice.md").read_text(encoding="utf-8")
MODELS = ("Tenant", "Shop", "Customer", "Product", "Order", "OrderItem")


@pytest.fixture
def source(postgres_url):
    with own_database(postgres_url) as url:
        database = ShopDatabase(url)
        database.fill()
        yield database
        database.close()


@pytest.fixture
def target(postgres_url):
    with own_database(postgres_url) as url:
        database = ShopDatabase(url)
        yield database
        database.close()


@pytest.fixture
def names(source, target, tmp_path, monkeypatch, isekai_importers):
    """What the document's code finds, and leaves, as in the cells of a notebook."""
    monkeypatch.chdir(tmp_path)
    return {"__name__": "__main__", "postgres_url": source.url, "development_url": target.url}


def code(heading):
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return section.partition("```python\n")[2].partition("```")[0]


def rows(folder, model):
    with (folder / f"shop.{model}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_documents_example_holds_exactly_what_it_says(names, source, target, tmp_path):
    exec(code("Declare the models") + code("Say what you want, and run"), names)
    folder = tmp_path / "slices" / "dev-qa-org-1"
    found = {model: rows(folder, model) for model in MODELS}
    assert [row["id"] for row in found["Tenant"]] == ["1"]
    assert {row["id"] for row in found["Shop"]} == {"10", "11", "12"}
    assert len(found["Product"]) == 60
    assert len(found["Customer"]) == 100
    orders = Counter(row["customer_id"] for row in found["Order"])
    assert set(orders) == {row["id"] for row in found["Customer"]}
    assert set(orders.values()) == {10}
    newest = source.ask(
        "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY customer_id ORDER BY created_at DESC, id DESC) n"
        f" FROM shop_order WHERE customer_id IN ({', '.join(orders)})) o WHERE n <= 10"
    )
    assert {row["id"] for row in found["Order"]} == {str(one) for (one,) in newest}
    order_ids = ", ".join(row["id"] for row in found["Order"])
    items = source.ask(f"SELECT id FROM shop_orderitem WHERE order_id IN ({order_ids})")
    assert sorted(int(row["id"]) for row in found["OrderItem"]) == sorted(one for (one,) in items)
    assert names["import_jobs"].rows == sum(len(one) for one in found.values())


def test_the_slice_is_loaded_with_new_keys_and_loaded_again_with_the_same(names, target, tmp_path):
    exec(code("Declare the models") + code("Say what you want, and run"), names)
    target.ask("INSERT INTO shop_tenant VALUES (DEFAULT, 'other', 'other', now(), true)")
    exec(code("Load it elsewhere"), names)
    folder = tmp_path / "slices" / "dev-qa-org-1"
    joined = target.ask(
        "SELECT c.email, o.order_number, p.sku, i.quantity FROM shop_orderitem i JOIN shop_order o ON o.id = i.order_id"
        " JOIN shop_customer c ON c.id = o.customer_id JOIN shop_product p ON p.id = i.product_id ORDER BY 1, 2, 3, 4"
    )
    by_id = {model: {row["id"]: row for row in rows(folder, model)} for model in MODELS}
    orders, customers, products = by_id["Order"], by_id["Customer"], by_id["Product"]
    expected = sorted(
        (
            customers[orders[item["order_id"]]["customer_id"]]["email"],
            orders[item["order_id"]]["order_number"],
            products[item["product_id"]]["sku"],
            int(item["quantity"]),
        )
        for item in by_id["OrderItem"].values()
    )
    assert joined == expected
    before = target.ask("SELECT id, email FROM shop_customer ORDER BY id")
    exec(code("Load it elsewhere"), names)
    assert target.ask("SELECT id, email FROM shop_customer ORDER BY id") == before
    assert {(table.created, table.updated) for table in names["loaded"]} == {(0, 0)}
    DataSlicer.Postgres(target.url).unload("dev-qa-org-1")
    assert target.ask("SELECT subdomain FROM shop_tenant") == [("other",)]
    assert target.ask("SELECT count(*) FROM shop_orderitem") == [(0,)]


def test_an_export_a_load_with_the_same_keys_and_an_export_again_are_equal(names, target, tmp_path):
    exec(code("Declare the models") + code("Say what you want, and run"), names)
    folder = DataSlicer.File("slices/dev-qa-org-1")
    DataSlicer.run(folder, DataSlicer.Postgres(target.url), ids="keep", progress=False)
    jobs = [names["ImportJob"](names[model]) for model in MODELS]
    DataSlicer.run(DataSlicer.Postgres(target.url), DataSlicer.File("again"), jobs, progress=False)
    for model in MODELS:
        first, second = (tmp_path / place / f"shop.{model}.csv" for place in ("slices/dev-qa-org-1", "again"))
        assert first.read_bytes() == second.read_bytes(), model
