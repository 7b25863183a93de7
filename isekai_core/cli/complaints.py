"""What `isekai errors` shows: failures by cause, errors of seeders, and links that were left as they were."""

from collections.abc import Iterator, Sequence
from typing import Any

from isekai_core.cli.causes import cause_lines, causes_json, seed_error_lines
from isekai_core.cli.output import print_json
from isekai_core.cli.tables import clean_output, counted, indented, print_lines
from isekai_core.pipeline.reports.causes import Cause, causes, choose, short_ids
from isekai_core.pipeline.reports.leftover import LeftLinks, left_links
from isekai_core.pipeline.reports.readable import printable
from isekai_core.pipeline.reports.standing import require_known, seed_errors
from isekai_core.types import State


def show(name: str, *, prefix: str | None, limit: int | None, traceback: bool, as_json: bool) -> None:
    """Print the errors of pipeline `name`; only those of one cause when `prefix` says which."""
    with clean_output():
        require_known(name)
    found = causes(name, examples=limit)
    short = short_ids(found)
    if prefix is not None:
        found = choose(found, prefix)
    # Neither belongs to a cause.
    errors = seed_errors(name) if prefix is None else []
    links = left_links(name, examples=limit) if prefix is None else LeftLinks(0, 0, [])
    if as_json:
        document = {"causes": causes_json(found, short), "seed_errors": errors, "links_left": links_json(links)}
        print_json({"schema": 1, "pipeline": name, **document})
        return
    print_lines(_told(name, found, short, errors, links, traceback=traceback))


def _told(
    name: str,
    found: Sequence[Cause],
    short: dict[str, str],
    errors: Sequence[dict[str, str]],
    links: LeftLinks,
    *,
    traceback: bool,
) -> Iterator[str]:
    if not found and not errors and not links.number:
        yield f"{name} has no errors: nothing is failed, blocked or waiting for another try"
        return
    for title, state in (
        ("failed", State.FAILED),
        ("blocked", State.BLOCKED),
        ("waiting for another try", State.RETRY_WAIT),
    ):
        of_state = [cause for cause in found if cause.state == state]
        if of_state:
            number = sum(cause.number for cause in of_state)
            yield f"{counted(number, 'resource')} {title}, {counted(len(of_state), 'cause')}:"
            yield from cause_lines(of_state, short, traceback=traceback)
            yield ""
    if errors:
        yield f"{counted(len(errors), 'error')} of seeders in the last run; what they gave before is kept:"
        yield from seed_error_lines(errors, traceback=traceback)
        yield ""
    yield from _links(links)
    if found:
        yield f"to try them again: isekai retry {name} (or --cause {short[found[0].id]}), then isekai run {name}"


def _links(links: LeftLinks) -> Iterator[str]:
    if not links.number:
        return
    yield f"{counted(links.number, 'link')} left as {_they(links.number)} not loaded:"
    for link in links.examples:
        yield f"  {printable(link.key)} is {link.state}"
        yield indented(link.message, 4)
        for source in link.sources:
            yield f"    linked from {printable(source)}"
        if link.number > len(link.sources):
            yield f"    … and {link.number - len(link.sources):,} more"
    if links.targets > len(links.examples):
        yield f"  … and {links.targets - len(links.examples):,} more"
    yield ""


def _they(number: int) -> str:
    return "it was, because what it leads to is" if number == 1 else "they were, because what they lead to is"


def links_json(links: LeftLinks) -> dict[str, Any]:
    """The links as plain data."""
    return {
        "number": links.number,
        "targets": links.targets,
        "examples": [
            {"key": one.key, "state": one.state, "message": one.message, "number": one.number, "sources": one.sources}
            for one in links.examples
        ],
    }
