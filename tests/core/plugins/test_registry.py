"""`plugins/registry.py`: names to processors, and the words for every name that leads to none."""

import sys
from pathlib import Path

import pytest

from isekai_core.conf import PluginChoices, ProjectFile
from isekai_core.errors import ConfigurationError, PluginUnusable, ProcessorAmbiguous, ProcessorNotFound
from isekai_core.plugins import registry as module
from isekai_core.plugins.registry import HOMES, build_registry
from isekai_core.plugins.states import PluginState


def build(folder, disabled=(), prefer=None):
    """The registry of what is installed in that folder alone."""
    file = ProjectFile(Path("isekai.toml"), PluginChoices(tuple(disabled), prefer or {}))
    return build_registry(folder.scan(), file)


def test_a_processor_is_found_by_its_short_and_its_full_name(folder):
    folder.add("acme", miner="words")
    registry = build(folder)
    assert registry.find("miner", "words").full_name == "acme/words"
    assert registry.find("miner", "acme/words") == registry.find("miner", "words")
    assert registry.find("miner", "Acme/words") == registry.find("miner", "words")


def test_one_broken_plugin_takes_nobody_down(folder):
    folder.add("acme", miner="words")
    folder.add("broken", "import sys\nsys.exit(1)")
    registry = build(folder)
    assert [(plugin.name, plugin.state) for plugin in registry.plugins] == [
        ("acme", PluginState.OK),
        ("broken", PluginState.FAILED_IMPORT),
    ]
    assert registry.find("miner", "words").plugin == "acme"


def test_entries_come_by_stage_name_and_plugin_whatever_the_order_of_installation(folder):
    folder.add("zeta", miner="words")
    folder.add("acme", miner="words")
    folder.add(
        "beta",
        """
        from isekai_core import hookimpl

        @hookimpl
        def isekai_register_loaders(register):
            register("a", "beta:Loader")

        @hookimpl
        def isekai_register_seeders(register):
            register("z", "beta:Seeder")
        """,
    )
    names = [entry.full_name for entry in build(folder).entries()]
    assert names == ["beta/z", "acme/words", "zeta/words", "beta/a"]
    assert [entry.full_name for entry in build(folder).entries("loader")] == ["beta/a"]


class TestAmbiguity:
    """Two plugins claim one short name: neither is taken silently."""

    def test_using_the_name_lists_both_full_names_and_the_line_that_decides(self, folder):
        folder.add("zeta", miner="words")
        folder.add("acme", miner="words")
        with pytest.raises(ProcessorAmbiguous) as caught:
            build(folder).find("miner", "words")
        assert str(caught.value) == (
            "the miner 'words' is registered by 2 plugins: use the full name, acme/words and zeta/words, or decide"
            " under [plugins] in isekai.toml: prefer = { 'miner:words' = 'acme' }"
        )

    def test_the_full_name_is_never_ambiguous(self, folder):
        folder.add("zeta", miner="words")
        folder.add("acme", miner="words")
        assert build(folder).find("miner", "zeta/words").plugin == "zeta"

    def test_the_setting_decides(self, folder):
        folder.add("zeta", miner="words")
        folder.add("acme", miner="words")
        registry = build(folder, prefer={"miner:words": "Zeta"})
        assert registry.find("miner", "words").plugin == "zeta"
        assert not registry.is_ambiguous("miner", "words")
        assert registry.problems == ()
        assert {plugin.state for plugin in registry.plugins} == {PluginState.OK}

    def test_both_plugins_are_marked(self, folder):
        folder.add("zeta", miner="words")
        folder.add("acme", miner="words")
        registry = build(folder)
        assert {plugin.state for plugin in registry.plugins} == {PluginState.AMBIGUOUS}
        assert all("registered by 2 plugins" in plugin.reason for plugin in registry.plugins)
        assert registry.is_ambiguous("miner", "words")

    def test_the_same_name_of_two_kinds_is_no_conflict(self, folder):
        folder.add("acme", miner="words")
        folder.add(
            "beta",
            """
            from isekai_core import hookimpl

            @hookimpl
            def isekai_register_seeders(register):
                register("words", "beta:Seeder")
            """,
        )
        assert {plugin.state for plugin in build(folder).plugins} == {PluginState.OK}

    def test_a_preference_for_a_plugin_that_does_not_register_it_is_a_problem(self, folder):
        folder.add("acme", miner="words")
        registry = build(folder, prefer={"miner:words": "zeta"})
        assert registry.problems == (
            "isekai.toml: plugins.prefer names 'zeta' for 'miner:words', which is not installed",
        )
        assert registry.find("miner", "words").plugin == "acme"


