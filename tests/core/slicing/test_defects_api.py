"""Defects of an earlier implementation's API, each of which must not come back; numbered through all its parts."""

import importlib.metadata
import io
import sys
import tempfile
import types

import pytest
from bundles import names_in
from django.db.models import QuerySet

from isekai_core.builtins.orm.database import Orm
from isekai_core.cli.main import COMMANDS
from isekai_core.errors import BundleError, PlanError
from isekai_core.slicing import DataSlicer, Importer, ImportJob, constant, per
from isekai_core.slicing import importer as home
from isekai_core.slicing.columns import columns_of
from isekai_core.testing.shop.models import Category, Customer, OrderItem, Product, Shop, Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenants(isekai_importers):
    """Two tenants with a shop each."""
    isekai_importers(Tenant)
    isekai_importers(Shop, tenant=Tenant)
    for name in ("one", "two"):
        tenant = Tenant.objects.create(name=name, subdomain=name)
        Shop.objects.create(tenant=tenant, name=f"shop {name}", url="https://example.org/")
    return [ImportJob(Tenant), ImportJob(Shop)]


def run(source, target, *jobs, **options):
    return DataSlicer.run(source, target, *jobs, progress=False, **options)


class Watched(Orm):
    """A source that tells whether it was asked for rows."""

    def __init__(self):
        super().__init__()
        object.__setattr__(self, "asked", [])

    def export(self, *arguments, **options):
        self.asked.append(arguments)
        return super().export(*arguments, **options)


def test_defect_03_a_column_goes_alone_whatever_other_names_hold_of_it():
    left = [column.name for column in columns_of(OrderItem, exclude=())]
    assert {"id", "tenant_id", "shop_id", "order_id", "product_id"} < set(left)
    names = [column.name for column in columns_of(Customer, exclude=("phone", "email"))]
    assert names == ["id", "tenant_id", "shop_id", "first_name", "last_name", "created_at"]
    names = [column.name for column in columns_of(Product, exclude=("name", "sku"))]
    assert {"inventory_count", "description", "tenant_id"} <= set(names)


def test_defect_04_a_query_that_chooses_anew_each_time_is_refused(tenants):
    with pytest.raises(PlanError, match=r"cut by \[:n\], which chooses anew each time; use limit= and order_by="):
        ImportJob(Tenant, Tenant.objects.order_by("?")[:2])
    with pytest.raises(PlanError, match=r"has no field '\?'"):
        ImportJob(Tenant, order_by="?", limit=2)


def test_defect_06_what_is_masked_never_lies_on_a_disk(tenants, isekai_importers, tmp_path, monkeypatch):
    isekai_importers(Tenant, name=constant("masked"))
    seen = []
    inner = Orm.export

    def export(self, plan, bundle, progress, workers=1):
        facts = inner(self, plan, bundle, progress, workers)
        seen.append(b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()))
        return facts

    monkeypatch.setattr(Orm, "export", export)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no such folder"))
    run(Orm(), DataSlicer.File(tmp_path / "cut"), [ImportJob(Tenant)])
    assert [(b"masked" in text, b",one,one" in text, b",masked,one" in text) for text in seen] == [(True, False, True)]


