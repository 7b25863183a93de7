"""What is declared is what is used, and what is built holds what belongs into it."""

import ast
import re
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from repository import CORE, PACKAGES, PLUGINS, ROOT, modules, named, read_toml, tree

FOLDERS = list(PACKAGES)
PROJECTS = {folder: read_toml(folder / "pyproject.toml")["project"] for folder in FOLDERS}
folders = pytest.mark.parametrize("folder", FOLDERS, ids=[PROJECTS[folder]["name"] for folder in FOLDERS])
plugins = pytest.mark.parametrize("plugin", PLUGINS, ids=named(PLUGINS))


def imported(paths):
    """The names of the distributions that modules import, without the standard library."""
    tops = set()
    for path in paths:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                tops |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                tops.add(node.module.partition(".")[0])
    known = packages_distributions()
    own = {package.name for package in PACKAGES.values()}
    third = {top for top in tops if top not in sys.stdlib_module_names and top not in own}
    brought = {canonicalize_name(known[top][0]) for top in third}
    return brought | {name.replace("_", "-") for name in tops & own}


def declared(requirements):
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def test_core_declares_what_it_imports():
    used = imported(path for path in modules(CORE) if CORE / "testing" not in path.parents)
    extras = PROJECTS[ROOT]["optional-dependencies"]
    # What only some need is imported where it is used, and says what to install.
    optional = declared([*extras["masks"], *extras["zstd"], *extras["uvloop"]])
    assert used - {"isekai-core"} == declared(PROJECTS[ROOT]["dependencies"]) | optional


def test_the_testing_kit_declares_what_it_imports():
    used = imported(modules(CORE / "testing")) - {"isekai-core"}
    extra = declared(PROJECTS[ROOT]["optional-dependencies"]["testing"])
    assert used <= extra | declared(PROJECTS[ROOT]["dependencies"])
    # pytest-django is not imported: pytest loads it, for the settings of the kit.
    assert extra - used == {"pytest-django"}


@plugins
def test_a_plugin_declares_what_it_imports(plugin):
    assert imported(modules(PACKAGES[plugin])) - {plugin.name} == declared(PROJECTS[plugin]["dependencies"])


@folders
def test_every_requirement_has_a_lower_bound(folder):
    extras = PROJECTS[folder].get("optional-dependencies", {}).values()
    for line in [*PROJECTS[folder]["dependencies"], *(line for extra in extras for line in extra)]:
        assert ">=" in str(Requirement(line).specifier), line


def test_the_oldest_versions_that_are_tested_are_those_that_are_declared():
    every = read_toml(ROOT / "pyproject.toml")["dependency-groups"]
    groups = [*every["test"], *every["slices"]]
    extras = PROJECTS[ROOT]["optional-dependencies"]["testing"]
    lines = [*groups, *extras, *(line for project in PROJECTS.values() for line in project["dependencies"])]
    bounds = {}
    for requirement in map(Requirement, lines):
        (lower,) = (part.version for part in requirement.specifier if part.operator == ">=")
        bounds.setdefault(canonicalize_name(requirement.name), set()).add(lower)
    bounds.pop("isekai-core")
    pins = [Requirement(line) for line in (ROOT / ".ci" / "lowest.txt").read_text().splitlines() if line[0] != "#"]
    assert {canonicalize_name(pin.name): {str(pin.specifier).removeprefix("==")} for pin in pins} == bounds


@plugins
def test_a_plugin_takes_the_core_beside_it_and_none_that_may_be_incompatible(plugin):
    core = Version(PROJECTS[ROOT]["version"])
    (line,) = (line for line in PROJECTS[plugin]["dependencies"] if Requirement(line).name == "isekai-core")
    specifier = Requirement(line).specifier
    assert core in specifier
    assert f"{core.major}.{core.minor + 1}" not in specifier


@folders
def test_the_changelog_begins_with_the_version(folder):
    headings = re.findall(r"^## (\S+)", (folder / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == PROJECTS[folder]["version"]


@folders
def test_the_distributions_agree_on_python_and_licence(folder):
    for field in ("requires-python", "license", "authors"):
        assert PROJECTS[folder][field] == PROJECTS[ROOT][field], field
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """The wheels of all distributions, built as they would be for a release."""
    target = tmp_path_factory.mktemp("wheels")
    command = [
        sys.executable,
        "-I",
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        target,
    ]
    subprocess.run([*command, *FOLDERS], check=True, capture_output=True, text=True)
    return {path.name.partition("-")[0]: set(zipfile.ZipFile(path).namelist()) for path in target.glob("*.whl")}


@folders
def test_the_wheel_holds_the_package_the_types_and_the_licence(folder, wheels):
    package = PACKAGES[folder].name
    names = wheels[package]
    assert f"{package}/py.typed" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert any(name.endswith(".dist-info/entry_points.txt") for name in names)
    files = {path.relative_to(PACKAGES[folder].parent).as_posix() for path in PACKAGES[folder].rglob("*.py")}
    assert files <= names


@folders
def test_the_wheel_holds_nothing_else(folder, wheels):
    package = PACKAGES[folder].name
    assert {name.partition("/")[0].partition("-")[0] for name in wheels[package]} == {package}
    assert not [name for name in wheels[package] if "/tests/" in name or "__pycache__" in name]
