"""Retry: what did not go through is made ready again, for the next run. The command and the admin both do it here."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Case, F, QuerySet, Value, When
from django.utils import timezone

from isekai_core.models import Resource
from isekai_core.pipeline.reports.causes import Cause
from isekai_core.pipeline.store.rows import chunks
from isekai_core.types import Stage, State

RETRYABLE = (State.FAILED, State.BLOCKED, State.SKIPPED, State.RETRY_WAIT)
"""The states of what can be tried again. What is ready or running is on its way already, what is done is done."""


def retry(rows: "QuerySet[Resource]", states: Sequence[State] = RETRYABLE) -> int:
    """Make those of `rows` ready again that are in one of `states`; how many that were.

    They go on after the last stage that they completed, with all their attempts before them. One statement,
    so that a run which is under way sees a resource either as it was or ready.
    """
    rows = rows.filter(state__in=[state.value for state in states]).order_by()
    return rows.update(
        # A redirect keeps no payload of its own: it is asked again where it leads.
        stage=Case(When(alias_of__isnull=False, then=Value(Stage.SEEDED.value)), default=F("stage")),
        state=State.READY.value,
        attempts=0,
        updated_at=timezone.now(),
        **_NO_ERROR,
    )


# What was wrong is forgotten: what comes next may be something else, and would stand beside it.
_NO_ERROR: dict[str, Any] = {
    "next_attempt_at": None,
    "blocked_by": None,
    "error_stage": "",
    "error_processor": "",
    "error_class": "",
    "message": "",
    "traceback": "",
    "cause": "",
}


def retry_pipeline(pipeline: str) -> int:
    """Whatever is failed or blocked; what waits for another try gets it by itself."""
    return retry(Resource.objects.filter(pipeline=pipeline), (State.FAILED, State.BLOCKED))


def retry_causes(pipeline: str, chosen: Iterable[Cause]) -> int:
    """The resources of these causes of `pipeline`; not only those that they name as examples."""
    number = 0
    for cause in chosen:
        state = State(cause.state)
        if state == State.BLOCKED:
            number += sum(retry(Resource.objects.filter(pk__in=ids), (state,)) for ids in chunks(cause.ids))
        else:
            number += retry(Resource.objects.filter(pipeline=pipeline, cause=cause.id), (state,))
    return number


def retry_resources(rows: Iterable[Resource]) -> int:
    """These resources; of the skipped ones, too."""
    ids = [row.pk for row in rows]
    return sum(retry(Resource.objects.filter(pk__in=some)) for some in chunks(ids))
