"""`checks.py`: what `manage.py check` tells of plugins and of the database."""

import importlib
import sys
from types import SimpleNamespace

import pytest
from django.core.checks import run_checks

from isekai_core import checks
from isekai_core.plugins.registry import registry


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Puts a distribution on the path of this process."""
    site = tmp_path / "site-packages"
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(site))

    def add(name, source="", entry_points=None):
        metadata = site / f"{name}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(entry_points or f"[isekai]\n{name} = {name}\n")
        (site / f"{name}.py").write_text(source)
        importlib.invalidate_caches()
        registry.cache_clear()

    registry.cache_clear()
    yield add
    registry.cache_clear()
    for name in [name for name, found in sys.modules.items() if str(site) in str(getattr(found, "__file__", ""))]:
        del sys.modules[name]


def told(number):
    return [check for check in run_checks(tags=["isekai"]) if check.id == f"isekai.{number}"]


def test_a_plugin_in_quarantine_is_a_warning_with_its_fix(plugin):
    assert told("W001") == []
    plugin("acme", "import not_installed_anywhere\n")
    (warning,) = told("W001")
    assert warning.msg == (
        "the plugin acme 1.0 (missing dependency): needs not_installed_anywhere, which is not installed"
    )
    assert warning.hint == "pip install not_installed_anywhere"


def test_a_plugin_that_imports_models_at_its_top_is_told_what_to_do(plugin):
    plugin("acme", "from django.db import models\nclass Note(models.Model):\n    pass\n")
    (warning,) = told("W001")
    assert "the plugin acme 1.0 (failed import): raised RuntimeError: Model class acme.Note" in warning.msg
    assert "models belong into an app of their own module, which the entry-point group isekai.apps names" in warning.msg


def test_an_ambiguous_name_is_a_warning_of_each_claimant(plugin):
    source = (
        "from isekai_core import hookimpl\n@hookimpl\ndef isekai_register_miners(register):\n"
        "    register('words', 'acme:Miner')\n"
    )
    plugin("acme", source)
    plugin("rival", source)
    assert len(told("W002")) == 2


def test_a_choice_that_names_nobody_is_a_warning(plugin, tmp_path, monkeypatch):
    (tmp_path / "isekai.toml").write_text("[plugins]\ndisabled = ['isekai-nobody']\n")
    registry.cache_clear()
    (warning,) = told("W003")
    assert "plugins.disabled names 'isekai-nobody', which is not installed" in warning.msg
    monkeypatch.setenv("ISEKAI_PLUGINS", "-isekai-nobody")
    registry.cache_clear()
    (warning,) = told("W003")
    assert "ISEKAI_PLUGINS or --no-plugins names 'isekai-nobody'" in warning.msg


def test_a_plugins_app_that_is_not_installed_is_a_warning(plugin):
    plugin("acme_app", entry_points="[isekai.apps]\nacme = acme_app\nauth = django.contrib.auth\n")
    (warning,) = told("W004")
    assert warning.msg == "the app 'acme_app' of an installed plugin is not in INSTALLED_APPS"


def test_sqlite_without_its_lock_is_a_warning(monkeypatch):
    assert told("W010") == []
    databases = {"default": {"ENGINE": "django.db.backends.sqlite3"}}
    monkeypatch.setattr(checks, "settings", SimpleNamespace(DATABASES=databases))
    (warning,) = checks.sqlite_takes_its_lock_at_once()
    assert warning.id == "isekai.W010"