def test_defect_07_a_bare_name_is_a_folder_here(tenants, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(Orm(), DataSlicer.File("cut"), [ImportJob(Tenant, Tenant.objects.none())])
    assert (tmp_path / "cut" / "shop.Tenant.csv").read_text() == "id,name,subdomain,created_at,is_active\n"


def test_defect_08_a_file_holds_the_rows_that_are_reported(tenants, tmp_path):
    result = run(Orm(), DataSlicer.File(tmp_path / "cut"), tenants)
    lines = {name: len((tmp_path / "cut" / f"{name}.csv").read_text().splitlines()) - 1 for name in ("shop.Tenant",)}
    assert (result[0].model, result[0].rows) == ("shop.Tenant", lines["shop.Tenant"]) == ("shop.Tenant", 2)


def test_defect_09_a_folder_is_a_source_for_a_database_with_the_same_call(tenants, tmp_path):
    run(Orm(), DataSlicer.File(tmp_path / "cut"), tenants)
    Shop.objects.all().delete()
    Tenant.objects.all().delete()
    loaded = run(source=DataSlicer.File(tmp_path / "cut"), target=DataSlicer.Orm())
    assert [table.created for table in loaded] == [2, 2]
    assert set(Shop.objects.values_list("name", "tenant__name")) == {("shop one", "one"), ("shop two", "two")}


@pytest.mark.parametrize("target", ["postgresql://ada:s3cret@db/shop", None, object(), Orm])
def test_defect_09_what_is_no_target_is_refused_before_anything_is_read(tenants, target):
    source = Watched()
    with pytest.raises(PlanError, match=r"target: expected a slice target, such as DataSlicer\.Postgres") as caught:
        run(source, target, tenants)
    assert source.asked == []
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("source", ["postgresql://db/shop", None, object()])
def test_defect_09_what_is_no_source_is_refused_and_nothing_is_made(tenants, source, tmp_path):
    with pytest.raises(PlanError, match=r"source: expected a slice source, such as DataSlicer\.Postgres"):
        run(source, DataSlicer.File(tmp_path / "cut"), tenants)
    assert not (tmp_path / "cut").exists()


def test_defect_09_the_command_is_installed():
    assert "slice" in COMMANDS
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="isekai")
    assert script.value == "isekai_core.cli.main:main"


def test_defect_10_files_that_are_there_are_refused_before_anything_is_read(tenants, tmp_path):
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "shop.Shop.csv").write_text("mine")
    source = Watched()
    with pytest.raises(BundleError, match=r"already holds shop\.Shop\.csv; overwrite=True"):
        run(source, DataSlicer.File(tmp_path / "cut"), tenants)
    assert (source.asked, names_in(tmp_path)) == ([], ["cut/", "cut/shop.Shop.csv"])


def test_defect_10_nothing_has_its_name_before_everything_is_there(tenants, tmp_path, monkeypatch):
    seen = []
    inner = Orm.export

    def export(self, plan, bundle, progress, workers=1):
        facts = inner(self, plan, bundle, progress, workers)
        seen.extend(names_in(tmp_path))
        if len(seen) > 4:
            msg = "the source breaks off"
            raise OSError(msg)
        return facts

    monkeypatch.setattr(Orm, "export", export)
    run(Orm(), DataSlicer.File(tmp_path / "cut"), tenants)
    assert seen == ["cut/", "cut/.part/", "cut/.part/shop.Shop.csv", "cut/.part/shop.Tenant.csv"]
    with pytest.raises(OSError, match="the source breaks off"):
        run(Orm(), DataSlicer.File(tmp_path / "other"), tenants)
    assert not (tmp_path / "other").exists()


def test_defect_10_no_name_leads_out_of_the_folder(tenants, tmp_path):
    store = DataSlicer.File(tmp_path / "cut")
    run(Orm(), store, tenants)
    manifest = tmp_path / "cut" / "manifest.json"
    text = manifest.read_text()
    (tmp_path / "shop.Tenant.csv").write_bytes((tmp_path / "cut" / "shop.Tenant.csv").read_bytes())
    manifest.write_text(text.replace('"shop.Tenant.csv"', '"../shop.Tenant.csv"'))
    with pytest.raises(BundleError):
        store.reader()


def test_defect_11_a_table_that_points_to_itself_is_cut_and_loaded(isekai_importers, tmp_path):
    isekai_importers(Category, parent=Category)
    root = Category.objects.create(slug="root")
    Category.objects.create(slug="leaf", parent=Category.objects.create(slug="branch", parent=root))
    run(Orm(), DataSlicer.File(tmp_path / "cut"), [ImportJob(Category)])
    Category.objects.all().delete()
    run(DataSlicer.File(tmp_path / "cut"), Orm())
    assert Category.objects.get(slug="leaf").parent.parent.slug == "root"


def test_defect_11_what_needs_what_is_found_anew_each_time(isekai_importers):
    jobs = [ImportJob(Shop), ImportJob(Tenant)]
    isekai_importers(Tenant)
    isekai_importers(Shop)
    before = DataSlicer.plan(jobs=jobs)
    isekai_importers(Shop, tenant=Tenant)
    after = DataSlicer.plan(jobs=jobs)
    assert [len(plan.table("shop.Shop").parents) for plan in (before, after)] == [0, 1]


CELL = """
class Base(Importer):
    class Columns:
        tenant = Tenant

class ShopImporter(Base):
    model = Shop
"""


