"""What `isekai run` says at the end: per stage and per model, then the failures, then what to type next."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from isekai_core.cli.causes import cause_lines, causes_json, seed_error_lines
from isekai_core.cli.tables import counted, print_counts, print_lines, seconds
from isekai_core.pipeline.engine import RunResult
from isekai_core.pipeline.reports.causes import Cause, short_ids
from isekai_core.pipeline.reports.standing import Standing
from isekai_core.types import STAGES, State

OUTCOMES = ("done", "changed", "unchanged", "failed", "blocked", "skipped", "retry")
ACTIONS = ("created", "updated", "unchanged", "relinked")
_IDLE = ("unchanged", "blocked")
_CAUSES_SHOWN = 5


def print_summary(result: RunResult, standing: Standing, found: Sequence[Cause]) -> None:
    """Print the whole of it."""
    _print_stages(result)
    if result.models:
        print()
        columns = _columns(ACTIONS, result.models.values())
        print_counts(("Model", *columns), [(model, *_counts(n, columns)) for model, n in result.models.items()])
    print()
    print_lines(verdict(result, standing))
    if failures := list(failure_lines(result, found)):
        print()
        print_lines(failures)


def _print_stages(result: RunResult) -> None:
    moved = {stage: counts for stage in STAGES if any((counts := result.stages.get(stage, {})).values())}
    if not moved:
        return
    columns = _columns(OUTCOMES, moved.values())
    rows: list[tuple[str | int, ...]] = [
        (stage, *_counts(counts, columns), seconds(result.stage_seconds.get(stage, 0.0)))
        for stage, counts in moved.items()
    ]
    print_counts(("Stage", *columns, "seconds"), rows)


def _columns(known: Iterable[str], rows: Iterable[Mapping[str, int]]) -> list[str]:
    there = {name for counts in rows for name, number in counts.items() if number}
    return [name for name in known if name in there]


def _counts(counts: Mapping[str, int], columns: Iterable[str]) -> list[int]:
    return [counts.get(name, 0) for name in columns]


def verdict(result: RunResult, standing: Standing) -> Iterator[str]:
    """What the run comes to, in a sentence or two."""
    took = f"run {result.run} took {seconds(result.seconds)} seconds"
    yield f"{_what_changed(result, standing)}; {took}"
    unfinished = standing.total - standing.of(State.DONE, State.SKIPPED, State.FAILED, State.BLOCKED)
    if unfinished:
        are = "is" if unfinished == 1 else "are"
        yield f"{counted(unfinished, 'resource')} {are} not finished; isekai run {result.pipeline} goes on with them"


def _what_changed(result: RunResult, standing: Standing) -> str:
    if result.changed:
        return _rows_written(result)
    if not standing.total:
        return "nothing to do: the seeders gave nothing"
    worked = {
        stage: sum(number for name, number in counts.items() if name not in _IDLE)
        for stage, counts in result.stages.items()
    }
    if any(worked.values()):
        return "no row changed"
    if looked := result.stages.get("extract", {}).get("unchanged"):
        return f"nothing changed: {counted(looked, 'resource')} looked at again, all as they were"
    done = counted(standing.of(State.DONE), "resource")
    return f"nothing to do: no seed is new or changed, and {done} {'is' if done.startswith('1 ') else 'are'} done"


def _rows_written(result: RunResult) -> str:
    """`4 rows created, 2 relinked`: one that was created may be relinked by the same run."""
    totals = {action: sum(counts.get(action, 0) for counts in result.models.values()) for action in ACTIONS}
    first, *rest = [(number, action) for action, number in totals.items() if number and action != "unchanged"]
    return ", ".join([f"{counted(first[0], 'row')} {first[1]}", *(f"{number:,} {action}" for number, action in rest)])


def failure_lines(result: RunResult, found: Sequence[Cause]) -> Iterator[str]:
    """What is failed or blocked, by cause; and what ended a seeder. Nothing where nothing is."""
    if result.seed_errors:
        yield f"{counted(len(result.seed_errors), 'error')} of seeders; what they gave before is kept:"
        yield from seed_error_lines(result.seed_errors)
        yield ""
    shown = [cause for cause in found if cause.state != State.RETRY_WAIT]
    if not shown:
        return
    yield f"{_standing_now(result)}:"
    yield from cause_lines(shown[:_CAUSES_SHOWN], short_ids(found))
    if len(shown) > _CAUSES_SHOWN:
        yield f"  … and {counted(len(shown) - _CAUSES_SHOWN, 'cause')} more"
    yield ""
    name = result.pipeline
    yield f"all of them: isekai errors {name}; to try them again: isekai retry {name}, then isekai run {name}"


def _standing_now(result: RunResult) -> str:
    parts = [
        f"{number:,} {word}" for number, word in ((result.failed, "failed"), (result.blocked, "blocked")) if number
    ]
    is_new = any(counts.get("failed") for counts in result.stages.values())
    return " and ".join(parts) + ("" if is_new else ", as after an earlier run")


def summary_json(result: RunResult, standing: Standing, found: Sequence[Cause]) -> dict[str, Any]:
    """The same for machines: every key is always there."""
    return {
        "schema": 1,
        "pipeline": result.pipeline,
        "run": result.run,
        "complete": result.is_complete,
        "changed": result.changed,
        "seconds": result.seconds,
        "stages": {
            stage: {
                **{outcome: result.stages.get(stage, {}).get(outcome, 0) for outcome in OUTCOMES},
                "seconds": result.stage_seconds.get(stage, 0.0),
            }
            for stage in STAGES
        },
        "models": {
            model: {action: counts.get(action, 0) for action in ACTIONS} for model, counts in result.models.items()
        },
        "resources": {state.value: standing.of(state) for state in State},
        "causes": causes_json(found, short_ids(found)),
        "seed_errors": result.seed_errors,
    }
