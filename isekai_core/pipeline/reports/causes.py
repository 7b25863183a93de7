"""Why resources are not loaded, grouped: ten thousand errors are usually four causes."""

import datetime as dt
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from isekai_core.errors import ConfigurationError
from isekai_core.models import Resource
from isekai_core.pipeline.store.rows import chunks
from isekai_core.pipeline.work import Failure
from isekai_core.types import State

_SHORTEST = 4
_LISTED = 10
_AT_ONCE = 2_000


@dataclass(frozen=True)
class Example:
    """One resource of a cause."""

    key: str
    message: str


@dataclass
class Cause:
    """Resources that are failed, blocked or waiting for one and the same reason.

    id: 8 hexadecimal characters; of what is blocked, the cause of what blocks it.
    stage, processor, error_class: where it happened, and as what.
    examples: the first of them.
    blocked_by: what blocks them, the first few, with its reason; how many there are is in `blockers`.
    traceback: of the first of them; "" for an error that ISEKAI raised on purpose.
    next_attempt_at: when the first of those that wait is tried again.
    ids: the resources: of what is blocked all of them, otherwise those of the examples.
    """

    id: str
    state: str
    stage: str = ""
    processor: str = ""
    error_class: str = ""
    message: str = ""
    number: int = 0
    examples: list[Example] = field(default_factory=list)
    blockers: int = 0
    blocker_state: str = ""
    blocked_by: list[Example] = field(default_factory=list)
    traceback: str = ""
    next_attempt_at: dt.datetime | None = None
    ids: list[int] = field(default_factory=list, repr=False)


def causes(pipeline: str, *, examples: int | None = 5) -> list[Cause]:
    """What is failed, then what is blocked, then what waits for another try: by cause, the largest first.

    examples: how many resources each cause names; None for all of them.
    """
    limit = sys.maxsize if examples is None else examples
    found = [*_failed(pipeline, State.FAILED, limit), *_blocked(pipeline, limit)]
    return [*found, *_failed(pipeline, State.RETRY_WAIT, limit)]


def short_ids(found: Iterable[Cause]) -> dict[str, str]:
    """The id of each cause to its shortest unique beginning, 4 characters at least.

    >>> short_ids([Cause("a1b2c3d4", "failed"), Cause("a1b2ffff", "failed")])
    {'a1b2c3d4': 'a1b2c', 'a1b2ffff': 'a1b2f'}
    """
    ids = sorted({cause.id for cause in found})
    short: dict[str, str] = {}
    for position, id_ in enumerate(ids):
        beside = ids[max(position - 1, 0) : position] + ids[position + 1 : position + 2]
        length = max([_SHORTEST, *(_common(id_, other) + 1 for other in beside)])
        short[id_] = id_[:length]
    return short


def choose(found: Sequence[Cause], prefix: str) -> list[Cause]:
    """The causes (one, but failed, blocked and waiting) whose id begins with `prefix`.

    Raises `ConfigurationError`, listing the causes there are, when it is none or not unique.
    """
    chosen = [cause for cause in found if cause.id.startswith(prefix.lower())] if prefix else []
    if len({cause.id for cause in chosen}) == 1:
        return chosen
    short = short_ids(found)
    there_are = _listed(list(dict.fromkeys(short[cause.id] for cause in (chosen or found))))
    msg = f"there is no cause {prefix!r}; there are {there_are or 'none'}"
    if chosen:
        msg = f"more than one cause begins with {prefix!r}: {there_are}"
    raise ConfigurationError(msg)


def _listed(ids: Sequence[str]) -> str:
    more = len(ids) - _LISTED
    return ", ".join(ids[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def _common(one: str, other: str) -> int:
    return next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))


def _failed(pipeline: str, state: State, limit: int) -> list[Cause]:
    """By the cause that is stored with the failure."""
    rows = Resource.objects.filter(pipeline=pipeline, state=state.value).order_by("pk")
    columns = ("pk", "cause", "error_stage", "error_processor", "error_class", "next_attempt_at")
    found: dict[str, Cause] = {}
    for pk, id_, stage, processor, error_class, due in rows.values_list(*columns).iterator(_AT_ONCE):
        cause = found.setdefault(id_, Cause(id_, state.value, stage, processor, error_class))
        cause.number += 1
        if len(cause.ids) < max(limit, 1):
            cause.ids.append(pk)
        if due is not None:
            cause.next_attempt_at = min(cause.next_attempt_at or due, due)
    return _filled(found.values(), limit)


