"""`plugins/load.py`: whatever a plugin does wrong puts it, and only it, in quarantine, with reason and fix."""

import pytest

from isekai_core.plugins.load import load
from isekai_core.plugins.states import PluginState


def load_one(folder, core="0.1.0"):
    (installed,) = folder.scan()
    return load(installed, core)


def test_a_sound_plugin_is_ok_with_hooks_processors_and_import_time(folder):
    folder.add("acme")
    plugin = load_one(folder)
    assert plugin.state is PluginState.OK
    assert plugin.hooks == ("isekai_register_miners",)
    assert [(entry.kind, entry.full_name, entry.version) for entry in plugin.processors] == [
        ("miner", "acme/acme-miner", "1.0")
    ]
    assert plugin.import_ms > 0
    assert (plugin.reason, plugin.fix, plugin.traceback) == ("", "", "")


def test_a_missing_dependency_is_named_with_what_to_install(folder):
    folder.add("acme", "import not_installed_anywhere.sub")
    plugin = load_one(folder)
    assert plugin.state is PluginState.MISSING_DEPENDENCY
    assert plugin.reason == "needs not_installed_anywhere, which is not installed"
    assert plugin.fix == "pip install not_installed_anywhere"
    assert "ModuleNotFoundError" in plugin.traceback
    assert "acme.py" in plugin.traceback


def test_a_dependency_of_an_extra_is_installed_through_the_extra(folder):
    folder.add("acme", "import not_installed_anywhere", requires=['not-installed-anywhere>=3 ; extra == "fast"'])
    assert load_one(folder).fix == "pip install 'acme[fast]'"


def test_a_plain_dependency_is_installed_with_the_version_that_is_asked_for(folder):
    folder.add("acme", "import not_installed_anywhere", requires=["not_installed.anywhere >=3,<4"])
    assert load_one(folder).fix == "pip install 'not_installed.anywhere>=3,<4'"


def test_a_dependency_whose_module_has_another_name_is_called_by_its_distribution(folder):
    folder.add("acme", "raise ModuleNotFoundError('No module named cv2', name='cv2')")
    plugin = load_one(folder)
    assert plugin.fix == "pip install opencv-python"


def test_a_dependency_that_is_there_but_lacks_a_module_is_to_be_upgraded(folder):
    folder.add("acme", "import pluggy.not_in_this_version")
    plugin = load_one(folder)
    assert plugin.state is PluginState.MISSING_DEPENDENCY
    assert plugin.reason == "needs pluggy.not_in_this_version, which the installed pluggy does not have"
    assert plugin.fix == "pip install --upgrade pluggy"


def test_the_plugins_own_missing_module_is_not_taken_for_a_dependency(folder):
    folder.add_metadata("acme", "[isekai]\nacme = acme_of_nowhere.plugin\n")
    plugin = load_one(folder)
    assert plugin.state is PluginState.FAILED_IMPORT
    assert plugin.reason == "its own module acme_of_nowhere is missing"
    assert plugin.fix == "pip install --force-reinstall acme"


def test_a_plugin_written_for_another_core_is_incompatible(folder):
    folder.add("acme", "from isekai_core.types import NotThere")
    plugin = load_one(folder)
    assert plugin.state is PluginState.INCOMPATIBLE
    assert "NotThere" in plugin.reason
    assert plugin.fix == "pip install --upgrade isekai-core acme"


def test_a_plugin_that_requires_another_core_is_incompatible_and_not_imported(folder):
    folder.add("acme", "raise RuntimeError('imported')", requires=["isekai-core>=0.1,<0.2"])
    plugin = load_one(folder, core="0.2.0")
    assert plugin.state is PluginState.INCOMPATIBLE
    assert plugin.reason == "needs isekai-core>=0.1,<0.2, found isekai-core 0.2.0"
    assert plugin.fix == "pip install --upgrade acme"


def test_any_exception_at_import_is_a_failed_import_with_its_place(folder):
    folder.add("acme", "x = 1\nraise RuntimeError('no\\nlicence')")
    plugin = load_one(folder)
    assert plugin.state is PluginState.FAILED_IMPORT
    assert plugin.reason == f"raised RuntimeError: no licence ({folder.path / 'acme.py'}:2)"
    assert plugin.fix == "isekai plugins show acme"


def test_the_place_of_a_failure_is_the_last_line_of_the_plugins_own(folder):
    folder.add("acme", "import json\n\njson.loads('{')")
    assert load_one(folder).reason.endswith(f" ({folder.path / 'acme.py'}:3)")


def test_a_syntax_error_names_file_and_line(folder):
    folder.add("acme", "def broken(:\n")
    plugin = load_one(folder)
    assert plugin.state is PluginState.FAILED_IMPORT
    assert plugin.reason.startswith("raised SyntaxError: ")
    assert "(acme.py, line 1)" in plugin.reason


