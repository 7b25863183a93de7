"""`plugins/registry.py`: plugins that replace others, and short names for which nobody stands in."""

from pathlib import Path

import pytest

from isekai_core.conf import PluginChoices, ProjectFile
from isekai_core.errors import PluginUnusable, ProcessorAmbiguous
from isekai_core.plugins.registry import build_registry
from isekai_core.plugins.states import PluginState


def build(folder, disabled=(), prefer=None):
    """The registry of what is installed in that folder alone."""
    file = ProjectFile(Path("isekai.toml"), PluginChoices(tuple(disabled), prefer or {}))
    return build_registry(folder.scan(), file)


REPLACES = """
    from isekai_core import hookimpl

    @hookimpl
    def isekai_register_miners(register):
        register("words", "{module}:Miner", replaces="{replaces}")

    class Miner:
        accepts = ("*",)

        def mine(self, resource):
            return []
"""


class TestReplacing:
    """A plugin may say that its processor stands for another's."""

    def test_the_short_name_means_the_one_that_replaces_and_both_are_ok(self, folder):
        folder.add("acme", miner="words")
        folder.add("better", REPLACES.replace("{replaces}", "acme/words"))
        registry = build(folder)
        assert registry.find("miner", "words").full_name == "better/words"
        assert registry.find("miner", "acme/words").plugin == "acme"
        assert {plugin.state for plugin in registry.plugins} == {PluginState.OK}

    def test_the_setting_still_decides(self, folder):
        folder.add("acme", miner="words")
        folder.add("better", REPLACES.replace("{replaces}", "acme/words"))
        assert build(folder, prefer={"miner:words": "acme"}).find("miner", "words").plugin == "acme"

    def test_two_that_replace_the_same_are_ambiguous_and_the_replaced_one_is_not(self, folder):
        folder.add("acme", miner="words")
        folder.add("better", REPLACES.replace("{replaces}", "acme/words"))
        folder.add("finer", REPLACES.replace("{replaces}", "acme/words"))
        registry = build(folder)
        with pytest.raises(ProcessorAmbiguous, match="better/words and finer/words"):
            registry.find("miner", "words")
        assert [str(plugin.state) for plugin in registry.plugins] == ["ok", "ambiguous", "ambiguous"]

    def test_two_that_replace_each_other_are_ambiguous(self, folder):
        folder.add("better", REPLACES.replace("{replaces}", "finer/words"))
        folder.add("finer", REPLACES.replace("{replaces}", "better/words"))
        with pytest.raises(ProcessorAmbiguous):
            build(folder).find("miner", "words")

    def test_what_replaces_something_that_is_not_there_is_found_all_the_same(self, folder):
        folder.add("better", REPLACES.replace("{replaces}", "acme/words"))
        registry = build(folder)
        assert registry.find("miner", "words").plugin == "better"
        assert registry.plugin("better").reason == ""

    def test_a_third_does_not_win_where_two_replace_each_other(self, folder):
        folder.add("better", REPLACES.replace("{replaces}", "finer/words"))
        folder.add("finer", REPLACES.replace("{replaces}", "better/words"))
        folder.add("third", miner="words")
        with pytest.raises(ProcessorAmbiguous, match="registered by 3 plugins"):
            build(folder).find("miner", "words")

    def test_one_that_replaces_one_that_replaces_is_the_last_word(self, folder):
        folder.add("acme", miner="words")
        folder.add("better", REPLACES.replace("{replaces}", "acme/words"))
        folder.add("finer", REPLACES.replace("{replaces}", "better/words"))
        assert build(folder).find("miner", "words").plugin == "finer"

    def test_a_typing_error_in_whom_it_replaces_is_told(self, folder):
        folder.add("acme", miner="wordy")
        folder.add("better", REPLACES.replace("{replaces}", "acme/words"))
        assert build(folder).plugin("better").reason == (
            "the miner better/words replaces acme/words, which acme does not register (did you mean 'wordy'?)"
        )
        folder.add("finer", REPLACES.replace("{replaces}", "acne/words"))
        assert build(folder, disabled=["better"]).plugin("finer").reason == (
            "the miner finer/words replaces acne/words, and acne is not installed (did you mean 'acme'?)"
        )

    @pytest.mark.parametrize("replaces", ["words", "acme/other", "better/words", "/words"])
    def test_what_is_no_full_name_of_anothers_is_refused(self, folder, replaces):
        folder.add("better", REPLACES.replace("{replaces}", replaces))
        (plugin,) = build(folder).plugins
        assert plugin.state is PluginState.INVALID_HOOKS
        assert "replaces is the full name of another plugin's 'words'" in plugin.reason


class TestStandIns:
    """A short name never means another processor because the one that is meant is broken."""

    def test_a_preferred_plugin_in_quarantine_is_an_error_and_nobody_stands_in(self, folder):
        folder.add("acme-a", miner="words")
        folder.add("acme-b", "import sys\nsys.exit(1)")
        registry = build(folder, prefer={"miner:words": "acme-b"})
        with pytest.raises(PluginUnusable) as caught:
            registry.find("miner", "words")
        assert str(caught.value).startswith(
            "the miner 'words': prefer says acme-b, which cannot be used: acme-b (failed import): calls sys.exit(1)"
        )
        assert registry.problems == (
            "isekai.toml: plugins.prefer names 'acme-b' for 'miner:words', which cannot be used (failed import)",
        )
        assert registry.find("miner", "acme-a/words").plugin == "acme-a"

    def test_one_that_is_left_out_is_no_other_case(self, folder):
        folder.add("acme-a", miner="words")
        folder.add("acme-b", miner="words")
        registry = build(folder, disabled=["acme-b"], prefer={"miner:words": "acme-b"})
        with pytest.raises(PluginUnusable, match=r"prefer says acme-b, which cannot be used: acme-b \(disabled\)"):
            registry.find("miner", "words")

    def test_what_replaces_and_broke_after_it_said_so_is_an_error(self, folder):
        folder.add("acme", miner="words")
        hook = REPLACES.replace("{replaces}", "acme/words")
        folder.add("better", hook.replace('replaces="acme/words")', 'replaces="acme/words"); raise ValueError'))
        registry = build(folder)
        with pytest.raises(PluginUnusable) as caught:
            registry.find("miner", "words")
        assert str(caught.value).startswith("the miner 'words' means better/words, which cannot be used: better (fail")
        assert str(caught.value).endswith("; use 'acme/words' to go on without it")
        assert registry.find("miner", "acme/words").plugin == "acme"
        assert build(folder, prefer={"miner:words": "acme"}).find("miner", "words").plugin == "acme"
