"""What the registry holds: a plugin with its state, and the processors that it registers."""

import importlib
from dataclasses import dataclass
from typing import Any, NoReturn

from isekai_core.conf import did_you_mean
from isekai_core.errors import PluginUnusable
from isekai_core.plugins.contain import in_words as in_error
from isekai_core.plugins.diagnose import diagnose, needs_project
from isekai_core.plugins.quiet import quiet
from isekai_core.plugins.scan import Installed
from isekai_core.plugins.states import PluginState

_METHODS = {
    "seeder": ("seed",),
    "extractor": ("extract",),
    "miner": ("mine",),
    "transformer": ("transform",),
    "loader": ("write",),
    # A place for bundles reads and writes them; everything else is a database.
    "slice_source": ("export", "reader"),
    "slice_target": ("load", "writer"),
}
"""Kind to the methods of which its classes have one."""


def in_words(kind: str) -> str:
    """A kind as people read it.

    >>> in_words("slice_source")
    'slice source'
    """
    return kind.replace("_", " ")


@dataclass(frozen=True, slots=True)
class ProcessorEntry:
    """A processor that a plugin registers: its class is imported at first use.

    target: the class, or `"package.module:Class"`.
    replaces: the full name of the processor whose short name means this one; "" for none.
    """

    kind: str
    name: str
    target: type[Any] | str
    installed: Installed
    replaces: str = ""

    @property
    def plugin(self) -> str:
        """The name of the plugin that registers it."""
        return self.installed.name

    @property
    def version(self) -> str:
        """The version of the plugin that registers it."""
        return self.installed.version

    @property
    def full_name(self) -> str:
        """`plugin/name`, which is never ambiguous."""
        return f"{self.plugin}/{self.name}"

    @property
    def reference(self) -> str:
        """Where the class is, written `package.module:Class`."""
        if isinstance(self.target, str):
            return self.target
        return f"{self.target.__module__}:{self.target.__qualname__}"

    def load(self) -> type[Any]:
        """The class; `PluginUnusable` says why it cannot be had, and what to type."""
        try:
            return self._checked(self.target if isinstance(self.target, type) else self._imported(self.target))
        except (PluginUnusable, KeyboardInterrupt):
            raise
        except BaseException as error:  # a metaclass of the plugin's: to ask for an attribute runs code of it
            self._refuse(f"asking {self.reference} raised {in_error(error)}", "", error)

    def _checked(self, found: Any) -> type[Any]:
        methods = _METHODS[self.kind]
        if not isinstance(found, type):
            self._refuse(f"{self.reference} is no class but a {type(found).__qualname__}")
        if not any(callable(getattr(found, method, None)) for method in methods):
            lacking = " or ".join(f"{method}()" for method in methods)
            self._refuse(f"{self.reference} is no {in_words(self.kind)}: it has no method {lacking}")
        return found

    def _imported(self, target: str) -> Any:
        module, _, path = target.partition(":")
        try:
            with quiet():
                found: Any = importlib.import_module(module)
        except KeyboardInterrupt:  # the user's
            raise
        except BaseException as error:  # turned into an error that names the plugin
            if needs_project(error):
                self._refuse("it needs a Django project", "start this beside its manage.py, or see --settings", error)
            diagnosis = diagnose(error, self.installed)
            self._refuse(diagnosis.reason, diagnosis.fix, error)
        for attribute in path.split("."):
            if not hasattr(found, attribute):
                hint = did_you_mean(attribute, vars(found))
                self._refuse(f"it is registered as {target!r}, and there is no {attribute!r} in it{hint}")
            found = getattr(found, attribute)
        return found

    def _refuse(self, reason: str, fix: str = "", cause: BaseException | None = None) -> NoReturn:
        msg = f"{in_words(self.kind)} {self.full_name} cannot be used: {reason}" + (f"; {fix}" if fix else "")
        raise PluginUnusable(msg) from cause


@dataclass(frozen=True, slots=True)
class Plugin:
    """An installed plugin, and what became of it.

    state, reason, fix: whether it can be used; if not, why, and what to type.
    traceback: of the failure, in full.
    import_ms: how long importing its modules took.
    hooks: the hooks that it implements.
    processors: what it registers; of a plugin in quarantine, what it had registered before it failed.
    """

    installed: Installed
    state: PluginState = PluginState.OK
    reason: str = ""
    fix: str = ""
    traceback: str = ""
    import_ms: float = 0.0
    hooks: tuple[str, ...] = ()
    processors: tuple[ProcessorEntry, ...] = ()

    @property
    def name(self) -> str:
        """Its normalised distribution name."""
        return self.installed.name

    @property
    def version(self) -> str:
        """Its distribution's version."""
        return self.installed.version
