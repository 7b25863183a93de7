"""What `isekai status` shows: all pipelines in a line each, or one of them in detail."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from isekai_core.cli.causes import cause_lines, causes_json, seed_error_lines
from isekai_core.cli.output import print_json, remark
from isekai_core.cli.tables import clean_output, counted, moment, print_counts, print_lines, seconds
from isekai_core.models import Run
from isekai_core.pipeline.composing.discover import advice, survey
from isekai_core.pipeline.reports.causes import Cause, causes, short_ids
from isekai_core.pipeline.reports.readable import printable
from isekai_core.pipeline.reports.standing import (
    StageReport,
    Standing,
    duration_of,
    last_report,
    last_runs,
    require_known,
    seed_errors,
    stage_reports,
    standing_of,
    standings,
    state_of,
)
from isekai_core.types import Stage, State

_EXAMPLES = 1
_CAUSES_SHOWN = 10
_RUNS_SHOWN = 5


def show_all(*, as_json: bool) -> None:
    with clean_output():
        seen = survey()
    for broken in seen.broken:
        remark(printable(str(broken)))
    defined = seen.found
    known = standings()
    rows = {name: known.get(name, Standing(name)) for name in sorted({*defined, *known})}
    last = {name: last_runs(name, 1) for name in rows}
    if as_json:
        print_json({"schema": 1, "pipelines": [_brief(rows[name], last[name], name in defined) for name in rows]})
    elif rows:
        print_counts(
            ("Pipeline", "resources", *(_word(state) for state in State), "last run"),
            [(name, s.total, *(s.of(state) for state in State), _last_run(last[name])) for name, s in rows.items()],
        )
    else:
        print(f"no pipelines: {advice()}")


def _word(state: State) -> str:
    return "waiting" if state == State.RETRY_WAIT else state.value


def _last_run(runs: Sequence[Run]) -> str:
    return f"{moment(runs[0].started_at)} {state_of(runs[0])}" if runs else "never"


def _brief(standing: Standing, runs: Sequence[Run], is_defined: bool) -> dict[str, Any]:
    return {
        "pipeline": standing.pipeline,
        "defined": is_defined,
        "resources": standing.total,
        "states": {state.value: standing.of(state) for state in State},
        "last_run": _run_json(runs[0]) if runs else None,
    }


def show_one(name: str, *, as_json: bool) -> None:
    with clean_output():
        require_known(name)
    standing, runs = standing_of(name), last_runs(name, _RUNS_SHOWN)
    reported = last_report(name)
    reports = stage_reports(reported) if reported else []
    found = causes(name, examples=_EXAMPLES)
    short = short_ids(found)
    errors = seed_errors(name)
    if as_json:
        print_json(
            {
                "schema": 1,
                "pipeline": name,
                "resources": standing.total,
                "stages": {s.value: {state.value: standing.at(s, state) for state in State} for s in Stage},
                "runs": [_run_json(run) for run in runs],
                "last_report": _reports_json(reported, reports),
                "causes": causes_json(found, short),
                "seed_errors": errors,
            }
        )
        return
    print(f"{name}: {counted(standing.total, 'resource')}")
    if standing.total:
        print()
        _print_states(standing)
    _print_runs(name, runs)
    _print_costs(reported, reports)
    print_lines(_failures(name, found, short, errors))


def _print_states(standing: Standing) -> None:
    there = [state for state in State if standing.of(state)]
    rows: list[tuple[str | int, ...]] = [
        (stage.value, *(standing.at(stage, state) for state in there), sum(standing.at(stage, s) for s in there))
        for stage in Stage
    ]
    print_counts(("Completed stage", *(_word(state) for state in there), "total"), rows)


def _print_runs(name: str, runs: Sequence[Run]) -> None:
    print()
    if not runs:
        print(f"never run; isekai run {name}")
        return
    rows = []
    for run in runs:
        took = duration_of(run)
        done = seconds(took.total_seconds()) if took is not None else ""
        rows.append((f"{run.pk}  {moment(run.started_at)}", done, state_of(run), f"process {run.pid} on {run.host}"))
    print_counts(("Run", "seconds", "outcome", "who"), rows)
    if runs[0].finished_at is None:
        print(_unfinished(name, runs[0]))


def _unfinished(name: str, run: Run) -> str:
    process = f"run {run.pk} is not finished: process {run.pid} on {run.host}"
    sign = f"its last sign of life was at {moment(run.heartbeat_at)}"
    if state_of(run) == "running":
        return f"{process} is at work, {sign}"
    return f"{process} is gone, {sign}; isekai run {name} goes on where it was"


def _print_costs(run: Run | None, reports: Sequence[StageReport]) -> None:
    moved = [report for report in reports if report.resources]
    if run is None or not moved:
        return
    print()
    print(f"What run {run.pk} cost (the slowest stage first):")
    print_counts(
        ("Stage", "resources", "seconds", "ms each"),
        [
            (report.stage, report.resources, seconds(report.seconds), f"{report.milliseconds_each:.1f}")
            for report in sorted(moved, key=lambda report: -report.seconds)
        ],
    )


def _failures(
    name: str, found: Sequence[Cause], short: Mapping[str, str], errors: Sequence[Mapping[str, str]]
) -> Iterator[str]:
    yield ""
    if not found and not errors:
        yield "nothing is failed, blocked or waiting for another try"
        return
    if errors:
        yield "The last run's seeders ended early:"
        yield from seed_error_lines(errors)
    if found:
        yield "By cause:"
        yield from cause_lines(found[:_CAUSES_SHOWN], short)
        if len(found) > _CAUSES_SHOWN:
            yield f"  … and {counted(len(found) - _CAUSES_SHOWN, 'cause')} more"
    yield f"more of them: isekai errors {name}"


def _run_json(run: Run) -> dict[str, Any]:
    took = duration_of(run)
    return {
        "run": run.pk,
        "outcome": run.outcome,
        "state": state_of(run),
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "seconds": round(took.total_seconds(), 3) if took is not None else None,
        "host": run.host,
        "pid": run.pid,
        "heartbeat_at": run.heartbeat_at.isoformat(),
    }


def _reports_json(run: Run | None, reports: Sequence[StageReport]) -> dict[str, Any] | None:
    if run is None:
        return None
    stages = {report.stage: {"outcomes": report.outcomes, "seconds": report.seconds} for report in reports}
    return {"run": run.pk, "stages": stages, "models": run.report.get("models", {})}
