"""How a pipeline stands: how many resources are in which stage and state, and what its last runs did."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from isekai_core.errors import PipelineNotFound
from isekai_core.models import Resource, Run
from isekai_core.pipeline.composing.discover import find, survey, unknown
from isekai_core.pipeline.lease import is_alive
from isekai_core.types import STAGES, Stage, State

UNFINISHED = (State.READY, State.RUNNING, State.RETRY_WAIT)
"""The states of what a run still goes on with."""


@dataclass(frozen=True)
class Standing:
    """The resources of a pipeline, counted.

    counts: the last completed stage and the state to the number of resources; none that is 0.
    """

    pipeline: str
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All resources of the pipeline."""
        return sum(self.counts.values())

    def of(self, *states: State) -> int:
        """The resources in one of `states`.

        >>> Standing("blog", {("loaded", "done"): 5, ("seeded", "failed"): 1}).of(State.FAILED)
        1
        """
        return sum(number for (_, state), number in self.counts.items() if state in states)

    def at(self, stage: Stage, state: State) -> int:
        """The resources whose last completed stage is `stage`, in `state`."""
        return self.counts.get((stage.value, state.value), 0)

    def still_before(self, verb: str) -> int:
        """The resources that are unfinished, and have the stage `verb` before them."""
        before = [stage for stage in Stage if stage < Stage.after(verb)]
        return sum(self.at(stage, state) for stage in before for state in UNFINISHED)


def standing_of(pipeline: str, *states: State) -> Standing:
    """How `pipeline` stands; only what is in one of `states`, where some are given."""
    rows = Resource.objects.filter(pipeline=pipeline)
    if states:
        rows = rows.filter(state__in=[state.value for state in states])
    counted = rows.values_list("stage", "state").annotate(number=Count("pk")).order_by()
    return Standing(pipeline, {(stage, state): number for stage, state, number in counted})


def standings() -> dict[str, Standing]:
    """Every pipeline that the database knows, by name."""
    counts: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    counted = Resource.objects.values_list("pipeline", "stage", "state").annotate(number=Count("pk")).order_by()
    for pipeline, stage, state, number in counted:
        counts[pipeline][stage, state] = number
    known = {*counts, *run_pipelines()}
    return {name: Standing(name, counts.get(name, {})) for name in sorted(known)}


def run_pipelines() -> list[str]:
    """The names of the pipelines that were ever run."""
    return list(Run.objects.order_by("pipeline").values_list("pipeline", flat=True).distinct())


@dataclass(frozen=True)
class StageReport:
    """What a run did in one stage, and what it cost.

    seconds: of work; for extract, the time that was spent waiting for fetches.
    """

    stage: str
    outcomes: Mapping[str, int]
    seconds: float

    @property
    def resources(self) -> int:
        """How many passed the stage, or did not."""
        return sum(self.outcomes.values())

    @property
    def milliseconds_each(self) -> float:
        """The work for one resource."""
        return self.seconds / self.resources * 1000 if self.resources else 0.0


def stage_reports(run: Run) -> list[StageReport]:
    """What `run` did, stage by stage; empty while it is under way, and when it was lost."""
    report: dict[str, Any] = run.report
    if not report:
        return []
    return [StageReport(stage, report["stages"].get(stage, {}), report["seconds"].get(stage, 0.0)) for stage in STAGES]


def last_runs(pipeline: str, number: int = 5) -> list[Run]:
    """The last runs, the newest first."""
    return list(Run.objects.filter(pipeline=pipeline).order_by("-pk")[:number])


def last_report(pipeline: str) -> Run | None:
    """The last run that left a report."""
    return Run.objects.filter(pipeline=pipeline).exclude(finished_at=None).exclude(report={}).order_by("-pk").first()


def duration_of(run: Run) -> dt.timedelta | None:
    """How long `run` took; None while it is under way."""
    return run.finished_at - run.started_at if run.finished_at else None


def state_of(run: Run) -> str:
    """Its outcome in a word; for a run that has none, whether its process lives: `running`, or `process gone`."""
    if run.finished_at:
        return run.outcome
    return "running" if is_alive(run) else "process gone"


def seed_errors(pipeline: str) -> list[dict[str, str]]:
    """What ended a seeder early in the last run that seeded: stage, processor, error_class, message, traceback."""
    run = last_report(pipeline)
    found: list[dict[str, str]] = run.report.get("seed_errors", []) if run else []
    return found


def require_known(pipeline: str) -> None:
    """`PipelineNotFound`, with the names there are, for one that is neither defined nor in the database."""
    if Resource.objects.filter(pipeline=pipeline).exists() or Run.objects.filter(pipeline=pipeline).exists():
        return
    try:
        find(pipeline)
    except PipelineNotFound:
        raise unknown(pipeline, sorted({*survey().found, *run_pipelines()})) from None
