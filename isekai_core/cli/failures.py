"""What an error is told as, and the exit status that it means."""

import re
import sys
import traceback
from pathlib import Path

from isekai_core.cli.spelling import as_typed
from isekai_core.errors import ConfigurationError, IsekaiError, PlanError, SliceError
from isekai_core.pipeline.reports.readable import printable

FAILED = 1
USAGE = 2
DEFECT = 70

_LONGEST = 20_000

_MIGRATE = "; python manage.py migrate"
_MAKE_AND_MIGRATE = "; python manage.py makemigrations, then python manage.py migrate"
_NO_TABLE = re.compile(r"no such (table|column)|has no column named|(relation|column) .+ does not exist")


def report(error: Exception, *, show_traceback: bool = False) -> int:
    """Tell `error` on standard error and return the exit status."""
    message, status = explain(error)
    if show_traceback or status == DEFECT:
        traceback.print_exception(error, file=sys.stderr)
    # Keys and names of others may stand in it.
    print(f"isekai: {printable(message, _LONGEST)}", file=sys.stderr)
    return status


def explain(error: Exception) -> tuple[str, int]:
    """The message for `error`, and its exit status."""
    if isinstance(error, ConfigurationError):
        return str(error), USAGE
    if isinstance(error, SliceError):
        # A plan is what was asked for: one that cannot be is wrong usage, as other things are that cannot be composed.
        return as_typed(str(error)), USAGE if isinstance(error, PlanError) else FAILED
    if isinstance(error, IsekaiError):
        # Our own tables are there where a run could begin, so it is a model of the project that has none.
        return str(error) + (_MAKE_AND_MIGRATE if _lacks_table(error.__cause__) else ""), FAILED
    if known := _django_trouble(error):
        return known
    if isinstance(error, OSError):
        return _told(error), FAILED
    return f"this is a defect, please report it with the traceback above: {type(error).__name__}: {error}", DEFECT


def _told(error: OSError) -> str:
    try:
        Path.cwd()
    except FileNotFoundError:
        return "the folder where this was started is not there any more; change to one that is"
    return f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")


def _django_trouble(error: Exception) -> tuple[str, int] | None:
    """What to do when the project is configured wrongly, or its database or its tables are not there."""
    kind, text = _kinds(error), " ".join(str(error).split())
    if "ImproperlyConfigured" in kind:
        return f"the Django project is not configured: {text}", USAGE
    if _lacks_table(error):
        return f"the database lacks a table or a column ({text}){_MIGRATE}", USAGE
    # A file that is no database is of the base class itself; the other classes below it are of our own doing.
    if kind & {"OperationalError", "ProgrammingError", "InterfaceError"} or kind == {"DatabaseError", "Error"}:
        hint = "; see NAME in DATABASES of the settings" if "not a database" in text else ""
        return f"the database cannot be used: {text}{hint}", FAILED
    return None


def _lacks_table(error: BaseException | None) -> bool:
    """Whether a database said that there is no such table or column: a migration was not run, or not made."""
    return bool({"OperationalError", "ProgrammingError"} & _kinds(error) and _NO_TABLE.search(str(error)))


def _kinds(error: BaseException | None) -> set[str]:
    """The names of the classes of Django that `error` is of: they are told without Django's being imported."""
    return {base.__name__ for base in type(error).__mro__ if base.__module__.startswith("django.")}
