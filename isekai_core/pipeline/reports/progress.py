"""Progress: one bar for each stage that moves. It must never slow a run, and never break one."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from isekai_core.pipeline.reports.readable import printable
from isekai_core.pipeline.reports.standing import UNFINISHED, standing_of
from isekai_core.pipeline.tally import Progress, Quiet
from isekai_core.types import STAGES

_REFRESH_SECONDS = 0.1
_COUNT_SECONDS = 1.0
_COLUMNS, _LINES = 80, 24
_SHARE = 50
"""Counting what is to come takes one part in so many of the time at most."""


class Lines:
    """Where there is no terminal: only what a person must know, line by line."""

    def advance(self, stage: str, done: int, total: int | None) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """One line on standard error."""
        _quietly(lambda: sys.stderr.write(f"isekai: {printable(text)}\n"))


class Bars:
    """A tqdm bar for each stage that moves, on standard error.

    What is to come is counted in the journal now and then: a stage has before it all that is unfinished and
    has not completed it.
    """

    def __init__(self, pipeline: str) -> None:
        from tqdm.auto import tqdm  # type: ignore[import-untyped]  # noqa: PLC0415 - only where bars are shown

        self._make: Any = tqdm
        self._pipeline = pipeline
        self._bars: dict[str, Any] = {}
        self._due: dict[str, float] = {}
        self._done: dict[str, int] = {}
        self._totals: dict[str, int] = {}
        self._count_due = 0.0
        self._is_working = True

    def advance(self, stage: str, done: int, total: int | None) -> None:
        """Show `done` of `total`, or of what the journal knows; ten times a second at most."""
        self._done[stage] = done
        now = time.monotonic()
        if not self._is_working or now < self._due.get(stage, 0.0):
            return
        self._due[stage] = now + _REFRESH_SECONDS
        self._is_working = _quietly(lambda: self._show(stage, done, total))

    def _show(self, stage: str, done: int, total: int | None) -> None:
        total = total if total is not None else self._expected(stage, done)
        if stage not in self._bars:
            self._bars[stage] = self._make(
                desc=f"{stage:>9}",
                total=total,
                initial=done,
                unit=" resources",
                file=sys.stderr,
                position=len(self._bars),
                **_shape(),
                leave=False,
                mininterval=0,
                miniters=1,
            )
        bar = self._bars[stage]
        bar.total = total
        bar.update(done - bar.n)

    def _expected(self, stage: str, done: int) -> int | None:
        if stage == "seed":
            return None
        start = time.monotonic()
        if start >= self._count_due:
            standing = standing_of(self._pipeline, *UNFINISHED)
            self._totals = {verb: self._done.get(verb, 0) + standing.still_before(verb) for verb in STAGES}
            self._count_due = start + max(_COUNT_SECONDS, (time.monotonic() - start) * _SHARE)
        return max(self._totals.get(stage, 0), done)

    def say(self, text: str) -> None:
        """One line above the bars."""
        _quietly(lambda: self._make.write(f"isekai: {printable(text)}", file=sys.stderr))

    def close(self) -> None:
        """Take the bars away."""
        for bar in reversed(self._bars.values()):
            _quietly(bar.close)


def _shape() -> dict[str, Any]:
    """As wide as the terminal is; some say that they have no columns at all, and tqdm would believe it."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return {"dynamic_ncols": True} if columns else {"ncols": _COLUMNS, "nrows": _LINES}


def _quietly(show: Callable[[], object]) -> bool:
    """Whether it could be shown. A terminal that went away is no reason to stop a run."""
    try:
        show()
    except Exception:
        return False
    return True


@contextmanager
def watched(pipeline: str, progress: Progress | bool) -> Iterator[Progress]:
    """`progress` itself; bars for True, nothing for False."""
    if not isinstance(progress, bool):
        yield progress
    elif not progress:
        yield Quiet()
    else:
        bars = Bars(pipeline)
        try:
            yield bars
        finally:
            bars.close()


@contextmanager
def shown_progress(pipeline: str, *, quiet: bool) -> Iterator[Progress]:
    """Bars on a terminal, lines elsewhere, nothing at all when `quiet`."""
    shown = Lines() if not quiet and not _is_terminal() else not quiet
    with watched(pipeline, shown) as progress:
        yield progress


def _is_terminal() -> bool:
    try:
        return bool(sys.stderr.isatty())
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False
