"""The wheels of this repository, and new environments to install them into."""

import pytest
from installed.environments import PIP, Environment, call
from installed.projects import new_project
from repository import PACKAGES, ROOT, read_toml


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """Distribution to its wheel, of core and the plugins, built as for a release."""
    folder = tmp_path_factory.mktemp("wheels")
    call([*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, *PACKAGES])
    return {path.name.partition("-")[0].replace("_", "-"): path for path in folder.glob("*.whl")}


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    """An environment with what core requires and nothing else: the costly part, which all others stand on."""
    made = Environment.make(tmp_path_factory.mktemp("libraries"))
    made.install(*read_toml(ROOT / "pyproject.toml")["project"]["dependencies"])
    return made


@pytest.fixture(scope="session")
def tools(tmp_path_factory, libraries):
    """An environment with what an author needs beside core: what the kit for tests requires, and what builds."""
    made = Environment.make(tmp_path_factory.mktemp("tools"), below=libraries)
    extra = read_toml(ROOT / "pyproject.toml")["project"]["optional-dependencies"]["testing"]
    made.install(*extra, "hatchling", "editables")
    return made


@pytest.fixture(scope="session")
def new_environment(tmp_path_factory, libraries):
    """Makes a new environment and installs into it what it is given, with what that requires."""

    def make(*what):
        made = Environment.make(tmp_path_factory.mktemp("environment"), below=libraries)
        made.install(*what)
        return made

    return make


@pytest.fixture(scope="session")
def shared(new_environment, wheels):
    """An environment with core alone, which no test changes: what else it needs, it puts on the path."""
    return new_environment(wheels["isekai-core"])


@pytest.fixture(scope="session")
def migrated(tmp_path_factory, shared):
    return new_project(tmp_path_factory.mktemp("project") / "start", shared)


@pytest.fixture
def project(tmp_path, migrated):
    """A project of the test's own."""
    return migrated.copy(tmp_path / "project")


@pytest.fixture
def empty(tmp_path):
    """A folder where nothing is: what works there works anywhere."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder
