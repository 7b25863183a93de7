"""What people give to jobs and runs: what would mean nothing, or something else, is refused before anything is read."""

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Manager, Model, QuerySet

from isekai_core.conf import did_you_mean
from isekai_core.errors import PlanError
from isekai_core.types.slices import BundleStore, SliceSource, SliceTarget

_EXAMPLES = "DataSlicer.Postgres(url), DataSlicer.Orm('default') or DataSlicer.File('slices/dev')"
_MOST = 2**63 - 1
"""No database counts further."""


def is_number(given: Any) -> bool:
    """Whether it is a number of rows, or of workers: at least 1.

    >>> is_number(10), is_number(0), is_number("10"), is_number(True)
    (True, False, False, False)
    """
    return isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= _MOST


class _Named(reprlib.Repr):
    """Short, and without what asks the database: rows and querysets are named by their model, in lists, too."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 200

    def repr1(self, x: Any, level: int) -> str:
        if isinstance(x, Model):
            return f"a row of {x._meta.label}"
        if isinstance(x, QuerySet | Manager):
            return f"a {'queryset' if isinstance(x, QuerySet) else 'manager'} of {x.model._meta.label}"
        return super().repr1(x, level)


named = _Named().repr
"""What was given, as a message names it."""


def names_of(what: str, given: Any) -> tuple[str, ...]:
    """The names of fields in `given`, which is one or several; `PlanError` for anything else, an expression too."""
    if isinstance(given, str):
        return (given,)
    if isinstance(given, Sequence) and all(isinstance(one, str) for one in given):
        return tuple(given)
    msg = f"{what}: expected the name of a field, '-' before it for downwards, or several of them, got {named(given)}"
    raise PlanError(msg)


def paths_of(given: Any) -> tuple[str, ...]:
    """The relations in `follow`, one or several; `PlanError` for anything else."""
    is_one = isinstance(given, str | QuerySet) or not isinstance(given, Iterable)
    paths = (given,) if is_one else tuple(given)
    if not all(isinstance(path, str) for path in paths):
        msg = f"follow: expected relations such as ['shop', 'shop__customer'], got {named(given)}"
        raise PlanError(msg)
    return paths


def one_of(option: str, given: Any, known: Sequence[str]) -> None:
    """Raise `PlanError` for what is none of the words that an option knows: a slip must not mean the default."""
    if given not in known:
        hint = did_you_mean(given, known) if isinstance(given, str) else ""
        msg = f"{option}: expected {' or '.join(map(repr, known))}, got {named(given)}{hint}"
        raise PlanError(msg)


def text_of(what: str, given: object) -> str:
    """`given` as a text that every database takes; `PlanError` for one that holds what no text can, and for rows."""
    # Those would be asked for by being written.
    text = "\0" if isinstance(given, QuerySet | Manager | Model) else str(given)
    if "\0" in text or text.encode("utf-8", "replace").decode() != text:
        msg = f"{what}: expected a number or a text without NUL, got {named(given)}"
        raise PlanError(msg)
    return text


def keys_of(label: str, given: Any) -> Mapping[Any, Any]:
    """Old keys and those they get; `PlanError` for what is no such mapping.

    label: of their model, for the message.
    """
    kinds = (int, str, UUID)
    pairs = given.items() if isinstance(given, Mapping) else [(None, None)]
    if any(isinstance(key, bool) or not isinstance(key, kinds) for pair in pairs for key in pair):
        msg = f"ids: expected old and new keys of {label}, such as {{1060: 10}}, got {named(given)}"
        raise PlanError(msg)
    return {old: new if isinstance(new, int) else text_of(f"ids of {label}", new) for old, new in pairs}


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


def check_ends(source: Any, target: Any) -> None:
    """Raise `PlanError` for what is no source, or no target."""
    check_end("source", source, SliceSource)
    check_end("target", target, SliceTarget)


def check_database(given: Any) -> None:
    """Raise `PlanError` for what is no database to ask: a place for bundles is none, either."""
    if isinstance(given, BundleStore):
        msg = f"source: expected a database, got {given.name}; what a bundle holds is in its manifest"
        raise PlanError(msg)
    check_end("source", given, SliceSource)


def check_workers(given: Any) -> None:
    """Raise `PlanError` for what is no number of workers."""
    if not is_number(given):
        msg = f"workers: expected a number of at least 1, got {named(given)}"
        raise PlanError(msg)


def check_progress(given: Any) -> None:
    """Raise `PlanError` for what cannot show how far a slice is."""
    if not all(callable(getattr(given, name, None)) for name in ("begin", "advance", "end")):
        msg = f"progress: expected True, False or an object with begin, advance and end, got {named(given)}"
        raise PlanError(msg)
