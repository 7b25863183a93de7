"""`plugins/hooks.py`: what pluggy leaves silent is told, with what to write instead."""

import pytest

from isekai_core import hookspecs
from isekai_core.plugins.hooks import HOOKS, KINDS, Registration
from isekai_core.plugins.load import load
from isekai_core.plugins.registry import build_registry
from isekai_core.plugins.scan import Installed
from isekai_core.plugins.states import PluginState
from isekai_core.types import KINDS as CONTRACT


def invalid(folder, source):
    """The plugin of that source, which must be in quarantine for its hooks."""
    folder.add("acme", "from isekai_core import hookimpl\n\n" + source)
    (installed,) = folder.scan()
    plugin = load(installed)
    assert plugin.state is PluginState.INVALID_HOOKS
    return plugin


def test_there_is_one_hook_for_each_kind_of_processor_in_the_order_of_the_stages():
    assert (*CONTRACT, "slice_source", "slice_target") == KINDS
    assert all(hasattr(hookspecs, name) for name in HOOKS)


def test_a_misspelled_hook_is_told_with_the_nearest_one(folder):
    plugin = invalid(folder, "@hookimpl\ndef isekai_register_miner(register):\n    pass\n")
    assert plugin.reason == "there is no hook isekai_register_miner (did you mean 'isekai_register_miners'?)"
    assert plugin.fix.startswith("the hooks are isekai_register_seeders, ")


def test_a_forgotten_decorator_is_told(folder):
    plugin = invalid(folder, "def isekai_register_miners(register):\n    pass\n")
    assert plugin.reason.startswith("the function isekai_register_miners has no @hookimpl")
    assert plugin.fix == "decorate it with @hookimpl (from isekai_core import hookimpl)"


def test_an_argument_that_the_hook_is_not_given_is_told(folder):
    plugin = invalid(folder, "@hookimpl\ndef isekai_register_miners(registry):\n    pass\n")
    assert plugin.reason == (
        "isekai_register_miners takes 'registry', which it is not given (did you mean 'register'?)"
    )
    assert plugin.fix == "write it as def isekai_register_miners(register)"


def test_an_argument_with_a_default_of_its_own_is_the_plugins_business(folder):
    source = "from isekai_core import hookimpl\n\n@hookimpl\ndef isekai_register_miners(register, extra=1):\n    pass\n"
    folder.add("acme", source)
    (installed,) = folder.scan()
    assert load(installed).state is PluginState.OK


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("async def isekai_register_miners(register):\n    pass\n", "an async function"),
        ("async def isekai_register_miners(register):\n    yield\n", "an async function"),
        ("def isekai_register_miners(register):\n    yield 'html', 'acme:Miner'\n", "a generator"),
    ],
)
def test_a_coroutine_and_a_generator_are_refused(folder, source, reason):
    plugin = invalid(folder, "@hookimpl\n" + source)
    assert reason in plugin.reason
    assert plugin.fix


def test_a_wrapper_is_refused(folder):
    source = "@hookimpl(wrapper=True)\ndef isekai_register_miners(register):\n    return (yield)\n"
    assert "there is nothing to wrap" in invalid(folder, source).reason


def test_a_hook_may_be_implemented_under_another_name(folder):
    source = """
        from isekai_core import hookimpl

        @hookimpl(specname="isekai_register_miners")
        def miners_of_mine(register):
            register("acme", "acme:Miner")
    """
    folder.add("acme", source)
    (installed,) = folder.scan()
    assert [entry.full_name for entry in load(installed).processors] == ["acme/acme"]


def test_an_optional_hook_of_a_later_core_is_passed_over(folder):
    source = """
        from isekai_core import hookimpl

        @hookimpl(optionalhook=True)
        def isekai_register_wonders(register):
            register("wonder", "acme:Wonder")

        @hookimpl
        def isekai_register_miners(register):
            register("acme", "acme:Miner")
    """
    folder.add("acme", source)
    (installed,) = folder.scan()
    plugin = load(installed)
    assert plugin.state is PluginState.OK
    assert plugin.hooks == ("isekai_register_miners",)


def test_what_a_hook_refuses_to_register_is_told_with_the_name_of_the_hook(folder):
    source = "@hookimpl\ndef isekai_register_miners(register):\n    register('Html Images', 'acme:Miner')\n"
    assert invalid(folder, source).reason == (
        "isekai_register_miners: a processor's name is lower-case words with hyphens, such as 'html-images',"
        " got 'Html Images'"
    )