class TestNotFound:
    """A name that leads to no processor."""

    def test_suggests_the_nearest_and_lists_what_there_is(self, folder):
        folder.add("acme", miner="words")
        with pytest.raises(ProcessorNotFound) as caught:
            build(folder).find("miner", "wrods")
        assert str(caught.value) == "there is no miner 'wrods' (did you mean 'words'?); installed miners are words"

    def test_says_what_to_install_for_a_name_of_ours(self, folder):
        with pytest.raises(ProcessorNotFound, match="it comes with isekai-html: pip install isekai-html"):
            build(folder).find("miner", "html-images")
        with pytest.raises(ProcessorNotFound, match="pip install isekai-http"):
            build(folder).find("extractor", "isekai-http/http")

    def test_says_that_there_are_no_processors_of_that_kind(self, folder):
        with pytest.raises(ProcessorNotFound, match="no plugin that registers loaders is installed"):
            build(folder).find("loader", "models")

    def test_says_when_the_name_is_of_another_kind(self, folder):
        folder.add("acme", miner="words")
        with pytest.raises(ProcessorNotFound, match="there is miner 'words', of another kind"):
            build(folder).find("seeder", "words")

    def test_names_quarantined_plugins_that_might_have_it(self, folder):
        folder.add("broken", "import not_installed_anywhere")
        with pytest.raises(ProcessorNotFound) as caught:
            build(folder).find("miner", "words")
        assert str(caught.value).endswith(
            "in quarantine is broken (missing dependency): needs not_installed_anywhere, which is not installed;"
            " pip install not_installed_anywhere"
        )


class TestUnusable:
    """The plugin that has the processor is in quarantine."""

    def test_by_its_full_name(self, folder):
        folder.add("broken", "import not_installed_anywhere")
        with pytest.raises(PluginUnusable) as caught:
            build(folder).find("miner", "broken/words")
        assert str(caught.value) == (
            "the miner 'broken/words' cannot be used: broken (missing dependency): needs not_installed_anywhere,"
            " which is not installed; pip install not_installed_anywhere"
        )

    def test_by_a_name_of_ours(self, folder):
        folder.add("isekai-html", "raise RuntimeError('no')", entry_points="[isekai]\nx = isekai_html_broken\n")
        (folder.path / "isekai_html_broken.py").write_text("raise RuntimeError('no')")
        with pytest.raises(PluginUnusable, match="isekai-html \\(failed import\\): raised RuntimeError: no"):
            build(folder).find("miner", "html-images")

    def test_by_what_it_had_registered_before_it_failed(self, folder):
        folder.add(
            "acme",
            """
            from isekai_core import hookimpl

            @hookimpl
            def isekai_register_seeders(register):
                register("words", "acme:Seeder")
                register("Words", "acme:Seeder")
            """,
        )
        with pytest.raises(PluginUnusable, match="acme \\(invalid hooks\\)"):
            build(folder).find("seeder", "words")

    def test_when_it_is_disabled(self, folder):
        folder.add("acme", "raise RuntimeError('imported')")
        registry = build(folder, disabled=["Acme"])
        assert registry.plugins[0].state is PluginState.DISABLED
        with pytest.raises(PluginUnusable, match=r"acme \(disabled\): .*plugins.disabled in isekai.toml"):
            registry.find("miner", "acme/words")


def test_disabling_what_is_not_installed_is_a_problem_with_a_suggestion(folder):
    folder.add("acme")
    assert build(folder, disabled=["acne"]).problems == (
        "isekai.toml: plugins.disabled names 'acne', which is not installed (did you mean 'acme'?)",
    )


def test_a_plugin_is_found_by_any_spelling_of_its_name(folder):
    folder.add("acme-html")
    assert build(folder).plugin("Acme_HTML").name == "acme-html"


def test_an_unknown_plugin_is_told_with_those_there_are(folder):
    folder.add("acme")
    with pytest.raises(ConfigurationError) as caught:
        build(folder).plugin("acne")
    assert str(caught.value) == "no plugin 'acne' is installed (did you mean 'acme'?); installed are acme"
    with pytest.raises(ConfigurationError, match="pip install isekai-html"):
        build(folder).plugin("isekai-html")


def test_the_registry_of_the_process_is_built_once_and_can_be_forgotten():
    module.registry.cache_clear()
    first = module.registry()
    assert module.registry() is first
    module.registry.cache_clear()
    assert module.registry() is not first


def test_the_choices_of_the_project_file_beside_are_obeyed(folder, tmp_path, monkeypatch):
    folder.add("acme")
    (tmp_path / "isekai.toml").write_text("[plugins]\ndisabled = ['acme']\n")
    monkeypatch.chdir(tmp_path)
    assert [plugin.state for plugin in build_registry(folder.scan()).plugins] == [PluginState.DISABLED]


