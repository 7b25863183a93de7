"""Slice: cuts a consistent, sampled, masked subset out of a database, and loads it elsewhere."""

import argparse

from isekai_core.cli.project import setup_django

_ACTIONS = {
    "plan": "what a slice would hold, before anything is read",
    "export": "cut a slice out of a database, into a folder",
    "verify": "whether a folder holds a whole slice, unchanged",
    "diff": "what differs between two slices",
    "load": "load a slice into a database",
    "unload": "take the rows of a slice out of a database again",
}


_OF_FOLDERS = ("verify", "diff")
"""They look at files only: where a slice has been brought, there need not be a project."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the actions of `slice`."""
    parser = commands.add_parser("slice", description=__doc__)
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    made = {name: actions.add_parser(name, help=line, description=_sentence(line)) for name, line in _ACTIONS.items()}
    for name in ("plan", "export"):
        made[name].add_argument("jobs", metavar="JOBS", help="file and name of the jobs, such as slices.py:dev_org")
        made[name].add_argument("--source", required=True, metavar="DATABASE", help=_DATABASE)
        made[name].add_argument("--seed", default="0", help="what samples are chosen by; 0 without it")
    made["plan"].add_argument("--budget", metavar="SIZE", help="propose limits for 50MB, or for 100k rows")
    made["export"].add_argument("--target", required=True, metavar="FOLDER", help="the folder to write the slice into")
    made["export"].add_argument("--overwrite", action="store_true", help="replace a slice that is there already")
    made["export"].add_argument("--compress", choices=("zstd",), help="compress the files")
    made["export"].add_argument("--workers", type=int, default=1, metavar="N", help="connections that read at a time")
    made["export"].add_argument(
        "--require-masks", action="store_true", help="refuse text columns of which nobody says what becomes of them"
    )
    made["export"].add_argument(
        "--files",
        nargs="?",
        const="contents",
        choices=("contents", "placeholder"),
        help="also the files of file fields; placeholder for small files in their place",
    )
    made["export"].add_argument(
        "--missing-files", choices=("error", "skip"), default="error", help="files that are not in their storage"
    )
    made["load"].add_argument("--files", action="store_true", help="store the files that the slice holds")
    made["verify"].add_argument("folder", metavar="FOLDER", help="the folder of the slice")
    made["diff"].add_argument("folder", metavar="A", help="the folder of one slice")
    made["diff"].add_argument("other", metavar="B", help="the folder of the other")
    made["load"].add_argument("folder", metavar="FOLDER", help="the folder of the slice")
    made["unload"].add_argument("name", metavar="NAME", help="the name that the slice was loaded under")
    for name in ("load", "unload"):
        made[name].add_argument("--target", required=True, metavar="DATABASE", help=_DATABASE)
    _add_choices(made["load"])
    for name in ("plan", "export", "verify", "diff", "load", "unload"):
        made[name].add_argument("--json", action="store_true", help="print one JSON document")


_DATABASE = "postgresql://…, or an alias of Django's DATABASES"


def _add_choices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default="", help="what the keys are remembered under; the folder's name without it")
    parser.add_argument(
        "--ids",
        choices=("remap", "keep", "natural"),
        default="remap",
        help="new keys, those of the slice, or by values",
    )
    parser.add_argument(
        "--on-conflict", choices=("skip", "update", "error"), default="update", help="rows that are there already"
    )
    parser.add_argument(
        "--dangling", choices=("error", "null", "keep"), default="error", help="references to rows outside the slice"
    )
    parser.add_argument(
        "--constraints",
        choices=("check", "rebuild"),
        default="check",
        help="leave constraints and indexes on, or rebuild them in the same transaction",
    )


def _sentence(line: str) -> str:
    return f"{line[0].upper()}{line[1:]}."


def execute(options: argparse.Namespace) -> int:
    """Run the action that was asked for."""
    if options.action not in _OF_FOLDERS:
        setup_django(options)
    from isekai_core.cli import slices  # noqa: PLC0415 - costs the import of Django

    status: int = getattr(slices, options.action)(options)
    return status
