"""The two ends of a slice: what is none is refused before anything is read, and without showing it."""

from typing import Any

from isekai_core.errors import PlanError
from isekai_core.types.slices import BundleStore

_EXAMPLES = "DataSlicer.Postgres(url), DataSlicer.Orm('default') or DataSlicer.File('slices/dev')"


def check_end(what: str, given: Any, kind: type) -> None:
    """Raise `PlanError` for what is neither of `kind` nor a place for bundles.

    what: `source` or `target`.
    kind: the protocol of such an end.

    >>> from isekai_core.types.slices import SliceSource
    >>> check_end("source", "postgresql://ada:secret@db.example.org/shop", SliceSource)
    Traceback (most recent call last):
    ...
    isekai_core.errors.PlanError: source: expected a slice source, such as DataSlicer.Postgres(url), ...
    """
    if isinstance(given, type):
        got = f"the class {given.__name__}: call it"
    elif isinstance(given, kind | BundleStore):
        return
    else:
        # Not shown: it may be a URL, with a password in it.
        got = type(given).__name__
    msg = f"{what}: expected a slice {what}, such as {_EXAMPLES}, got {got}"
    raise PlanError(msg)
