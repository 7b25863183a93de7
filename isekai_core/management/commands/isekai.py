"""`manage.py isekai …`: hands over to the command line, which owns the arguments, the output and the exit status."""

import argparse
import sys
from contextlib import redirect_stdout
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandError

from isekai_core.cli.main import main


class Command(BaseCommand):
    """The command `isekai`, in a project."""

    help = "The command isekai: manage.py isekai --help"
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own type for it

    def run_from_argv(self, argv: list[str]) -> None:
        """Do as `isekai` with the same arguments does."""
        from django.db import connections  # noqa: PLC0415 - as late as Django itself does it

        try:
            sys.exit(main(argv[2:], prog=f"{argv[0]} {argv[1]}"))
        finally:
            connections.close_all()

    def print_help(self, prog_name: str, subcommand: str) -> None:
        """Print the help of `isekai`."""
        main(["--help"], prog=f"{prog_name} {subcommand}")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take everything as it is, for `call_command("isekai", "plugins", "list")`."""
        parser.add_argument("arguments", nargs=argparse.REMAINDER)

    def handle(self, *_: Any, arguments: list[str], **__: Any) -> None:
        """Run under `call_command`: the output goes to its `stdout`, a failure is a `CommandError`."""
        self.stdout.ending = ""
        with redirect_stdout(cast("TextIO", self.stdout)):
            status = main(arguments, prog="manage.py isekai")
        if status:
            msg = f"isekai {' '.join(arguments)}: exit status {status}"
            raise CommandError(msg, returncode=status)
