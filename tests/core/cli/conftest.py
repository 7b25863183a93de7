"""Commands in this process, and in one of their own."""

import subprocess
import sys
import types

import pytest

from isekai_core.cli.main import COMMANDS
from isekai_core.plugins.registry import registry

ISEKAI = "import sys; from isekai_core.cli.main import main; sys.exit(main())"


@pytest.fixture(autouse=True)
def own_registry(tmp_path, monkeypatch):
    """No test sees the project file or the registry of another."""
    monkeypatch.chdir(tmp_path)
    registry.cache_clear()
    yield
    registry.cache_clear()


@pytest.fixture
def isekai(tmp_path):
    """`isekai …` in a process of its own, in the test's folder."""

    def run(*arguments, path=(), **environment):
        given = {"PYTHONPATH": ":".join(str(one) for one in path), **environment}
        return subprocess.run(
            [sys.executable, "-P", "-c", ISEKAI, *arguments],
            cwd=tmp_path,
            env=given,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def command(monkeypatch):
    """A further command, `isekai try`, that does what the test gives it."""

    def add(execute, add_arguments=lambda parser: None):
        module = types.ModuleType("isekai_core.cli.try")
        module.add_parser = lambda commands: add_arguments(commands.add_parser("try"))
        module.execute = execute
        monkeypatch.setitem(sys.modules, "isekai_core.cli.try", module)
        monkeypatch.setitem(COMMANDS, "try", "for a test")

    return add
