"""`isekai plugins new`: what it writes for every kind, which names it refuses, and that it writes all or nothing."""

import ast
import importlib
import sys
import tomllib
from pathlib import Path

import importlib_metadata
import pytest

from isekai_core.cli import new
from isekai_core.cli.new import STAGE_OF
from isekai_core.errors import ConfigurationError
from isekai_core.testing.declared import problems_of

kinds = pytest.mark.parametrize("kind", list(STAGE_OF))
STAGE = {
    "seeder": "seed",
    "extractor": "extract",
    "miner": "mine",
    "transformer": "transform",
    "loader": "load",
    "slice_source": "source",
    "slice_target": "target",
}


@pytest.fixture
def acme(tmp_path):
    """Makes a plugin in a folder of its name."""

    def make(kind="extractor", name="isekai-acme", folder=None):
        folder = folder or tmp_path / name
        new.create(name, kind, folder)
        return folder

    return make


@pytest.fixture
def imported(monkeypatch):
    """The class that a generated plugin registers."""
    before = set(sys.modules)

    def load(folder, kind):
        monkeypatch.syspath_prepend(str(folder))
        found = []
        hooks = importlib.import_module("isekai_acme.plugin")
        getattr(hooks, f"isekai_register_{kind}s")(lambda name, target: found.append(target))
        module, _, name = found[0].partition(":")
        return getattr(importlib.import_module(module), name)

    yield load
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "isekai_acme":
            del sys.modules[name]


def texts(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@kinds
def test_a_whole_distribution_is_written_and_its_files_are_told(kind, tmp_path):
    made = new.create("isekai-acme", kind, tmp_path / "made")
    stage = STAGE[kind]
    names = [path.relative_to(tmp_path / "made").as_posix() for path in made]
    assert set(names) >= {
        ".gitignore",
        "CHANGELOG.md",
        "README.md",
        "pyproject.toml",
        "isekai_acme/__init__.py",
        "isekai_acme/plugin.py",
        "isekai_acme/py.typed",
        f"isekai_acme/{stage}.py",
        f"tests/test_{stage}.py",
    }
    assert made == sorted(path for path in (tmp_path / "made").rglob("*") if path.is_file())


@kinds
def test_nothing_of_the_template_is_left_open(kind, acme):
    for name, text in texts(acme(kind)).items():
        if not name.endswith("README.md"):  # its commands have a prompt
            assert "$" not in text, name
        if name.endswith(".py"):
            assert ast.get_docstring(ast.parse(text)), name


@kinds
def test_what_the_processor_declares_is_as_it_should_be(kind, acme, imported):
    assert problems_of(kind, imported(acme(kind), kind)) == []


def test_the_plugin_asks_for_this_core_and_for_none_that_may_be_incompatible(acme):
    project = tomllib.loads((acme() / "pyproject.toml").read_text())["project"]
    version = importlib_metadata.version("isekai-core")
    major, minor = version.split(".")[:2]
    assert project["dependencies"] == [f"isekai-core>={version},<{major}.{int(minor) + 1}"]
    assert project["entry-points"] == {"isekai": {"isekai-acme": "isekai_acme.plugin"}}
    assert project["optional-dependencies"]["test"] == ["isekai-core[testing]"]


def test_a_core_that_was_built_from_a_checkout_can_be_asked_for():
    assert new._requirement("0.3.0.dev4+g1234567") == "isekai-core>=0.3.0.dev4,<0.4"
    assert new._requirement("1") == "isekai-core>=1,<1.1"


@pytest.mark.parametrize(
    ("name", "package", "short", "cls"),
    [
        ("acme", "acme", "acme", "Acme"),
        ("Isekai_Acme.Things", "isekai_acme_things", "acme-things", "AcmeThings"),
        ("isekai-json", "isekai_json", "json", "Json"),
        ("isekai-a2b", "isekai_a2b", "a2b", "A2b"),
    ],
)
def test_the_names_inside_follow_the_name_of_the_distribution(name, package, short, cls, tmp_path):
    new.create(name, "miner", tmp_path / "made")
    hooks = (tmp_path / "made" / package / "plugin.py").read_text()
    assert f'"{short}"' in hooks
    assert f'"{package}.mine:{cls}Miner"' in hooks


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "a plugin's name is letters, digits and hyphens, such as isekai-acme, got ''"),
        ("isekai acme", "got 'isekai acme'"),
        ("../acme", "got '../acme'"),
        ("isekai-", "got 'isekai-'"),
        ("isekai-é", "got 'isekai-é'"),
        ("acme\n", "got 'acme\\n'"),
        ("2go", "begins with a letter, also behind isekai-, got '2go'"),
        ("isekai-2go", "begins with a letter, also behind isekai-, got 'isekai-2go'"),
        ("isekai-" + "a" * 60, "at most 40 characters long here, got 67"),
        ("json", "json: its package json would hide a name that Python programs need; choose another name"),
        ("class", "its package class would hide"),
        ("tests", "its package tests would hide"),
        ("isekai-core", "isekai-core: a distribution of that name is installed"),
        ("DJANGO", "django: a distribution of that name is installed"),
        ("testapp", "testapp: its package testapp would hide"),
    ],
)
def test_a_name_that_cannot_be_a_plugins_is_refused_and_nothing_is_written(name, reason, tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        new.create(name, "seeder", tmp_path / "made")
    assert reason in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_short_name_that_another_plugin_registers_is_refused_for_that_kind_alone(tmp_path):
    with pytest.raises(ConfigurationError, match="isekai-core registers a seeder 'csv' already, and two of one name"):
        new.create("isekai-csv", "seeder", tmp_path / "made")
    assert new.create("isekai-csv", "miner", tmp_path / "made")


def test_a_kind_that_is_none_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"expected one of seeder, .*, slice_target, got .minor. .did you mean .miner"
    ):
        new.create("isekai-acme", "minor", tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(tmp_path, acme):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="made is there already, and not empty; choose another with --folder"):
        acme(folder=tmp_path / "made")
    assert texts(tmp_path) == {"made/notes.txt": "mine"}


