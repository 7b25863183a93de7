"""Plugins: what is installed, what it provides, and what is wrong with it. Needs no Django project."""

import argparse
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Any

from isekai_core.cli.output import print_json, print_table, remark
from isekai_core.cli.project import setup_django
from isekai_core.errors import ConfigurationError
from isekai_core.plugins import report
from isekai_core.plugins.registry import Registry, registry


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `plugins list` and `plugins show`."""
    parser = commands.add_parser("plugins", description=__doc__)
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="one line for each plugin", description=_list.__doc__)
    show = actions.add_parser("show", help="everything about one plugin", description=_show.__doc__)
    show.add_argument("name", metavar="NAME", help="the plugin's name, such as isekai-html")
    for action in (listing, show):
        action.add_argument("--json", action="store_true", help="print one JSON document")


def execute(options: argparse.Namespace) -> int:
    """Run the action that was asked for."""
    found = registry()
    if options.action == "list":
        _list(found, as_json=options.json)
    else:
        # Without a project, what needs none is still shown; one that was asked for must be there.
        with nullcontext() if options.settings else suppress(ConfigurationError):
            setup_django(options)
        _show(found, options.name, as_json=options.json)
    return 0


def _list(found: Registry, *, as_json: bool) -> None:
    """List the installed plugins: version, status and what they provide; or why they cannot be used."""
    if as_json:
        print_json(report.listing(found))
        return
    rows = [
        (plugin.name, plugin.version, plugin.state, report.provided(plugin) if plugin.state.usable else _why(plugin))
        for plugin in found.plugins
    ]
    print_table(("Plugin", "Version", "Status", "Provides"), rows)
    for plugin in found.plugins:
        if plugin.state.usable and plugin.reason:
            remark(plugin.reason)
        for copy in plugin.installed.shadowed:
            remark(f"another {plugin.name} is never used: {copy}")
    for problem in found.problems:
        remark(problem)


def _why(plugin: Any) -> str:
    return " — ".join(filter(None, (plugin.reason, plugin.fix)))


def _show(found: Registry, name: str, *, as_json: bool) -> None:
    """Show one plugin: its hooks, its location, its import time, and its processors with their options."""
    data = report.details(found, found.plugin(name))
    if as_json:
        print_json(data)
        return
    print("\n".join(_described(data["plugin"])))


def _described(plugin: dict[str, Any]) -> Iterator[str]:
    yield f"{plugin['name']} {plugin['version']}"
    editable = " (editable)" if plugin["editable"] else ""
    facts = {
        "status": plugin["state"],
        "reason": plugin["reason"],
        "fix": plugin["fix"],
        "location": f"{plugin['location']}{editable}",
        "modules": ", ".join(plugin["modules"]),
        "hooks": ", ".join(plugin["hooks"]),
        "import": f"{plugin['import_ms']:.1f} ms",
        "never used": ", ".join(plugin["shadowed"]),
    }
    yield from (f"  {name:<12}{value}" for name, value in facts.items() if value)
    for processor in plugin["processors"]:
        yield ""
        yield from _described_processor(processor)
    if plugin["traceback"]:
        yield ""
        yield plugin["traceback"].rstrip()


def _described_processor(processor: dict[str, Any]) -> Iterator[str]:
    yield f"{processor['kind']} {processor['name']}"
    if text := processor["error"] or processor["doc"]:
        yield f"  {text}"
    for option in processor["options"]:
        default = "required" if option["required"] else f"default {option['default']!r}"
        yield f"  {option['name']}: {option['type']}, {'secret' if option['secret'] else default}"
        if option["doc"]:
            yield f"      {option['doc']}"
