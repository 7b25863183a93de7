"""What `isekai plugins check` says: each plugin with all that is wrong with it, once everything is imported."""

from collections.abc import Sequence
from typing import Any

from isekai_core.cli.output import print_json
from isekai_core.cli.plugin_pages import why
from isekai_core.errors import PluginUnusable
from isekai_core.plugins.contain import contained
from isekai_core.plugins.contain import in_words as raised
from isekai_core.plugins.entry import Plugin, ProcessorEntry, in_words
from isekai_core.plugins.quiet import off_standard_output
from isekai_core.plugins.registry import Registry
from isekai_core.plugins.report import SCHEMA
from isekai_core.plugins.states import PluginState
from isekai_core.testing.declared import METHODS, problems_of


def print_check(found: Registry, names: Sequence[str], *, as_json: bool) -> int:
    """Check the plugins `names` (all without any); the exit status: 1 when one is not as it should be."""
    plugins = [found.plugin(name) for name in names] or found.plugins
    problems = {plugin.name: problems_with(plugin, is_named=bool(names)) for plugin in plugins}
    choices = [] if names else list(found.problems)
    is_well = not any(problems.values()) and not choices
    if as_json:
        checked = [_as_json(plugin, problems[plugin.name]) for plugin in plugins]
        print_json({"schema": SCHEMA, "ok": is_well, "plugins": checked, "problems": choices})
    else:
        for plugin in plugins:
            print("\n  ".join([_headline(plugin, problems[plugin.name]), *problems[plugin.name]]))
        for problem in choices:
            print(problem)
    return int(not is_well)


def problems_with(plugin: Plugin, *, is_named: bool = False) -> list[str]:
    """What is wrong with `plugin`, a line each; one that is disabled is left in peace, unless it is asked for."""
    if plugin.state is PluginState.DISABLED:
        return [f"it cannot be checked: {why(plugin)}"] if is_named else []
    problems = [why(plugin)] if plugin.reason else []
    return problems + [problem for entry in plugin.processors for problem in _problems_in(entry)]


def _problems_in(entry: ProcessorEntry) -> list[str]:
    try:
        with off_standard_output(), contained(entry.kind):
            cls = entry.load()
            found = problems_of(entry.kind, cls) if entry.kind in METHODS else []
    except PluginUnusable as error:
        return [str(error)]
    except Exception as error:  # of the plugin: the others are checked all the same
        return [f"{in_words(entry.kind)} {entry.name}: asking its class raised {raised(error)}"]
    return [f"{in_words(entry.kind)} {entry.name}: {problem}" for problem in found]


def _headline(plugin: Plugin, problems: Sequence[str]) -> str:
    if plugin.state is PluginState.DISABLED and not problems:
        return f"{plugin.name} {plugin.version}: disabled, and not checked"
    number = len(plugin.processors)
    checked = f"{number} processor{'' if number == 1 else 's'}"
    return f"{plugin.name} {plugin.version}: {'not ok' if problems else 'ok'}, {checked}"


def _as_json(plugin: Plugin, problems: Sequence[str]) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "version": plugin.version,
        "state": str(plugin.state),
        "processors": [f"{entry.kind}:{entry.full_name}" for entry in plugin.processors],
        "problems": list(problems),
        "fix": plugin.fix,
    }