def test_cores_own_processors_are_registered_as_everyones():
    installed = [one for one in module.scan() if one.name == "isekai-core"]
    registry = build_registry(installed, ProjectFile())
    stages = [entry for entry in registry.entries() if not entry.kind.startswith("slice_")]
    assert [(entry.kind, entry.full_name) for entry in stages] == [
        ("seeder", "isekai-core/csv"),
        ("extractor", "isekai-core/file"),
        ("loader", "isekai-core/models"),
    ]


def test_known_homes_are_of_the_kinds_there_are():
    assert {kind for kind, _ in HOMES} <= set(module.KINDS)


class TestRequirements:
    """What a pipeline says that it needs."""

    def test_what_is_installed_and_fits_is_met(self, folder):
        folder.add("acme", version="1.4")
        assert build(folder).unmet("Acme>=1.2,<2") == ""

    def test_another_version_is_named_with_what_was_found(self, folder):
        folder.add("acme", version="1.4")
        assert build(folder).unmet("acme>=2") == "needs acme>=2, found acme 1.4; pip install 'acme>=2'"

    def test_what_is_not_installed_is_said(self, folder):
        assert build(folder).unmet("acme>=2") == "needs acme>=2, and acme is not installed; pip install 'acme>=2'"

    def test_what_is_in_quarantine_is_not_met(self, folder):
        folder.add("acme", "import sys\nsys.exit(1)")
        assert "needs acme, which cannot be used: acme (failed import): calls sys.exit(1)" in build(folder).unmet(
            "acme"
        )

    def test_a_plugin_that_is_not_installed_gets_a_suggestion(self, folder):
        folder.add("acme-html", version="1.4")
        assert "and acme-htm is not installed (did you mean 'acme-html'?); pip install" in build(folder).unmet(
            "acme-htm"
        )

    def test_what_is_installed_and_no_plugin_is_told_so(self, folder):
        told = build(folder).unmet("Django >= 4")
        assert told.startswith("needs Django>=4, and django is no plugin: requires names plugins")

    @pytest.mark.parametrize(
        ("wanted", "got"),
        [
            ("", "got ''"),
            ("acme garbage", "got 'acme garbage'"),
            ("acme; python_version < '4'", "with a condition"),
            ("acme[pdf]>=1", "with extras"),
            ("acme @ https://user:hunter2@example.org/acme.whl", "got an address"),
            ("https://user:hunter2@example.org/acme.whl", "got an address"),
        ],
    )
    def test_what_is_more_than_name_and_versions_is_refused_and_no_secret_shown(self, wanted, got, folder):
        with pytest.raises(ConfigurationError) as caught:
            build(folder).unmet(wanted)
        assert str(caught.value).startswith("expected a plugin's name and versions such as 'isekai-html>=0.1', got")
        assert str(caught.value).endswith(got)
        assert "hunter2" not in str(caught.value)

    def test_what_is_no_requirement_is_refused(self, folder):
        with pytest.raises(
            ConfigurationError,
            match=r"expected a plugin's name and versions such as 'isekai-html>=0\.1', got 'acme => 2'",
        ):
            build(folder).unmet("acme => 2")


def test_the_apps_of_plugins_are_listed_without_an_import(folder, monkeypatch):
    folder.add_app("acme", "acme_app")
    monkeypatch.setattr(module, "scan", folder.scan)
    assert module.installed_apps() == ["acme_app"]
    assert "acme_app" not in sys.modules
    monkeypatch.setenv("ISEKAI_PLUGINS", "-acme")
    assert module.installed_apps() == []


def test_a_plugin_that_is_a_django_app_only_is_ok(folder):
    folder.add_app("acme", "acme_app")
    (plugin,) = build(folder).plugins
    assert (plugin.state, plugin.installed.apps) == (PluginState.OK, ("acme_app",))


def test_a_plugin_for_a_later_hook_api_is_incompatible_and_says_what_to_upgrade(folder):
    folder.add_metadata("later", "[isekai.2]\nlater = later\n")
    (plugin,) = build(folder).plugins
    assert plugin.state is PluginState.INCOMPATIBLE
    assert plugin.reason == "is written for hook API 2, and this isekai-core has API 1"
    assert plugin.fix == "pip install --upgrade isekai-core"


def test_core_cannot_be_disabled(folder):
    with pytest.raises(
        ConfigurationError, match=r"isekai\.toml: plugins\.disabled names isekai-core, which everything"
    ):
        build(folder, disabled=["Isekai.Core"])
