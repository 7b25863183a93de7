"""`plugins/apps.py`: Django apps of plugins, looked for without an import."""

import sys

import pytest

from isekai_core.plugins import apps as module
from isekai_core.plugins import registry as home
from isekai_core.plugins.apps import owner_of, problem_of
from isekai_core.plugins.registry import build_registry
from isekai_core.plugins.states import PluginState


@pytest.fixture
def installed(folder, monkeypatch):
    """What `installed_apps()` finds in the folder alone."""
    monkeypatch.chdir(folder.path)
    monkeypatch.setattr(home, "scan", folder.scan)
    monkeypatch.setattr(module, "scan", folder.scan)
    monkeypatch.delenv("ISEKAI_PLUGINS", raising=False)
    return home.installed_apps


def only(folder):
    (plugin,) = build_registry(folder.scan()).plugins
    return plugin


@pytest.mark.parametrize("app", ["acme_shop", "acme_shop.apps", "acme_shop.apps.AcmeConfig", "acme_shop.AcmeConfig"])
def test_a_module_and_a_class_in_one_are_apps_and_nothing_is_imported(app, folder):
    folder.add_app("acme", "acme_shop")
    (folder.path / "acme_shop" / "apps.py").write_text("raise SystemExit('imported')")
    assert problem_of(app) == ""
    assert "acme_shop" not in sys.modules


@pytest.mark.parametrize("app", ["acme_gone", "acme_shop.nope", "acme_shop.nope.Config", "acme_shop.apps.one.two"])
def test_what_is_not_there_is_said(app, folder):
    folder.add_app("acme", "acme_shop")
    (folder.path / "acme_shop" / "apps.py").write_text("")
    assert problem_of(app) == f"its Django app {app} is not there"


@pytest.mark.parametrize("app", ["acme_shop.apps:AcmeConfig", "acme_shop [extra]", "acme-shop", ""])
def test_another_form_is_told_with_the_right_one(app):
    assert problem_of(app) == (
        f"the entry-point group isekai.apps names {app!r}, expected a module such as acme_shop or"
        " acme_shop.apps.AcmeShopConfig"
    )


class TestInstalledApps:
    """One broken plugin must not keep the project from starting."""

    def test_an_app_that_is_not_there_is_left_out_and_listed(self, folder, installed):
        folder.add_app("acme", "acme_shop")
        folder.add_metadata("broken", "[isekai.apps]\nbroken = broken_app\n")
        assert installed() == ["acme_shop"]
        broken = build_registry(folder.scan()).plugin("broken")
        assert (broken.state, broken.reason) == (
            PluginState.FAILED_IMPORT,
            "its Django app broken_app is not there",
        )
        assert broken.fix == "pip install --upgrade broken"

    def test_that_of_an_incompatible_plugin_is_left_out(self, folder, installed):
        folder.add_metadata("isekai-core", "[isekai]\ncore = isekai_core.builtins.plugin\n", version="0.2")
        folder.add_app("acme", "acme_shop", requires=["isekai-core>=9"])
        folder.add_app("sound", "sound_shop", requires=["isekai-core>=0.1"])
        assert installed() == ["sound_shop"]

    def test_each_stands_once_whoever_names_it(self, folder, installed):
        folder.add_app("acme", "acme_shop", "acme_shop")
        folder.add_metadata("core-too", "[isekai.apps]\none = isekai_core\ntwo = isekai_core.apps.Config\n")
        folder.add_app("rival", "acme_shop")
        assert {plugin.state for plugin in build_registry(folder.scan()).plugins} == {PluginState.OK}
        assert installed() == ["acme_shop"]

    def test_a_wrong_form_is_left_out(self, folder, installed):
        folder.add_app("acme", "acme_shop.apps:AcmeConfig")
        assert installed() == []
        assert "expected a module such as acme_shop" in only(folder).reason

    def test_a_typing_error_in_the_variable_is_told(self, folder, installed, monkeypatch):
        folder.add_app("acme-shop", "acme_shop")
        monkeypatch.setenv("ISEKAI_PLUGINS", "acme-shp")
        with pytest.raises(home.SettingError, match=r"names 'acme-shp', which is not installed \(did you mean 'acme-s"):
            installed()


class TestOwner:
    """Whose app an error comes from."""

    def test_it_is_known_by_what_the_error_names_and_by_where_it_was_raised(self, folder, installed):
        folder.add_app("acme", "acme_shop")
        assert owner_of(ImportError("No module named 'acme_shop.models'")) == "acme"
        (folder.path / "acme_shop" / "models.py").write_text("1 / 0")
        with pytest.raises(ZeroDivisionError) as caught:
            __import__("acme_shop.models")
        assert owner_of(caught.value) == "acme"

    def test_it_is_nobodys_when_no_plugin_is_concerned(self, folder, installed):
        folder.add_app("acme", "acme_shop")
        assert owner_of(ValueError("acme_shopping is not acme")) == ""
