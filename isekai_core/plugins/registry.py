"""Names to processors: built at first use, the same in every process, never by the order of installation."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from isekai_core.conf import ProjectFile, did_you_mean, project_file
from isekai_core.errors import ConfigurationError, PluginUnusable, ProcessorAmbiguous, ProcessorNotFound, SettingError
from isekai_core.plugins.choice import VARIABLE, Choice, current_choice, is_strict
from isekai_core.plugins.compatible import CORE, fits, read_wanted
from isekai_core.plugins.entry import Plugin, ProcessorEntry, in_words
from isekai_core.plugins.hooks import KINDS
from isekai_core.plugins.load import load, unfit
from isekai_core.plugins.scan import Installed, is_installed, normal_name, scan
from isekai_core.plugins.states import PluginState

HOMES = {
    ("seeder", "sitemap"): "isekai-http",
    ("seeder", "table"): "isekai-postgres",
    ("extractor", "http"): "isekai-http",
    ("miner", "html-documents"): "isekai-html",
    ("miner", "html-images"): "isekai-html",
    ("miner", "html-pages"): "isekai-html",
    ("slice_source", "postgres"): "isekai-postgres",
    ("slice_target", "postgres"): "isekai-postgres",
    ("transformer", "document"): "isekai-html",
    ("transformer", "html-fields"): "isekai-html",
    ("transformer", "image"): "isekai-html",
}
"""What the plugins of this repository register: an answer to the name of one that is not installed."""


class Registry:
    """The installed plugins and their processors.

    plugins: all of them, by name, those in quarantine too.
    problems: what is wrong with the choices in isekai.toml, one line each.
    """

    def __init__(self, plugins: Iterable[Plugin], file: ProjectFile | None = None) -> None:
        self._file = file or ProjectFile()
        self._prefer = {key: normal_name(plugin) for key, plugin in self._file.plugins.prefer.items()}
        self._by_name: dict[tuple[str, str], list[ProcessorEntry]] = {}
        found = sorted(plugins, key=lambda plugin: plugin.name)
        self._states = {plugin.name: plugin for plugin in found}
        for plugin in found:
            for entry in plugin.processors if plugin.state.usable else ():
                self._by_name.setdefault((entry.kind, entry.name), []).append(entry)
        self.plugins = tuple(self._marked(plugin) for plugin in found)
        self.problems = tuple(self._problems())

    def entries(self, kind: str | None = None) -> tuple[ProcessorEntry, ...]:
        """The processors that can be used, by kind in the order of the stages, name and plugin."""
        kinds = KINDS if kind is None else (kind,)
        names = sorted(self._by_name)
        return tuple(entry for one in kinds for key in names if key[0] == one for entry in self._by_name[key])

    def plugin(self, name: str) -> Plugin:
        """The plugin of that name; `ConfigurationError` lists those there are."""
        wanted = normal_name(name)
        for plugin in self.plugins:
            if plugin.name == wanted:
                return plugin
        known = ", ".join(plugin.name for plugin in self.plugins) or "none"
        msg = f"no plugin {name!r} is installed{did_you_mean(wanted, known.split(', '))}; installed are {known}"
        if wanted in HOMES.values():
            msg = f"{wanted} is not installed; pip install {wanted}"
        raise ConfigurationError(msg)

    def find(self, kind: str, name: str) -> ProcessorEntry:
        """The processor of that kind and name, short (`http`) or in full (`isekai-http/http`).

        Raises `ProcessorNotFound`, `ProcessorAmbiguous`, or `PluginUnusable` when its plugin is in quarantine.
        """
        plugin, slash, short = name.rpartition("/")
        if slash:
            claims = self._by_name.get((kind, short), [])
            entries = [entry for entry in claims if entry.plugin == normal_name(plugin)]
        else:
            entries = self._preferred(kind, short)
            self._refuse_stand_in(kind, short, entries)
        if not entries:
            raise self._absent(kind, name, normal_name(plugin), short)
        if len(entries) > 1:
            raise self._ambiguous(kind, short, entries)
        return entries[0]

    def is_ambiguous(self, kind: str, name: str) -> bool:
        """Whether several plugins register the short name, and nothing says which one is meant."""
        return len(self._preferred(kind, name)) > 1

    def unmet(self, wanted: str) -> str:
        """Why the requirement `wanted` (`isekai-html>=0.1`) is not met here; "" when it is.

        Raises `ConfigurationError` for what is no requirement.
        """
        try:
            requirement = read_wanted(wanted)
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        name, wanted = normal_name(requirement.name), str(requirement)
        found = next((plugin for plugin in self.plugins if plugin.name == name), None)
        if found is None:
            return f"needs {wanted}, {self._why_none(name, wanted)}"
        if not fits(requirement, found.version):
            return f"needs {wanted}, found {name} {found.version}; pip install '{wanted}'"
        return "" if found.state.usable else f"needs {wanted}, which cannot be used: {_why(found)}"

    def _why_none(self, name: str, wanted: str) -> str:
        if is_installed(name):
            return f"and {name} is no plugin: requires names plugins, and what else is needed stands with your project"
        near = did_you_mean(name, [plugin.name for plugin in self.plugins])
        return f"and {name} is not installed{near}; pip install '{wanted}'"

    @property
    def unsound(self) -> tuple[Plugin, ...]:
        """The plugins that are neither ok nor disabled on purpose."""
        fine = (PluginState.OK, PluginState.DISABLED)
        return tuple(plugin for plugin in self.plugins if plugin.state not in fine)

    def insist(self) -> None:
        """With `--strict-plugins`, raise `PluginUnusable` for any plugin or choice in isekai.toml that is not sound."""
        if is_strict() and (self.unsound or self.problems):
            told = [*(_why(plugin) for plugin in self.unsound), *self.problems]
            msg = f"--strict-plugins: {'; '.join(told)}; see isekai plugins list"
            raise PluginUnusable(msg)

    def _preferred(self, kind: str, name: str) -> list[ProcessorEntry]:
        entries = self._by_name.get((kind, name), [])
        plugin = self._prefer.get(f"{kind}:{name}")
        replaced = {entry.replaces for entry in entries if not _replaces_itself(entry, entries)}
        left = [entry for entry in entries if entry.full_name not in replaced]
        return [entry for entry in entries if entry.plugin == plugin] or left

    def _refuse_stand_in(self, kind: str, name: str, entries: list[ProcessorEntry]) -> None:
        """A name means another processor only when somebody says so, never because the one that is meant is broken."""
        preferred = self._states.get(self._prefer.get(f"{kind}:{name}", ""))
        if preferred and not preferred.state.usable:
            why = f"prefer says {preferred.name}, which cannot be used: {_why(preferred)}"
            msg = f"the {in_words(kind)} {name!r}: {why}"
            raise PluginUnusable(msg)
        if preferred:
            return
        meant = {entry.full_name for entry in entries}
        for plugin in self.plugins:
            for entry in () if plugin.state.usable else plugin.processors:
                if entry.kind == kind and entry.replaces in meant:
                    other = f"use {entry.replaces!r} to go on without it"
                    why = f"which cannot be used: {_why(plugin)}; {other}"
                    msg = f"the {in_words(kind)} {name!r} means {entry.full_name}, {why}"
                    raise PluginUnusable(msg)

    def _ambiguous(self, kind: str, name: str, entries: list[ProcessorEntry]) -> ProcessorAmbiguous:
        names = " and ".join(entry.full_name for entry in entries)
        line = f"prefer = {{ '{kind}:{name}' = '{entries[0].plugin}' }}"
        return ProcessorAmbiguous(
            f"the {in_words(kind)} {name!r} is registered by {len(entries)} plugins: use the full name, {names},"
            f" or decide under [plugins] in isekai.toml: {line}",
        )

    def _absent(self, kind: str, name: str, plugin: str, short: str) -> ConfigurationError:
        quarantined = [one for one in self.plugins if not one.state.usable]
        home = plugin or HOMES.get((kind, short), "")
        for one in quarantined:
            if one.name == home or any((it.kind, it.name) == (kind, short) for it in one.processors):
                return PluginUnusable(f"the {in_words(kind)} {name!r} cannot be used: {_why(one)}")
        return ProcessorNotFound("; ".join(self._not_found(kind, name, home, quarantined)))

    def _not_found(self, kind: str, name: str, home: str, quarantined: list[Plugin]) -> Iterable[str]:
        yield f"there is no {in_words(kind)} {name!r}{self._near(kind, name)}"
        if home in HOMES.values() and home not in {plugin.name for plugin in self.plugins}:
            yield f"it comes with {home}: pip install {home}"
        short = name.rpartition("/")[2]
        others = [other for other in KINDS if other != kind and (other, short) in self._by_name]
        yield from (f"there is {other} {short!r}, of another kind" for other in others)
        known = sorted({entry.name for entry in self.entries(kind)})
        kinds = f"{in_words(kind)}s"
        yield f"installed {kinds} are {', '.join(known)}" if known else f"no plugin that registers {kinds} is installed"
        yield from (f"in quarantine is {_why(plugin)}" for plugin in quarantined)

    def _near(self, kind: str, name: str) -> str:
        entries = self.entries(kind)
        return did_you_mean(name, [entry.full_name if "/" in name else entry.name for entry in entries])

    def _marked(self, plugin: Plugin) -> Plugin:
        if plugin.state is not PluginState.OK:
            return plugin
        for entry in plugin.processors:
            if len(claims := self._preferred(entry.kind, entry.name)) > 1 and entry in claims:
                reason = str(self._ambiguous(entry.kind, entry.name, claims))
                return replace(plugin, state=PluginState.AMBIGUOUS, reason=reason)
        lost = next(filter(None, map(self._lost, plugin.processors)), "")
        return replace(plugin, reason=lost) if lost and not plugin.reason else plugin

    def _lost(self, entry: ProcessorEntry) -> str:
        """What is odd about whom `entry` replaces; "" where it is, or may be meant for where that one is installed."""
        plugin, _, name = entry.replaces.rpartition("/")
        target = self._states.get(plugin)
        said = f"the {in_words(entry.kind)} {entry.full_name} replaces {entry.replaces}"
        if not plugin or (target and not target.state.usable):
            return ""
        if target is None:
            hint = did_you_mean(plugin, self._states)
            return f"{said}, and {plugin} is not installed{hint}" if hint else ""
        theirs = [one.name for one in target.processors if one.kind == entry.kind]
        return "" if name in theirs else f"{said}, which {plugin} does not register{did_you_mean(name, theirs)}"

    def _problems(self) -> Iterable[str]:
        known = [plugin.name for plugin in self.plugins]
        for name in self._file.plugins.disabled:
            if normal_name(name) not in known:
                hint = did_you_mean(name, known)
                yield f"{self._file.path}: plugins.disabled names {name!r}, which is not installed{hint}"
        for key, plugin in sorted(self._prefer.items()):
            kind, _, name = key.partition(":")
            claims = [entry.plugin for entry in self._by_name.get((kind, name), [])]
            said = f"{self._file.path}: plugins.prefer names {plugin!r} for {key!r}"
            if plugin not in known:
                yield f"{said}, which is not installed{did_you_mean(plugin, known)}"
            elif not self._states[plugin].state.usable:
                yield f"{said}, which cannot be used ({self._states[plugin].state})"
            elif plugin not in claims:
                yield f"{said}, which it does not register"


def _replaces_itself(entry: ProcessorEntry, entries: Iterable[ProcessorEntry]) -> bool:
    """Whether it is replaced by whom it replaces, at first or second hand: then nobody says which one is meant."""
    following = {one.full_name: one.replaces for one in entries}
    seen: set[str] = set()
    name = entry.replaces
    while name in following and name not in seen:
        if name == entry.full_name:
            return True
        seen.add(name)
        name = following[name]
    return False


def _why(plugin: Plugin) -> str:
    return f"{plugin.name} ({plugin.state}): {plugin.reason}" + (f"; {plugin.fix}" if plugin.fix else "")


def build_registry(installed: Iterable[Installed] | None = None, file: ProjectFile | None = None) -> Registry:
    """A registry of what is installed: each plugin is imported, except those that isekai.toml disables."""
    chosen = project_file() if file is None else file
    found = tuple(scan() if installed is None else installed)
    choice = _checked_choice(found, chosen)
    core = _core_version(found)
    return Registry([_disabled(one, chosen, choice) or load(one, core) for one in found], chosen)


def _checked_choice(found: Iterable[Installed], file: ProjectFile) -> Choice:
    """What safe mode says; `SettingError` when it, or isekai.toml, names what cannot be left out."""
    if CORE in {normal_name(name) for name in file.plugins.disabled}:
        msg = f"{file.path}: plugins.disabled names {CORE}, which everything needs; take it out"
        raise SettingError(msg)
    choice = current_choice()
    choice.check(one.name for one in found)
    return choice


def _core_version(found: Iterable[Installed]) -> str:
    return next((one.version for one in found if one.name == CORE), "")


def _disabled(installed: Installed, file: ProjectFile, choice: Choice) -> Plugin | None:
    """The plugin as it is listed when it is not to be imported; None when it is."""
    if choice.leaves_out(installed.name):
        fix = f"see --no-plugins and the variable {VARIABLE}"
        return Plugin(installed, PluginState.DISABLED, "left out by safe mode", fix)
    if installed.name in {normal_name(name) for name in file.plugins.disabled}:
        fix = f"take it out of plugins.disabled in {file.path}"
        return Plugin(installed, PluginState.DISABLED, "disabled", fix)
    return None


def installed_apps() -> list[str]:
    """The Django apps of the installed plugins, for INSTALLED_APPS; nothing of them is imported.

    Plugins that are disabled or left out by safe mode are not among them, nor those of whom it is seen from
    outside that they cannot be used: `manage.py check` names them (W001).

    >>> INSTALLED_APPS = ["isekai_core", *installed_apps()]
    """
    file, found = project_file(), scan()
    choice, core = _checked_choice(found, file), _core_version(found)
    fit = [one for one in found if _disabled(one, file, choice) is None and unfit(one, core) is None]
    apps = dict.fromkeys(app for one in fit for app in one.apps)
    # What a list of apps begins with already must not stand in it twice.
    return [app for app in apps if app.partition(".")[0] != "isekai_core"]


@cache
def registry() -> Registry:
    """The registry of this process, built at first use; `registry.cache_clear()` forgets it."""
    return build_registry()
