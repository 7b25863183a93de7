"""Errors: the failed and blocked resources of a pipeline, by cause, and the links that lead nowhere new."""

import argparse
import sys

from isekai_core.cli.output import typed
from isekai_core.cli.project import setup_django

_KEYS = 10


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `errors`."""
    parser = commands.add_parser(
        "errors",
        description="Shows what is failed, blocked or waiting for another try, by cause; what ended a seeder; and the"
        " links in loaded texts that were left as they were. With --traceback, where each cause was raised.",
    )
    parser.add_argument("name", type=typed, metavar="NAME", help="the pipeline's name")
    parser.add_argument("--cause", type=typed, metavar="ID", help="only this cause; the beginning of its id is enough")
    parser.add_argument(
        "--limit",
        metavar="N",
        type=_limit,
        default=_KEYS,
        help=f"resources shown for each cause, {_KEYS} without it; 0 for all of them",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def _limit(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        msg = f"expected 0 or more, got {text}"
        raise argparse.ArgumentTypeError(msg)
    # No database counts further.
    return min(number, sys.maxsize)


def execute(options: argparse.Namespace) -> int:
    """Show the errors of the pipeline."""
    setup_django(options)
    from isekai_core.cli import complaints  # noqa: PLC0415 - needs a Django project

    complaints.show(
        options.name,
        prefix=options.cause,
        limit=options.limit or None,
        traceback=options.traceback,
        as_json=options.json,
    )
    return 0
