"""`cli/project.py`: how a command finds the Django project, and what it says when it cannot."""

import subprocess
import sys

import pytest

SETUP = """
import argparse, sys
from isekai_core.cli.failures import report
from isekai_core.cli.project import setup_django
options = argparse.Namespace(settings=sys.argv[1] or None, pythonpath=sys.argv[2] or None)
try:
    setup_django(options)
except Exception as error:
    sys.exit(report(error))
from django.conf import settings
print(settings.SETTINGS_MODULE)
"""
SETTINGS = "SECRET_KEY = 'x'\nINSTALLED_APPS = ['django.contrib.contenttypes', 'isekai_core']\n"
MANAGE = """#!/usr/bin/env python
import os

def main():
    os.environ.setdefault( 'DJANGO_SETTINGS_MODULE', "shop.settings")
"""


@pytest.fixture
def setup(tmp_path):
    """`setup_django` in a process of its own, in the test's folder."""

    def run(settings="", pythonpath="", **environment):
        return subprocess.run(
            [sys.executable, "-P", "-c", SETUP, settings, str(pythonpath)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def write_project(folder, settings=SETTINGS):
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "__init__.py").touch()
    (folder / "shop" / "settings.py").write_text(settings)


def test_the_manage_py_beside_names_the_settings(setup, tmp_path):
    write_project(tmp_path)
    (tmp_path / "manage.py").write_text(MANAGE)
    run = setup()
    assert (run.stdout, run.stderr) == ("shop.settings\n", "")


def test_a_manage_py_may_set_the_settings_in_the_environment(setup, tmp_path):
    write_project(tmp_path)
    (tmp_path / "manage.py").write_text('import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"\n')
    assert setup().stdout == "shop.settings\n"


def test_the_environment_comes_before_manage_py_and_the_option_before_both(setup, tmp_path):
    write_project(tmp_path)
    (tmp_path / "manage.py").write_text(MANAGE.replace("shop.", "nowhere."))
    (tmp_path / "shop" / "other.py").write_text(SETTINGS)
    assert setup(DJANGO_SETTINGS_MODULE="shop.settings").stdout == "shop.settings\n"
    assert setup("shop.other", DJANGO_SETTINGS_MODULE="shop.settings").stdout == "shop.other\n"


def test_the_project_may_be_in_another_folder(setup, tmp_path):
    write_project(tmp_path / "src")
    assert setup("shop.settings", tmp_path / "src").stdout == "shop.settings\n"


def test_without_a_project_it_says_what_to_do(setup):
    run = setup()
    assert run.returncode == 2
    assert run.stderr == (
        "isekai: no Django project found: start this beside its manage.py, or name its settings with"
        " --settings mysite.settings or DJANGO_SETTINGS_MODULE\n"
    )


def test_a_manage_py_that_names_no_settings_is_no_project(setup, tmp_path):
    (tmp_path / "manage.py").write_text("print('not of Django')")
    assert "no Django project found" in setup().stderr


def test_a_settings_module_that_is_not_there_is_named(setup):
    run = setup("shop.settings")
    assert run.returncode == 2
    assert run.stderr == "isekai: there is no settings module 'shop.settings' here; see --settings and --pythonpath\n"


def test_a_settings_module_that_lacks_a_dependency_is_not_taken_for_missing(setup, tmp_path):
    write_project(tmp_path, "import not_installed_anywhere")
    run = setup("shop.settings")
    assert run.returncode == 2
    assert "No module named 'not_installed_anywhere', which shop.settings needs" in run.stderr


def test_a_settings_module_that_raises_is_told_in_one_line(setup, tmp_path):
    write_project(tmp_path, "1 / 0")
    run = setup("shop.settings")
    assert run.returncode == 2
    assert run.stderr == (
        "isekai: the Django project cannot be loaded from shop.settings: ZeroDivisionError: division by zero;"
        " --traceback shows where\n"
    )


def test_a_project_without_isekai_is_told_what_to_add(setup, tmp_path):
    write_project(tmp_path, "SECRET_KEY = 'x'")
    run = setup("shop.settings")
    assert run.returncode == 2
    assert (
        "'isekai_core' is not in INSTALLED_APPS of shop.settings; add it, then python manage.py migrate" in run.stderr
    )


def test_settings_that_exit_are_told_as_any_other_error(setup, tmp_path):
    write_project(tmp_path, "raise SystemExit('set SECRET_KEY first')")
    run = setup("shop.settings")
    assert run.returncode == 2
    assert "cannot be loaded from shop.settings: SystemExit: set SECRET_KEY first; --traceback" in run.stderr


class TestAppsOfPlugins:
    """A project whose INSTALLED_APPS end with `*installed_apps()`, beside a plugin that is an app."""

    @pytest.fixture
    def acme(self, tmp_path):
        """A plugin with an app, whose models are what a test writes."""
        settings = "from isekai_core import installed_apps\n" + SETTINGS.replace(
            "'isekai_core']", "'isekai_core', *installed_apps()]"
        )
        write_project(tmp_path, settings)

        def add(models):
            site = tmp_path / "site"
            (site / "acme_shop").mkdir(parents=True)
            (site / "acme_shop" / "__init__.py").touch()
            (site / "acme_shop" / "models.py").write_text(models)
            metadata = site / "acme_plugin-1.0.dist-info"
            metadata.mkdir()
            (metadata / "METADATA").write_text("Name: acme-plugin\nVersion: 1.0\n")
            (metadata / "entry_points.txt").write_text("[isekai.apps]\nacme = acme_shop\n")
            return {"PYTHONPATH": str(site)}

        return add

    @pytest.mark.parametrize("models", ["1 / 0", "import nowhere_to_be_found", "raise SystemExit(0)"])
    def test_one_that_cannot_be_loaded_is_told_with_its_plugin_and_how_to_go_on(self, models, setup, acme):
        environment = acme(models)
        run = setup("shop.settings", **environment)
        assert run.returncode == 2
        assert "of the app of the plugin acme-plugin, and --no-plugins=acme-plugin goes on without it" in run.stderr
        run = setup("shop.settings", ISEKAI_PLUGINS="-acme-plugin", **environment)
        assert (run.returncode, run.stdout) == (0, "shop.settings\n")

    def test_a_typing_error_in_safe_mode_is_told_and_drops_no_app(self, setup, acme):
        run = setup("shop.settings", ISEKAI_PLUGINS="acme-plugn", **acme(""))
        assert run.returncode == 2
        assert "names 'acme-plugn', which is not installed (did you mean 'acme-plugin'?)" in run.stderr
