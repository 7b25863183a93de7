"""`cli/pipelines.py`: the list, which nothing broken empties, and the check."""

import json
import sys
from pathlib import Path

import pytest
from testapp import pipelines

from isekai_core import Pipeline
from isekai_core.cli.main import main
from isekai_core.models import Resource


def isekai(capsys, *arguments):
    status = main(["pipelines", *arguments])
    return status, capsys.readouterr().out


@pytest.fixture
def broken_app(tmp_path, monkeypatch, settings):
    """An installed app whose pipelines.py needs what is not there."""
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "__init__.py").touch()
    (tmp_path / "ours" / "pipelines.py").write_text("print('reading')\nimport nowhere_to_be_found\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    settings.INSTALLED_APPS = ["ours", *settings.INSTALLED_APPS]
    yield
    sys.modules.pop("ours", None)


SHELF = (
    "seeders: testapp.pipelines.names · extractors: testapp.pipelines.fetch · miners: testapp.pipelines.links"
    " · transformers: testapp.pipelines.become · loaders: models"
)
KEYS = '[pipelines.keys]\nseeders = [{ use = "csv", path = "k.csv" }]\nextractors = ["file"]\nmax_depth = 3\n'
WRONG = '[pipelines.keys]\nseeders = [{ use = "csv", paht = "k.csv" }]\nextractors = ["fiel"]\n'


# list


def test_every_pipeline_has_a_line_with_where_it_was_found_and_its_processors(tmp_path, capsys):
    (tmp_path / "isekai.toml").write_text(KEYS)
    status, out = isekai(capsys, "list")
    head, keys, shelf = out.splitlines()
    assert status == 0
    assert head.split() == ["Pipeline", "Found", "in", "Processors"]
    assert keys.split(maxsplit=2)[:2] == ["keys", str(tmp_path / "isekai.toml")]
    assert keys.endswith("seeders: csv · extractors: file · loaders: models")
    assert shelf.split(maxsplit=2) == ["shelf", "testapp.pipelines", SHELF]


def test_a_processor_that_is_used_several_times_in_a_row_is_told_once(tmp_path, capsys):
    table = '[pipelines.keys]\nextractors = ["file"]\nminers = ["a", "a", "b", "a"]\n'
    (tmp_path / "isekai.toml").write_text(table)
    assert "miners: a (2 times), b, a · loaders" in isekai(capsys, "list")[1]


def test_a_module_that_cannot_be_imported_hides_no_other(broken_app, capsys):
    status, out = isekai(capsys, "list")
    assert status == 0
    assert SHELF in out
    assert "?         ours.pipelines     broken: ours.pipelines cannot be imported: ModuleNotFoundError" in out


def test_the_list_as_json(broken_app, tmp_path, capsys):
    (tmp_path / "isekai.toml").write_text(KEYS)
    _, out = isekai(capsys, "list", "--json")
    document = json.loads(out)
    assert document["schema"] == 1
    assert document["pipelines"][0] == {
        "name": "keys",
        "found_in": str(tmp_path / "isekai.toml"),
        "max_depth": 3,
        "processors": {
            "seeders": ["csv"],
            "extractors": ["file"],
            "miners": [],
            "transformers": [],
            "loaders": ["models"],
        },
    }
    (broken,) = document["broken"]
    assert (broken["name"], broken["found_in"]) == ("", "ours.pipelines")
    assert "nowhere_to_be_found" in broken["error"]


def test_without_a_pipeline_the_list_says_where_to_write_one(capsys, settings):
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "testapp"]
    status, out = isekai(capsys, "list")
    assert status == 0
    told = "no pipelines: write one in the pipelines.py of an installed app, or in isekai.toml"
    assert out == f"{told}; there is no isekai.toml in {Path.cwd()} or above it\n"
    Path("isekai.toml").touch()
    assert isekai(capsys, "list") == (0, f"{told}\n")


# check


