"""What processors cost: counted in a run for each of them, kept in its report, and summed over runs.

The seconds are those inside the processor, in the thread that runs it. What an extractor fetches with coroutines runs
beside other fetches: there they are from the call to the answer of each, summed, and so may be more than the run took.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from isekai_core.errors import ConfigurationError
from isekai_core.models import Run
from isekai_core.pipeline.composing.compose import Processor
from isekai_core.types import KINDS, STAGES

PROJECT = "(project)"
"""What stands for a plugin where the processors are of the project itself."""

_STAGE_OF = dict(zip(KINDS, STAGES, strict=True))
_RUNS_NAMED = 5


@dataclass
class Cost:
    """What one processor did, and the seconds in it; as a context manager, it takes the time.

    resources: how often it was asked about one; the seeds that a seeder gave, the resources a loader was done with.
    rows: those that a loader created, updated or linked anew.
    errors: what it raised, or gave that cannot be; also what is tried again.
    """

    stage: str
    processor: str
    plugin: str
    version: str
    resources: int = 0
    rows: int = 0
    errors: int = 0
    seconds: float = 0.0
    _began: float = field(default=0.0, repr=False, compare=False)

    @classmethod
    def of(cls, processor: Processor) -> Self:
        """Nothing yet."""
        return cls(_STAGE_OF[processor.kind], processor.name, processor.plugin, processor.version)

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._began

    def add(self, more: "Cost") -> None:
        """What the same processor did in another process."""
        self.resources += more.resources
        self.rows += more.rows
        self.errors += more.errors
        self.seconds += more.seconds

    def clear(self) -> None:
        """Nothing yet, again."""
        self.resources = self.rows = self.errors = 0
        self.seconds = 0.0

    def as_json(self) -> dict[str, Any]:
        """For the report of a run."""
        return {
            "stage": self.stage,
            "processor": self.processor,
            "plugin": self.plugin,
            "version": self.version,
            "resources": self.resources,
            "rows": self.rows,
            "errors": self.errors,
            "seconds": round(self.seconds, 6),
        }


@dataclass
class Share:
    """What a plugin or a processor cost in some runs.

    resources: each counted once by every processor that was asked about it, in every run.
    """

    name: str
    plugin: str
    version: str
    stages: list[str] = field(default_factory=list)
    resources: int = 0
    rows: int = 0
    errors: int = 0
    seconds: float = 0.0

    @property
    def milliseconds_each(self) -> float:
        """The work for one resource."""
        return self.seconds / self.resources * 1000 if self.resources else 0.0

    def add(self, cost: Mapping[str, Any]) -> None:
        """One more processor, or one more run."""
        if cost["stage"] not in self.stages:
            self.stages = sorted((*self.stages, cost["stage"]), key=STAGES.index)
        self.resources += cost["resources"]
        self.rows += cost["rows"]
        self.errors += cost["errors"]
        self.seconds += cost["seconds"]


@dataclass(frozen=True)
class Bill:
    """What processors cost in some runs.

    shares: the slowest first.
    runs: those that have figures.
    without: how many have none: of an older version, not finished, or lost.
    seconds: how long the runs took that have figures.
    """

    shares: Sequence[Share]
    runs: int
    without: int
    seconds: float


def by_plugin(cost: Mapping[str, Any]) -> Share:
    """Nothing yet of the plugin in its version; the project's own are one, whatever versions they give themselves."""
    version = cost["version"] if cost["plugin"] else ""
    return Share(cost["plugin"] or PROJECT, cost["plugin"] or PROJECT, version)


def by_processor(cost: Mapping[str, Any]) -> Share:
    """Nothing yet of the processor in its version."""
    return Share(cost["processor"], cost["plugin"] or PROJECT, cost["version"])


SHARES: dict[str, Callable[[Mapping[str, Any]], Share]] = {"plugin": by_plugin, "processor": by_processor}
"""What costs can be shared out by."""


def bill(by: str, pipeline: str | None = None, run: int | None = None) -> Bill:
    """What the processors of `pipeline` cost, in all of its runs or in one; of all pipelines without a name.

    Raises `ConfigurationError`, naming the last ones, for a run that is not there.
    """
    runs = Run.objects.order_by("pk")
    if pipeline is not None:
        runs = runs.filter(pipeline=pipeline)
    if run is not None:
        if not runs.filter(pk=run).exists():
            raise _no_run(pipeline, run)
        runs = runs.filter(pk=run)
    shares: dict[tuple[str, str], Share] = {}
    known = without = 0
    took = 0.0
    # A report also holds the tracebacks of seeders: only this part of it is read.
    for costs, started, finished in runs.values_list("report__processors", "started_at", "finished_at").iterator():
        if costs is None:
            without += 1
            continue
        known += 1
        took += (finished - started).total_seconds() if finished else 0.0
        _share_out(costs, SHARES[by], shares)
    slowest_first = sorted(shares.values(), key=lambda share: (-share.seconds, share.name, share.version))
    return Bill(slowest_first, known, without, took)


def _share_out(
    costs: Iterable[Mapping[str, Any]],
    share_of: Callable[[Mapping[str, Any]], Share],
    shares: dict[tuple[str, str], Share],
) -> None:
    for cost in costs:
        empty = share_of(cost)
        shares.setdefault((empty.name, empty.version), empty).add(cost)


def _no_run(pipeline: str | None, run: int) -> ConfigurationError:
    runs = Run.objects.order_by("-pk")
    if pipeline is not None:
        runs = runs.filter(pipeline=pipeline)
    last = ", ".join(str(pk) for pk in runs.values_list("pk", flat=True)[:_RUNS_NAMED])
    owner = f"pipeline {pipeline!r} has" if pipeline is not None else "there is"
    return ConfigurationError(f"{owner} no run {run}; the last ones: {last or 'none, it was never run'}")
