"""`plugins/choice.py`: safe mode, decided before any plugin is imported."""

import sys

import pytest

from isekai_core.errors import PluginUnusable, SettingError
from isekai_core.plugins.choice import STRICT_VARIABLE, VARIABLE, chosen, current_choice, is_strict, read_choice
from isekai_core.plugins.registry import build_registry
from isekai_core.plugins.states import PluginState


@pytest.fixture(autouse=True)
def no_choice(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv(STRICT_VARIABLE, raising=False)


def states(folder):
    return {plugin.name: plugin.state for plugin in build_registry(folder.scan()).plugins}


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("", []),
        (" , ", []),
        ("none", ["acme", "other"]),
        ("acme", ["other"]),
        ("Acme,other", []),
        ("-acme", ["acme"]),
        ("acme,other,-acme", ["acme"]),
        ("none,-acme", ["acme", "other"]),
    ],
)
def test_the_variable_allows_takes_away_or_leaves_nothing(text, left_out):
    choice = read_choice(text)
    assert [name for name in ("acme", "isekai-core", "other") if choice.leaves_out(name)] == left_out


@pytest.mark.parametrize("text", ["none,acme", "acme,none"])
def test_none_beside_a_name_is_refused(text):
    with pytest.raises(SettingError, match="ISEKAI_PLUGINS is 'none', a list of plugins to allow"):
        read_choice(text)


def test_core_cannot_be_taken_away():
    with pytest.raises(SettingError, match="takes isekai-core away, which everything needs"):
        read_choice("-Isekai_Core")


def test_a_plugin_that_is_left_out_is_listed_and_never_imported(folder, monkeypatch):
    folder.add("acme")
    folder.add("killer", "import os\nos._exit(3)\n")
    monkeypatch.setenv(VARIABLE, "-killer")
    assert states(folder) == {"acme": PluginState.OK, "killer": PluginState.DISABLED}
    assert "killer" not in sys.modules


def test_an_unknown_name_is_an_error_with_a_suggestion(folder, monkeypatch):
    folder.add("acme")
    monkeypatch.setenv(VARIABLE, "-acmee")
    with pytest.raises(SettingError, match=r"names 'acmee', which is not installed \(did you mean 'acme'\?\)"):
        build_registry(folder.scan())


def test_the_option_adds_to_the_variable_and_is_gone_afterwards(monkeypatch):
    monkeypatch.setenv(VARIABLE, "-acme")
    with chosen(["other"], strict=True):
        assert current_choice().away == {"acme", "other"}
        assert is_strict()
    assert current_choice().away == {"acme"}
    assert not is_strict()


def test_the_option_alone_leaves_all_out(monkeypatch):
    monkeypatch.setenv(VARIABLE, "acme")
    with chosen([""], strict=False):
        assert current_choice().leaves_out("acme")
    assert not current_choice().leaves_out("acme")


@pytest.mark.parametrize(("value", "strict"), [("1", True), ("yes", True), ("", False), ("0", False), ("false", False)])
def test_strict_is_a_variable_too(value, strict, monkeypatch):
    monkeypatch.setenv(STRICT_VARIABLE, value)
    assert is_strict() is strict


def test_strict_refuses_what_is_not_ok_and_names_reason_and_fix(folder, monkeypatch):
    folder.add("acme")
    folder.add("broken", "import not_installed_anywhere\n")
    registry = build_registry(folder.scan())
    registry.insist()
    monkeypatch.setenv(STRICT_VARIABLE, "1")
    with pytest.raises(
        PluginUnusable, match=r"broken \(missing dependency\): needs not_installed_anywhere.*pip install"
    ):
        registry.insist()


def test_strict_leaves_in_peace_what_is_disabled_on_purpose(folder, monkeypatch):
    folder.add("broken", "import not_installed_anywhere\n")
    monkeypatch.setenv(VARIABLE, "none")
    monkeypatch.setenv(STRICT_VARIABLE, "1")
    build_registry(folder.scan()).insist()