def test_a_file_is_no_folder(tmp_path, acme):
    (tmp_path / "made").write_text("mine")
    with pytest.raises(ConfigurationError, match="made is there already, and no folder"):
        acme(folder=tmp_path / "made")
    with pytest.raises(ConfigurationError, match="below cannot be written"):
        acme(folder=tmp_path / "made" / "below")
    assert texts(tmp_path) == {"made": "mine"}


def test_an_empty_folder_is_filled_and_stays_the_same(tmp_path, acme, monkeypatch):
    folder = tmp_path / "made"
    folder.mkdir()
    before = folder.stat().st_ino
    monkeypatch.chdir(folder)
    acme(folder=Path())
    assert folder.stat().st_ino == before
    assert sorted(texts(folder)) == sorted(texts(acme(folder=tmp_path / "other")))


def test_folders_above_are_made_too(tmp_path, acme):
    assert (acme(folder=tmp_path / "a" / "b") / "pyproject.toml").is_file()


def test_nothing_is_left_when_it_cannot_be_put_in_its_place(tmp_path, acme):
    # A link to nothing looks free, and a folder cannot be renamed to it.
    (tmp_path / "made").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="made cannot be written"):
        acme(folder=tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_the_folder_can_be_read_by_others_as_any_new_one(tmp_path, acme):
    (tmp_path / "usual").mkdir()
    assert acme().stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_the_command_tells_the_files_and_what_to_type_next(isekai, tmp_path):
    done = isekai("plugins", "new", "isekai-acme", "--kind", "miner", "--folder", "my plugin")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "my plugin/isekai_acme/mine.py" in lines
    assert lines[-1].strip() == "cd 'my plugin' && pip install -e '.[test]' && pytest"
    assert (tmp_path / "my plugin" / "pyproject.toml").is_file()


def test_the_command_ends_with_2_for_what_it_refuses(isekai):
    done = isekai("plugins", "new", "json", "--kind", "miner")
    assert (done.returncode, done.stdout) == (2, "")
    assert "its package json would hide" in done.stderr


@kinds
def test_a_name_that_begins_with_test_is_no_test(kind, acme):
    folder = acme(kind, "isekai-testrail")
    module = ast.parse((folder / "isekai_testrail" / f"{STAGE[kind]}.py").read_text())
    names = [node.name for node in module.body if isinstance(node, ast.ClassDef)]
    assert names == [f"IsekaiTestrail{new.camel(kind.replace('_', '-'))}"]
    assert f"isekai_testrail.{STAGE[kind]}:{names[0]}" in (folder / "isekai_testrail" / "plugin.py").read_text()
