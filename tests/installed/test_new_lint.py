"""What `isekai plugins new` writes passes ruff and mypy as it stands, with the settings that it writes itself."""

import subprocess
import sys

import pytest

from isekai_core.cli import new
from isekai_core.cli.new import STAGE_OF

# Lines are longest with the longest name, and a formatter joins what a short one leaves room for.
NAMES = ["a", "isekai-acme", "isekai-" + "-".join(["abcd"] * 6) + "-efg"]

kinds = pytest.mark.parametrize("kind", list(STAGE_OF))
names = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Types of core and of Django, read once."""
    return tmp_path_factory.mktemp("mypy")


def run(folder, *command):
    done = subprocess.run(
        [sys.executable, "-I", "-m", *command], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


@names
@kinds
def test_ruff_has_nothing_to_say(kind, name, tmp_path):
    new.create(name, kind, tmp_path / "made")
    run(tmp_path / "made", "ruff", "check", "--no-cache")
    run(tmp_path / "made", "ruff", "format", "--no-cache", "--check")


@kinds
def test_mypy_has_nothing_to_say(kind, tmp_path, cache):
    new.create("isekai-acme", kind, tmp_path / "made")
    run(tmp_path / "made", "mypy", "--strict", "--cache-dir", cache)


def test_the_longest_name_is_among_those_that_are_tried(tmp_path):
    assert new.create(NAMES[-1], "miner", tmp_path / "made")
    with pytest.raises(new.ConfigurationError, match="at most"):
        new.create(NAMES[-1] + "h", "miner", tmp_path / "other")
