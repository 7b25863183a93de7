"""What `isekai slice` does, once there is a project; `verify` and `diff` do without one."""

import argparse
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isekai_core.cli.jobs import jobs_of
from isekai_core.cli.output import print_json, print_table, remark
from isekai_core.cli.spelling import as_typed
from isekai_core.cli.tables import clean_output, counted, print_counts, print_lines, size
from isekai_core.conf import did_you_mean
from isekai_core.errors import ConfigurationError
from isekai_core.slicing.budget import Proposal
from isekai_core.slicing.circles import notes_of_plan
from isekai_core.slicing.plan import plan_of
from isekai_core.slicing.slicer import DataSlicer, SliceResult
from isekai_core.slicing.verify import diff as differences
from isekai_core.slicing.verify import verify as problems_in
from isekai_core.types.estimates import Estimate
from isekai_core.types.slices import SlicePlan


def plan(options: argparse.Namespace) -> int:
    """Rows and bytes of every table, as the database believes, and why; with a budget, limits that meet it."""
    if options.budget is not None:
        return _budget(options)
    wanted = _plan(options)
    with clean_output():
        found = _database(options.source).estimate(wanted)
    if options.json:
        tables = [{"model": model, **asdict(one)} for model, one in found.items()]
        print_json({"schema": 1, "tables": tables, "notes": notes_of_plan(wanted)})
        return 0
    rows = [line for model, one in found.items() for line in _lines(model, one)]
    total = (f"{sum(e.rows for e in found.values()):,}", size(sum(e.bytes for e in found.values())))
    print_table(("Model", "Rows", "Size", "Because"), [*rows, ("", *total, "")])
    for note in notes_of_plan(wanted):
        remark(as_typed(note))
    remark("these are estimates; nothing was exported")
    return 0


def _lines(model: str, one: Estimate) -> Iterator[tuple[str, str, str, str]]:
    """A line for the table and its first reason, and one for each further reason."""
    reasons = one.lines()
    yield model, f"{one.rows:,}", size(one.bytes), "".join(reasons[:1])
    yield from (("", "", "", text) for text in reasons[1:])


def _budget(options: argparse.Namespace) -> int:
    jobs = jobs_of(options.jobs)
    with clean_output():
        found = DataSlicer.propose(_database(options.source), jobs, budget=options.budget)
    if options.json:
        tables = [
            {
                "model": model,
                "rows": one.rows,
                "bytes": one.bytes,
                "limit": found.limits.get(model),
                "advice": one.advice,
                "within": {"rows": found.estimates[model].rows, "bytes": found.estimates[model].bytes},
            }
            for model, one in found.before.items()
        ]
        print_json({"schema": 1, "budget": found.budget, "tables": tables})
        return 0
    rows = [
        (model, *_sizes(one), *_sizes(found.estimates[model]), _limit(found, model))
        for model, one in found.before.items()
    ]
    total = [_sizes(Estimate(sum(e.rows for e in some), sum(e.bytes for e in some)))
             for some in (found.before.values(), found.estimates.values())]  # fmt: skip
    headers = ("Model", "Rows", "Size", f"Within {found.budget}", "Size", "Limit")
    print_table(headers, [*rows, ("", *total[0], *total[1], "")])
    for model, one in found.before.items():
        if one.advice:
            remark(f"{model}: {one.lines()[-1]}")
    remark("these are estimates; nothing was exported. The limits are for the jobs as they stand")
    return 0


def _sizes(one: Estimate) -> tuple[str, str]:
    return f"{one.rows:,}", size(one.bytes)


def _limit(found: Proposal, model: str) -> str:
    return f"limit={found.limits[model]}" if model in found.limits else ""


def export(options: argparse.Namespace) -> int:
    """Cut the slice."""
    target = _folder(options.target, overwrite=options.overwrite, compress=options.compress)
    masks = "required" if options.require_masks else "optional"
    jobs = jobs_of(options.jobs)
    with clean_output():
        wanted = jobs if isinstance(jobs, SlicePlan) else plan_of(jobs, seed=options.seed, masks=masks)
        result = DataSlicer.run(
            _database(options.source),
            target,
            wanted,
            masks=masks,
            workers=options.workers,
            files=options.files if options.files == "placeholder" else options.files is not None,
            missing_files=options.missing_files,
        )
    return _show(result, as_json=options.json)


