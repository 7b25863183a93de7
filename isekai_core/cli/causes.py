"""How failures are told: grouped by cause, the same in `run`, `status` and `errors`, for people and for machines.

Like every module here that is no command, it needs Django to be set up when it is imported.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from isekai_core.cli.tables import counted, indented, moment
from isekai_core.pipeline.reports.causes import Cause, Example
from isekai_core.pipeline.reports.readable import printable

_INDENT = 8


def cause_lines(found: Sequence[Cause], short: Mapping[str, str], *, traceback: bool = False) -> Iterator[str]:
    """Each cause: its id and number, where it happened, why, and some of its resources."""
    width = max((len(short[cause.id]) for cause in found), default=0)
    for cause in found:
        yield f"  {short[cause.id].ljust(width)}  {_headline(cause)}"
        yield from _blockers(cause) if cause.state == "blocked" else _examples(cause)
        if traceback and cause.traceback:
            yield indented(cause.traceback.rstrip(), _INDENT)


def _headline(cause: Cause) -> str:
    number = f"{cause.number:,}"
    if cause.state == "blocked":
        needed = counted(cause.blockers, "resource")
        return f"{number} blocked: {needed} that they need {'is' if cause.blockers == 1 else 'are'} {_state(cause)}"
    what = f"{number} failed" if cause.state == "failed" else f"{number} waiting for another try"
    if cause.next_attempt_at is not None:
        what += f" (the first at {moment(cause.next_attempt_at)})"
    by = f" by {cause.processor}" if cause.processor else ""
    return f"{what} in {cause.stage}{by}, {cause.error_class}"


def _state(cause: Cause) -> str:
    return cause.blocker_state.replace("retry_wait", "waiting for another try")


def _examples(cause: Cause) -> Iterator[str]:
    """The message once, where it is the same for all of them; else the key with its own."""
    messages = {example.message for example in cause.examples} or {cause.message}
    if len(messages) == 1:
        yield indented(messages.pop(), _INDENT)
        yield from (f"{' ' * (_INDENT + 2)}{printable(example.key)}" for example in cause.examples)
    else:
        yield from _told(cause.examples)
    yield from _more(cause.number - len(cause.examples) if cause.examples else 0)


def _blockers(cause: Cause) -> Iterator[str]:
    yield from _told(cause.blocked_by)
    yield from _more(cause.blockers - len(cause.blocked_by) if cause.blocked_by else 0)
    if cause.examples:
        yield f"{' ' * _INDENT}so these are blocked"
        yield from (f"{' ' * (_INDENT + 2)}{printable(example.key)}" for example in cause.examples)
        yield from _more(cause.number - len(cause.examples))


def _told(examples: Iterable[Example]) -> Iterator[str]:
    for example in examples:
        yield f"{' ' * _INDENT}{printable(example.key)}"
        yield indented(example.message, _INDENT + 2)


def _more(number: int) -> Iterator[str]:
    if number > 0:
        yield f"{' ' * (_INDENT + 2)}… and {number:,} more"


def causes_json(found: Iterable[Cause], short: Mapping[str, str]) -> list[dict[str, Any]]:
    """The causes as plain data."""
    return [
        {
            "id": cause.id,
            "prefix": short[cause.id],
            "state": cause.state,
            "stage": cause.stage,
            "processor": cause.processor,
            "class": cause.error_class,
            "message": cause.message,
            "number": cause.number,
            "examples": [vars_of(example) for example in cause.examples],
            "blockers": cause.blockers,
            "blocker_state": cause.blocker_state,
            "blocked_by": [vars_of(example) for example in cause.blocked_by],
            "next_attempt_at": cause.next_attempt_at.isoformat() if cause.next_attempt_at else None,
            "traceback": cause.traceback,
        }
        for cause in found
    ]


def vars_of(example: Example) -> dict[str, str]:
    """Key and message."""
    return {"key": example.key, "message": example.message}


def seed_error_lines(errors: Iterable[Mapping[str, str]], *, traceback: bool = False) -> Iterator[str]:
    """What ended a seeder early."""
    for error in errors:
        yield f"  {error['processor']}, {error['error_class']}"
        yield indented(error["message"], _INDENT)
        if traceback and error["traceback"]:
            yield indented(error["traceback"].rstrip(), _INDENT)
