"""What people type and what stands in their files, and is no slice: told as theirs, and not as a defect of ours."""

import pytest
from django.db import connection

from isekai_core.cli.main import main

pytestmark = pytest.mark.django_db(transaction=True)

JOBS = """
from isekai_core.slicing import Importer, ImportJob
from isekai_core.testing.shop.models import Tenant

class TenantImporter(Importer):
    model = Tenant

jobs = [ImportJob(Tenant)]
empty = []
mixed = [ImportJob(Tenant), 5]
rows = [Tenant.objects.all()]
one = ImportJob(Tenant)
several = (job for job in jobs)

def boom():
    raise RuntimeError("boom")

def wants(more):
    return jobs

def looks():
    return [ImportJob(Tenant, Tenant.objects.filter(pk=Tenant.objects.first().pk))]

def slips():
    return [ImportJob(Tenant, limit="5")]
"""


@pytest.fixture
def isekai(tmp_path, monkeypatch, capsys, isekai_importers):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slices.py").write_text(JOBS)
    (tmp_path / "broken.py").write_text("def x(:\n")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\0")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "plain").write_text(JOBS)

    def run(*arguments):
        status = main(["slice", *arguments])
        return status, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("jobs", "told"),
    [
        ("slices.py:boom", "slices.py:boom cannot be called: RuntimeError: boom; --traceback shows where"),
        ("slices.py:wants", "slices.py:wants cannot be called: TypeError: wants() missing 1 required"),
        ("slices.py:looks", "slices.py:looks cannot be called: AttributeError: 'NoneType' object has no attribute"),
        ("slices.py:slips", "shop.Tenant: limit is a number of at least 1"),
        ("slices.py:empty", "a slice needs at least one job"),
        ("slices.py:mixed", "jobs: expected ImportJob objects, got 5"),
        ("slices.py:rows", "jobs: expected ImportJob objects, got a queryset of shop.Tenant"),
        ("slices.py:one", "expected a list of ImportJob, or DataSlicer.plan(…), got ImportJob"),
        ("slices.py:several", "expected a list of ImportJob, or DataSlicer.plan(…), got generator"),
        ("slices.py:", "slices.py has no ''"),
        ("broken.py:x", "broken.py cannot be imported: SyntaxError"),
        ("binary.py:x", "binary.py cannot be imported: "),
        *[(jobs, "expected a Python file and a name in it, such as slices.py:dev_org") for jobs in (
            "folder.py:x", "plain:jobs", ":jobs", "", "a\nb.py:x", "slices.py:jobs:x",
        )],
    ],
)  # fmt: skip
def test_jobs_that_are_none_are_told_and_nothing_is_made(isekai, tmp_path, jobs, told):
    status, error = isekai("export", jobs, "--source", "default", "--target", "cut")
    assert status == 2
    assert told in error
    assert "defect" not in error
    assert not (tmp_path / "cut").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("export", "slices.py:jobs", "--source", "default", "--target", ""), "expected a folder, got nothing"),
        (("export", "slices.py:jobs", "--source", "", "--target", "cut"), "there is no database ''"),
        (("export", "slices.py:jobs", "--source", "default", "--target", "slices.py"), "slices.py is no folder"),
        (("export", "slices.py:jobs", "--source", "default", "--target", "slices.py/x"), "Not a directory"),
        (("export", "slices.py:jobs", "--source", "default", "--target", "x" * 300), "File name too long"),
        (("export", "slices.py:jobs", "--source", "default", "--target", "cut", "--workers", "0"), "at least 1, got 0"),
        (("verify", ""), "expected a folder, got nothing"),
        (("diff", "cut", ""), "expected a folder, got nothing"),
        (("diff", "cut", "cut"), "there is no bundle cut"),
        (("load", "", "--target", "default"), "expected a folder, got nothing"),
        (("load", "cut", "--target", ""), "there is no database ''"),
        (("unload", "", "--target", "default"), "has been loaded"),
    ],
)
def test_places_that_are_none_are_told(isekai, tmp_path, arguments, told):
    status, error = isekai(*arguments)
    assert status in (1, 2)
    assert told in error
    assert "defect" not in error
    assert not (tmp_path / "cut").exists()


@pytest.mark.parametrize(
    ("database", "told"),
    [
        ("sqlite:///x", "sqlite:// is no address of PostgreSQL: expected postgresql://…, or one of Django's DATABASES"),
        ("sqlite:///shop.sqlite3", "of another kind is named by its alias there, and goes through DataSlicer.Orm"),
        ("mysql://ada:s3cret@db/shop", "mysql:// is no address of PostgreSQL"),
        ("ada:s3cret@db/shop", "there is no such database: expected postgresql://…"),
        ("host=db password=s3cret", "there is no such database: expected postgresql://…"),
        ("shop.sqlite3", "there is no database 'shop.sqlite3': expected postgresql://…"),
    ],
)
def test_databases_that_are_none_are_told_without_their_password(isekai, database, told):
    status, error = isekai("plan", "slices.py:jobs", "--source", database)
    assert status == 2
    assert told in error
    assert "s3cret" not in error


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "slices.py:jobs", "--source", "default", "--target", "postgresql://ada:s3cret@db/shop"),
        ("load", "postgresql://ada:s3cret@db/shop", "--target", "default"),
        ("verify", "postgresql://ada:s3cret@db/shop"),
        ("diff", "cut", "postgresql://ada:s3cret@db/shop"),
    ],
)
def test_an_address_is_no_folder_and_makes_none(isekai, tmp_path, arguments):
    before = sorted(tmp_path.iterdir())
    status, error = isekai(*arguments)
    assert status == 2
    assert "expected a folder, got an address" in error
    assert "s3cret" not in error
    assert sorted(tmp_path.iterdir()) == before


def test_where_nothing_was_ever_loaded_nothing_can_be_taken_out(isekai):
    # A test of another module may have left it.
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS isekai_slice_map")
    status, error = isekai("unload", "cut", "--target", "default")
    assert status == 1
    assert "no slice " in error
    assert "has been loaded" in error
    assert "'cut'" in error
