"""`conf.py`: the ISEKAI setting, and isekai.toml."""

import subprocess
import sys

import pytest
from django.test import override_settings

from isekai_core.conf import FILE_NAME, PluginChoices, ProjectFile, Settings, did_you_mean, project_file, settings
from isekai_core.errors import SettingError

STORES = {alias: {"BACKEND": "django.core.files.storage.InMemoryStorage"} for alias in ("default", "isekai", "cold")}


class TestSettings:
    """The ISEKAI setting of a project."""

    def test_without_one_there_are_defaults(self):
        with override_settings(ISEKAI={}, STORAGES={"default": STORES["default"]}):
            assert settings() == Settings(
                storage="default",
                inline_limit=1_048_576,
                inline_blob_limit=32_768,
                batch_size=500,
                lease_seconds=120,
                retry_attempts=4,
                retry_backoff=1.0,
                retry_max_wait=300,
            )

    def test_what_is_set_is_taken_and_read_anew_each_time(self):
        with override_settings(ISEKAI={"BATCH_SIZE": 7, "RETRY_BACKOFF": 0, "RETRY_MAX_WAIT": 0.5}):
            found = settings()
            assert (found.batch_size, found.retry_backoff, found.retry_max_wait) == (7, 0, 0.5)
        with override_settings(ISEKAI={}):
            assert settings().batch_size == 500

    def test_payloads_are_kept_in_the_storage_of_that_alias_if_there_is_one(self):
        with override_settings(ISEKAI={}, STORAGES=STORES):
            assert settings().storage == "isekai"
        with override_settings(ISEKAI={"STORAGE": "cold"}, STORAGES=STORES):
            assert settings().storage == "cold"

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ([], "the setting ISEKAI is a mapping such as {'BATCH_SIZE': 500}, got []"),
            (
                {"BATCHSIZE": 1},
                "ISEKAI['BATCHSIZE'] is unknown (did you mean 'BATCH_SIZE'?); known are STORAGE, INLINE_LIMIT",
            ),
            ({"BATCH_SIZE": 0}, "ISEKAI['BATCH_SIZE'] is a whole number of at least 1, got 0"),
            ({"BATCH_SIZE": "9"}, "ISEKAI['BATCH_SIZE'] is a whole number of at least 1, got '9'"),
            ({"BATCH_SIZE": 1.5}, "ISEKAI['BATCH_SIZE'] is a whole number of at least 1, got 1.5"),
            ({"BATCH_SIZE": True}, "ISEKAI['BATCH_SIZE'] is a whole number of at least 1, got True"),
            ({"INLINE_LIMIT": -1}, "ISEKAI['INLINE_LIMIT'] is a whole number of at least 0, got -1"),
            ({"RETRY_ATTEMPTS": 0}, "ISEKAI['RETRY_ATTEMPTS'] is a whole number of at least 1, got 0"),
            ({"RETRY_BACKOFF": -0.1}, "ISEKAI['RETRY_BACKOFF'] is a number of at least 0, got -0.1"),
            ({"RETRY_BACKOFF": float("nan")}, "ISEKAI['RETRY_BACKOFF'] is a number of at least 0, got nan"),
            ({"RETRY_MAX_WAIT": float("inf")}, "ISEKAI['RETRY_MAX_WAIT'] is a number of at least 0, got inf"),
            (
                {"STORAGE": "colt"},
                "ISEKAI['STORAGE'] is an alias in STORAGES (cold, default, isekai), got 'colt' (did you mean 'cold'?)",
            ),
            ({"STORAGE": 3}, "ISEKAI['STORAGE'] is an alias in STORAGES (cold, default, isekai), got 3"),
            ({3: 3}, "ISEKAI[3] is unknown"),
        ],
    )
    def test_what_cannot_be_right_is_told(self, given, message):
        with override_settings(ISEKAI=given, STORAGES=STORES), pytest.raises(SettingError) as caught:
            settings()
        assert str(caught.value).startswith(message)


