"""The fixtures of the kit, for every project that has isekai-core and pytest installed.

Inert until used: nothing heavy is imported at the start, and without `ISEKAI_TEST_DATABASE=postgresql`
or `--isekai-no-skips` nothing changes for anybody's tests.
"""

import importlib.util
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from isekai_core.slicing.slicer import SliceResult
    from isekai_core.testing.importers import Declare
    from isekai_core.testing.isolated import Distributions, OwnRegistry
    from isekai_core.testing.web import Site
    from isekai_core.types import ResourceView


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Start PostgreSQL before pytest-django reads the settings, when they are going to ask for one."""
    if os.environ.get("ISEKAI_TEST_DATABASE") == "postgresql" and not os.environ.get("ISEKAI_TEST_POSTGRES_URL"):
        from isekai_core.testing.postgres import URL_VARIABLE, embedded_postgres  # noqa: PLC0415 - only when used

        until_the_end = ExitStack()
        early_config.add_cleanup(until_the_end.close)
        os.environ[URL_VARIABLE] = until_the_end.enter_context(embedded_postgres())
        until_the_end.callback(os.environ.pop, URL_VARIABLE, None)
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line(
        "markers",
        "isekai_slice(path, *, using='default', ids='keep', on_conflict='update', dangling='error', name='',"
        " files=False): load the slice in this folder into the test's database",
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test with a slice uses its databases: pytest-django puts tests in order by that."""
    marks = list(item.iter_markers("isekai_slice"))
    if marks and item.get_closest_marker("django_db") is None and item.config.pluginmanager.hasplugin("django"):
        databases = {str(mark.kwargs.get("using", "default")) for mark in marks}
        item.add_marker(pytest.mark.django_db(databases=sorted({"default"} | databases)))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--isekai-no-skips`, for continuous integration."""
    parser.getgroup("isekai").addoption(
        "--isekai-no-skips", action="store_true", help="a test that is skipped, or fails as expected, is a failure"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one, when that is asked for."""
    report = yield
    if report.skipped and item.config.getoption("isekai_no_skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but nothing may be skipped here: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself as a whole."""
    report = yield
    if report.skipped and collector.config.getoption("isekai_no_skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but nothing may be skipped here: {report.longrepr}"
    return report


@pytest.fixture
def site() -> "Iterator[Site]":
    """A real web site on loopback: `site.pages["/a"] = Response("<p>hi")`, `site.url("/a")`, `site.count("/a")`."""
    from isekai_core.testing.web import running_site  # noqa: PLC0415 - only when used

    with running_site() as site:
        yield site


@pytest.fixture
def resource_view() -> "Callable[..., ResourceView]":
    """Makes a resource as a processor sees it: `resource_view("url:https://…", text="<p>hi")`."""
    from isekai_core.testing.resources import make_resource  # noqa: PLC0415 - only when used

    return make_resource


@pytest.fixture
def isekai_registry() -> "Iterator[OwnRegistry]":
    """A registry of this test alone: isekai-core, and what is asked for by `isekai_registry("isekai-html")`.

    What is called returns the registry; `use(…)` in a pipeline finds the same processors, and no others.
    """
    from isekai_core.testing.isolated import own_registry  # noqa: PLC0415 - only when used

    with own_registry() as registry:
        yield registry


@pytest.fixture
def fake_distribution(isekai_registry: "OwnRegistry", tmp_path: Path) -> "Iterator[Distributions]":
    """Installs a real distribution for this test: `fake_distribution("isekai-acme", "from isekai_core import …")`.

    The text is that of its plugin module. It is in `isekai_registry`, too.
    """
    from isekai_core.testing.isolated import fake_distributions  # noqa: PLC0415 - only when used

    with fake_distributions(tmp_path / "site-packages", isekai_registry) as distributions:
        yield distributions


@pytest.fixture(autouse=True)
def isekai_slices(request: pytest.FixtureRequest) -> "Iterator[Sequence[SliceResult]]":
    """What the marks `isekai_slice` of this test have loaded: a result for each, in their order."""
    if next(request.node.iter_markers("isekai_slice"), None) is None:
        yield ()
        return
    from isekai_core.testing.marked import loaded  # noqa: PLC0415 - only when used

    with loaded(request) as results:
        yield results


@pytest.fixture
def isekai_importers() -> "Iterator[Declare]":
    """No importers of slices but those of this test: `isekai_importers(Shop, tenant=Tenant)` declares one."""
    from isekai_core.testing.importers import own_importers  # noqa: PLC0415 - only when used

    with own_importers() as declare:
        yield declare


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a real PostgreSQL server, the same for the whole session."""
    from isekai_core.testing.postgres import embedded_postgres  # noqa: PLC0415 - only when used

    with embedded_postgres() as url:
        yield url


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database that is this test's alone."""
    from isekai_core.testing.postgres import own_database  # noqa: PLC0415 - only when used

    with own_database(postgres_url) as url:
        yield url


@pytest.fixture
def project_environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Environment variables for another process: the test settings, on an empty database of this test alone.

    The database is of the kind that the test run is on. The tables are not made: run `migrate --run-syncdb`.
    """
    environment: dict[str, Any] = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "isekai_core.testing.settings",
        "ISEKAI_TEST_DIR": str(tmp_path / "project"),
        # The installed packages are tested, not those of the folder that the process starts in.
        "PYTHONSAFEPATH": "1",
    }
    if os.environ.get("ISEKAI_TEST_DATABASE") == "postgresql":
        environment["ISEKAI_TEST_POSTGRES_URL"] = request.getfixturevalue("postgres_database")
    if (testapp := importlib.util.find_spec("testapp")) and testapp.submodule_search_locations:
        environment["PYTHONPATH"] = str(Path(next(iter(testapp.submodule_search_locations))).parent)
    return environment
