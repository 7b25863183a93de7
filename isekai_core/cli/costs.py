"""What `isekai status --by` shows: what each plugin or each processor cost."""

from collections.abc import Iterator, Sequence
from typing import Any

from isekai_core.cli.output import print_json
from isekai_core.cli.tables import clean_output, counted, print_counts, print_lines, seconds
from isekai_core.pipeline.costs import Bill, Share, bill
from isekai_core.pipeline.reports.readable import printable
from isekai_core.pipeline.reports.standing import require_known


def show_costs(by: str, name: str | None, run: int | None, *, as_json: bool) -> None:
    """Print the costs by `plugin` or by `processor`: of one pipeline or all, in all runs or in one."""
    if name is not None:
        with clean_output():
            require_known(name)
    found = bill(by, name, run)
    if as_json:
        print_json(_as_json(found, by, name, run))
        return
    if not found.runs:
        print(_nothing(found, name, run))
        return
    print_lines(_title(found, by, name, run))
    if found.shares:
        print()
        _print_shares(found.shares, by)
    print()
    print_lines(_remarks(found))


def _nothing(found: Bill, name: str | None, run: int | None) -> str:
    if run is not None:
        return f"run {run} has no figures of processors: {_WITHOUT}"
    number = f"none of the {found.without:,} runs has" if found.without > 1 else "the only run has no"
    runs = number if found.without else "there is no run yet that has"
    return f"{runs} figures of processors{f': {_WITHOUT}' if found.without else ''}; isekai run {name or 'NAME'}"


def _title(found: Bill, by: str, name: str | None, run: int | None) -> Iterator[str]:
    whose = name or "all pipelines"
    runs = f"run {run}" if run is not None else counted(found.runs, "run")
    yield f"{whose}: what each {by} cost in {runs} of {seconds(found.seconds)} seconds (the slowest first)"


def _print_shares(shares: Sequence[Share], by: str) -> None:
    # The table stands numbers to the right, and these are words.
    versions = _padded(["version", *(printable(share.version) for share in shares)])
    stages = _padded(["stages", *(", ".join(share.stages) for share in shares)])
    rows: list[tuple[str | int, ...]] = [
        (
            printable(share.name),
            version,
            worked,
            share.resources,
            seconds(share.seconds),
            f"{share.milliseconds_each:.2f}",
            share.rows,
            share.errors,
        )
        for share, version, worked in zip(shares, versions[1:], stages[1:], strict=True)
    ]
    print_counts(
        (by.capitalize(), versions[0], stages[0], "resources", "seconds", "ms each", "rows", "errors"),
        rows,
    )


def _padded(words: Sequence[str]) -> list[str]:
    width = max(map(len, words))
    return [word.ljust(width) for word in words]


_WITHOUT = "of an older version, not finished, or lost"


def _remarks(found: Bill) -> Iterator[str]:
    yield "seconds are those inside the processors; of fetches at the same time, all are added up, waiting included"
    yield "errors are what was raised in these runs; what is failed now: isekai errors NAME"
    if found.without:
        have = "has" if found.without == 1 else "have"
        yield f"{counted(found.without, 'further run')} {have} no such figures: {_WITHOUT}"


def _as_json(found: Bill, by: str, name: str | None, run: int | None) -> dict[str, Any]:
    return {
        "schema": 1,
        "by": by,
        "pipeline": name,
        "run": run,
        "runs": found.runs,
        "runs_without_figures": found.without,
        "run_seconds": round(found.seconds, 3),
        "costs": [_share_json(share, by) for share in found.shares],
    }


def _share_json(share: Share, by: str) -> dict[str, Any]:
    named = {"processor": share.name} if by == "processor" else {}
    return {
        **named,
        "plugin": share.plugin,
        "version": share.version,
        "stages": share.stages,
        "resources": share.resources,
        "seconds": round(share.seconds, 6),
        "milliseconds_each": round(share.milliseconds_each, 3),
        "rows": share.rows,
        "errors": share.errors,
    }