class TestProjectFile:
    """isekai.toml, or `[tool.isekai]` of pyproject.toml."""

    def test_without_one_there_is_nothing(self, tmp_path):
        assert project_file(tmp_path) == ProjectFile()

    def test_is_found_in_the_folder_and_above(self, tmp_path):
        (tmp_path / FILE_NAME).write_text("[pipelines.blog]\nextractors = ['http']\n")
        below = tmp_path / "a" / "b"
        below.mkdir(parents=True)
        found = project_file(below)
        assert found.path == tmp_path / FILE_NAME
        assert found.pipelines == {"blog": {"extractors": ["http"]}}
        assert found.plugins == PluginChoices()

    def test_starts_in_the_current_folder(self, tmp_path, monkeypatch):
        (tmp_path / FILE_NAME).write_text("")
        monkeypatch.chdir(tmp_path)
        assert project_file().path == tmp_path / FILE_NAME

    def test_may_stand_in_pyproject_toml(self, tmp_path):
        (tmp_path / "pyproject.toml").write_text("[tool.isekai.plugins]\ndisabled = ['acme']\n")
        found = project_file(tmp_path)
        assert (found.path, found.plugins.disabled) == (tmp_path / "pyproject.toml", ("acme",))

    def test_isekai_toml_comes_before_pyproject_toml(self, tmp_path):
        (tmp_path / "pyproject.toml").write_text("[tool.isekai.pipelines.a]\n")
        (tmp_path / FILE_NAME).write_text("[pipelines.b]\n")
        assert list(project_file(tmp_path).pipelines) == ["b"]

    def test_a_pyproject_toml_that_speaks_of_it_in_a_comment_alone_is_passed_over(self, tmp_path):
        (tmp_path / "pyproject.toml").write_text("tool = 5  # no [tool.isekai] here\n")
        assert project_file(tmp_path).path is None

    def test_another_projects_pyproject_toml_is_passed_over_however_broken(self, tmp_path):
        (tmp_path / FILE_NAME).write_text("[pipelines.b]\n")
        below = tmp_path / "below"
        below.mkdir()
        (below / "pyproject.toml").write_text("this is [no TOML")
        assert list(project_file(below).pipelines) == ["b"]
        (below / "pyproject.toml").write_text("[project]\ndescription = 'not a tool.isekai'\n")
        assert list(project_file(below).pipelines) == ["b"]

    def test_choices_among_plugins(self, tmp_path):
        text = "[plugins]\ndisabled = ['acme']\nprefer = {'extractor:http' = 'isekai-http'}\n"
        (tmp_path / FILE_NAME).write_text(text)
        assert project_file(tmp_path).plugins == PluginChoices(("acme",), {"extractor:http": "isekai-http"})

    def test_a_syntax_error_names_file_and_line(self, tmp_path):
        (tmp_path / FILE_NAME).write_text("[plugins]\ndisabled = [\n'a'\noops\n")
        with pytest.raises(SettingError, match=r"isekai.toml is not TOML: .*line 4") as caught:
            project_file(tmp_path)
        assert str(caught.value).startswith(str(tmp_path / FILE_NAME))

    def test_a_file_that_is_no_text_is_told(self, tmp_path):
        (tmp_path / FILE_NAME).write_bytes(b"\xff\xfe[plugins]")
        with pytest.raises(SettingError, match=r"isekai.toml is not TOML, which is always in UTF-8: 'utf-8' codec"):
            project_file(tmp_path)

    def test_a_file_may_begin_with_the_mark_of_utf_8(self, tmp_path):
        (tmp_path / FILE_NAME).write_bytes(b"\xef\xbb\xbf[plugins]\ndisabled = ['acme']\n")
        assert project_file(tmp_path).plugins.disabled == ("acme",)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[plugin]\n", "plugin is unknown (did you mean 'plugins'?); known are plugins, pipelines"),
            ("x = 1\n", "x is unknown; known are plugins, pipelines"),
            ("[plugins]\ndisable = []\n", "plugins.disable is unknown (did you mean 'disabled'?); known are"),
            ("plugins = 3\n", "plugins: expected a table, got 3"),
            ("pipelines = []\n", "pipelines: expected a table, got []"),
            ("[plugins]\ndisabled = 'a'\n", "plugins.disabled: expected a list of plugin names such as"),
            ("[plugins]\ndisabled = [1]\n", "plugins.disabled: expected a list of plugin names such as"),
            ("[plugins]\nprefer = []\n", "plugins.prefer: expected a table such as"),
            ("[plugins.prefer]\nhttp = 'a'\n", "plugins.prefer: expected a table such as"),
            ("[plugins.prefer]\n'extractor:http' = 1\n", "plugins.prefer: expected a table such as"),
        ],
    )
    def test_unknown_tables_and_wrong_values_are_told_with_file_and_place(self, tmp_path, text, message):
        (tmp_path / FILE_NAME).write_text(text)
        with pytest.raises(SettingError) as caught:
            project_file(tmp_path)
        assert str(caught.value).startswith(f"{tmp_path / FILE_NAME}: {message}")

    def test_the_place_in_pyproject_toml_is_told_in_full(self, tmp_path):
        (tmp_path / "pyproject.toml").write_text("[tool.isekai.plugins]\ndisable = []\n")
        with pytest.raises(SettingError, match=r"pyproject.toml: tool.isekai.plugins.disable is unknown"):
            project_file(tmp_path)


def test_suggestions_are_made_only_for_near_names():
    assert did_you_mean("colt", ["cold", "hot"]) == " (did you mean 'cold'?)"
    assert did_you_mean("colt", ["x"]) == ""


def test_reading_the_project_file_needs_no_django(tmp_path):
    script = "import sys, isekai_core.conf as conf; conf.project_file(); print('django' in sys.modules)"
    run = subprocess.run([sys.executable, "-P", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