def test_what_is_well_is_said_and_nothing_is_done(well, capsys):
    status, out = isekai(capsys, "check", "shelf")
    assert (status, out) == (0, "shelf: ok, 5 processors\n")
    assert not Resource.objects.exists()


def test_everything_that_is_wrong_is_told_with_its_path_and_ends_with_2(tmp_path, capsys):
    (tmp_path / "isekai.toml").write_text(WRONG)
    status, out = isekai(capsys, "check")
    assert status == 2
    lines = out.splitlines()
    assert lines[0] == "keys: 2 problems"
    assert lines[1].startswith("  pipelines.keys.seeders[0].paht: unknown option (did you mean 'path'?)")
    assert lines[2].startswith("  pipelines.keys.extractors[0]: ")
    assert lines[3] == "shelf: ok, 5 processors"


def test_a_pipeline_that_is_well_is_not_disturbed_by_what_is_broken_elsewhere(broken_app, capsys):
    assert isekai(capsys, "check", "shelf")[0] == 0


def test_all_are_checked_with_what_is_broken(broken_app, capsys):
    status, out = isekai(capsys, "check")
    assert status == 2
    assert "shelf: ok, 5 processors\n" in out
    assert "ours.pipelines cannot be imported: ModuleNotFoundError" in out


def test_a_name_that_may_be_in_a_broken_module_is_told_with_its_error(broken_app, capsys):
    status, out = isekai(capsys, "check", "mine")
    assert status == 2
    assert "ours.pipelines cannot be imported" in out


def test_a_name_that_is_not_there_ends_with_2(capsys):
    assert main(["pipelines", "check", "shlef"]) == 2
    assert "did you mean 'shelf'" in capsys.readouterr().err


def test_a_table_that_is_wrong_is_checked_by_its_name(tmp_path, capsys):
    (tmp_path / "isekai.toml").write_text("[pipelines.bad]\nseeder = []\n")
    status, out = isekai(capsys, "check", "bad")
    assert status == 2
    assert "pipelines.bad.seeder is unknown (did you mean 'seeders'?)" in out


def test_the_check_as_json(broken_app, tmp_path, capsys):
    (tmp_path / "isekai.toml").write_text(WRONG)
    status, out = isekai(capsys, "check", "--json")
    document = json.loads(out)
    assert (status, document["schema"], document["ok"]) == (2, 1, False)
    keys, shelf = document["pipelines"]
    assert (keys["name"], keys["ok"], len(keys["problems"])) == ("keys", False, 2)
    assert shelf == {"name": "shelf", "ok": True, "problems": []}
    assert document["broken"][0]["found_in"] == "ours.pipelines"


def test_a_pipeline_without_processors_of_a_kind_is_well(monkeypatch, capsys):
    monkeypatch.setattr(pipelines, "shelf", Pipeline("shelf", seeders=[pipelines.names]))
    assert isekai(capsys, "check", "shelf") == (0, "shelf: ok, 2 processors\n")


ODD = """
[pipelines.bad]
requires = ["isekai-core garbage"]
[pipelines.table]
requires = { "isekai-core" = ">=0.1" }
"""


def test_one_pipeline_with_odd_requirements_hides_no_other(tmp_path, capsys):
    (tmp_path / "isekai.toml").write_text(KEYS + ODD)
    (tmp_path / "k.csv").write_text("key\n")
    status, out = isekai(capsys, "check")
    assert status == 2
    assert "keys: " in out
    assert "shelf: ok, 5 processors" in out
    assert "bad: 1 problem\n  pipelines.bad.requires[0]: expected a plugin's name and versions" in out
    assert "pipelines.table.requires: expected a list such as ['isekai-html>=0.1'], got {'isekai-core'" in out


def test_with_strict_plugins_the_list_is_strict_too(tmp_path, capsys):
    (tmp_path / "isekai.toml").write_text("[plugins]\ndisabled = ['nobody']\n")
    assert isekai(capsys, "list")[0] == 0
    assert main(["pipelines", "list", "--strict-plugins"]) == 2
    assert "--strict-plugins: " in capsys.readouterr().err
