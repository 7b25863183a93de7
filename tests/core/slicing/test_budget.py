"""Budgets: how they are written, and the limits that meet them."""

import pytest

from isekai_core.errors import PlanError
from isekai_core.slicing import DataSlicer, ImportJob, per
from isekai_core.slicing.budget import Budget, budget_of, propose
from isekai_core.slicing.plan import plan_of
from isekai_core.testing.shop.models import Customer, Order, OrderItem, Product, Shop, Tenant
from isekai_core.types.estimates import Estimate

SIZES = {
    "shop.Tenant": (3, 100), "shop.Shop": (12, 100), "shop.Product": (600, 100), "shop.Customer": (3_000, 100),
    "shop.Order": (9_600, 100), "shop.OrderItem": (28_800, 100),
}  # fmt: skip
MODELS = (Tenant, Shop, Product, Customer, Order, OrderItem)


@pytest.fixture(autouse=True)
def declared(shop_importers):
    """The shop's importers."""


class Even:
    """A source that believes that rows are spread evenly, and bytes too."""

    name = "even"

    def __init__(self, sizes=SIZES):
        self.sizes = sizes
        self.asked = []

    def estimate(self, plan):
        self.asked.append(plan)
        left = {}
        for table in plan.tables:
            rows, _ = self.sizes[table.model]
            above = [column for column in table.parents if column.reference.model in left]
            shares = [left[column.reference.model] / self.sizes[column.reference.model][0] for column in above]
            rows *= min([1.0, *shares])
            for one in table.per:
                rows = min(rows, one.limit * left[table.column(f"{one.field}_id").reference.model])
            left[table.model] = min(rows, table.limit or rows)
        return {model: Estimate(int(rows), int(rows * self.sizes[model][1])) for model, rows in left.items()}


def jobs(**changed):
    return [changed.get(model.__name__, ImportJob(model)) for model in MODELS]


@pytest.mark.parametrize(
    ("written", "amount", "unit"),
    [
        ("50MB", 50 * 1024**2, "bytes"),
        ("1.5 GiB", int(1.5 * 1024**3), "bytes"),
        ("1,000 kB", 1_024_000, "bytes"),
        ("700", 700, "bytes"),
        (700, 700, "bytes"),
        ("7 bytes", 7, "bytes"),
        ("100k rows", 100_000, "rows"),
        ("1 row", 1, "rows"),
        ("2_500 rows", 2_500, "rows"),
    ],
)
def test_a_budget_is_a_size_or_a_number_of_rows(written, amount, unit):
    assert budget_of(written) == Budget(amount, unit)


@pytest.mark.parametrize(
    "written", ["", "lots", "50 apples", "-5MB", "MB", True, None, "0", "0.2 bytes", "5TB", Tenant.objects.all()]
)
def test_what_is_no_budget_is_refused_with_an_example(written):
    with pytest.raises(PlanError, match=r"budget: expected (a size such as '50MB', or '100k rows'|more than nothing)"):
        budget_of(written)


def test_jobs_that_are_within_the_budget_need_no_limits():
    source = Even()
    found = propose(source, jobs(), "100MB")
    assert (found.limits, found.jobs, len(source.asked)) == ({}, tuple(jobs()), 1)
    assert str(found) == "# no limits are needed for 100MB"


@pytest.mark.parametrize("budget", [20_000, 100_000, 500_000, 2_000_000, 4_000_000])
def test_the_limits_use_the_budget_and_do_not_exceed_it(budget):
    found = propose(Even(), jobs(), budget)
    size = sum(one.bytes for one in found.estimates.values())
    assert 0.8 * budget <= size <= budget
    again = Even().estimate(plan_of(found.jobs))
    assert again == found.estimates


def test_what_hangs_on_a_limited_table_has_no_limit_of_its_own_and_small_tables_are_whole():
    found = propose(Even(), jobs(), 500_000)
    assert set(found.limits) == {"shop.Customer"}
    assert found.limits["shop.Customer"].startswith('per("shop", ')
    assert found.estimates["shop.Product"].rows == 600


def test_a_large_table_without_several_parents_gets_a_number():
    found = propose(Even(), [ImportJob(Customer), ImportJob(Order)], "100 KB")
    limit = next(job for job in found.jobs if job.model is Customer).limit
    assert isinstance(limit, int)
    assert found.limits["shop.Customer"] == str(limit)


def test_limits_that_are_there_stay_unless_the_new_one_is_stricter():
    given = ImportJob(Customer, limit=[2_000, per("tenant", 900, order_by="-pk")], order_by="email")
    found = propose(Even(), jobs(Customer=given), 200_000)
    job = next(job for job in found.jobs if job.model is Customer)
    assert job.order_by == "email"
    assert per("tenant", 900, order_by="-pk") in job.pers
    assert job.number == 2_000
    assert str(given.limit) != str(job.limit)


def test_the_proposal_prints_as_lines_for_the_jobs():
    found = propose(Even(), jobs(), 500_000)
    line = str(found)
    kept = found.estimates["shop.Customer"].rows
    assert line == f"limit={found.limits['shop.Customer']},  # shop.Customer: 3,000 → {kept:,} rows"
    assert "<pre>limit=per(" in found._repr_html_()
    scope = {"per": per}
    assert eval(f"dict({line.partition('#')[0]})", scope)["limit"] == next(
        job.limit for job in found.jobs if job.model is Customer
    )


def test_a_budget_that_no_limit_meets_is_told():
    with pytest.raises(PlanError, match="no limits bring these jobs down to 5; filter their queries"):
        propose(Even(), jobs(), 5)


def test_a_plan_that_is_made_of_rows_has_no_limits_to_propose():
    with pytest.raises(
        PlanError, match=r"limits are for jobs, and a plan made of rows has none; give jobs=\[ImportJob"
    ):
        DataSlicer.propose(Even(), DataSlicer.plan(Tenant.objects.all()), budget="1MB")


@pytest.mark.django_db
def test_the_portable_source_counts_so_that_its_proposals_are_met():
    for number in range(4):
        tenant = Tenant.objects.create(name="t", subdomain=number)
        shop = Shop.objects.create(tenant=tenant, name="s", url="https://s.test/")
        both = {"tenant": tenant, "shop": shop}
        Customer.objects.bulk_create(Customer(**both, email=f"c{n}@x.org") for n in range(60))
        Order.objects.bulk_create(
            Order(**both, customer=customer, order_number=f"{customer.pk}-{n}", total_amount=n)
            for customer in Customer.objects.filter(shop=shop)
            for n in range(customer.pk % 5)
        )
    some = [ImportJob(model) for model in (Tenant, Shop, Customer, Order)]
    found = DataSlicer.propose(DataSlicer.Orm(), some, budget="300 rows")
    assert 240 <= sum(one.rows for one in found.estimates.values()) <= 300