def _blocked(pipeline: str, limit: int) -> list[Cause]:
    """By what is at the end of the chain: a blocked resource may be blocked by a blocked one."""
    rows = Resource.objects.filter(pipeline=pipeline, state=State.BLOCKED.value).order_by("pk")
    needs = dict(rows.values_list("pk", "blocked_by_id").iterator(_AT_ONCE))
    roots = _roots(needs)
    reasons = _reasons({root for root in roots.values() if root is not None})
    found: dict[str, Cause] = {}
    seen: set[int | None] = set()
    for pk, root in roots.items():
        reason = reasons.get(root) or _lost()
        cause = found.setdefault(reason.id, reason.blocking())
        cause.number += 1
        cause.ids.append(pk)
        if root not in seen:
            seen.add(root)
            cause.blockers += 1
            if len(cause.blocked_by) < limit:
                cause.blocked_by.append(Example(reason.key, reason.message))
    return _filled(found.values(), limit)


def _roots(needs: Mapping[int, int | None]) -> dict[int, int | None]:
    """Each blocked resource to the first on its way that is not blocked itself; None where it is gone."""
    roots: dict[int, int | None] = {}
    for start in needs:
        path: dict[int, None] = {}
        node: int | None = start
        while node is not None and node in needs and node not in roots and node not in path:
            path[node] = None
            node = needs[node]
        # In a circle that blocks itself, the one where it was entered stands for all.
        root = roots.get(node, node) if node is not None else None
        roots |= dict.fromkeys(path, root)
    return roots


@dataclass(frozen=True)
class _Reason:
    """What blocks, and why it is not loaded."""

    key: str
    state: str
    stage: str
    processor: str
    error_class: str
    message: str
    id: str

    def blocking(self) -> Cause:
        return Cause(
            self.id,
            State.BLOCKED.value,
            self.stage,
            self.processor,
            self.error_class,
            self.message,
            blocker_state=self.state,
        )


def _lost() -> _Reason:
    return _reason("", "gone", "load", "", "", "what it needs is not there any more", "")


def _reasons(ids: set[int]) -> dict[int | None, _Reason]:
    columns = ("key", "state", "error_stage", "error_processor", "error_class", "message", "cause")
    found: dict[int | None, _Reason] = {}
    for some in chunks(sorted(ids)):
        for pk, *values in Resource.objects.filter(pk__in=some).values_list("pk", *columns):
            found[pk] = _reason(*values)
    return found


def _reason(*values: Any) -> _Reason:
    """One without a cause of its own, such as what was skipped, gets one by its state and message."""
    key, state, stage, processor, error_class, message, cause = values
    reason = message or f"it is {state}"
    id_ = cause if state in (State.FAILED, State.RETRY_WAIT) else ""
    return _Reason(
        key, state, stage, processor, error_class, reason, id_ or Failure(stage, "", state, reason, "").cause
    )


def _filled(found: Iterable[Cause], limit: int) -> list[Cause]:
    """The causes with the messages of their examples and the first traceback; the largest first."""
    ordered = sorted(found, key=lambda cause: (-cause.number, cause.id))
    firsts = [pk for cause in ordered for pk in cause.ids[: max(limit, 1)]]
    told = {pk: Example(key, message) for pk, key, message in _values(firsts, "key", "message")}
    traces = dict(_values([cause.ids[0] for cause in ordered if cause.ids], "traceback"))
    for cause in ordered:
        first = told.get(cause.ids[0])
        cause.message = cause.message or (first.message if first else "")
        cause.traceback = traces.get(cause.ids[0], "") if cause.state != State.BLOCKED else ""
        cause.examples = [told[pk] for pk in cause.ids[:limit] if pk in told]
    return ordered


def _values(ids: Sequence[int], *columns: str) -> Iterator[Any]:
    for some in chunks(ids):
        yield from Resource.objects.filter(pk__in=some).values_list("pk", *columns)
