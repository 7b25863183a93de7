"""`isekai slice`: plan, export, verify, diff, load and unload, as people type them."""

import json

import pytest

from isekai_core.cli import slices
from isekai_core.cli.main import main
from isekai_core.slicing import DataSlicer
from isekai_core.testing.shop.models import Shop, Tenant

pytestmark = pytest.mark.django_db(transaction=True)

JOBS = """
from isekai_core.slicing import DataSlicer, Importer, ImportJob
from isekai_core.testing.shop.models import Shop, Tenant


class TenantImporter(Importer):
    model = Tenant


class ShopImporter(Importer):
    model = Shop

    class Columns:
        tenant = Tenant


one = [ImportJob(Shop), ImportJob(Tenant, Tenant.objects.filter(name="one"))]


def derived():
    return DataSlicer.plan(Tenant.objects.filter(name="two"), follow=["shop"])


nothing = 5
"""


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch, isekai_importers):
    """A file with jobs, and rows in the project's database."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slices.py").write_text(JOBS)
    for name in ("one", "two"):
        tenant = Tenant.objects.create(name=name, subdomain=name)
        for number in range(2):
            Shop.objects.create(tenant=tenant, name=f"{name} {number}", url="https://example.org/")


@pytest.fixture
def isekai(capsys):
    def run(*arguments):
        status = main(["slice", *arguments])
        out, error = capsys.readouterr()
        return status, out, error

    return run


def export(isekai, jobs="slices.py:one", folder="cut", *more):
    return isekai("export", jobs, "--source", "default", "--target", folder, *more)


def test_a_plan_tells_rows_and_why_without_reading(isekai, monkeypatch):
    # It counts: what PostgreSQL believes of tables that were just filled is anybody's guess.
    monkeypatch.setattr(slices, "_database", DataSlicer.Orm)
    status, out, error = isekai("plan", "slices.py:one", "--source", "default")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ["shop.Tenant", "shop.Shop"]
    assert "2 with their shop.Tenant" in out
    assert "nothing was exported" in error


def test_an_export_is_whole_and_is_not_written_over_unasked(isekai):
    status, out, _ = export(isekai)
    assert (status, "3 rows" in out) == (0, True)
    assert isekai("verify", "cut")[:2] == (0, "cut: whole and unchanged\n")
    status, _, error = export(isekai)
    assert status == 1
    assert "--overwrite replaces what is there" in error
    assert export(isekai, "slices.py:one", "cut", "--over")[0] == 2
    assert export(isekai, "slices.py:one", "cut", "--overwrite")[0] == 0


def test_a_changed_byte_is_found(isekai, tmp_path):
    export(isekai)
    file = tmp_path / "cut" / "shop.Shop.csv"
    file.write_bytes(file.read_bytes().replace(b"one 0", b"one 9"))
    status, out, _ = isekai("verify", "cut", "--json")
    told = json.loads(out)
    assert (status, told["ok"]) == (1, False)
    assert "shop.Shop.csv" in told["problems"][0]


def test_a_function_that_gives_a_plan_will_do(isekai):
    status, out, _ = export(isekai, "slices.py:derived", "two", "--json")
    assert status == 0
    assert {table["model"]: table["rows"] for table in json.loads(out)["tables"]} == {"shop.Tenant": 1, "shop.Shop": 2}


def test_two_slices_are_compared(isekai):
    export(isekai)
    export(isekai, "slices.py:derived", "two")
    assert isekai("diff", "cut", "cut")[0] == 0
    status, out, _ = isekai("diff", "cut", "two")
    assert (status, "shop.Tenant" in out) == (1, True)


def test_a_slice_is_loaded_and_taken_out_under_its_name(isekai):
    export(isekai)
    Shop.objects.all().delete()
    Tenant.objects.all().delete()
    status, out, _ = isekai("load", "cut", "--target", "default", "--json")
    assert status == 0
    assert {table["model"]: table["created"] for table in json.loads(out)["tables"]} == {
        "shop.Tenant": 1,
        "shop.Shop": 2,
    }
    assert Shop.objects.filter(tenant__name="one").count() == 2
    assert isekai("unload", "cut", "--target", "default")[0] == 0
    assert not Shop.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["export", "slices.py", "--source", "default", "--target", "x"], "expected a Python file and a name in it"),
        (["export", "gone.py:one", "--source", "default", "--target", "x"], "there is no file gone.py"),
        (
            ["export", "slices.py:on", "--source", "default", "--target", "x"],
            "slices.py has no 'on' (did you mean 'one'?)",
        ),
        (["export", "slices.py:nothing", "--source", "default", "--target", "x"], "expected a list of ImportJob"),
        (
            ["export", "slices.py:one", "--source", "defualt", "--target", "x"],
            "there is no database 'defualt' (did you mean",
        ),
        (["load", "nowhere", "--target", "default"], "nowhere"),
    ],
)
def test_what_is_not_there_is_told(isekai, arguments, told):
    status, out, error = isekai(*arguments)
    assert status != 0
    assert out == ""
    assert told in error
    assert "Traceback" not in error
