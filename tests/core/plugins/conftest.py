"""Real distributions, written into a folder that is put on the path."""

import importlib
import sys
import textwrap

import pytest

from isekai_core.plugins.scan import scan

REGISTERS_A_MINER = """
    from isekai_core import hookimpl

    @hookimpl
    def isekai_register_miners(register):
        register("{name}", "{module}:Miner")

    class Miner:
        '''Finds nothing.'''

        accepts = ("*",)

        def __init__(self, depth: int = 1):
            self.depth = depth

        def mine(self, resource):
            return []
"""


class Folder:
    """A site-packages of the test's own."""

    def __init__(self, path):
        self.path = path

    def add(self, name, source=REGISTERS_A_MINER, *, version="1.0", requires=(), miner=None, entry_points=None):
        """Install a distribution with one module, called like it, which is its plugin."""
        module = name.replace("-", "_")
        text = textwrap.dedent(source).replace("{module}", module).replace("{name}", miner or f"{name}-miner")
        (self.path / f"{module}.py").write_text(text)
        self.add_metadata(name, entry_points or f"[isekai]\n{name} = {module}\n", version=version, requires=requires)
        importlib.invalidate_caches()

    def add_metadata(self, name, entry_points, *, version="1.0", requires=()):
        """Install only what says that there is a distribution."""
        folder = self.path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir(parents=True)
        lines = [
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}",
            *(f"Requires-Dist: {one}" for one in requires),
        ]
        (folder / "METADATA").write_text("\n".join(lines) + "\n\nDescription\nName: not-this\n")
        (folder / "entry_points.txt").write_text(entry_points)

    def add_app(self, name, *apps, **metadata):
        """Install a distribution that is Django apps, each an empty package."""
        for app in apps:
            package = self.path / app.partition(".")[0]
            package.mkdir(exist_ok=True)
            (package / "__init__.py").write_text("")
        lines = "".join(f"{name}{number} = {app}\n" for number, app in enumerate(apps))
        self.add_metadata(name, f"[isekai.apps]\n{lines}", **metadata)
        importlib.invalidate_caches()

    def scan(self):
        """What is installed in this folder alone."""
        return scan([str(self.path)])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = tmp_path / "site-packages"
    path.mkdir()
    monkeypatch.syspath_prepend(str(path))
    before = set(sys.modules)
    yield Folder(path)
    for name in set(sys.modules) - before:
        if str(path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