def test_a_dependency_that_a_hook_imports_is_a_missing_dependency(folder):
    source = "@hookimpl\ndef isekai_register_miners(register):\n    import not_installed_anywhere\n"
    folder.add("acme", "from isekai_core import hookimpl\n\n" + source)
    (installed,) = folder.scan()
    plugin = load(installed)
    assert plugin.state is PluginState.MISSING_DEPENDENCY
    assert plugin.reason == "needs not_installed_anywhere, which is not installed"


class TestRegistration:
    """The `register` that a hook is handed."""

    def make(self):
        entries = []
        return Registration("miner", Installed("acme", "1.0", ("acme",)), entries), entries

    def test_takes_a_class_and_an_import_string(self):
        register, entries = self.make()
        register("one", dict)
        register("two-words", "acme.mine:Outer.Miner")
        assert [(entry.name, entry.reference) for entry in entries] == [
            ("one", "builtins:dict"),
            ("two-words", "acme.mine:Outer.Miner"),
        ]

    @pytest.mark.parametrize(
        "name", ["", "Html", "html_images", "html images", "acme/html", "-html", "html-", "1html", None]
    )
    def test_refuses_another_form_of_name(self, name):
        register, entries = self.make()
        with pytest.raises(ValueError, match="lower-case words with hyphens"):
            register(name, dict)
        assert entries == []

    @pytest.mark.parametrize("target", ["acme.mine", "acme.mine:", ":Miner", "acme mine:Miner", "1:2", 3, None, {}])
    def test_refuses_another_form_of_target(self, target):
        register, entries = self.make()
        with pytest.raises(ValueError, match=r"html: expected a class or 'package.module:Class', got "):
            register("html", target)
        assert entries == []

    def test_refuses_a_name_that_is_given_twice(self):
        register, entries = self.make()
        register("html", dict)
        with pytest.raises(ValueError, match="the miner 'html' is registered twice"):
            register("html", list)
        assert len(entries) == 1


@pytest.mark.parametrize(("hook", "kind"), HOOKS.items())
def test_a_hook_registers_processors_of_its_kind_under_their_names(folder, hook, kind):
    folder.add(
        "acme",
        f"from isekai_core import hookimpl\n\n@hookimpl\ndef {hook}(register):\n    register('words', 'acme:X')\n",
    )
    (plugin,) = build_registry(folder.scan()).plugins
    assert plugin.hooks == (hook,)
    assert [(entry.kind, entry.full_name, entry.reference) for entry in plugin.processors] == [
        (kind, "acme/words", "acme:X")
    ]


def test_a_value_error_of_the_plugins_own_is_not_taken_for_a_wrong_name(folder):
    folder.add(
        "acme", "from isekai_core import hookimpl\n\n@hookimpl\ndef isekai_register_miners(register):\n    int('x')\n"
    )
    (plugin,) = build_registry(folder.scan()).plugins
    assert plugin.state is PluginState.FAILED_IMPORT
    assert "raised ValueError: invalid literal for int()" in plugin.reason
    assert "acme.py:5)" in plugin.reason


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("register('words', 'acme:Miner', override=True)", "got an unexpected keyword argument 'override'"),
        ("register()", "missing 2 required positional arguments: 'name' and 'target'"),
        ("register('words')", "missing 1 required positional argument: 'target'"),
    ],
)
def test_register_called_in_another_way_is_told_with_the_right_one(call, said, folder):
    plugin = invalid(folder, f"@hookimpl\ndef isekai_register_miners(register):\n    {call}\n")
    assert plugin.reason == (
        f"isekai_register_miners: register() {said}; it is called as"
        " register('name', 'package.module:Class', replaces='…')"
    )


@pytest.mark.parametrize("arguments", ["*, register", "register=None"])
def test_an_argument_that_pluggy_would_not_give_is_told(arguments, folder):
    plugin = invalid(folder, f"@hookimpl\ndef isekai_register_miners({arguments}):\n    pass\n")
    assert plugin.reason == ("isekai_register_miners is not given 'register' where it is keyword-only or has a default")
    assert plugin.fix == "write it as def isekai_register_miners(register)"


def test_a_name_that_the_journal_could_not_keep_is_refused(folder):
    plugin = invalid(
        folder, "@hookimpl\ndef isekai_register_miners(register):\n    register('a' * 101, 'acme:Miner')\n"
    )
    assert "a processor's name has 100 characters at most, got 101: 'aaa" in plugin.reason


def test_none_is_nobody_to_replace(folder):
    source = "@hookimpl\ndef isekai_register_miners(register):\n    register('words', 'a:B', replaces=None)\n"
    assert invalid(folder, source).reason.endswith("such as 'isekai-html/words', got None")
