"""`cli/plugins.py`: `isekai plugins list` and `show`, as people and machines read them."""

import json
import subprocess
import sys

import pytest

from isekai_core.cli.main import main

GOOD = """
from isekai_core import hookimpl

print("a plugin that prints")

@hookimpl
def isekai_register_miners(register):
    register("words", "acme_words:Miner")
"""
WORDS = '''
from dataclasses import dataclass

@dataclass
class Miner:
    """Finds words.

    sizes: how long they are.
    """

    sizes: list[int]
    token: str = "hunter2"
    secret_options = ("token",)

    def mine(self, resource):
        return []
'''


@pytest.fixture
def site(tmp_path):
    """A folder with two plugins, one sound and one broken."""
    path = tmp_path / "site-packages"
    for name, source in (("acme", GOOD), ("broken", "import not_installed_anywhere\n")):
        metadata = path / f"{name}-2.1.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Name: {name}\nVersion: 2.1\n")
        (metadata / "entry_points.txt").write_text(f"[isekai]\n{name} = {name}\n")
        (path / f"{name}.py").write_text(source)
    (path / "acme_words.py").write_text(WORDS)
    return path


def test_one_line_for_each_plugin_with_status_and_what_it_provides_or_why_not(isekai, site):
    run = isekai("plugins", "list", path=[site])
    assert run.returncode == 0
    lines = run.stdout.splitlines()
    assert lines[0].split() == ["Plugin", "Version", "Status", "Provides"]
    acme, broken, core = (
        next(line for line in lines if line.startswith(name)) for name in ("acme", "broken", "isekai-core")
    )
    assert acme.split(maxsplit=3) == ["acme", "2.1", "ok", "miners: words"]
    assert core.split(maxsplit=3)[3].startswith("seeders: csv · extractors: file · loaders: models")
    assert "missing dependency  needs not_installed_anywhere, which is not installed — pip install not_in" in broken
    assert run.stderr == (
        "a plugin that prints\n"
        "isekai: what broken would register is not known: a name that it replaces is another's for now\n"
    )


def test_json_is_clean_whatever_a_plugin_prints(isekai, site):
    run = isekai("plugins", "list", "--json", path=[site])
    data = json.loads(run.stdout)
    assert data["schema"] == 1
    states = {plugin["name"]: plugin["state"] for plugin in data["plugins"]}
    assert states["acme"] == "ok"
    assert states["broken"] == "missing dependency"
    assert list(states) == sorted(states)


