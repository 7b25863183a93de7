"""What a broken plugin is, for the tables of all the ways that somebody thought of. Each becomes a real distribution.

Each registers, or would register, the miner `words`; what is not said here of a plugin is as in a sound one.
"""

import textwrap
from dataclasses import dataclass, field

NAME = "acme-broken"
PACKAGE = "acme_broken"

PLUGIN = """
from isekai_core import hookimpl


@hookimpl
def isekai_register_miners(register):
    register("words", "acme_broken.mine:WordMiner")
"""

MINER = """
class WordMiner:
    '''Finds nothing.'''

    accepts = ("*",)

    def mine(self, resource):
        return []
"""

UPGRADE = f"pip install --upgrade {NAME}"
REINSTALL = f"pip install --force-reinstall {NAME}"
SHOW = f"isekai plugins show {NAME}"


@dataclass(frozen=True)
class Broken:
    """A plugin, and what its user is told.

    state, reason, fix: what `plugins list` says. Of reason and fix, parts that must be there.
    used: what `plugins show` and a pipeline say when only using the processor shows that it is broken: `list` finds
        nothing then, and `plugins check` must.
    plugin, mine: the modules of these names; None for a module that is not there. more: further files.
    points: the entry points. group: theirs. damage: what METADATA is after the installation, where no installer
        would take it like this.
    """

    id: str
    state: str = "ok"
    reason: tuple[str, ...] = ()
    fix: str = ""
    used: tuple[str, ...] = ()
    plugin: str | None = PLUGIN
    mine: str | None = MINER
    more: dict[str, str] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    points: dict[str, str] | None = None
    group: str = "isekai"
    damage: bytes | None = None

    @property
    def files(self):
        modules = {f"{PACKAGE}/plugin.py": self.plugin, f"{PACKAGE}/mine.py": self.mine}
        return {
            f"{PACKAGE}/__init__.py": "",
            **{path: text for path, text in modules.items() if text is not None},
            **self.more,
        }

    @property
    def told(self):
        """What a pipeline that needs it says, beside the name of the plugin."""
        return self.used or (self.state, *self.reason)


def before(line):
    """The plugin's module, sound but for what is said at its top."""
    return f"{line}\n{PLUGIN}"


def hook(text):
    """A plugin's module with another hook, decorated."""
    return f"from isekai_core import hookimpl\n\n\n@hookimpl\n{textwrap.dedent(text).strip()}\n"


def registers(name, target):
    return hook(f"def isekai_register_miners(register):\n    register({name!r}, {target!r})")
