"""What `isekai pipelines` says: the pipelines there are, and what is wrong with them."""

from itertools import groupby
from typing import Any

from isekai_core.cli.failures import USAGE
from isekai_core.cli.output import print_json, print_table
from isekai_core.cli.tables import clean_output, counted
from isekai_core.pipeline.composing.check import problems_of
from isekai_core.pipeline.composing.discover import Broken, Found, Survey, advice, survey, unknown
from isekai_core.pipeline.definition import FunctionProcessor, Pipeline, Use
from isekai_core.pipeline.reports.readable import printable
from isekai_core.plugins.registry import registry
from isekai_core.types import KINDS


def print_list(*, as_json: bool) -> None:
    """One line for each pipeline; one for each place that is broken, with the reason."""
    registry().insist()
    with clean_output():
        seen = survey()
    if as_json:
        print_json(
            {
                "schema": 1,
                "pipelines": [_described(found) for found in seen.found.values()],
                "broken": [_broken(broken) for broken in seen.broken],
            }
        )
        return
    if not seen.found and not seen.broken:
        print(f"no pipelines: {advice()}")
        return
    rows = [(name, found.home, _in_words(found.pipeline)) for name, found in seen.found.items()]
    rows += [(broken.name or "?", broken.home, f"broken: {printable(str(broken))}") for broken in seen.broken]
    print_table(("Pipeline", "Found in", "Processors"), rows)


def _processors(pipeline: Pipeline) -> dict[str, list[str]]:
    return {f"{kind}s": [_name(item) for item in getattr(pipeline, f"{kind}s")] for kind in KINDS}


def _name(item: Any) -> str:
    if isinstance(item, Use):
        return item.name
    home = item.function if isinstance(item, FunctionProcessor) else type(item)
    return f"{home.__module__}.{home.__qualname__}"


def _in_words(pipeline: Pipeline) -> str:
    return " · ".join(f"{kinds}: {_listed(names)}" for kinds, names in _processors(pipeline).items() if names)


def _listed(names: list[str]) -> str:
    """In their order; one that is used several times in a row once, with the number."""
    groups = [(name, len(list(same))) for name, same in groupby(names)]
    return ", ".join(f"{name} ({number} times)" if number > 1 else name for name, number in groups)


def _described(found: Found) -> dict[str, Any]:
    pipeline = found.pipeline
    return {
        "name": pipeline.name,
        "found_in": found.home,
        "max_depth": pipeline.max_depth,
        "processors": _processors(pipeline),
    }


def _broken(broken: Broken) -> dict[str, str]:
    return {"name": broken.name, "found_in": broken.home, "error": str(broken)}


def print_check(name: str | None, *, as_json: bool) -> int:
    """What is wrong with the pipeline `name`, or with any; the exit status."""
    with clean_output():
        seen = survey()
        chosen = _chosen(seen, name)
        problems = {found.pipeline.name: problems_of(found.pipeline) for found in chosen.found.values()}
    is_well = not any(problems.values()) and not chosen.broken
    if as_json:
        checked = [{"name": name, "ok": not found, "problems": found} for name, found in problems.items()]
        broken = [_broken(one) for one in chosen.broken]
        print_json({"schema": 1, "ok": is_well, "pipelines": checked, "broken": broken})
    else:
        _print_problems(chosen, problems)
    return 0 if is_well else USAGE


def _chosen(seen: Survey, name: str | None) -> Survey:
    """What is asked for; a name that is not found may be in any place that is broken."""
    if name is None:
        return seen
    broken = [one for one in seen.broken if one.name == name]
    if name in seen.found or broken:
        return Survey({name: seen.found[name]} if name in seen.found else {}, broken)
    if unread := [one for one in seen.broken if not one.name]:
        return Survey({}, unread)
    raise unknown(name, seen.found)


def _print_problems(chosen: Survey, problems: dict[str, list[str]]) -> None:
    for name, found in problems.items():
        number = sum(len(names) for names in _processors(chosen.found[name].pipeline).values())
        print(f"{name}: " + (counted(len(found), "problem") if found else f"ok, {counted(number, 'processor')}"))
        for problem in found:
            print(f"  {printable(problem)}")
    for broken in chosen.broken:
        print(printable(str(broken)))
    if not problems and not chosen.broken:
        print(f"no pipelines: {advice()}")
