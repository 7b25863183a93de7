"""What `isekai plugins` prints, as plain data: one schema, every key always there, everything sorted."""

from collections.abc import Iterable
from typing import Any

from isekai_core.errors import PluginUnusable
from isekai_core.plugins.compatible import CORE
from isekai_core.plugins.contain import contained
from isekai_core.plugins.contain import in_words as in_error
from isekai_core.plugins.entry import Plugin, ProcessorEntry, in_words
from isekai_core.plugins.hooks import KINDS
from isekai_core.plugins.quiet import off_standard_output
from isekai_core.plugins.registry import Registry

SCHEMA = 1
"""Raised when a key is taken away or changes its meaning; new keys may come without."""

_PLAIN = (str, int, float, bool, type(None))


def listing(registry: Registry, kind: str | None = None) -> dict[str, Any]:
    """Every installed plugin (with `kind`, those that register such processors), and what is wrong in isekai.toml."""
    plugins = [_plugin(registry, plugin) for plugin in registry.plugins if kind is None or registers(plugin, kind)]
    return {**_head(registry), "plugins": plugins, "problems": list(registry.problems)}


def details(registry: Registry, plugin: Plugin) -> dict[str, Any]:
    """One plugin with its traceback and the options of its processors, whose classes are imported for it."""
    processors = [{**_processor(registry, entry), **_inside(entry)} for entry in _sorted(plugin.processors)]
    about = {**_plugin(registry, plugin), "processors": processors, "traceback": plugin.traceback}
    return {**_head(registry), "plugin": about}


def registers(plugin: Plugin, kind: str) -> bool:
    """Whether the plugin registers a processor of `kind`."""
    return any(entry.kind == kind for entry in plugin.processors)


def provided(plugin: Plugin, only: str | None = None) -> str:
    """What a plugin registers, of all kinds or only of one: `seeders: csv · extractors: file`."""
    names: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for entry in plugin.processors:
        if only in (None, entry.kind):
            names[entry.kind].append(entry.name)
    apps = [f"apps: {', '.join(plugin.installed.apps)}"] if plugin.installed.apps and only is None else []
    told = [f"{in_words(kind)}s: {', '.join(sorted(names[kind]))}" for kind in KINDS if names[kind]]
    return " · ".join(told + apps)


def _head(registry: Registry) -> dict[str, Any]:
    core = next((plugin.version for plugin in registry.plugins if plugin.name == CORE), None)
    return {"schema": SCHEMA, "core": core}


def _plugin(registry: Registry, plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "version": plugin.version,
        "state": str(plugin.state),
        "reason": plugin.reason,
        "fix": plugin.fix,
        "modules": list(plugin.installed.modules),
        "location": plugin.installed.location,
        "editable": plugin.installed.editable,
        "shadowed": list(plugin.installed.shadowed),
        "import_ms": plugin.import_ms,
        "hooks": list(plugin.hooks),
        "apps": list(plugin.installed.apps),
        "apis": list(plugin.installed.apis),
        "processors": [_processor(registry, entry) for entry in _sorted(plugin.processors)],
    }


def _processor(registry: Registry, entry: ProcessorEntry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "full_name": entry.full_name,
        "class": entry.reference,
        "replaces": entry.replaces,
        "ambiguous": registry.is_ambiguous(entry.kind, entry.name),
    }


def _inside(entry: ProcessorEntry) -> dict[str, Any]:
    """What only the class itself can tell."""
    try:
        with off_standard_output(), contained(entry.kind):
            return _told_by_class(entry)
    except PluginUnusable as error:
        return {"doc": "", "options": [], "error": str(error)}
    except Exception as error:  # to ask a class for its signature or a default for its text runs code of the plugin
        reason = f"{entry.reference} cannot be shown: {in_error(error)}"
        return {"doc": "", "options": [], "error": f"{entry.kind} {entry.full_name}: {reason}"}


def _told_by_class(entry: ProcessorEntry) -> dict[str, Any]:
    from isekai_core.plugins.options import options_of, summary_of  # noqa: PLC0415 - a listing must not pay for it

    cls = entry.load()
    options = [
        {
            "name": option.name,
            "type": option.type,
            "required": option.required,
            "default": None if option.secret else _plain(option.shown_default()),
            "secret": option.secret,
            "doc": option.doc,
        }
        for option in options_of(cls)
    ]
    error = ""
    if not isinstance(cls.__doc__, str | None):
        error = f"{entry.kind} {entry.full_name}: __doc__ is {cls.__doc__!r}, expected a text"
    return {"doc": summary_of(cls), "options": options, "error": error}


def _sorted(entries: Iterable[ProcessorEntry]) -> list[ProcessorEntry]:
    return sorted(entries, key=lambda entry: (KINDS.index(entry.kind), entry.name))


def _plain(value: Any) -> Any:
    """`value` as JSON knows it; what JSON does not know, as Python writes it."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return value if isinstance(value, _PLAIN) else repr(value)
