"""`isekai slice verify` and `diff` look at folders only, and need no Django project."""

import pytest

from isekai_core.slicing import DataSlicer, ImportJob
from isekai_core.testing.shop.models import Tenant

pytestmark = pytest.mark.django_db

PK = 100_000  # beyond what the sequence of the table comes to


@pytest.fixture(autouse=True)
def bundles(tmp_path, isekai_importers):
    """Two of the same table: in the second, a row has another name, and one came."""
    isekai_importers(Tenant)
    for folder, name in (("one", "before"), ("two", "after")):
        Tenant.objects.update_or_create(pk=PK, defaults={"name": name, "subdomain": "one"})
        DataSlicer.run(DataSlicer.Orm(), DataSlicer.File(tmp_path / folder), [ImportJob(Tenant)], progress=False)
        Tenant.objects.create(name=name, subdomain=name)


def test_a_slice_is_verified_where_there_is_no_project(isekai, tmp_path):
    run = isekai("slice", "verify", "one")
    assert (run.returncode, run.stdout, run.stderr) == (0, "one: whole and unchanged\n", "")
    file = tmp_path / "one" / "shop.Tenant.csv"
    file.write_bytes(file.read_bytes().replace(b"before", b"after!"))
    assert isekai("slice", "verify", "one").returncode == 1


def test_slices_are_compared_where_the_project_cannot_be_loaded(isekai):
    run = isekai("slice", "diff", "one", "two", DJANGO_SETTINGS_MODULE="not.there")
    assert (run.returncode, run.stderr) == (1, "")
    assert "shop.Tenant: 1 added, 0 removed, 1 changed" in run.stdout
    assert f"  ~ {PK}: name" in run.stdout


def test_what_touches_a_database_needs_a_project_all_the_same(isekai):
    run = isekai("slice", "load", "one", "--target", "default")
    assert run.returncode == 2
    assert "no Django project found" in run.stderr
