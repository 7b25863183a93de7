"""`cli/failures.py`: errors that are not ours, in words that help."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.utils import DatabaseError, IntegrityError, InterfaceError, OperationalError, ProgrammingError

from isekai_core.cli.failures import explain
from isekai_core.errors import BundleError, PlanError, RunError

MIGRATE = "; python manage.py makemigrations, then python manage.py migrate"


@pytest.mark.parametrize(
    ("error", "message", "status"),
    [
        (
            OperationalError("no such table: isekai_resource"),
            "the database lacks a table or a column (no such table: isekai_resource); python manage.py migrate",
            2,
        ),
        (
            ProgrammingError('relation "isekai_resource" does not exist\nLINE 1: SELECT'),
            "the database lacks a table or a column",
            2,
        ),
        (
            OperationalError("table shop_product has no column named price"),
            "the database lacks a table or a column (table shop_product has no column named price); python manage.py",
            2,
        ),
        (
            OperationalError('connection failed: FATAL:  database "shop" does not exist'),
            'the database cannot be used: connection failed: FATAL: database "shop" does not exist',
            1,
        ),
        (
            DatabaseError("file is not a database"),
            "the database cannot be used: file is not a database; see NAME in DATABASES of the settings",
            1,
        ),
        (
            DatabaseError("database disk image is malformed"),
            "the database cannot be used: database disk image is malformed",
            1,
        ),
        (InterfaceError("connection already closed"), "the database cannot be used: connection already closed", 1),
        (OperationalError("connection refused"), "the database cannot be used: connection refused", 1),
        (ImproperlyConfigured("no ENGINE"), "the Django project is not configured: no ENGINE", 2),
        (OSError(28, "No space left on device", "/media/a"), "No space left on device: /media/a", 1),
        (OSError("odd"), "odd", 1),
        (PlanError("masks='required', and nothing says"), "--require-masks, and nothing says", 2),
        (BundleError("cut holds files; overwrite=True replaces them"), "cut holds files; --overwrite replaces them", 1),
        (RunError("overwrite=True"), "overwrite=True", 1),
        (IntegrityError("duplicate"), "this is a defect", 70),
        (KeyError("x"), "this is a defect, please report it with the traceback above: KeyError: 'x'", 70),
    ],
)
def test_what_an_error_is_told_as(error, message, status):
    text, code = explain(error)
    assert text.startswith(message)
    assert code == status
    assert "\n" not in text


@pytest.mark.parametrize(
    ("cause", "then"),
    [
        (OperationalError("no such table: shop_product"), MIGRATE),
        (OperationalError("no such column: shop_product.price"), MIGRATE),
        (ProgrammingError('column "price" of relation "shop_product" does not exist'), MIGRATE),
        (OperationalError("database is locked"), ""),
        (None, ""),
    ],
)
def test_a_run_that_ends_for_want_of_a_table_of_the_project_says_what_to_type(cause, then):
    error = RunError(f"the database cannot go on: {cause}")
    error.__cause__ = cause
    assert explain(error) == (f"the database cannot go on: {cause}{then}", 1)


@pytest.mark.parametrize("arguments", [["status"], ["run", "shelf"], ["errors", "shelf"]])
def test_a_file_that_is_no_database_is_no_defect(isekai, tmp_path, arguments):
    (tmp_path / "notes.txt").write_text("no database, but text\n" * 100)
    (tmp_path / "shop_settings.py").write_text(
        "INSTALLED_APPS = ['django.contrib.contenttypes', 'isekai_core']\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'notes.txt'}}\n"
    )
    (tmp_path / "isekai.toml").write_text('[pipelines.shelf]\nseeders = [{ use = "csv", path = "a.csv" }]\n')
    done = isekai(*arguments, "--settings", "shop_settings")
    assert (done.returncode, done.stderr) == (
        1,
        "isekai: the database cannot be used: file is not a database; see NAME in DATABASES of the settings\n",
    )