def test_sys_exit_at_import_does_not_end_the_process(folder):
    folder.add("acme", "import sys\nsys.exit(3)")
    plugin = load_one(folder)
    assert plugin.state is PluginState.FAILED_IMPORT
    assert plugin.reason.startswith("calls sys.exit(3) while it is imported (")


def test_a_keyboard_interrupt_is_the_users_and_goes_on(folder):
    folder.add("acme", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_one(folder)


def test_a_very_long_reason_is_cut_and_kept_in_the_traceback(folder):
    folder.add("acme", "raise RuntimeError('x' * 5000)")
    plugin = load_one(folder)
    assert len(plugin.reason) < 500
    assert "x" * 5000 in plugin.traceback


def test_a_plugin_that_imports_django_models_is_told_where_they_belong(folder):
    folder.add(
        "acme", "from django.core.exceptions import ImproperlyConfigured\nraise ImproperlyConfigured('no settings')"
    )
    assert "Django models and settings are imported inside functions" in load_one(folder).reason


def test_what_a_plugin_prints_goes_to_standard_error(folder, capsys):
    folder.add(
        "acme",
        """
        from isekai_core import hookimpl

        print("at import")

        @hookimpl
        def isekai_register_seeders(register):
            print("in the hook")
        """,
    )
    assert load_one(folder).state is PluginState.OK
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "at import\nin the hook\n"


def test_a_plugin_that_provides_nothing_is_told_so(folder):
    folder.add("acme", "x = 1")
    plugin = load_one(folder)
    assert plugin.state is PluginState.INVALID_HOOKS
    assert plugin.reason == "it implements no hook, so it provides nothing"
    assert "isekai_register_seeders" in plugin.fix


def test_metadata_that_cannot_be_read_is_a_failed_import(folder):
    folder.add_metadata("acme", "[isekai]\nx = acme\n")
    (folder.path / "acme-1.0.dist-info" / "METADATA").write_text("Name: acme\n\n")
    plugin = load_one(folder)
    assert plugin.state is PluginState.FAILED_IMPORT
    assert plugin.reason == "its metadata cannot be read: it gives no name and version"


@pytest.mark.parametrize("value", ["no-module!", "acme:"])
def test_an_entry_point_that_names_no_module_quarantines_only_its_plugin(folder, value):
    folder.add_metadata("acme", f"[isekai]\nx = {value}\n")
    folder.add("other")
    acme, other = (load(installed, "0.1.0") for installed in folder.scan())
    assert not acme.state.usable
    assert acme.reason
    assert other.state is PluginState.OK


def test_an_entry_point_may_name_an_object_of_a_module(folder):
    source = """
        from isekai_core import hookimpl

        class Hooks:
            @hookimpl
            def isekai_register_seeders(self, register):
                register("acme", "acme:Seeder")

        hooks = Hooks()
    """
    folder.add("acme", source, entry_points="[isekai]\nacme = acme:hooks\n")
    plugin = load_one(folder)
    assert plugin.state is PluginState.OK
    assert [entry.name for entry in plugin.processors] == ["acme"]


def test_all_modules_of_a_distribution_are_one_plugin(folder):
    folder.add("acme", entry_points="[isekai]\na = acme\nb = acme_more\n")
    more = "@hookimpl\ndef isekai_register_seeders(register):\n    register('s', 'm:S')\n"
    (folder.path / "acme_more.py").write_text("from isekai_core import hookimpl\n\n" + more)
    plugin = load_one(folder)
    assert [entry.full_name for entry in plugin.processors] == ["acme/s", "acme/acme-miner"]
    assert plugin.hooks == ("isekai_register_seeders", "isekai_register_miners")


class TestEntryPoints:
    """What the metadata says in another way than it is meant."""

    @pytest.mark.parametrize("group", ["isekai.1", "isekai.0", "isekai.01", "isekai." + "9" * 5000])
    def test_a_group_that_stands_for_no_api_is_told_with_the_right_one(self, group, folder):
        folder.add("acme", entry_points=f"[{group}]\nacme = acme\n")
        (installed,) = folder.scan()
        plugin = load(installed)
        assert plugin.state is PluginState.INVALID_HOOKS
        assert plugin.reason == (f"its hooks are in the entry-point group {group[:40]!r}: API 1 is the group 'isekai'")
        assert plugin.fix == "call the group isekai, without a number"

    def test_two_entry_points_may_name_one_module(self, folder):
        folder.add("acme", miner="words", entry_points="[isekai]\none = acme\ntwo = acme\n")
        (installed,) = folder.scan()
        plugin = load(installed)
        assert plugin.state is PluginState.OK
        assert [entry.name for entry in plugin.processors] == ["words"]

    def test_hooks_that_register_nothing_are_told(self, folder):
        folder.add(
            "acme",
            """
            from isekai_core import hookimpl

            @hookimpl
            def isekai_register_miners(register):
                pass
            """,
        )
        (installed,) = folder.scan()
        plugin = load(installed)
        assert (plugin.state, plugin.reason) == (PluginState.OK, "its hooks register nothing")
