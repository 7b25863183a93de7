"""What `isekai plugins list` and `show` print."""

from collections.abc import Iterator
from typing import Any

from isekai_core.cli.output import plain, print_json, print_table, remark
from isekai_core.plugins import report
from isekai_core.plugins.entry import Plugin, in_words
from isekai_core.plugins.registry import Registry
from isekai_core.plugins.states import PluginState


def print_list(found: Registry, kind: str | None, *, as_json: bool) -> None:
    """One line for each plugin; with `kind`, of those that register such processors."""
    shown = [plugin for plugin in found.plugins if kind is None or report.registers(plugin, kind)]
    if as_json:
        print_json(report.listing(found, kind))
        return
    rows = [
        (
            plugin.name,
            plugin.version,
            plugin.state,
            plain((report.provided(plugin, kind) or "nothing") if plugin.state.usable else why(plugin)),
        )
        for plugin in shown
    ]
    print_table(("Plugin", "Version", "Status", "Provides"), rows)
    # Plugins that claim one name have one reason.
    for reason in dict.fromkeys(_odd(plugin) for plugin in shown if plugin.state.usable and plugin.reason):
        remark(plain(reason))
    for plugin in shown:
        for copy in plugin.installed.shadowed:
            remark(f"another {plugin.name} is never used: {copy}")
    for problem in found.problems:
        remark(problem)
    if unknown := [plugin.name for plugin in shown if _may_replace(plugin)]:
        remark(f"what {', '.join(unknown)} would register is not known: a name that it replaces is another's for now")


def _odd(plugin: Plugin) -> str:
    return plugin.reason if plugin.name in plugin.reason else f"{plugin.name}: {plugin.reason}"


def _may_replace(plugin: Plugin) -> bool:
    """Whether it is broken before it said what it registers; who left it out on purpose knows."""
    off = plugin.state.usable or plugin.state is PluginState.DISABLED
    return not off and bool(plugin.installed.modules) and not plugin.processors


def print_requirements(found: Registry) -> None:
    """One line for each plugin, as pip reads them: what to install elsewhere for the same plugins."""
    for plugin in found.plugins:
        if plugin.installed.editable:
            print(f"-e {plugin.installed.location}")
        elif plugin.version:
            print(f"{plugin.name}=={plugin.version}")


def why(plugin: Plugin) -> str:
    """Reason and fix on one line."""
    return " — ".join(filter(None, (plugin.reason, plugin.fix)))


def print_details(found: Registry, name: str, *, as_json: bool) -> None:
    """One plugin: its hooks, its location, its import time, and its processors with their options."""
    data = report.details(found, found.plugin(name))
    if as_json:
        print_json(data)
        return
    print("\n".join(plain(line) for text in _described(data["plugin"]) for line in text.split("\n")))


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
        "apps": ", ".join(plugin["apps"]),
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
    replaces = f", in place of {processor['replaces']}" if processor["replaces"] else ""
    yield f"{in_words(processor['kind'])} {processor['name']}{replaces}"
    if text := processor["error"] or processor["doc"]:
        yield f"  {text}"
    for option in processor["options"]:
        default = "required" if option["required"] else f"default {option['default']!r}"
        yield f"  {option['name']}: {option['type']}, {'secret' if option['secret'] else default}"
        if option["doc"]:
            yield f"      {option['doc']}"
