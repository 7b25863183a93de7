"""`isekai slice plan`: rows and bytes, why there are so many, and limits for a budget."""

import json
from dataclasses import replace

import pytest

from isekai_core.cli import slices
from isekai_core.cli.main import main
from isekai_core.slicing import DataSlicer, ImportJob
from isekai_core.slicing import importer as home
from isekai_core.testing.shop.models import Shop, Tenant

pytestmark = pytest.mark.django_db(transaction=True)

JOBS = """
from isekai_core.slicing import DataSlicer, Importer, ImportJob, fake, per
from isekai_core.testing.shop.models import Category, Customer, Shop, Tenant


class TenantImporter(Importer):
    model = Tenant


class ShopImporter(Importer):
    model = Shop

    class Columns:
        tenant = Tenant


class CustomerImporter(Importer):
    model = Customer

    class Columns:
        email = fake("emial")


class CategoryImporter(Importer):
    model = Category

    class Columns:
        parent = Category


tree = [ImportJob(Category, limit=2)]
masked = [ImportJob(Customer)]
everything = [ImportJob(Tenant), ImportJob(Shop)]
some = [ImportJob(Tenant, Tenant.objects.filter(name__lt="t2")), ImportJob(Shop, limit=[per("tenant", 4), 6], sample=1)]
derived = DataSlicer.plan(Shop.objects.filter(name="0"))
"""


@pytest.fixture
def plan(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(home, "_importers", {})
    # It counts: what PostgreSQL believes of tables that were just filled is anybody's guess.
    monkeypatch.setattr(slices, "_database", DataSlicer.Orm)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slices.py").write_text(JOBS)
    for name in ("t0", "t1", "t2"):
        tenant = Tenant.objects.create(name=name, subdomain=name)
        Shop.objects.bulk_create(Shop(tenant=tenant, name=n, url="https://example.org/") for n in range(10))

    def run(name, *arguments):
        status = main(["slice", "plan", f"slices.py:{name}", "--source", "default", *arguments])
        out, error = capsys.readouterr()
        return status, out, error

    return run


@pytest.mark.parametrize("more", [[], ["--budget", "1 MB"]])
def test_a_mask_that_cannot_be_had_is_told_before_anything_is_asked(plan, monkeypatch, more):
    monkeypatch.setattr(DataSlicer.Orm, "estimate", None)
    status, out, error = plan("masked", *more)
    assert (status != 0, out) == (True, "")
    assert "shop.Customer.email: Faker has no provider 'emial' (did you mean 'email'?)" in error


GUESS = "a guess, as the table was never analysed: ANALYZE shop_shop helps"


@pytest.fixture
def never_analysed(monkeypatch):
    """A source that has never looked at the shops."""
    counted = DataSlicer.Orm.estimate

    def estimate(self, plan):
        found = counted(self, plan)
        return found | {"shop.Shop": replace(found["shop.Shop"], advice="ANALYZE shop_shop")}

    monkeypatch.setattr(DataSlicer.Orm, "estimate", estimate)


def test_a_guess_is_told_with_what_would_make_it_better(plan, never_analysed):
    _, out, _ = plan("everything")
    assert [line.split()[0] for line in out.splitlines() if GUESS in line] == ["a"]
    assert [line for line in plan("everything", "--budget", "1 MB")[2].splitlines() if GUESS in line] == [
        f"isekai: shop.Shop: {GUESS}"
    ]
    for more in ([], ["--budget", "1 MB"]):
        tables = json.loads(plan("everything", "--json", *more)[1])["tables"]
        assert {one["model"]: one["advice"] for one in tables} == {"shop.Tenant": "", "shop.Shop": "ANALYZE shop_shop"}
    jobs = [ImportJob(Tenant), ImportJob(Shop)]
    assert GUESS in DataSlicer.estimate(DataSlicer.Orm(), jobs)._repr_html_()


def test_a_limit_that_may_leave_out_what_its_rows_need_is_told(plan):
    may = "shop.Category: rows whose parent is outside of the limit are left out, so that there may be fewer, or none; "
    _, out, error = plan("tree")
    assert (may in out, may in error) == (False, True)
    (note,) = json.loads(plan("tree", "--json")[1])["notes"]
    assert note.startswith(may)
    assert json.loads(plan("everything", "--json")[1])["notes"] == []


def test_each_condition_says_what_it_leaves(plan):
    status, out, _ = plan("some")
    assert status == 0
    assert out.splitlines()[0].split() == ["Model", "Rows", "Size", "Because"]
    # One line for each further reason, under the first.
    assert [line.split()[0] for line in out.splitlines()[2:7]] == ["shop.Shop", "20", "20", "8", "6"]
    assert "2 that the query chooses" in out
    for text in ("30 in the table", "20 with their shop.Tenant", "20 in a share of 1", "8 at most 4 per tenant"):
        assert text in out
    assert "6 at most 6" in out


def test_the_same_for_machines(plan):
    _, out, _ = plan("some", "--json")
    told = {table["model"]: table for table in json.loads(out)["tables"]}
    assert told["shop.Tenant"]["because"] == [{"kind": "query", "of": "", "rows": 2}]
    assert told["shop.Shop"]["rows"] == 6
    assert told["shop.Shop"]["because"] == [
        {"kind": "all", "of": "", "rows": 30},
        {"kind": "parent", "of": "shop.Tenant", "rows": 20},
        {"kind": "sample", "of": "1", "rows": 20},
        {"kind": "per", "of": "4 per tenant", "rows": 8},
        {"kind": "limit", "of": "6", "rows": 6},
    ]


def test_what_points_to_rows_says_how_many_it_brings(plan):
    _, out, _ = plan("derived")
    assert "3 that the query chooses" in out
    assert "3 to which shop.Shop.tenant_id points" in out
    _, out, _ = plan("derived", "--json")
    told = {table["model"]: table["because"] for table in json.loads(out)["tables"]}
    assert told["shop.Tenant"] == [{"kind": "pointed", "of": "shop.Shop.tenant_id", "rows": 3}]


def test_a_budget_proposes_limits(plan):
    status, out, error = plan("everything", "--budget", "20 rows")
    assert status == 0
    assert "Within 20 rows" in out.splitlines()[0]
    assert 'limit=per("tenant", 5)' in out
    assert "nothing was exported" in error
    _, out, _ = plan("everything", "--budget", "20 rows", "--json")
    told = json.loads(out)
    assert told["budget"] == "20 rows"
    assert told["tables"][1] == {
        "model": "shop.Shop", "rows": 30, "bytes": told["tables"][1]["bytes"], "limit": 'per("tenant", 5)',
        "advice": "", "within": {"rows": 15, "bytes": told["tables"][1]["within"]["bytes"]},
    }  # fmt: skip
    assert told["tables"][0]["limit"] is None


@pytest.mark.parametrize(
    ("jobs", "budget", "message"),
    [
        ("everything", "lots", "--budget: expected a size such as '50MB', or '100k rows', got 'lots'"),
        ("derived", "1MB", "--budget: limits are for jobs, and a plan made of rows has none"),
    ],
)
def test_a_budget_that_cannot_be_is_told(plan, jobs, budget, message):
    status, out, error = plan(jobs, "--budget", budget)
    assert (status, out) == (2, "")
    assert message in error