def test_defect_12_a_cell_runs_again_and_a_base_needs_no_model(isekai_importers):
    names = {"__name__": "__main__", "Importer": Importer, "Shop": Shop, "Tenant": Tenant}
    for _ in range(3):
        exec(CELL, names)
    assert home.importer_of(Shop) is names["ShopImporter"]
    assert names["ShopImporter"].columns() == {"tenant": Tenant}
    assert [one.label() for one in home.importers()] == ["shop.Shop"]


@pytest.mark.parametrize("columns", [{"tenant": Shop}, {"tenent": Tenant}, {"name": Tenant}, {"name": 5}])
def test_defect_12_what_does_not_fit_is_an_error_and_is_not_registered(isekai_importers, columns):
    with pytest.raises(PlanError):
        isekai_importers(Shop, **columns)
    assert home.importer_of(Shop) is None


def test_defect_13_a_job_is_shown_without_a_query(tenants, django_assert_num_queries):
    with django_assert_num_queries(0):
        job = ImportJob(Shop, Shop.objects.filter(tenant__in=Tenant.objects.all()), limit=per("tenant", 3))
        assert (str(job), job._repr_html_()) == (
            "ImportJob(shop.Shop, filtered, 3 per tenant)",
            "<code>ImportJob(shop.Shop, filtered, 3 per tenant)</code>",
        )


def test_defect_13_rows_that_a_manager_hides_are_there(tenants, tmp_path, monkeypatch):
    monkeypatch.setattr(Tenant.objects, "get_queryset", lambda: QuerySet(Tenant).none())
    assert list(Tenant.objects.all()) == []
    assert run(Orm(), DataSlicer.File(tmp_path / "cut"), tenants).rows == 4


def test_defect_13_two_jobs_for_one_model_are_refused(tenants):
    with pytest.raises(PlanError, match=r"two jobs for shop\.Tenant; join their queries by \| in one job"):
        DataSlicer.plan(jobs=[*tenants, ImportJob(Tenant)])


def test_defect_14_a_notebook_without_ipywidgets_gets_bars_of_text(tenants, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    assert DataSlicer.run(Orm(), DataSlicer.File(tmp_path / "cut"), tenants).rows == 4
    assert "shop.Tenant" in terminal.getvalue()


class Told:
    """One kind of progress for both directions."""

    def __init__(self):
        self.rows, self.bytes, self.ended = {}, {}, []

    def begin(self, model, total):
        self.rows[model] = self.bytes[model] = 0

    def advance(self, model, rows, size):
        self.rows[model] += rows
        self.bytes[model] += size

    def end(self, model):
        self.ended.append(model)


def test_defect_14_progress_counts_rows_and_bytes_the_same_way_out_and_in(tenants, tmp_path):
    out, into = Told(), Told()
    store = DataSlicer.File(tmp_path / "cut")
    DataSlicer.run(Orm(), store, tenants, progress=out)
    DataSlicer.run(store, Orm(), progress=into)
    sizes = {path.stem: path.stat().st_size for path in (tmp_path / "cut").glob("*.csv")}
    for told in (out, into):
        assert told.rows == {"shop.Tenant": 2, "shop.Shop": 2}
        assert sorted(told.ended) == ["shop.Shop", "shop.Tenant"]
    assert out.bytes == sizes
    assert all(sizes[model] / 2 < size <= sizes[model] for model, size in into.bytes.items())


def test_defect_23_the_queries_of_a_load_do_not_grow_with_its_rows(
    isekai_importers, tmp_path, django_assert_max_num_queries
):
    isekai_importers(Tenant)
    isekai_importers(Shop, tenant=Tenant)
    tenant = Tenant.objects.create(name="t", subdomain="t")
    counts = []
    for number in (5, 200):
        Shop.objects.bulk_create(Shop(tenant=tenant, name=f"{n}", url="http://s") for n in range(number))
        store = DataSlicer.File(tmp_path / str(number))
        run(Orm(), store, [ImportJob(Tenant), ImportJob(Shop)])
        Shop.objects.all().delete()
        with django_assert_max_num_queries(100) as asked:
            run(store, Orm(), name=str(number))
        Shop.objects.all().delete()
        counts.append(len(asked))
    assert counts[1] <= counts[0] + 10
