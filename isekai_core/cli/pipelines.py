"""Pipelines: lists those that are found, and checks them before anything is fetched."""

import argparse

from isekai_core.cli.project import setup_django


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `pipelines list` and `pipelines check`."""
    parser = commands.add_parser("pipelines", description=__doc__)
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser(
        "list",
        help="one line for each pipeline",
        description="Lists the pipelines of the project: where each was found, and its processors.",
    )
    check = actions.add_parser(
        "check",
        help="what is wrong with them; exit status 2 when something is",
        description="Composes a pipeline, or all of them: plugins, processors, options, and the models and fields that"
        " options name. Nothing is fetched or written. Exit status 2 when something is wrong.",
    )
    check.add_argument("name", metavar="NAME", nargs="?", help="a pipeline's name; all of them without one")
    for action in (listing, check):
        action.add_argument("--json", action="store_true", help="print one JSON document")


def execute(options: argparse.Namespace) -> int:
    """List or check; 2 when the check finds something."""
    setup_django(options)
    from isekai_core.cli import inventory  # noqa: PLC0415 - needs a Django project

    if options.action == "list":
        inventory.print_list(as_json=options.json)
        return 0
    return inventory.print_check(options.name, as_json=options.json)
