"""What `isekai slice` does, once there is a project."""

import argparse
import importlib.util
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isekai_core.cli.output import print_json, print_table, remark
from isekai_core.cli.tables import clean_output, counted, print_counts, size
from isekai_core.conf import did_you_mean
from isekai_core.errors import ConfigurationError, IsekaiError, PlanError
from isekai_core.slicing.budget import Proposal
from isekai_core.slicing.circles import notes_of_plan
from isekai_core.slicing.job import ImportJob
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
        remark(note)
    remark("these are estimates; nothing was exported")
    return 0


def _lines(model: str, one: Estimate) -> Iterator[tuple[str, str, str, str]]:
    """A line for the table and its first reason, and one for each further reason."""
    reasons = one.lines()
    yield model, f"{one.rows:,}", size(one.bytes), "".join(reasons[:1])
    yield from (("", "", "", text) for text in reasons[1:])


def _budget(options: argparse.Namespace) -> int:
    jobs = _jobs(options.jobs)
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
    target = _made("File", options.target, overwrite=options.overwrite, compress=options.compress)
    masks = "required" if options.require_masks else "optional"
    jobs = _jobs(options.jobs)
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
            _made("File", options.folder),
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
    problems = problems_in(_made("File", options.folder))
    if options.json:
        print_json({"schema": 1, "ok": not problems, "problems": problems})
    else:
        print("\n".join(problems) or f"{options.folder}: whole and unchanged")
    return int(bool(problems))


def diff(options: argparse.Namespace) -> int:
    """Say what differs; 1 when something does."""
    found = differences(_made("File", options.folder).reader(), _made("File", options.other).reader())
    if options.json:
        print_json({"schema": 1, **found.as_dict()})
    else:
        print(str(found))
    return int(bool(found))


def _show(result: SliceResult, *, as_json: bool) -> int:
    if as_json:
        tables = [
            {"model": t.model, "rows": t.rows, "created": t.created, "updated": t.updated, "unchanged": t.unchanged}
            for t in result.tables
        ]
        notes = list(result.notes)
        print_json({"schema": 1, "source": result.source, "target": result.target, "tables": tables, "notes": notes})
        return 0
    rows = [(t.model, t.rows, t.created, t.updated, t.unchanged) for t in result.tables]
    print_counts(("Model", "rows", "created", "updated", "unchanged"), rows)
    print(f"{result.source} → {result.target}: {counted(result.rows, 'row')}")
    for note in result.notes:
        print(note)
    return 0


def _database(text: str) -> Any:
    """A source or target for an address, or for an alias of Django's DATABASES."""
    if "://" in text:
        return _made("Postgres", text)
    from django.db import connections  # noqa: PLC0415 - with a project only

    if text not in connections.settings:
        hint = did_you_mean(text, connections.settings)
        known = ", ".join(connections.settings)
        msg = f"there is no database {text!r}{hint}: expected postgresql://…, or one of Django's DATABASES, {known}"
        raise ConfigurationError(msg)
    is_postgres = connections[text].vendor == "postgresql"
    return _made("Postgres", alias=text) if is_postgres else _made("Orm", text)


def _plan(options: argparse.Namespace) -> SlicePlan:
    jobs = _jobs(options.jobs)
    return jobs if isinstance(jobs, SlicePlan) else plan_of(jobs, seed=options.seed)


def _jobs(text: str) -> SlicePlan | Sequence[ImportJob]:
    """What `slices.py:dev_org` names: jobs, a plan, or a function that returns one or the other."""
    path, colon, name = text.rpartition(":")
    file = Path(path)
    if not colon or not file.is_file() or file.suffix != ".py":
        gone = f"; there is no file {path}" if colon and file.suffix == ".py" and not file.exists() else ""
        msg = f"{text!r}: expected a Python file and a name in it, such as slices.py:dev_org{gone}"
        raise ConfigurationError(msg)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None, "a file that ends in .py has a loader"
    assert spec.loader is not None, "the same"
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except PlanError:
        raise
    except Exception as error:
        msg = f"{file} cannot be imported: {type(error).__name__}: {error}; --traceback shows where"
        raise ConfigurationError(msg) from error
    if not hasattr(module, name):
        known = [one for one in vars(module) if not one.startswith("_")]
        msg = f"{file} has no {name!r}{did_you_mean(name, known)}"
        raise ConfigurationError(msg)
    found = _called(text, getattr(module, name))
    if not isinstance(found, SlicePlan | list | tuple):
        msg = f"{text}: expected a list of ImportJob, or DataSlicer.plan(…), got {type(found).__name__}"
        raise ConfigurationError(msg)
    return found


def _called(text: str, found: Any) -> Any:
    """What a function gives, and anything else as it is; what it raises is the project's, and no defect of ours."""
    if isinstance(found, SlicePlan) or not callable(found):
        return found
    try:
        return found()
    except IsekaiError:
        raise
    except Exception as error:
        msg = f"{text} cannot be called: {type(error).__name__}: {error}; --traceback shows where"
        raise ConfigurationError(msg) from error


def _made(kind: str, *arguments: Any, **options: Any) -> Any:
    """`DataSlicer.<kind>`, whose options are what somebody typed."""
    try:
        return getattr(DataSlicer, kind)(*arguments, **options)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
