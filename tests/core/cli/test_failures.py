"""`cli/failures.py`: errors that are not ours, in words that help."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.utils import IntegrityError, OperationalError, ProgrammingError

from isekai_core.cli.failures import explain
from isekai_core.errors import BundleError, PlanError, RunError


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
