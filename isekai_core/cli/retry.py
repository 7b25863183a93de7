"""Retry: makes resources that failed, or were blocked or skipped, ready for the next run."""

import argparse

from isekai_core.cli.output import print_json, typed
from isekai_core.cli.project import setup_django
from isekai_core.cli.tables import clean_output, counted
from isekai_core.errors import ConfigurationError
from isekai_core.types import State


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `retry`."""
    parser = commands.add_parser(
        "retry",
        description="Makes resources ready to be tried again by the next run: all that are failed or blocked, those of"
        " one cause, or those named by their keys, which may be skipped or waiting, too.",
    )
    parser.add_argument("name", type=typed, metavar="NAME", help="the pipeline's name")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "keys", type=typed, metavar="KEY", nargs="*", default=[], help="only these: url:https://…, or an address"
    )
    chosen.add_argument("--cause", type=typed, metavar="ID", help="only this cause; the beginning of its id is enough")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def execute(options: argparse.Namespace) -> int:
    """Make them ready, and say how many."""
    setup_django(options)
    from isekai_core.pipeline.reports.causes import causes, choose  # noqa: PLC0415 - these need a Django project
    from isekai_core.pipeline.reports.lookup import find_resource  # noqa: PLC0415
    from isekai_core.pipeline.reports.standing import require_known  # noqa: PLC0415
    from isekai_core.pipeline.retry import retry_causes, retry_pipeline, retry_resources  # noqa: PLC0415

    name = options.name
    with clean_output():
        require_known(name)
    if options.keys:
        # All are looked up before any is changed: a slip in one leaves the others as they are.
        rows = [find_resource(key, name) for key in options.keys]
        _refuse_done(name, [row.key for row in rows if row.state == State.DONE])
        number = retry_resources(rows)
    elif options.cause is not None:
        number = retry_causes(name, choose(causes(name, examples=0), options.cause))
    else:
        number = retry_pipeline(name)
    if options.json:
        print_json({"schema": 1, "pipeline": name, "retried": number})
    else:
        print(_told(name, number, by_key=bool(options.keys)))
    return 0


def _refuse_done(name: str, keys: list[str]) -> None:
    if keys:
        msg = f"{keys[0]} is done, there is nothing to retry; isekai run {name} --refresh looks at every source again"
        raise ConfigurationError(msg)


def _told(name: str, number: int, *, by_key: bool) -> str:
    if number:
        return f"{counted(number, 'resource')} ready to be tried again; isekai run {name}"
    if by_key:
        return f"nothing to retry: what you named is on its way already; isekai run {name}"
    return f"nothing to retry: nothing of {name} is failed or blocked"
