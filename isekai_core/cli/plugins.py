"""Plugins: what is installed, what it provides, and what is wrong with it. Needs no Django project."""

import argparse
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from isekai_core.cli import plugin_pages
from isekai_core.cli.project import has_project, setup_bare, setup_django
from isekai_core.errors import ConfigurationError
from isekai_core.plugins.choice import is_strict
from isekai_core.plugins.hooks import KINDS
from isekai_core.plugins.registry import installed_apps, registry
from isekai_core.plugins.scan import normal_name, scan

_ACTIONS = {
    "list": "one line for each plugin",
    "show": "everything about one plugin",
    "check": "import everything that plugins register, and check it",
    "explain": "who would work on a key, and why",
    "new": "begin a plugin of your own",
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the actions of `plugins`."""
    parser = commands.add_parser("plugins", description=__doc__)
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    made = {
        name: actions.add_parser(name, help=line, description=_RUN[name].__doc__) for name, line in _ACTIONS.items()
    }
    made["list"].add_argument("--kind", choices=KINDS, help="only those that register processors of this kind")
    made["list"].add_argument("--requirements", action="store_true", help="print them as pip requirements instead")
    made["show"].add_argument("name", metavar="NAME", help="the plugin's name, such as isekai-html")
    made["check"].add_argument("names", metavar="NAME", nargs="*", help="plugins' names; all of them without one")
    made["explain"].add_argument("key", metavar="KEY", help="a key such as url:https://…, or just the address")
    made["explain"].add_argument("--pipeline", metavar="NAME", help="ask about the processors of this pipeline")
    made["explain"].add_argument("--media-type", metavar="TYPE", help="of the payload, where nothing is stored yet")
    made["new"].add_argument("name", metavar="NAME", help="the distribution's name, such as isekai-acme")
    made["new"].add_argument("--kind", choices=KINDS, required=True, help="what its processor is")
    made["new"].add_argument("--folder", metavar="FOLDER", help="where to write it; a folder of its name without one")
    for name in ("list", "show", "check", "explain"):
        made[name].add_argument("--json", action="store_true", help="print one JSON document")


def execute(options: argparse.Namespace) -> int:
    """Run the action that was asked for."""
    status: int = _RUN[options.action](options)
    if options.action in ("show", "check", "explain"):
        registry().insist()
    return status


def _list(options: argparse.Namespace) -> int:
    """List the installed plugins: version, status and what they provide; or why they cannot be used.

    Imports no processor. Exit status 0 whatever is listed; 1 with --strict-plugins when one is not ok.
    """
    if options.requirements and (options.json or options.kind):
        other = "--json" if options.json else "--kind"
        msg = f"--requirements prints what pip reads, for all plugins: it does not go with {other}"
        raise ConfigurationError(msg)
    found = registry()
    if options.requirements:
        plugin_pages.print_requirements(found)
    else:
        plugin_pages.print_list(found, options.kind, as_json=options.json)
    return int(is_strict() and bool(found.unsound or found.problems))


def _show(options: argparse.Namespace) -> int:
    """Show one plugin: its hooks, its location, its import time, and its processors with their options."""
    _set_up_if_there(options)
    plugin_pages.print_details(registry(), options.name, as_json=options.json)
    return 0


def _check(options: argparse.Namespace) -> int:
    """Import every processor that plugins register, and check what it declares.

    Exit status 1 when a plugin is not as it should be: for CI.
    """
    from isekai_core.cli import plugin_check  # noqa: PLC0415 - a listing must not pay for it

    if has_project(options):
        setup_django(options)
    else:
        # An author's CI has no project, and what a plugin registers may need Django all the same.
        setup_bare(_apps_of(options.names))
    return plugin_check.print_check(registry(), options.names, as_json=options.json)


def _apps_of(names: Sequence[str]) -> list[str]:
    """The apps of the plugins that are checked: one that cannot be loaded must not keep the others from it."""
    apps = installed_apps()
    if not names:
        return apps
    wanted = {normal_name(name) for name in names}
    return [app for one in scan() if one.name in wanted for app in one.apps if app in apps]


def _explain(options: argparse.Namespace) -> int:
    """List every candidate for a key in the order in which they are asked, with a verdict.

    Without a pipeline the installed extractors; with one, all its processors.
    """
    if options.pipeline:
        setup_django(options)
    else:
        _set_up_if_there(options)
    from isekai_core.cli import explanation  # noqa: PLC0415 - may need a Django project

    explanation.print_explanation(
        registry(), options.key, options.pipeline, options.media_type or "", as_json=options.json
    )
    return 0


def _new(options: argparse.Namespace) -> int:
    """Write a plugin with one processor and its tests, which pass as they stand."""
    from isekai_core.cli import new  # noqa: PLC0415 - a listing must not pay for it

    folder = Path(options.folder or options.name)
    new.say(folder, new.create(options.name, options.kind, folder))
    return 0


def _set_up_if_there(options: argparse.Namespace) -> None:
    # Without a project, what needs none is still shown; one that was asked for must be there.
    with nullcontext() if options.settings else suppress(ConfigurationError):
        setup_django(options)


_RUN: dict[str, Any] = {"list": _list, "show": _show, "check": _check, "explain": _explain, "new": _new}
