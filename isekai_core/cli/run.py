"""Run: runs a pipeline, or goes on with it, and says what was done, what was not, and why."""

import argparse
from contextlib import nullcontext

from isekai_core.cli.output import print_json
from isekai_core.cli.project import setup_django
from isekai_core.cli.signals import ending_kindly
from isekai_core.cli.tables import clean_output, print_lines
from isekai_core.errors import ConfigurationError
from isekai_core.types import STAGES

_EXAMPLES = 3
_MOST_PROCESSES = 64
_EPILOG = (
    "Exit status: 0 when all is done; 1 when resources are failed or blocked (those of earlier runs too) or a"
    " seeder failed; 2 for wrong usage, and for a pipeline that cannot be composed."
)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `run`."""
    parser = commands.add_parser(
        "run",
        description="Runs a pipeline: seeds, then goes on with what is unfinished, or newer by its seed.",
        epilog=_EPILOG,
    )
    parser.add_argument("name", metavar="NAME", help="the pipeline's name; isekai pipelines list shows those there are")
    parser.add_argument(
        "--refresh", action="store_true", help="look at every source again; only what changed is done again"
    )
    parser.add_argument(
        "--from",
        dest="start",
        choices=STAGES,
        default="seed",
        metavar="STAGE",
        help=f"do this stage and those after it again, from what is stored: {', '.join(STAGES)}",
    )
    parser.add_argument(
        "--until",
        choices=STAGES,
        default="load",
        metavar="STAGE",
        help="the last stage to do; transform writes no rows",
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="do not wait for another process that runs it: end with status 1"
    )
    parser.add_argument(
        "--processes",
        type=_processes,
        default=1,
        metavar="N",
        help="how many processes extract, mine and transform at the same time (1)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document at the end")
    parser.add_argument("--quiet", action="store_true", help="no progress and no summary, only what went wrong")


def execute(options: argparse.Namespace) -> int:
    """Run the pipeline; 0 when all is done, 1 when something is not."""
    _refuse_contradictions(options)
    setup_django(options)
    from isekai_core.cli import summary  # noqa: PLC0415 - these need a Django project
    from isekai_core.pipeline.engine import run  # noqa: PLC0415
    from isekai_core.pipeline.reports.causes import causes  # noqa: PLC0415
    from isekai_core.pipeline.reports.progress import shown_progress  # noqa: PLC0415
    from isekai_core.pipeline.reports.standing import standing_of  # noqa: PLC0415

    with clean_output() if options.json else nullcontext():
        with shown_progress(options.name, quiet=options.quiet) as progress, ending_kindly():
            result = run(
                options.name,
                refresh=options.refresh,
                start=options.start,
                until=options.until,
                wait=not options.no_wait,
                processes=options.processes,
                progress=progress,
            )
        found = causes(options.name, examples=_EXAMPLES)
        standing = standing_of(options.name)
    if options.json:
        print_json(summary.summary_json(result, standing, found))
    elif options.quiet:
        print_lines(summary.failure_lines(result, found))
    else:
        summary.print_summary(result, standing, found)
    return 0 if result.is_complete else 1


def _processes(text: str) -> int:
    """As many processes as that; argparse tells what is wrong with it."""
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_PROCESSES:
        msg = f"expected a number of processes from 1 to {_MOST_PROCESSES}, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _refuse_contradictions(options: argparse.Namespace) -> None:
    if STAGES.index(options.start) > STAGES.index(options.until):
        msg = f"--from {options.start} is after --until {options.until}: there is nothing between them"
        raise ConfigurationError(msg)
    if options.refresh and options.start != "seed":
        msg = f"--refresh looks at every source again, --from {options.start} at none: choose one of them"
        raise ConfigurationError(msg)
