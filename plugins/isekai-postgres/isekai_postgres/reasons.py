"""What goes wrong between here and the server, in words: what it was about, what was expected, what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors

from isekai_core.errors import ExportError

_AGAIN = "nothing was left behind; run it again"

# The first class that fits counts.
_ADVICE: tuple[tuple[tuple[type[psycopg.Error], ...], str], ...] = (
    (
        (errors.SerializationFailure, errors.DeadlockDetected),
        "a standby must apply what the primary did; run it again, or set hot_standby_feedback = on there",
    ),
    ((errors.UndefinedTable, errors.UndefinedColumn), "run the migrations there, or name the right database"),
    ((errors.InsufficientPrivilege,), "the user needs SELECT on every table of the slice, past its row policies"),
    ((errors.QueryCanceled,), "give a longer statement_timeout= (in seconds), or a smaller slice"),
    (
        (errors.DiskFull, errors.OutOfMemory, errors.ConfigurationLimitExceeded),
        "the server has no room for sorting; free some, or cut a smaller slice",
    ),
    ((errors.UntranslatableCharacter, errors.CharacterNotInRepertoire), "correct that text in the source"),
    ((errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow), f"the server went away; {_AGAIN}"),
)


@contextmanager
def telling(what: str, password: Any = None) -> Iterator[None]:
    """Errors of the driver become `ExportError`s about `what`, with the driver's own as their cause."""
    try:
        yield
    except psycopg.Error as error:
        msg = f"{what}: {reason(error, password)}"
        # What shows the password is no cause to print.
        raise ExportError(msg) from (None if password and str(password) in str(error) else error)


@contextmanager
def telling_connect(name: str, password: Any = None) -> Iterator[None]:
    """The same for making a connection, where the driver does not say which kind of error it was."""
    try:
        yield
    except psycopg.Error as error:
        advice = "expected a server that answers and takes this user and password; try: psql with the same URL"
        msg = f"cannot connect to {name}: {_text(error, password)}; {advice}"
        raise ExportError(msg) from (None if password and str(password) in str(error) else error)


def reason(error: psycopg.Error, password: Any = None) -> str:
    """What the server said, and what to do about it; never the password."""
    text = _text(error, password)
    for kinds, advice in _ADVICE:
        if isinstance(error, kinds):
            return f"{text}; {advice}"
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return f"the connection was lost ({text}); {_AGAIN}"
    return text


def _text(error: psycopg.Error, password: Any) -> str:
    diagnosis = error.diag
    text = diagnosis.message_primary or " ".join(str(error).split()) or type(error).__name__
    extra = "; ".join(part for part in (diagnosis.message_detail, diagnosis.message_hint) if part)
    text = f"{text} ({extra})" if extra else text
    return text.replace(str(password), "***") if password else text
