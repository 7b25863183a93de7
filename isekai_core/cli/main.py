"""The command `isekai`: imports only the module of the command that is called, and turns errors into exit statuses.

Exit status: 0 all done; 1 some resources are failed or blocked, or the run or the slice could not go on;
2 wrong usage, or something that cannot be composed; 70 a defect of ISEKAI or of a plugin; 130
interrupted; 141 the reader of the output went away; 143 a run was asked to end by SIGTERM.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NoReturn

from isekai_core.cli.output import flush_output
from isekai_core.conf import did_you_mean

COMMANDS = {
    "run": "run a pipeline, or go on with it",
    "status": "stages and states of a pipeline, and its failures by cause",
    "errors": "the failed and blocked resources of a pipeline, with their reasons",
    "retry": "set failed resources of a pipeline to be tried again",
    "show": "everything that is known of one resource",
    "pipelines": "list the pipelines of the project, and check them",
    "plugins": "list the installed plugins, and what they provide",
    "slice": "cut a slice out of a database, and load it elsewhere",
}
"""Command to its line in the help. The module of the same name is imported only for its own command."""

INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None, prog: str = "isekai") -> int:
    """Run the command line and return its exit status. Never raises, whatever the command does."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = argparse.Namespace(traceback="--traceback" in arguments)
    try:
        status = _execute(_explicit(arguments), prog, options)
        # What is still buffered may meet a reader that went away: here it can be told, at exit not.
        flush_output()
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else 0 if exit_.code is None else 2
    except KeyboardInterrupt as interrupt:
        print("isekai: interrupted; the same command goes on where it was", file=sys.stderr)
        status = getattr(interrupt, "status", INTERRUPTED)
    except BrokenPipeError:
        _discard_output()
        status = BROKEN_PIPE
    except Exception as error:  # the last place where an error can be told
        from isekai_core.cli.failures import report  # noqa: PLC0415 - most commands do not fail

        status = report(error, show_traceback=options.traceback)
    return status


def _execute(arguments: list[str], prog: str, options: argparse.Namespace) -> int:
    shared = _shared_options(prog)
    # Taken out first, so that they may stand before the command, after it, or among its own.
    _, rest = shared.parse_known_args(arguments, options)
    parser = _Parser(prog=prog, parents=[shared], description=_DESCRIPTION, formatter_class=_Help)
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    hint = _spaced(arguments)
    chosen = next((argument for argument in rest if not argument.startswith("-")), "")
    if chosen and chosen not in COMMANDS:
        hint = hint or f"{did_you_mean(chosen, COMMANDS)}; see {prog} --help"
        parser.error(f"there is no command {chosen!r}{hint}")
    for name, text in COMMANDS.items():
        if name == chosen:
            importlib.import_module(f"isekai_core.cli.{name}").add_parser(commands)
        else:
            commands.add_parser(name, help=text, add_help=False)
    _, unknown = parser.parse_known_args(rest, options)
    if unknown:
        options.parser.refuse(unknown, hint)
    _tolerate_unprintable()
    command = importlib.import_module(f"isekai_core.cli.{options.command}")
    try:
        with _safe_mode(options):
            status: int = command.execute(options)
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:  # no command ends so: code of the project or of a plugin does
        status = _ended(error, options)
    return status


def _ended(error: BaseException, options: argparse.Namespace) -> int:
    """Tell what ended the command from below, so that it never passes for a command that went well."""
    from isekai_core.cli.failures import FAILED, report  # noqa: PLC0415 - most commands do not fail
    from isekai_core.errors import RunError  # noqa: PLC0415 - the same

    said = f"code of the project or of a plugin ended the command with {type(error).__name__}: {error}"
    told = RunError(f"{said.removesuffix(': ')}; --traceback shows where")
    told.__cause__ = error
    report(told, show_traceback=options.traceback)
    code = error.code if isinstance(error, SystemExit) else None
    return code if isinstance(code, int) and code else FAILED


def _explicit(arguments: list[str]) -> list[str]:
    """`--no-plugins` alone says all of them; argparse would take the command for its value."""
    return ["--no-plugins=" if argument == "--no-plugins" else argument for argument in arguments]


@contextmanager
def _safe_mode(options: argparse.Namespace) -> Iterator[None]:
    """What `--no-plugins` and `--strict-plugins` say holds before any plugin is imported."""
    if options.no_plugins is None and not options.strict_plugins:
        yield
        return
    from isekai_core.plugins.choice import chosen  # noqa: PLC0415 - most commands are called without
    from isekai_core.plugins.registry import registry  # noqa: PLC0415 - the same

    with chosen(options.no_plugins, strict=options.strict_plugins):
        registry.cache_clear()
        try:
            yield
        finally:
            registry.cache_clear()


_DESCRIPTION = "Brings any data, files included, into Django models."


def _shared_options(prog: str) -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(prog=prog, add_help=False, allow_abbrev=False)
    group = shared.add_argument_group("for every command")
    group.add_argument("--settings", metavar="MODULE", help="the Django settings module, such as mysite.settings")
    group.add_argument("--pythonpath", metavar="FOLDER", help="a folder to import the project from")
    group.add_argument(
        "--no-plugins",
        action="append",
        metavar="A,B",
        help="safe mode: import no plugin but core; with =A,B, all but these (see also the variable ISEKAI_PLUGINS)",
    )
    group.add_argument(
        "--strict-plugins", action="store_true", help="stop when any plugin cannot be used, needed or not: for CI"
    )
    group.add_argument("--traceback", action="store_true", default=False, help="show where an error comes from")
    return shared


def _spaced(arguments: list[str]) -> str:
    """What to say of the word behind a bare `--no-plugins`, should nothing know it."""
    for option, word in pairwise(arguments):
        if option == "--no-plugins=" and not word.startswith("-"):
            return f"; write --no-plugins={word} to leave that plugin out"
    return ""


class _Parser(argparse.ArgumentParser):
    """Takes options as they are written; `parser` is that of the command, or of its action, which knows its usage.

    argparse makes the parsers of commands and of actions of the same class.
    """

    def __init__(self, **options: Any) -> None:
        # The beginning of an option may be that of another one in the next version.
        super().__init__(**options, allow_abbrev=False)
        self.set_defaults(parser=self)

    def refuse(self, unknown: Sequence[str], hint: str) -> NoReturn:
        """End with what nobody knows, and what may have been meant."""
        hint = hint or did_you_mean(unknown[0].partition("=")[0], self._option_string_actions)
        self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")


class _Help(argparse.HelpFormatter):
    """Shows `--no-plugins` as it is written; argparse has no such form."""

    def format_help(self) -> str:
        return super().format_help().replace("--no-plugins A,B", "--no-plugins[=A,B]")


class _Version(argparse.Action):
    """`--version`: looked up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002 - argparse's name
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        import importlib_metadata  # noqa: PLC0415 - most commands do not ask for the version

        print(f"isekai-core {importlib_metadata.version('isekai-core')}")
        parser.exit()


def _tolerate_unprintable() -> None:
    """Let a terminal that cannot show a character show an escape, instead of the command failing."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    # Python flushes standard output once more at exit, and would complain of the same pipe again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
