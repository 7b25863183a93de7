"""From `isekai plugins new` to green tests and a line in `plugins list`: for every kind, in a new environment, from a
built wheel of core."""

import json
import re

import pytest
from installed.environments import Environment
from repository import ROOT, read_toml

from isekai_core.cli.new import STAGE_OF

CORE = "isekai-core"
kinds = pytest.mark.parametrize("kind", list(STAGE_OF))


@pytest.fixture(scope="module")
def tools(tmp_path_factory, libraries):
    """What the extra of the kit and the build require: as costly as `libraries`, and shared like it."""
    made = Environment.make(tmp_path_factory.mktemp("tools"), below=libraries)
    extra = read_toml(ROOT / "pyproject.toml")["project"]["optional-dependencies"]["testing"]
    made.install(*extra, "hatchling", "editables")
    return made


@pytest.fixture
def author(tmp_path, libraries, tools, wheels):
    """The new environment of an author, with core from its wheel."""
    made = Environment.make(tmp_path / "environment")
    below = "".join(f"{one.site_packages}\n" for one in (tools, libraries))
    (made.site_packages / "below.pth").write_text(below, encoding="utf-8")
    made.install(wheels[CORE], deps=False)
    return made


@kinds
def test_a_new_plugin_installs_passes_its_tests_and_is_listed(kind, author, empty):
    done = author.isekai("plugins", "new", "isekai-acme", "--kind", kind, cwd=empty)
    assert (done.status, done.err) == (0, "")
    assert "cd isekai-acme && pip install -e '.[test]' && pytest" in done.out
    folder = empty / "isekai-acme"

    author.install("--no-build-isolation", "--editable", f"{folder}[test]")
    # -P: what is tested is what was installed, not what stands in the folder where pytest starts.
    tests = author.run(author.python, "-P", "-m", "pytest", "-q", "--isekai-no-skips", cwd=folder)
    assert tests.status == 0, tests.out
    assert re.search(r"^\d+ passed in", tests.out, re.MULTILINE), tests.out

    listed = author.isekai("plugins", "list", "--json", cwd=empty)
    assert (listed.status, listed.err) == (0, "")
    (plugin,) = (one for one in json.loads(listed.out)["plugins"] if one["name"] == "isekai-acme")
    assert (plugin["state"], plugin["version"]) == ("ok", "0.1.0")
    assert [(one["kind"], one["name"]) for one in plugin["processors"]] == [(kind, "acme")]

    checked = author.isekai("plugins", "check", "isekai-acme", cwd=empty)
    assert checked.status == 0, checked.out + checked.err


def test_a_new_plugin_has_a_wheel_with_its_package_and_no_tests(author, empty):
    author.isekai("plugins", "new", "isekai-acme", "--kind", "seeder", cwd=empty)
    # With an environment for the build, as pip makes one: what the build requires is declared.
    author.install(empty / "isekai-acme")
    installed = {path.name for path in (author.site_packages / "isekai_acme").iterdir()}
    assert installed == {"__init__.py", "plugin.py", "py.typed", "seed.py"}
    assert not (author.site_packages / "tests").exists()
