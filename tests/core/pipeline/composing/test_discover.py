"""`pipeline/composing/discover.py`: pipelines of apps and of isekai.toml; what is broken hides nothing else."""

import sys

import pytest
from testapp.pipelines import shelf

from isekai_core.errors import ConfigurationError, PipelineNotFound, SettingError
from isekai_core.pipeline.composing.discover import find, survey

GOOD = 'from isekai_core import Pipeline\nmine = Pipeline("mine")\n'


@pytest.fixture
def app(tmp_path, monkeypatch, settings):
    """Installs an app `ours` whose pipelines.py holds what a test gives it."""

    def install(source):
        folder = tmp_path / "ours"
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "pipelines.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path))
        settings.INSTALLED_APPS = ["ours", *settings.INSTALLED_APPS]

    monkeypatch.chdir(tmp_path)
    yield install
    for name in ("ours", "ours.pipelines"):
        sys.modules.pop(name, None)


def test_a_pipeline_of_an_installed_app_is_found(app):
    app(GOOD)
    assert find("mine").name == "mine"
    found = survey().found
    assert {name: found[name].home for name in ("mine", "shelf")} == {
        "mine": "ours.pipelines",
        "shelf": "testapp.pipelines",
    }


def test_an_app_that_is_a_single_module_has_no_pipelines_and_hides_none(tmp_path, monkeypatch, settings):
    (tmp_path / "lonely.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        settings.INSTALLED_APPS = ["lonely", *settings.INSTALLED_APPS]
        seen = survey()
    finally:
        sys.modules.pop("lonely", None)
    assert "shelf" in seen.found
    assert not seen.broken


def test_a_pipeline_of_the_project_file_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "isekai.toml").write_text(
        '[pipelines.keys]\nseeders = [{ use = "csv", path = "k.csv" }]\nmax_depth = 2'
    )
    found = find("keys")
    assert (found.seeders[0].name, found.seeders[0].options, found.max_depth) == ("csv", {"path": "k.csv"}, 2)
    assert survey().found["keys"].home == str(tmp_path / "isekai.toml")


def test_a_pipeline_that_one_module_takes_from_another_is_the_same(app):
    app("from testapp.pipelines import shelf\n")
    assert find("shelf") is shelf
    assert survey().broken == []


BROKEN = {
    "import nowhere_to_be_found": "ModuleNotFoundError: No module named 'nowhere_to_be_found' (",
    "1 / 0": "ZeroDivisionError: division by zero (",
    "raise SystemExit('no')": "SystemExit: no (",
    "def": "SyntaxError: invalid syntax (pipelines.py, line 1)",
    "from isekai_core import Pipeline; Pipeline('NO')": "ValueError: a pipeline's name is ",
}


@pytest.mark.parametrize("source", BROKEN)
def test_a_broken_module_hides_no_other_and_says_what_and_where(app, source):
    app(source)
    assert find("shelf") is shelf
    (broken,) = survey().broken
    assert broken.home == "ours.pipelines"
    assert str(broken).startswith(f"ours.pipelines cannot be imported: {BROKEN[source]}")
    assert "pipelines.py" in str(broken)
    assert "line 1" in str(broken)


def test_a_name_that_may_be_in_a_broken_module_is_told_with_its_error(app):
    app("import nowhere_to_be_found")
    with pytest.raises(ConfigurationError, match="there is no pipeline 'mine' in what can be read") as caught:
        find("mine")
    assert "ours.pipelines cannot be imported: ModuleNotFoundError" in str(caught.value)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_name_that_is_not_there_gets_a_suggestion(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PipelineNotFound) as caught:
        find("shlef")
    assert str(caught.value) == "there is no pipeline 'shlef' (did you mean 'shelf'?); pipelines found: shelf"


def test_a_name_that_is_defined_twice_names_both_places(app):
    app('from isekai_core import Pipeline\nshelf = Pipeline("shelf")\n')
    with pytest.raises(
        ConfigurationError, match=r"'shelf' is defined twice: in ours.pipelines and in testapp.pipelines"
    ):
        find("shelf")


def test_a_table_that_is_wrong_breaks_only_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "isekai.toml").write_text('[pipelines.bad]\nseeder = []\n[pipelines.good]\nseeders = ["csv"]\n')
    assert find("good").name == "good"
    with pytest.raises(SettingError, match=r"pipelines.bad.seeder is unknown \(did you mean 'seeders'\?\); a pipeline"):
        find("bad")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("pipelines.bad = 3", "pipelines.bad must be a table, got 3"),
        ('[pipelines.bad]\nminers = "html-images"', "pipelines.bad.miners: expected a list of processors"),
        ("[pipelines.bad]\nminers = [{ name = 1 }]", "pipelines.bad.miners: expected a name or a table"),
        ('[pipelines.Bad]\nminers = ["a"]', "a pipeline's name is lower-case letters"),
    ],
)
def test_what_is_wrong_in_the_project_file_is_told_with_its_place(tmp_path, monkeypatch, table, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "isekai.toml").write_text(table)
    (broken,) = survey().broken
    assert message in str(broken)
    assert str(tmp_path / "isekai.toml") in str(broken)


def test_a_project_file_that_is_no_toml_breaks_only_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "isekai.toml").write_text("pipelines = [")
    assert find("shelf") is shelf
    (broken,) = survey().broken
    assert "is not TOML" in str(broken)