def load(options: argparse.Namespace) -> int:
    """Load the slice."""
    name = options.name or Path(options.folder).resolve().name
    with clean_output():
        result = DataSlicer.run(
            _folder(options.folder),
            _database(options.target),
            ids=options.ids,
            on_conflict=options.on_conflict,
            dangling=options.dangling,
            constraints=options.constraints,
            files=options.files,
            name=name,
        )
    status = _show(result, as_json=options.json)
    if not options.json:
        target = shlex.quote(_shown(options.target))
        remark(f"to take it out again: isekai slice unload {shlex.quote(name)} --target {target}")
    return status


def _shown(database: str) -> str:
    """An alias as it is; an address may hold a password."""
    return "DATABASE" if "://" in database else database


def unload(options: argparse.Namespace) -> int:
    """Take the rows of the slice out again."""
    with clean_output():
        target = _database(options.target)
        removed = target.unload(options.name)
    return _show(SliceResult(removed, options.name, target.name), as_json=options.json)


def verify(options: argparse.Namespace) -> int:
    """Say what is wrong with the slice; 1 when something is."""
    problems = problems_in(_folder(options.folder))
    if options.json:
        print_json({"schema": 1, "ok": not problems, "problems": problems})
    else:
        print("\n".join(problems) or f"{options.folder}: whole and unchanged")
    return int(bool(problems))


def diff(options: argparse.Namespace) -> int:
    """Say what differs; 1 when something does."""
    one, other = _folder(options.folder), _folder(options.other)
    found = differences(one.reader(), other.reader())
    if options.json:
        print_json({"schema": 1, **found.as_dict()})
    else:
        print(str(found))
    return int(bool(found))


def _show(result: SliceResult, *, as_json: bool) -> int:
    notes = [as_typed(note) for note in result.notes]
    if as_json:
        tables = [
            {"model": t.model, "rows": t.rows, "created": t.created, "updated": t.updated, "unchanged": t.unchanged}
            for t in result.tables
        ]
        print_json({"schema": 1, "source": result.source, "target": result.target, "tables": tables, "notes": notes})
        return 0
    rows = [(t.model, t.rows, t.created, t.updated, t.unchanged) for t in result.tables]
    print_counts(("Model", "rows", "created", "updated", "unchanged"), rows)
    print(f"{result.source} → {result.target}: {counted(result.rows, 'row')}")
    print_lines(notes)
    return 0


def _folder(text: str, **options: Any) -> Any:
    """A folder for a bundle; an address is none, and its password is in no name of a folder then."""
    if not text or "://" in text:
        got = "an address" if text else "nothing"
        msg = f"expected a folder, got {got}: a slice is cut into a folder, and loaded from there into a database"
        raise ConfigurationError(msg)
    return _made("File", text, **options)


def _database(text: str) -> Any:
    """A source or target for an address, or for an alias of Django's DATABASES."""
    from django.db import connections  # noqa: PLC0415 - with a project only

    if text.startswith(("postgresql://", "postgres://")):
        return _made("Postgres", text)
    if text not in connections.settings:
        raise ConfigurationError(_unknown(text, connections.settings))
    is_postgres = connections[text].vendor == "postgresql"
    return _made("Postgres", alias=text) if is_postgres else _made("Orm", text)


def _unknown(text: str, known: Iterable[str]) -> str:
    """What is said of a database that is not there, without what may hold a password."""
    expected = f"expected postgresql://…, or one of Django's DATABASES, {', '.join(known)}"
    scheme, is_address, _ = text.partition("://")
    if is_address:
        other = "a database of another kind is named by its alias there, and goes through DataSlicer.Orm"
        return f"{scheme}:// is no address of PostgreSQL: {expected}; {other}"
    if {"@", "="} & set(text):
        return f"there is no such database: {expected}"
    return f"there is no database {text!r}{did_you_mean(text, known)}: {expected}"


def _plan(options: argparse.Namespace) -> SlicePlan:
    jobs = jobs_of(options.jobs)
    return jobs if isinstance(jobs, SlicePlan) else plan_of(jobs, seed=options.seed)


def _made(kind: str, *arguments: Any, **options: Any) -> Any:
    """`DataSlicer.<kind>`, whose options are what somebody typed."""
    try:
        return getattr(DataSlicer, kind)(*arguments, **options)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
