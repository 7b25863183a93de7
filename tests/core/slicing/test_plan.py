"""Plans: jobs in their order, with what binds them."""

import pytest
from django.db import models

from isekai_core.errors import PlanError
from isekai_core.slicing import Importer, ImportJob, per
from isekai_core.slicing.plan import plan_of
from isekai_core.testing.shop.models import (
    Category,
    Customer,
    Firm,
    Order,
    OrderItem,
    Person,
    Product,
    Shop,
    Tenant,
)

JOBS = [ImportJob(model) for model in (OrderItem, Order, Product, Customer, Shop, Tenant)]


@pytest.fixture(autouse=True)
def declared(shop_importers):
    """The shop's importers."""


def test_jobs_are_put_into_the_order_in_which_parents_come_first():
    plan = plan_of(JOBS)
    assert [table.model for table in plan.tables] == [
        f"shop.{name}" for name in ("Tenant", "Shop", "Customer", "Product", "Order", "OrderItem")
    ]


def test_a_wrong_order_is_refused_with_the_right_one_where_that_is_asked_for():
    with pytest.raises(PlanError, match=r"wrong order.*shop.Tenant, shop.Shop, shop.Customer"):
        plan_of(JOBS, order="refuse")
    assert plan_of(list(reversed(JOBS)), order="refuse")


def test_the_declared_foreign_keys_bind_where_their_model_has_a_job():
    plan = plan_of([ImportJob(Order), ImportJob(Customer)])
    assert [column.name for column in plan.table("shop.Order").parents] == ["customer_id"]


def test_a_table_is_whole_until_something_above_it_is_less():
    assert all(table.is_whole for table in plan_of(JOBS).tables)
    limited = [ImportJob(Customer, limit=100) if job.model is Customer else job for job in JOBS]
    whole = {table.model for table in plan_of(limited).tables if table.is_whole}
    assert whole == {"shop.Tenant", "shop.Shop", "shop.Product"}
    filtered = [ImportJob(Tenant, Tenant.objects.filter(pk=1)) if job.model is Tenant else job for job in JOBS]
    assert not any(table.is_whole for table in plan_of(filtered).tables)


def test_limits_and_seeds_are_in_the_plan():
    plan = plan_of([ImportJob(Order, limit=[5, per("customer", 2)], sample=0.5, order_by="pk")], seed=7)
    table = plan.table("shop.Order")
    assert (table.limit, table.per[0].limit, table.sample, table.order_by, plan.seed) == (5, 2, 0.5, ("pk",), "7")
    assert table.is_limited


def test_columns_tell_type_and_target():
    table = plan_of([ImportJob(Order), ImportJob(Customer)]).table("shop.Order")
    customer = table.column("customer_id")
    assert (customer.field, customer.type, customer.null) == ("customer", "BigAutoField", False)
    assert (customer.reference.model, customer.reference.column) == ("shop.Customer", "id")
    assert table.column("order_number").max_length == 50


def test_fields_are_left_out_where_the_row_can_do_without_them():
    table = plan_of([ImportJob(Product, exclude=["description"])]).table("shop.Product")
    assert "description" not in {column.name for column in table.columns}
    with pytest.raises(PlanError, match=r"shop.Product.price cannot be left out: it is required and has no default"):
        plan_of([ImportJob(Product, exclude=["price"])])


def test_tables_that_need_one_another_stand_side_by_side():
    for model in (Person, Firm, Category):
        type(f"{model.__name__}Importer", (Importer,), {"model": model})
    plan = plan_of([ImportJob(Firm), ImportJob(Category), ImportJob(Person)])
    assert ("shop.Firm", "shop.Person") in plan.groups
    assert plan.table("shop.Person").column("works_at").field == "employer"
    assert plan.table("shop.Person").column("country_id").reference.column == "code"


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ([], "a slice needs at least one job"),
        ([ImportJob(Shop), ImportJob(Shop)], "there are two jobs for shop.Shop; join their queries"),
        (["shop.Shop"], "jobs: expected ImportJob objects, got 'shop.Shop'"),
        ([ImportJob(Category)], r"there is no importer for shop.Category: declare class CategoryImporter\(Importer\)"),
    ],
)
def test_jobs_that_cannot_be_planned_are_refused(jobs, message):
    with pytest.raises(PlanError, match=message):
        plan_of(jobs)


@pytest.mark.parametrize("options", [{"db_constraint": False}, {}], ids=["no constraint", "not managed"])
def test_rows_whose_foreign_key_no_constraint_looks_after_are_compared(options):
    apps = type(Tenant._meta.apps)()
    meta = type("Meta", (), {"app_label": "shop", "apps": apps, "managed": bool(options)})
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", **options)
    visit = type("Visit", (models.Model,), {"tenant": tenant, "Meta": meta, "__module__": __name__})
    looked = models.ForeignKey(visit, models.CASCADE)
    meta = type("Meta", (), {"app_label": "shop", "apps": apps})
    page = type("Page", (models.Model,), {"visit": looked, "Meta": meta, "__module__": __name__})
    for model, name, parent in ((visit, "tenant", Tenant), (page, "visit", visit)):
        columns = type("Columns", (), {name: parent})
        type(f"{model.__name__}Importer", (Importer,), {"model": model, "Columns": columns})
    plan = plan_of([ImportJob(page), ImportJob(visit), ImportJob(Tenant)])
    assert [table.model for table in plan.tables if table.is_whole] == ["shop.Tenant"]
