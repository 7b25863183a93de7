"""Status: how the pipelines stand, or how one of them stands in detail, or what their plugins cost."""

import argparse

from isekai_core.cli.output import typed
from isekai_core.cli.project import setup_django
from isekai_core.errors import ConfigurationError


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `status`."""
    parser = commands.add_parser(
        "status",
        description="Shows how the pipelines stand; of one, its stages and states, its last runs, what they cost, and"
        " its failures by cause. With --by, what each plugin or processor cost.",
    )
    parser.add_argument(
        "name", type=typed, metavar="NAME", nargs="?", help="a pipeline's name; all pipelines without one"
    )
    parser.add_argument(
        "--by",
        choices=("plugin", "processor"),
        metavar="WHAT",
        help="instead, what each plugin or each processor cost in all runs: plugin or processor",
    )
    parser.add_argument("--run", type=int, metavar="ID", help="with --by: in this run only")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def execute(options: argparse.Namespace) -> int:
    """Show one pipeline, or all of them; or what they cost."""
    if options.run is not None and options.by is None:
        msg = f"--run {options.run} says of which run the costs are shown: add --by plugin or --by processor"
        raise ConfigurationError(msg)
    setup_django(options)
    if options.by is not None:
        from isekai_core.cli import costs  # noqa: PLC0415 - needs a Django project

        costs.show_costs(options.by, options.name, options.run, as_json=options.json)
        return 0
    from isekai_core.cli import overview  # noqa: PLC0415 - needs a Django project

    if options.name:
        overview.show_one(options.name, as_json=options.json)
    else:
        overview.show_all(as_json=options.json)
    return 0
