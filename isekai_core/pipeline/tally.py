"""What a run did, counted: per stage, per model, and how long the processors took."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from isekai_core.pipeline.composing.compose import Processor
from isekai_core.pipeline.costs import Cost
from isekai_core.pipeline.work import Failure
from isekai_core.types import KINDS, STAGES

_KIND_OF = dict(zip(STAGES, KINDS, strict=True))
_ERRORS = frozenset({"failed", "retry"})
_WRITTEN = frozenset({"created", "updated", "relinked"})


class Progress(Protocol):
    """Who shows how far a run is; called from the thread that runs it."""

    def advance(self, stage: str, done: int, total: int | None) -> None:
        """`done` of `total` (None: not known) have passed `stage`."""
        ...

    def say(self, text: str) -> None:
        """A line of text beside the bars."""
        ...


class Quiet:
    """No progress at all."""

    def advance(self, stage: str, done: int, total: int | None) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


@dataclass
class Tally:
    """Counts and seconds of one run.

    stages: stage to outcome (done, failed, skipped, retry, blocked, unchanged) to number of resources.
    models: model to action (created, updated, unchanged, relinked) to number of rows.
    seconds: stage to seconds of work in it; extract is the time that was spent waiting for fetches.
    costs: kind and name of a processor to what it did, and the seconds in it.
    """

    progress: Progress = field(default_factory=Quiet)
    stages: dict[str, Counter[str]] = field(default_factory=lambda: {stage: Counter() for stage in STAGES})
    models: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    costs: dict[tuple[str, str], Cost] = field(default_factory=dict)
    seed_errors: list[Failure] = field(default_factory=list)
    total: int | None = None

    def count(self, stage: str, outcome: str, number: int = 1) -> None:
        """`number` more resources had `outcome` in `stage`."""
        self.stages[stage][outcome] += number
        self.progress.advance(stage, sum(self.stages[stage].values()), self.total)

    def cost(self, processor: Processor, resources: int = 0) -> Cost:
        """What `processor` costs, where it is asked about so many `resources` more; `with` it, its time is taken."""
        key = (processor.kind, processor.name)
        if (cost := self.costs.get(key)) is None:
            cost = self.costs[key] = Cost.of(processor)
        cost.resources += resources
        return cost

    def count_error(self, stage: str, outcome: str, processor: str) -> None:
        """What a resource had as `outcome` is an error of `processor`, where it is one."""
        if outcome in _ERRORS and (cost := self.costs.get((_KIND_OF[stage], processor))) is not None:
            cost.errors += 1

    def count_load(self, loader: Processor | None, outcome: str) -> None:
        """`loader` is done with one more resource."""
        if loader is not None:
            # Whose links alone were written again was counted when it was loaded.
            cost = self.cost(loader, resources=outcome != "relinked")
            cost.rows += outcome in _WRITTEN
            cost.errors += outcome in _ERRORS

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """The seconds inside count for `stage`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - start

    def add(self, more: Mapping[str, Any]) -> None:
        """Count what another process of the run did, as its `taken` told."""
        for stage, counts in more["stages"].items():
            for outcome, number in counts.items():
                self.count(stage, outcome, number)
        for model, counts in more["models"].items():
            self.models[model].update(counts)
        for stage, seconds in more["seconds"].items():
            self.seconds[stage] += seconds
        for told in more["processors"]:
            cost = Cost(**told)
            key = (_KIND_OF[cost.stage], cost.processor)
            if (known := self.costs.get(key)) is None:
                self.costs[key] = cost
            else:
                known.add(cost)

    def taken(self) -> dict[str, Any]:
        """What was counted since this was last asked, as plain data."""
        counted = self.as_json()
        self.seconds.clear()
        for counts in (*self.stages.values(), *self.models.values()):
            counts.clear()
        for cost in self.costs.values():
            # Not dropped: an error may be counted for one that is not asked again.
            cost.clear()
        return counted

    def as_json(self) -> dict[str, Any]:
        """The same as plain data, for the run's row and for `--json`."""
        return {
            "stages": {stage: dict(counts) for stage, counts in self.stages.items()},
            "models": {model: dict(counts) for model, counts in sorted(self.models.items())},
            "seconds": {stage: round(self.seconds[stage], 3) for stage in STAGES if self.seconds[stage]},
            "processors": [cost.as_json() for cost in self.costs.values()],
            "seed_errors": [vars(failure) for failure in self.seed_errors],
        }
