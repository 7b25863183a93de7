"""A plugin that somebody else has written, from its wheel to a run: it needs nothing that is not in its wheel."""

import importlib.util
import json
import re
import shutil

import pytest
from installed.environments import PIP, Environment, call
from repository import ROOT

SOURCE = ROOT / "tests" / "plugins" / "acme-notes"

PIPELINE = """
[pipelines.notes]
seeders = [{ use = "notes", folder = "notes" }]
transformers = [{ use = "note-fields", model = "shop.Category", fields = { name = "title" }, match = ["name"] }]
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, so that nothing is left in the tree."""
    folder = tmp_path_factory.mktemp("acme-notes")
    copy = shutil.copytree(SOURCE, folder / "acme-notes", ignore=shutil.ignore_patterns("__pycache__"))
    call([*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, copy])
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(new_environment, wheels, wheel):
    return new_environment(wheels["isekai-core"], wheel)


def test_it_is_not_there_where_it_is_not_installed():
    assert importlib.util.find_spec("acme_notes") is None


def test_it_is_listed(environment, empty):
    done = environment.isekai("plugins", "list", cwd=empty)
    assert (done.status, done.err) == (0, "")
    [line] = [line for line in done.out.splitlines() if line.startswith("acme-notes ")]
    assert line.split() == ["acme-notes", "0.3.0", "ok", "seeders:", "notes", "·", "transformers:", "note-fields"]


def test_its_options_are_shown_with_what_they_mean(environment, empty):
    done = environment.isekai("plugins", "show", "acme-notes", "--json", cwd=empty)
    assert (done.status, done.err) == (0, "")
    processors = json.loads(done.out)["plugin"]["processors"]
    assert [processor["error"] for processor in processors] == ["", ""]
    assert all(option["doc"] for processor in processors for option in processor["options"])


def test_nothing_is_wrong_with_it(environment, empty):
    done = environment.isekai("plugins", "check", "acme-notes", cwd=empty)
    assert (done.status, done.err) == (0, ""), done.out


def test_a_pipeline_with_it_runs_and_a_second_time_nothing_is_to_do(environment, project):
    project.write("isekai.toml", PIPELINE)
    notes = shutil.copytree(SOURCE / "tests" / "notes", project.folder / "notes")
    (notes / "half.md").write_text("---\ntitle: Half\n", encoding="utf-8")
    checked = environment.isekai("pipelines", "check", "notes", cwd=project.folder)
    assert (checked.status, checked.err) == (0, ""), checked.out

    first = environment.isekai("run", "notes", "--json", cwd=project.folder)
    assert first.status == 1
    assert "what begins with --- ends with ---" in first.out
    assert project.count("shop_category") == 2

    (notes / "half.md").write_text("---\ntitle: Half\n---\n", encoding="utf-8")
    second = environment.isekai("run", "notes", "--json", "--refresh", cwd=project.folder)
    assert second.status == 0, second.err
    assert project.count("shop_category") == 3
    shown = environment.isekai("show", "note:2019/coffee", "--json", cwd=project.folder)
    assert shown.status == 0, shown.err
    assert "acme-notes/note-fields" in shown.out


def test_its_own_tests_pass_where_it_is_installed(tmp_path, tools, wheels, wheel):
    author = Environment.make(tmp_path / "environment", below=tools)
    author.install(wheels["isekai-core"], wheel, deps=False)
    # The tests without the package: what they import is what is installed.
    folder = tmp_path / "acme-notes"
    shutil.copytree(SOURCE / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(SOURCE / "pyproject.toml", folder)
    done = author.run(author.python, "-I", "-m", "pytest", "-q", "--isekai-no-skips", cwd=folder)
    assert done.status == 0, done.out + done.err
    [passed] = re.findall(r"^(\d+) passed in", done.out, re.MULTILINE)
    assert int(passed) > 20
