"""What a plugin's module implements: checked against the contract, then called, for this plugin alone.

pluggy leaves four mistakes silent: a misspelled hook, a forgotten decorator, a coroutine and a
generator. Each of them would be a plugin that is installed and does nothing.
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pluggy

from isekai_core import hookspecs
from isekai_core.conf import did_you_mean
from isekai_core.plugins.entry import ProcessorEntry
from isekai_core.plugins.scan import Installed, normal_name
from isekai_core.plugins.states import InvalidHooksError

PREFIX = "isekai_"
_REGISTER = "isekai_register_"

HOOKS = {name: name.removeprefix(_REGISTER).removesuffix("s") for name in vars(hookspecs) if name.startswith(_REGISTER)}
"""Registration hook to the kind of processor it registers, in the order of the stages."""

KINDS = tuple(HOOKS.values())

_NONE = inspect.Parameter.empty
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


_LONGEST = 100  # With the plugin's name, it is what the journal keeps.


def _cut(name: object) -> str:
    text = repr(name)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


class RefusedError(ValueError):
    """`register` does not take what it is given; a ValueError of the plugin's own is another thing."""


class Registration:
    """The `register` that one plugin's hook is handed: what it registers is of one kind, and has an author."""

    def __init__(self, kind: str, installed: Installed, entries: list[ProcessorEntry]) -> None:
        self._kind = kind
        self._installed = installed
        self._entries = entries

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Register a processor; `ValueError` for an argument of another form, and for a name given twice."""
        try:
            self._register(*args, **kwargs)
        except TypeError as error:  # of the call alone: inside, everything is looked at first
            said = str(error).partition("() ")[2]
            msg = f"register() {said}; it is called as register('name', 'package.module:Class', replaces='…')"
            raise RefusedError(msg) from None

    def _register(self, name: str, target: type[Any] | str, *, replaces: str = "") -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            msg = f"a processor's name is lower-case words with hyphens, such as 'html-images', got {_cut(name)}"
            raise RefusedError(msg)
        if len(name) > _LONGEST:
            msg = f"a processor's name has {_LONGEST} characters at most, got {len(name)}: {_cut(name)}"
            raise RefusedError(msg)
        if not isinstance(target, type) and not (isinstance(target, str) and _TARGET.fullmatch(target)):
            msg = f"{name}: expected a class or 'package.module:Class', got {target!r}"
            raise RefusedError(msg)
        if any(entry.name == name and entry.kind == self._kind for entry in self._entries):
            msg = f"the {self._kind} {name!r} is registered twice"
            raise RefusedError(msg)
        self._entries.append(ProcessorEntry(self._kind, name, target, self._installed, self._replaced(name, replaces)))

    def _replaced(self, name: str, replaces: str) -> str:
        if replaces == "":
            return ""
        plugin, _, short = replaces.partition("/") if isinstance(replaces, str) else ("", "", "")
        if not plugin.strip() or short != name or normal_name(plugin) == self._installed.name:
            wanted = f"the full name of another plugin's {name!r}, such as 'isekai-html/{name}'"
            msg = f"{name}: replaces is {wanted}, got {replaces!r}"
            raise RefusedError(msg)
        return f"{normal_name(plugin)}/{short}"


def manager_of(parts: Sequence[object]) -> pluggy.PluginManager:
    """A plugin manager that knows one plugin only, so that nobody else hears its hooks or their failures.

    Raises `InvalidHooksError` when one of its `parts` (the modules that its entry points name) breaks the contract.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for index, part in enumerate(parts):
        if manager.is_registered(part):
            continue  # Two entry points may name one module.
        for name, function in _functions(manager, part):
            _check(name, function, manager.parse_hookimpl_opts(part, name))
        try:
            manager.register(part, name=str(index))
        except pluggy.PluginValidationError as error:
            raise InvalidHooksError(str(error), f"the hooks are {', '.join(HOOKS)}") from error
    return manager


def implemented(manager: pluggy.PluginManager) -> tuple[str, ...]:
    """The hooks of the contract that the plugin implements, in the order of the stages."""
    return tuple(name for name in HOOKS if getattr(manager.hook, name).get_hookimpls())


def register_all(manager: pluggy.PluginManager, installed: Installed, entries: list[ProcessorEntry]) -> None:
    """Call the plugin's registration hooks; what they register is appended to `entries`."""
    for name in implemented(manager):
        try:
            getattr(manager.hook, name)(register=Registration(HOOKS[name], installed, entries))
        except RefusedError as error:
            msg = f"{name}: {error}"
            fix = f"correct it in {', '.join(installed.modules)}, or pip install --upgrade {installed.name}"
            raise InvalidHooksError(msg, fix) from error


def _functions(manager: pluggy.PluginManager, part: object) -> Iterator[tuple[str, Any]]:
    """What is a hook implementation, or looks like one that lacks its decorator."""
    for name in sorted(dir(part)):
        marked = manager.parse_hookimpl_opts(part, name) is not None
        value = inspect.getattr_static(part, name, None)
        if marked or (name.startswith(PREFIX) and inspect.isroutine(value)):
            yield name, getattr(part, name)


def _check(name: str, function: Any, options: Any) -> None:
    if options is None:
        reason = f"the function {name} has no @hookimpl, so nobody calls it; names that begin with isekai_ are hooks"
        raise InvalidHooksError(reason, "decorate it with @hookimpl (from isekai_core import hookimpl)")
    hook = options.get("specname") or name
    if hook not in HOOKS:
        if options.get("optionalhook"):
            return
        reason = f"there is no hook {hook}{did_you_mean(hook, HOOKS)}"
        raise InvalidHooksError(reason, f"the hooks are {', '.join(HOOKS)}")
    if options.get("wrapper") or options.get("hookwrapper"):
        reason = f"{hook} is implemented as a wrapper, and there is nothing to wrap: it is called one plugin at a time"
        raise InvalidHooksError(reason, "decorate it with @hookimpl alone")
    _check_function(hook, function)


def _check_function(hook: str, function: Any) -> None:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        reason = f"{hook} is an async function, which nobody awaits"
        raise InvalidHooksError(reason, "write it with def")
    if inspect.isgeneratorfunction(function):
        reason = f"{hook} is a generator (it holds a yield), which nobody runs"
        raise InvalidHooksError(reason, "call register(…) in it, once for each processor")
    given = list(inspect.signature(getattr(hookspecs, hook)).parameters)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in given and (parameter.kind is parameter.KEYWORD_ONLY or parameter.default is not _NONE):
            reason = f"{hook} is not given {parameter.name!r} where it is keyword-only or has a default"
            raise InvalidHooksError(reason, f"write it as def {hook}({', '.join(given)})")
        if parameter.name not in given and parameter.default is parameter.empty:
            reason = f"{hook} takes {parameter.name!r}, which it is not given{did_you_mean(parameter.name, given)}"
            raise InvalidHooksError(reason, f"write it as def {hook}({', '.join(given)})")