def test_nothing_heavy_and_no_processor_is_imported_for_a_list(site, tmp_path):
    script = (
        "import sys; from isekai_core.cli.main import main; main(['plugins', 'list']); heavy = ('django', 'click',"
        " 'asyncio', 'tomllib', 'acme_words', 'isekai_core.types', 'isekai_core.builtins.seed')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines()[-1] == "[]"


def test_show_tells_options_hooks_location_and_import_time(isekai, site):
    out = isekai("plugins", "show", "ACME", path=[site]).stdout
    assert out.startswith("acme 2.1\n  status      ok\n")
    assert f"  location    {site}\n" in out
    assert "  hooks       isekai_register_miners\n" in out
    assert "  import      " in out
    assert "\nminer words\n  Finds words.\n  sizes: list of int, required\n      how long they are.\n" in out
    assert "  token: str, secret\n" in out
    assert "hunter2" not in out


def test_show_as_json_has_the_options_too(isekai, site):
    data = json.loads(isekai("plugins", "show", "acme", "--json", path=[site]).stdout)
    (words,) = data["plugin"]["processors"]
    assert [option["name"] for option in words["options"]] == ["sizes", "token"]


def test_show_of_a_quarantined_plugin_tells_reason_fix_and_traceback(isekai, site):
    run = isekai("plugins", "show", "broken", path=[site])
    assert run.returncode == 0
    assert "  reason      needs not_installed_anywhere, which is not installed\n" in run.stdout
    assert "  fix         pip install not_installed_anywhere\n" in run.stdout
    assert "ModuleNotFoundError: No module named 'not_installed_anywhere'" in run.stdout


def test_an_unknown_plugin_exits_with_2_and_a_suggestion(capsys):
    assert main(["plugins", "show", "isekai-croe"]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert "no plugin 'isekai-croe' is installed (did you mean 'isekai-core'?)" in error


def test_cores_own_processors_are_shown_with_their_options(capsys):
    assert main(["plugins", "show", "isekai-core"]) == 0
    out = capsys.readouterr().out
    assert "seeder csv\n  Gives a key for each row of a CSV file." in out
    assert (
        "  path: str or path, required\n      the file; a relative one counts from where the command is started.\n"
        in out
    )
    assert "extractor file\n" in out


def test_a_disabled_plugin_is_listed_and_not_imported(isekai, site, tmp_path):
    (tmp_path / "isekai.toml").write_text("[plugins]\ndisabled = ['acme', 'acmo']\n")
    run = isekai("plugins", "list", path=[site])
    assert "acme" in run.stdout
    assert "disabled  " in run.stdout
    assert "a plugin that prints" not in run.stderr
    assert "plugins.disabled names 'acmo', which is not installed (did you mean 'acme'?)" in run.stderr


def test_a_broken_project_file_is_told_before_any_plugin_runs(isekai, site, tmp_path):
    (tmp_path / "isekai.toml").write_text("[plugins\n")
    run = isekai("plugins", "list", path=[site])
    assert run.returncode == 2
    assert run.stdout == ""
    assert "isekai.toml is not TOML" in run.stderr
    assert "prints" not in run.stderr


def test_ambiguous_names_and_shadowed_copies_are_remarked(isekai, site, tmp_path):
    for folder, name, version in ((site, "rival", "1.0"), (tmp_path / "other", "acme", "9.9")):
        metadata = folder / f"{name}-{version}.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
        (metadata / "entry_points.txt").write_text(f"[isekai]\n{name} = {name}\n")
    (site / "rival.py").write_text(GOOD)
    run = isekai("plugins", "list", path=[site, tmp_path / "other"])
    assert run.stdout.count("ambiguous") == 2
    # Once, not for each of those who claim it.
    assert run.stderr.count("prefer = { 'miner:words' = 'acme' }") == 1
    assert f"another acme is never used: 9.9 in {tmp_path / 'other'}" in run.stderr


def test_show_without_a_project_tells_which_processors_need_one(isekai, site, tmp_path):
    (site / "acme_words.py").write_text("from django.contrib.contenttypes.models import ContentType\n")
    run = isekai("plugins", "show", "acme", path=[site])
    assert run.returncode == 0
    assert "miner acme/words cannot be used: it needs a Django project; start this beside its manage.py" in run.stdout


def test_show_sets_the_project_up_when_there_is_one(isekai, site, tmp_path):
    source = "from django.contrib.contenttypes.models import ContentType\n" + WORDS
    (site / "acme_words.py").write_text(source)
    run = isekai("plugins", "show", "acme", "--settings", "isekai_core.testing.settings", path=[site])
    assert "  sizes: list of int, required\n" in run.stdout


def test_show_does_not_pass_over_settings_that_were_asked_for_and_are_not_there(isekai, site):
    run = isekai("plugins", "show", "acme", "--settings", "nowhere.settings", path=[site])
    assert run.returncode == 2
    assert "there is no settings module 'nowhere.settings' here" in run.stderr


def test_a_list_of_one_kind_names_only_those_that_register_it(isekai, site):
    run = isekai("plugins", "list", "--kind", "miner", path=[site])
    assert "acme" in run.stdout
    assert "isekai-core" not in run.stdout
    data = json.loads(isekai("plugins", "list", "--kind", "loader", "--json", path=[site]).stdout)
    assert [plugin["name"] for plugin in data["plugins"] if plugin["name"].startswith("isekai-core")] == ["isekai-core"]
    assert all(any(one["kind"] == "loader" for one in plugin["processors"]) for plugin in data["plugins"])


def test_requirements_are_lines_for_pip(isekai, site):
    lines = isekai("plugins", "list", "--requirements", path=[site]).stdout.splitlines()
    assert "acme==2.1" in lines
    assert "broken==2.1" in lines


class TestSafeMode:
    """Before any import, by an option wherever it stands, or by a variable."""

    def test_no_plugin_is_imported_but_core(self, isekai, site):
        run = isekai("--no-plugins", "plugins", "list", path=[site])
        assert run.returncode == 0
        assert "prints" not in run.stderr
        assert run.stdout.count("left out by safe mode — see --no-plugins and the variable ISEKAI_PLUGINS") >= 2
        assert "isekai-core" in run.stdout

    def test_those_that_are_named_are_left_out_and_the_others_are_there(self, isekai, site):
        run = isekai("plugins", "list", "--no-plugins=broken", path=[site])
        assert "missing dependency" not in run.stdout
        assert "miners: words" in run.stdout

    def test_the_variable_does_the_same(self, isekai, site):
        run = isekai("plugins", "list", path=[site], ISEKAI_PLUGINS="-acme,-broken")
        assert "prints" not in run.stderr

    def test_an_unknown_name_exits_with_2(self, isekai, site):
        run = isekai("plugins", "list", "--no-plugins=brocken", path=[site])
        assert run.returncode == 2
        assert "names 'brocken', which is not installed (did you mean 'broken'?)" in run.stderr

    def test_strict_lists_everything_and_exits_with_1(self, isekai, site):
        assert isekai("plugins", "list", "--strict-plugins", path=[site]).returncode == 1
        assert isekai("plugins", "list", path=[site], ISEKAI_PLUGINS_STRICT="1").returncode == 1
        sound = isekai("plugins", "list", "--strict-plugins", "--no-plugins=broken", path=[site])
        assert (sound.returncode, "miners: words" in sound.stdout) == (0, True)


class TestCheck:
    """Everything is imported, and all that is wrong is told."""

    def test_a_sound_plugin_is_ok(self, isekai, site):
        text = WORDS.replace("class Miner:", "class Miner:", 1).replace(
            '    secret_options = ("token",)', '    secret_options = ("token",)\n    accepts = ("text/*",)'
        )
        (site / "acme_words.py").write_text(
            text.replace("how long they are.", "how long they are.\n    token: a word.")
        )
        run = isekai("plugins", "check", "acme", path=[site])
        assert (run.returncode, run.stdout) == (0, "acme 2.1: ok, 1 processor\n")

    def test_what_only_an_import_shows_is_told_with_status_1(self, isekai, site):
        (site / "acme_words.py").write_text("import gone_away\n")
        run = isekai("plugins", "check", path=[site])
        assert run.returncode == 1
        assert "acme 2.1: not ok, 1 processor\n  miner acme/words cannot be used: needs gone_away" in run.stdout
        assert "broken 2.1: not ok, 0 processors\n  needs not_installed_anywhere" in run.stdout
        assert "isekai-core" in run.stdout

    def test_what_a_class_fails_to_declare_is_told(self, isekai, site):
        run = isekai("plugins", "check", "acme", "--json", path=[site])
        data = json.loads(run.stdout)
        assert (run.returncode, data["ok"], data["schema"]) == (1, False, 1)
        assert any("accepts" in problem for problem in data["plugins"][0]["problems"])

    def test_a_plugin_that_is_disabled_is_not_checked(self, isekai, site):
        run = isekai("plugins", "check", "broken", "--no-plugins=broken", path=[site])
        assert run.returncode == 1
        assert "broken 2.1: not ok, 0 processors\n  it cannot be checked: left out by safe mode" in run.stdout
        run = isekai("plugins", "check", "--no-plugins=broken,acme", path=[site])
        assert "broken 2.1: disabled, and not checked\n" in run.stdout

    def test_an_unknown_plugin_exits_with_2(self, isekai, site):
        assert isekai("plugins", "check", "acmo", path=[site]).returncode == 2


class TestExplain:
    """Who would work on a key."""

    def test_without_a_pipeline_the_installed_extractors_say_what_they_take(self, isekai, site):
        run = isekai("plugins", "explain", "file:notes.txt", path=[site])
        assert run.returncode == 0
        lines = run.stdout.splitlines()
        assert lines[0] == "file:notes.txt"
        assert any(line.split()[:2] == ["extractor", "isekai-core/file"] and "is asked" in line for line in lines)
        assert "not asked: broken (missing dependency): needs not_installed_anywhere" in run.stdout

    def test_what_is_no_key_exits_with_2(self, isekai, site):
        run = isekai("plugins", "explain", "nonsense", path=[site])
        assert run.returncode == 2
        assert "'nonsense' is no key: expected type:value" in run.stderr

    @pytest.mark.django_db
    def test_with_a_pipeline_every_processor_has_a_verdict(self, capsys):
        assert main(["plugins", "explain", "https://old.example.org/a", "--pipeline", "nothing", "--json"]) == 2
        assert "there is no pipeline 'nothing'" in capsys.readouterr().err

    def test_a_broken_extractor_is_a_row_and_hides_no_other(self, isekai, site):
        (site / "acme.py").write_text(GOOD.replace("miners", "extractors"))
        (site / "acme_words.py").write_text("import gone_away\n")
        run = isekai("plugins", "explain", "file:notes.txt", path=[site])
        assert run.returncode == 0
        (row,) = (line for line in run.stdout.splitlines() if "acme/words" in line)
        assert "cannot be used  needs gone_away, which is not installed" in row
        assert "isekai-core/file" in run.stdout

    def test_a_media_type_needs_a_pipeline(self, isekai, site):
        run = isekai("plugins", "explain", "file:notes.txt", "--media-type", "text/html", path=[site])
        assert run.returncode == 2
        assert "--media-type is about who reads a payload in a pipeline: name one with --pipeline" in run.stderr


@pytest.mark.parametrize("other", [["--json"], ["--kind", "miner"]])
def test_requirements_go_with_nothing_else(other, isekai, site):
    run = isekai("plugins", "list", "--requirements", *other, path=[site])
    assert (run.returncode, run.stdout) == (2, "")
    assert f"it does not go with {other[0]}" in run.stderr


@pytest.mark.parametrize("action", [["show", "acme"], ["check", "acme"], ["explain", "file:notes.txt"]])
def test_strict_holds_for_every_action(action, isekai, site):
    run = isekai("plugins", *action, "--strict-plugins", path=[site])
    assert run.returncode == 2
    assert "--strict-plugins: broken (missing dependency)" in run.stderr


@pytest.mark.parametrize("named", ["None", "all"])
def test_a_word_that_is_no_plugin_in_the_variable_is_told_with_the_forms(named, isekai, site):
    run = isekai("plugins", "list", path=[site], ISEKAI_PLUGINS=named)
    assert run.returncode == 2
    assert "ISEKAI_PLUGINS is 'none', a list of plugins to allow" in run.stderr


@pytest.mark.parametrize("action", ["show", "check"])
def test_a_metaclass_that_exits_is_told(action, isekai, site):
    meta = "import sys\nclass Meta(type):\n    def __getattr__(cls, name): sys.exit(0)\n"
    (site / "acme_words.py").write_text(f"{meta}class Miner(metaclass=Meta):\n    def mine(self, r): return []\n")
    run = isekai("plugins", action, "acme", path=[site])
    assert run.returncode == int(action == "check")
    assert "SystemExit: 0" in run.stdout


def test_a_docstring_that_is_no_text_is_told(isekai, site):
    (site / "acme_words.py").write_text(WORDS + "\n\nMiner.__doc__ = 5\n")
    run = isekai("plugins", "check", "acme", path=[site])
    assert "miner words: __doc__ is 5, expected a text" in run.stdout
    assert "acme/words: __doc__ is 5, expected a text" in isekai("plugins", "show", "acme", path=[site]).stdout


def test_what_registers_nothing_says_so(isekai, site):
    (site / "acme.py").write_text(GOOD.replace('register("words", "acme_words:Miner")', "pass"))
    run = isekai("plugins", "list", path=[site])
    (row,) = (line for line in run.stdout.splitlines() if line.startswith("acme "))
    assert row.split(maxsplit=2)[2] == "ok                  nothing"
    assert "isekai: acme: its hooks register nothing" in run.stderr


def test_nothing_of_a_plugin_steers_the_terminal(isekai, site):
    (site / "acme.py").write_text("raise ValueError('\\x1b[2J')\n")
    run = isekai("plugins", "show", "acme", path=[site])
    assert run.returncode == 0
    assert "\x1b" not in run.stdout
    assert "ValueError: \\x1b[2J" in run.stdout


class TestModels:
    """A plugin that is a Django app, too."""

    @pytest.fixture
    def shop(self, site):
        (site / "acme_shop").mkdir()
        (site / "acme_shop" / "__init__.py").touch()
        model = "from django.db import models\nclass Item(models.Model):\n    name = models.TextField()\n"
        (site / "acme_shop" / "models.py").write_text(model)
        text = WORDS.replace('("token",)', '("token",)\n    accepts = ("text/*",)').replace(
            "how long they are.", "how long they are.\n    token: a word."
        )
        (site / "acme_words.py").write_text("from acme_shop.models import Item\n" + text)
        entry_points = site / "acme-2.1.dist-info" / "entry_points.txt"
        entry_points.write_text("[isekai]\nacme = acme\n[isekai.apps]\nacme = acme_shop\n")
        return site

    def test_it_is_checked_where_there_is_no_project(self, isekai, shop):
        run = isekai("plugins", "check", "acme", path=[shop])
        assert (run.returncode, run.stdout) == (0, "acme 2.1: ok, 1 processor\n")

    def test_a_project_without_its_app_is_told_what_to_add(self, isekai, shop, tmp_path):
        (tmp_path / "settings_without.py").write_text(
            "SECRET_KEY = 'x'\nINSTALLED_APPS = ['django.contrib.contenttypes', 'isekai_core']\n"
        )
        run = isekai("plugins", "check", "acme", "--settings", "settings_without", path=[shop, tmp_path])
        assert run.returncode == 1
        assert "its app acme_shop is not there: add *installed_apps() to INSTALLED_APPS" in run.stdout
