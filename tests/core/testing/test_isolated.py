"""`isekai_registry` and `fake_distribution`: plugins that are there for one test, and gone after it."""

import sys

import importlib_metadata
import pytest

from isekai_core import Pipeline, use
from isekai_core.errors import ConfigurationError, PluginUnusable, ProcessorNotFound
from isekai_core.pipeline.composing.compose import compose
from isekai_core.plugins.registry import registry
from isekai_core.plugins.scan import scan
from isekai_core.testing.isolated import fake_distributions, own_registry

ACME = """
    from isekai_core import hookimpl

    @hookimpl
    def isekai_register_miners(register):
        register("words", "isekai_acme:WordMiner")

    class WordMiner:
        '''Finds words.'''
        accepts = ("*",)

        def mine(self, resource):
            return []
"""


def mined_by(name):
    return compose(Pipeline("words", miners=[use(name)]))["miner"][0].name


def test_the_registry_knows_core_and_nothing_else(isekai_registry):
    assert [plugin.name for plugin in isekai_registry().plugins] == ["isekai-core"]
    assert compose(Pipeline("empty"))["loader"][0].name == "isekai-core/models"


def test_what_is_asked_for_is_there_too(isekai_registry, fake_distribution):
    fake_distribution("isekai-acme", ACME)
    fake_distribution("isekai-other", ACME.replace("words", "others").replace("isekai_acme", "isekai_other"))
    assert [plugin.name for plugin in isekai_registry().plugins] == ["isekai-acme", "isekai-core", "isekai-other"]
    assert mined_by("words") == "isekai-acme/words"
    assert mined_by("others") == "isekai-other/others"


def test_what_is_not_installed_cannot_be_asked_for(isekai_registry):
    with pytest.raises(ConfigurationError, match="no plugin 'isekai-nobody' is installed; installed are "):
        isekai_registry("isekai_nobody")


def test_neither_isekai_toml_nor_safe_mode_counts(isekai_registry, fake_distribution, tmp_path, monkeypatch):
    fake_distribution("isekai-acme", ACME)
    monkeypatch.setenv("ISEKAI_PLUGINS_STRICT", "")
    (tmp_path / "isekai.toml").write_text("[plugins]\ndisabled = ['isekai-acme']\n")
    monkeypatch.chdir(tmp_path)
    assert mined_by("words") == "isekai-acme/words"


def test_a_fake_distribution_is_found_by_scanning_and_by_python(fake_distribution):
    folder = fake_distribution(
        "isekai-acme",
        version="2.1",
        requires=["acme>=1"],
        files={
            "acme/__init__.py": "",
            "acme/plugin.py": ACME.replace("isekai_acme:", "acme.mine:"),
            "acme/mine.py": ACME,
        },
        entry_points="[isekai]\nacme = acme.plugin\n",
    )
    [found] = [one for one in scan() if one.name == "isekai-acme"]
    assert (found.version, found.modules, found.requires) == ("2.1", ("acme.plugin",), ("acme>=1",))
    assert found.location == str(folder)
    assert importlib_metadata.version("isekai-acme") == "2.1"
    assert not (folder / "isekai_acme.py").exists()
    assert mined_by("words") == "isekai-acme/words"
    assert sys.modules["acme.mine"].__file__ == str(folder / "acme" / "mine.py")


def test_a_broken_one_is_in_quarantine(isekai_registry, fake_distribution):
    fake_distribution("isekai-acme", "1 / 0")
    [plugin] = [plugin for plugin in isekai_registry().plugins if plugin.name == "isekai-acme"]
    assert "ZeroDivisionError" in plugin.reason
    with pytest.raises(PluginUnusable):
        registry().find("miner", "isekai-acme/words")


def test_afterwards_everything_is_as_before(tmp_path):
    path, modules, before = list(sys.path), set(sys.modules), registry()
    with own_registry() as own, fake_distributions(tmp_path, own) as install:
        install("isekai-acme", ACME)
        assert mined_by("words") == "isekai-acme/words"
        assert "isekai_acme" in sys.modules
    assert sys.path == path
    assert "isekai_acme" not in sys.modules
    assert {name for name in set(sys.modules) - modules if name.startswith(("isekai_acme", "acme"))} == set()
    assert [plugin.name for plugin in registry().plugins] == [plugin.name for plugin in before.plugins]
    with pytest.raises(ProcessorNotFound):
        mined_by("words")
    with pytest.raises(importlib_metadata.PackageNotFoundError):
        importlib_metadata.version("isekai-acme")


def test_afterwards_everything_is_as_before_when_the_test_fails_too(tmp_path):
    path, plugins = list(sys.path), registry().plugins

    def fails():
        with own_registry() as own, fake_distributions(tmp_path, own) as install:
            install("isekai-acme", ACME)
            registry()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert sys.path == path
    assert [plugin.name for plugin in registry().plugins] == [plugin.name for plugin in plugins]


@pytest.mark.parametrize("turn", [1, 2])
def test_two_tests_may_install_the_same_one(fake_distribution, turn):
    folder = fake_distribution("isekai-acme", ACME.replace("words", f"words-{turn}"))
    assert mined_by(f"words-{turn}") == f"isekai-acme/words-{turn}"
    assert sys.modules["isekai_acme"].__file__.startswith(str(folder))
