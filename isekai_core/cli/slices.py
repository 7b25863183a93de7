"""What `isekai slice` does, once there is a project."""

import argparse
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from isekai_core.cli.output import print_json, print_table, remark
from isekai_core.cli.tables import clean_output, counted, print_counts, size
from isekai_core.conf import did_you_mean
from isekai_core.errors import ConfigurationError, PlanError
from isekai_core.slicing.job import ImportJob
from isekai_core.slicing.plan import plan_of
from isekai_core.slicing.slicer import DataSlicer, SliceResult
from isekai_core.slicing.verify import diff as differences
from isekai_core.slicing.verify import verify as problems_in
from isekai_core.types.slices import SlicePlan


def plan(options: argparse.Namespace) -> int:
    """Rows and bytes of every table, as the database believes."""
    wanted = _plan(options)
    with clean_output():
        found = _database(options.source).estimate(wanted)
    if options.json:
        tables = [{"model": model, "rows": e.rows, "bytes": e.bytes} for model, e in found.items()]
        print_json({"schema": 1, "tables": tables})
        return 0
    rows = [(model, e.rows, size(e.bytes), _why(wanted, model)) for model, e in found.items()]
    total = (f"{sum(e.rows for e in found.values())}", size(sum(e.bytes for e in found.values())))
    print_table(("Model", "Rows", "Size", "Because"), [*rows, ("", *total, "")])
    remark("these are the database's own estimates; nothing was read")
    return 0


def _why(wanted: SlicePlan, model: str) -> str:
    table = wanted.table(model)
    parts = [f"rows of {other}.{column} point to them" for other, column in table.closure]
    if not parts:
        parts = [f"with their {column.reference.model}" for column in table.parents if column.reference]
        parts += [f"at most {table.limit}"] if table.limit is not None else []
        parts += [f"at most {one.limit} per {one.field}" for one in table.per]
        parts += [f"a share of {table.sample:g}"] if table.sample is not None else []
    return ", ".join(dict.fromkeys(parts)) or ("all rows" if table.is_whole else "the job's query")


def export(options: argparse.Namespace) -> int:
    """Cut the slice."""
    target = DataSlicer.File(options.target, overwrite=options.overwrite, compress=options.compress)
    masks = "required" if options.require_masks else "optional"
    jobs = _jobs(options.jobs)
    with clean_output():
        wanted = jobs if isinstance(jobs, SlicePlan) else plan_of(jobs, seed=options.seed, masks=masks)
        result = DataSlicer.run(
            _database(options.source),
            target,
            wanted,
            workers=options.workers,
            files=options.files if options.files == "placeholder" else options.files is not None,
            missing_files=options.missing_files,
        )
    return _show(result, as_json=options.json)


def load(options: argparse.Namespace) -> int:
    """Load the slice."""
    with clean_output():
        result = DataSlicer.run(
            DataSlicer.File(options.folder),
            _database(options.target),
            ids=options.ids,
            on_conflict=options.on_conflict,
            dangling=options.dangling,
            constraints=options.constraints,
            files=options.files,
            name=options.name or Path(options.folder).resolve().name,
        )
    return _show(result, as_json=options.json)


def unload(options: argparse.Namespace) -> int:
    """Take the rows of the slice out again."""
    with clean_output():
        target = _database(options.target)
        removed = target.unload(options.name)
    return _show(SliceResult(removed, options.name, target.name), as_json=options.json)


def verify(options: argparse.Namespace) -> int:
    """Say what is wrong with the slice; 1 when something is."""
    problems = problems_in(DataSlicer.File(options.folder))
    if options.json:
        print_json({"schema": 1, "ok": not problems, "problems": problems})
    else:
        print("\n".join(problems) or f"{options.folder}: whole and unchanged")
    return int(bool(problems))


def diff(options: argparse.Namespace) -> int:
    """Say what differs; 1 when something does."""
    found = differences(DataSlicer.File(options.folder).reader(), DataSlicer.File(options.other).reader())
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
        return DataSlicer.Postgres(text)
    from django.db import connections  # noqa: PLC0415 - with a project only

    if text not in connections.settings:
        hint = did_you_mean(text, connections.settings)
        known = ", ".join(connections.settings)
        msg = f"there is no database {text!r}{hint}: expected postgresql://…, or one of Django's DATABASES, {known}"
        raise ConfigurationError(msg)
    is_postgres = connections[text].vendor == "postgresql"
    return DataSlicer.Postgres(alias=text) if is_postgres else DataSlicer.Orm(text)


def _plan(options: argparse.Namespace) -> SlicePlan:
    jobs = _jobs(options.jobs)
    return jobs if isinstance(jobs, SlicePlan) else plan_of(jobs, seed=options.seed)


def _jobs(text: str) -> SlicePlan | Sequence[ImportJob]:
    """What `slices.py:dev_org` names: jobs, a plan, or a function that returns one or the other."""
    path, colon, name = text.rpartition(":")
    file = Path(path)
    if not colon or not file.is_file():
        msg = f"{text!r}: expected a Python file and a name in it, such as slices.py:dev_org"
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
    found = getattr(module, name)
    found = found() if callable(found) and not isinstance(found, SlicePlan) else found
    if not isinstance(found, SlicePlan | list | tuple):
        msg = f"{text}: expected a list of ImportJob, or DataSlicer.plan(…), got {type(found).__name__}"
        raise ConfigurationError(msg)
    return found
