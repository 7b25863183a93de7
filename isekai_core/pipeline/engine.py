"""The engine: one run of a pipeline, from what is stale to what is loaded, in the calling thread."""

import time
from dataclasses import dataclass, field
from typing import Any

from django.db import connections, router
from django.utils import timezone

from isekai_core.loops import outside_loops
from isekai_core.models import Resource, Run
from isekai_core.pipeline import lease
from isekai_core.pipeline.again import reset_leads, reset_stale, reset_to
from isekai_core.pipeline.composing.compose import Composed, compose
from isekai_core.pipeline.composing.discover import find
from isekai_core.pipeline.definition import Pipeline
from isekai_core.pipeline.front import Front
from isekai_core.pipeline.helping.helpers import helpers, insist
from isekai_core.pipeline.journal import Journal, first_batch
from isekai_core.pipeline.load import Load
from isekai_core.pipeline.reports.progress import watched
from isekai_core.pipeline.seed import seed
from isekai_core.pipeline.tally import Progress, Tally
from isekai_core.types import STAGES, Stage, State


@dataclass(frozen=True)
class RunResult:
    """What a run did, and how the pipeline stands now.

    stages: stage to outcome to number of resources in this run.
    models: model to action (created, updated, unchanged, relinked) to number of rows in this run.
    failed, blocked: resources that stand so now, those of earlier runs too.
    seed_errors: what ended a seeder early: class, message, traceback.
    seconds: of the whole run.
    stage_seconds: stage to seconds of work in it, of all processes of the run together; for extract, the time that
        was spent waiting for fetches.
    """

    pipeline: str
    run: int
    stages: dict[str, dict[str, int]]
    models: dict[str, dict[str, int]]
    failed: int
    blocked: int
    seed_errors: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is failed or blocked, and every seeder gave all it had."""
        return not (self.failed or self.blocked or self.seed_errors)

    @property
    def changed(self) -> int:
        """Rows that this run created, updated or linked anew."""
        return sum(n for counts in self.models.values() for action, n in counts.items() if action != "unchanged")


def run(
    pipeline: Pipeline | str,
    *,
    refresh: bool = False,
    start: str = "seed",
    until: str = "load",
    wait: bool = True,
    processes: int = 1,
    progress: Progress | bool = False,
) -> RunResult:
    """Run `pipeline`: seed, then go on with what is unfinished, newer by its seed, or stale.

    pipeline: the pipeline, or the name under which it is found.
    refresh: look at every source again; only what changed is done again.
    start: the first stage to do again for everything that completed it, from what is stored: `transform`
        works offline.
    until: the last stage to do; `transform` stops before anything is loaded.
    wait: for another process that runs the pipeline; `RunBusy` at once without.
    processes: how many extract, mine and transform at the same time, this one among them. What an extractor may
        fetch at once is shared out to them.
    progress: True for bars, in a terminal or a notebook; or who shows how far it is in another way.

    Raises `ConfigurationError` before anything is done, and `RunError` when the run cannot go on; a
    failing resource raises nothing.

    Example::

        result = run("blog")
        print(result.models)      # {'blog.Article': {'created': 60}, …}
    """
    for name, stage in (("start", start), ("until", until)):
        if stage not in STAGES:
            msg = f"{name} is one of {', '.join(STAGES)}, got {stage!r}"
            raise ValueError(msg)
    if STAGES.index(start) > STAGES.index(until):
        msg = f"{start=} comes after {until=}, so that there is nothing to do"
        raise ValueError(msg)
    if processes < 1:
        msg = f"processes is 1 or more, got {processes}"
        raise ValueError(msg)
    with watched(pipeline if isinstance(pipeline, str) else pipeline.name, progress) as shown:
        execution = Execution(
            pipeline, shown, refresh=refresh, start=start, until=until, wait=wait, processes=processes
        )
        return outside_loops(execution.run)


def _close_old_connections() -> None:
    """Those that a server may have given up; one that is in a transaction of the caller's is in use."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


class Execution:
    """One run: takes the lease, does what is asked, and leaves a report."""

    def __init__(
        self,
        pipeline: Pipeline | str,
        progress: Progress,
        *,
        refresh: bool,
        start: str,
        until: str,
        wait: bool,
        processes: int,
    ) -> None:
        self.composed: Composed = compose(find(pipeline) if isinstance(pipeline, str) else pipeline)
        self.tally = Tally(progress)
        self.refresh = refresh
        self.start = start
        self.until = until
        self.wait = wait
        self.processes = processes
        fetches = STAGES.index(start) <= STAGES.index("extract") <= STAGES.index(until)
        insist(self.composed, processes, router.db_for_write(Resource), fetches=fetches)

    def run(self) -> RunResult:
        _close_old_connections()
        began = time.monotonic()
        row = lease.acquire(self.composed.name, self.tally.progress, wait=self.wait)
        outcome = Run.Outcome.STOPPED
        journal = Journal(self.composed, row, processes=self.processes)
        try:
            self._stages(journal, row)
            outcome = Run.Outcome.FINISHED
        finally:
            try:
                journal.release_all()
                self._close(row, outcome)
            finally:
                journal.packer.close()
                lease.leave(row)
        return self._result(journal, row, time.monotonic() - began)

    def _stages(self, journal: Journal, row: Run) -> None:
        first, until = STAGES.index(self.start), STAGES.index(self.until)
        stages = list(Stage)
        # What a stage needs is the stage before it: extract claims what is seeded.
        begin, end = stages[max(first - 1, 0)], stages[min(until, STAGES.index("transform"))]
        with helpers(journal, self.tally, begin, end) as crew:
            self._reset(journal, first)
            if first == 0:
                seed(journal, self.tally)
            if begin < end:
                crew.begin()
                Front(journal, self.tally, first=begin, until=end, others=crew).run()
        if until > 0:
            self._front(journal, begin, end)
        if until == STAGES.index("load"):
            Load(journal, self.tally).run()
            row.link_mark = first_batch(row.pk + 1)

    def _reset(self, journal: Journal, first: int) -> None:
        journal.wake()
        reset_stale(journal)
        if first > 0:
            reset_to(journal, Stage.after(STAGES[first - 1]))
        elif self.refresh:
            reset_to(journal, Stage.SEEDED)

    def _front(self, journal: Journal, begin: Stage, end: Stage) -> None:
        """What helpers left when they were ended, and what is to be transformed again."""
        is_left = self.processes > 1
        while is_left or reset_leads(journal):
            is_left = False
            if begin < end:
                Front(journal, self.tally, first=begin, until=end).run()

    def _close(self, row: Run, outcome: Run.Outcome) -> None:
        Run.objects.filter(pk=row.pk).update(
            outcome=outcome,
            finished_at=timezone.now(),
            edge_mark=row.edge_mark,
            link_mark=row.link_mark,
            report=self.tally.as_json(),
        )

    def _result(self, journal: Journal, row: Run, seconds: float) -> RunResult:
        counts = journal.counts()
        standing = {
            state: sum(n for (_, s), n in counts.items() if s == state) for state in (State.FAILED, State.BLOCKED)
        }
        report: dict[str, Any] = self.tally.as_json()
        return RunResult(
            pipeline=self.composed.name,
            run=row.pk,
            stages=report["stages"],
            models=report["models"],
            failed=standing[State.FAILED],
            blocked=standing[State.BLOCKED],
            seed_errors=report["seed_errors"],
            seconds=round(seconds, 3),
            stage_seconds=report["seconds"],
        )
