"""Status: how the pipelines stand, or how one of them stands in detail."""

import argparse

from isekai_core.cli.project import setup_django


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `status`."""
    parser = commands.add_parser(
        "status",
        description="Shows how the pipelines stand; of one, its stages and states, its last runs, what they cost, and"
        " its failures by cause.",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="a pipeline's name; all pipelines without one")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def execute(options: argparse.Namespace) -> int:
    """Show one pipeline, or all of them."""
    setup_django(options)
    from isekai_core.cli import overview  # noqa: PLC0415 - needs a Django project

    if options.name:
        overview.show_one(options.name, as_json=options.json)
    else:
        overview.show_all(as_json=options.json)
    return 0
