"""What an error is told as, and the exit status that it means."""

import sys
import traceback

from isekai_core.cli.spelling import as_typed
from isekai_core.errors import ConfigurationError, IsekaiError, PlanError, SliceError

FAILED = 1
USAGE = 2
DEFECT = 70


def report(error: Exception, *, show_traceback: bool = False) -> int:
    """Tell `error` on standard error and return the exit status."""
    message, status = explain(error)
    if show_traceback or status == DEFECT:
        traceback.print_exception(error, file=sys.stderr)
    print(f"isekai: {message}", file=sys.stderr)
    return status


def explain(error: Exception) -> tuple[str, int]:
    """The message for `error`, and its exit status."""
    if isinstance(error, ConfigurationError):
        return str(error), USAGE
    if isinstance(error, SliceError):
        # A plan is what was asked for: one that cannot be is wrong usage, as other things are that cannot be composed.
        return as_typed(str(error)), USAGE if isinstance(error, PlanError) else FAILED
    if isinstance(error, IsekaiError):
        return str(error), FAILED
    if known := _django_trouble(error):
        return known
    if isinstance(error, OSError):
        return f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""), FAILED
    return f"this is a defect, please report it with the traceback above: {type(error).__name__}: {error}", DEFECT


def _django_trouble(error: Exception) -> tuple[str, int] | None:
    """What to do when the project is configured wrongly, or its database or its tables are not there."""
    kind = {base.__name__ for base in type(error).__mro__ if base.__module__.startswith("django.")}
    text = " ".join(str(error).split())
    if "ImproperlyConfigured" in kind:
        return f"the Django project is not configured: {text}", USAGE
    if not kind & {"OperationalError", "ProgrammingError"}:
        return None
    if "no such table" in text or "does not exist" in text:
        return f"the database lacks a table or a column ({text}); python manage.py migrate", USAGE
    return f"the database cannot be used: {text}", FAILED
