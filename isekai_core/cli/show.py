"""Show: everything that is known of one resource."""

import argparse

from isekai_core.cli.output import typed
from isekai_core.cli.project import setup_django


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `show`."""
    parser = commands.add_parser(
        "show",
        description="Shows everything that is known of one resource: where it stands, who did what to it, what was"
        " extracted, what it becomes, and where it was found.",
    )
    parser.add_argument(
        "key", type=typed, metavar="KEY", help="its key, such as url:https://old.example.org/a, or just the address"
    )
    parser.add_argument("--pipeline", type=typed, metavar="NAME", help="the pipeline, where several know the key")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def execute(options: argparse.Namespace) -> int:
    """Show the resource."""
    setup_django(options)
    from isekai_core.cli import portrait  # noqa: PLC0415 - needs a Django project

    portrait.show(options.key, options.pipeline, as_json=options.json)
    return 0
