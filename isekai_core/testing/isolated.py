"""Plugins for one test: a registry that knows only what the test asks for, and distributions that the test writes."""

import importlib
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from isekai_core.conf import ProjectFile
from isekai_core.errors import ConfigurationError
from isekai_core.plugins import registry as home
from isekai_core.plugins.choice import STRICT_VARIABLE, VARIABLE
from isekai_core.plugins.compatible import CORE
from isekai_core.plugins.registry import Registry
from isekai_core.plugins.scan import normal_name, scan


class OwnRegistry:
    """The registry of a test: isekai-core, and the plugins that it is called with.

    `use(…)` finds the same ones. Neither isekai.toml nor the environment variables of safe mode count.
    """

    def __init__(self) -> None:
        self._names = {CORE}

    def __call__(self, *plugins: str) -> Registry:
        """The registry, with these distributions too; `ConfigurationError` for one that is not installed."""
        wanted = {normal_name(name) for name in plugins}
        installed = {one.name for one in scan()}
        if unknown := sorted(wanted - installed):
            msg = f"no plugin {unknown[0]!r} is installed; installed are {', '.join(sorted(installed))}"
            raise ConfigurationError(msg)
        self.expect(*wanted)
        return home.registry()

    def expect(self, *plugins: str) -> None:
        """From now on these are in the registry, as soon as they are installed."""
        self._names |= {normal_name(name) for name in plugins}
        home.registry.cache_clear()

    def build(self, *_: object, **__: object) -> Registry:
        """What `registry()` builds during the test."""
        return _build([one for one in scan() if one.name in self._names], ProjectFile())


_build = home.build_registry


@contextmanager
def own_registry() -> Iterator[OwnRegistry]:
    """A registry of its own for this block; the one before is there again at the end."""
    own = OwnRegistry()
    with pytest.MonkeyPatch.context() as patch:
        for name in (VARIABLE, STRICT_VARIABLE):
            patch.delenv(name, raising=False)
        # Every module has imported `registry` itself by now, so what it builds is exchanged.
        patch.setattr(home, "build_registry", own.build)
        home.registry.cache_clear()
        try:
            yield own
        finally:
            home.registry.cache_clear()


class Distributions:
    """Writes distributions into a folder that is on `sys.path`.

    folder: the folder; as good as a site-packages.
    """

    def __init__(self, folder: Path, registry: OwnRegistry) -> None:
        self.folder = folder
        self._registry = registry

    def __call__(
        self,
        name: str,
        source: str = "",
        *,
        version: str = "1.0",
        requires: Sequence[str] = (),
        files: Mapping[str, str] | None = None,
        entry_points: str | None = None,
    ) -> Path:
        """Install a distribution; the folder that it is in.

        name: of the distribution, such as `isekai-acme`.
        source: of its plugin module, which is called as the distribution is, with underscores; it may be left
            out when there are files.
        requires: its requirements.
        files: further files, path to text.
        entry_points: the text of its entry_points.txt; without it, one that names the module.
        """
        module = name.replace("-", "_").replace(".", "_")
        texts = dict(files or {})
        if source or not files:
            texts[f"{module}.py"] = source
        if entry_points is None:
            entry_points = f"[isekai]\n{name} = {module}\n"
        about = {"Metadata-Version": "2.1", "Name": name, "Version": version}
        head = [
            *(f"{field}: {value}" for field, value in about.items()),
            *(f"Requires-Dist: {one}" for one in requires),
        ]
        info = f"{module}-{version}.dist-info"
        texts |= {f"{info}/METADATA": "\n".join(head) + "\n", f"{info}/entry_points.txt": entry_points}
        for path, text in texts.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text), encoding="utf-8")
        importlib.invalidate_caches()
        self._registry.expect(name)
        return self.folder


@contextmanager
def fake_distributions(folder: Path, registry: OwnRegistry) -> Iterator[Distributions]:
    """Distributions in `folder`, which is on `sys.path` for this block; what was imported from it is forgotten."""
    folder.mkdir(parents=True, exist_ok=True)
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    try:
        yield Distributions(folder, registry)
    finally:
        sys.path[:] = before
        for name, module in list(sys.modules.items()):
            places = [getattr(module, "__file__", None) or "", *map(str, getattr(module, "__path__", ()))]
            if any(Path(place).is_relative_to(folder) for place in places if place):
                del sys.modules[name]
        importlib.invalidate_caches()
