"""The reference pages say what the code says: names, defaults, signatures, and nothing that is not there."""

import dataclasses
import inspect
import re

import documents
import hook_page
import option_tables
import pytest
from isekai_html.filters import FILTERS
from repository import ROOT

import isekai_core
from isekai_core import RunResult, conf, errors, hookspecs, models, run, types
from isekai_core.cli import failures, main
from isekai_core.cli.signals import Terminated
from isekai_core.pipeline import definition
from isekai_core.plugins.options import options_of
from isekai_core.plugins.registry import registry
from isekai_core.plugins.states import PluginState

REFERENCE = ROOT / "docs" / "reference"
EXPLANATION = ROOT / "docs" / "explanation"
KINDS = [name.removeprefix("isekai_register_").removesuffix("s") for name in vars(hookspecs) if "register_" in name]


def text(name):
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def table(name, heading, folder=REFERENCE):
    """The rows of the first table under a heading, without the marks of code."""
    page = (folder / f"{name}.md").read_text(encoding="utf-8")
    return documents.table_under(page, heading)


def column(name, heading, number=0, folder=REFERENCE):
    return [row[number] for row in table(name, heading, folder)]


def fields(cls):
    return [field.name for field in dataclasses.fields(cls)]


# Settings


def test_the_settings_page_has_every_setting_with_its_default_and_its_least_value():
    defaults = {field.name.upper(): field.default for field in dataclasses.fields(conf.Settings)}
    shown = {name: (default, least) for name, default, least, _ in table("settings", "The setting ISEKAI")}
    assert list(shown) == list(defaults)
    for name, (default, least) in shown.items():
        assert default == str(defaults[name]).join(['"'] * 2 if isinstance(defaults[name], str) else [""] * 2)
        assert least == str(conf._MINIMUM.get(name.lower(), ""))


def test_the_settings_page_has_every_entry_of_the_project_file():
    shown = table("settings", "The file isekai.toml")
    assert [row[0] for row in shown if row[0] != "plugins"] == ["pipelines"]
    assert [row[1] for row in shown if row[0] == "plugins"] == fields(conf.PluginChoices)
    assert {row[0] for row in shown} == set(fields(conf.ProjectFile)) - {"path"}


# Errors

ERRORS = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]


def test_the_errors_page_has_the_drawing_of_the_module():
    drawing = errors.__doc__.partition("\n\n")[2]
    assert drawing.strip() in text("errors")


def test_the_errors_page_has_every_error_with_what_the_engine_does_next():
    shown = [(name, then) for name, then, _ in table("errors", "Each error")]
    assert shown == [(error.__name__, error.then) for error in ERRORS]


def test_the_errors_page_says_what_each_word_of_the_engine_means():
    assert set(column("errors", "What the engine does next")) == set(errors.Then.__args__)


def test_the_errors_page_has_every_exit_status():
    statuses = {
        0,
        failures.FAILED,
        failures.USAGE,
        failures.DEFECT,
        main.INTERRUPTED,
        main.BROKEN_PIPE,
        Terminated.status,
    }
    assert {int(status) for status in column("errors", "Exit statuses")} == statuses


# Hooks


HOOKS_PAGE = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_every_hook_has_a_docstring_with_an_example(kind):
    doc = inspect.getdoc(getattr(hookspecs, f"isekai_register_{kind}s"))
    assert doc.startswith(f"Register {kind.replace('_', ' ')}s: ")
    assert f"Example::\n\n    @hookimpl\n    def isekai_register_{kind}s(register):" in doc


def test_the_hooks_page_is_what_the_hookspecs_say():
    assert hook_page.renewed(HOOKS_PAGE) == HOOKS_PAGE, "run python tests/hook_page.py"


@pytest.mark.parametrize("kind", KINDS)
def test_the_hooks_page_has_every_hook_with_its_exact_signature(kind):
    name = f"isekai_register_{kind}s"
    signature = f"{name}{inspect.signature(getattr(hookspecs, name))}"
    signature = re.sub(r"[\w.]*\.Register\b", "Register", signature)
    assert f"## {name}\n\n```text\n{signature}\n```\n" in HOOKS_PAGE


def test_the_hooks_page_has_no_other_hooks():
    headings = re.findall(r"^## (isekai_\w+)$", HOOKS_PAGE, re.MULTILINE)
    assert headings == [f"isekai_register_{kind}s" for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_a_hook_registers_what_is_registered(kind):
    section = HOOKS_PAGE.partition(f"## isekai_register_{kind}s\n")[2].partition("\n## ")[0]
    assert f"@hookimpl\ndef isekai_register_{kind}s(register):" in section
    [(name, target)] = re.findall(r'register\("([\w-]+)", "([\w.:]+)"\)', section)
    assert registry().find(kind, name).reference == target


def test_every_hook_has_a_test():
    source = (ROOT / "tests" / "core" / "plugins" / "test_hooks.py").read_text(encoding="utf-8")
    assert '@pytest.mark.parametrize(("hook", "kind"), HOOKS.items())\ndef test_' in source


def test_the_hooks_page_has_every_status_of_a_plugin():
    rows = documents.table_under(HOOKS_PAGE, "When a plugin cannot be used")
    assert [row[0] for row in rows] == [state.value for state in PluginState]


# Types


def test_the_types_page_speaks_of_every_public_type():
    page = text("types")
    assert [name for name in types.__all__ if not re.search(rf"`{name}\b|^#+ {name}\b", page, re.MULTILINE)] == []


@pytest.mark.parametrize("name", ["Seed", "Extraction", "ResourceRef", "LoadItem"])
def test_the_types_page_has_every_field_of(name):
    assert column("types", name) == fields(getattr(types, name))


def test_the_types_page_has_every_attribute_of_a_resource_and_of_a_spec():
    public = [name for name in dir(types.ResourceView) if not name.startswith("_")]
    assert {*column("types", "ResourceView"), "once"} == set(public)
    assert column("types", "Spec") == fields(types.Spec)


def test_the_types_page_has_every_protocol():
    assert column("types", "Protocols") == list(types.KINDS)
    headings = re.findall(r"^### (\w+)$", text("types"), re.MULTILINE)
    assert headings == [kind.capitalize() for kind in types.KINDS]


# Pipelines


def test_the_pipelines_page_has_every_argument_of_a_pipeline():
    parameters = inspect.signature(definition.Pipeline).parameters.values()
    assert [(name, default) for name, default, _ in table("pipelines", "Pipeline")] == [
        (one.name, "required" if one.default is one.empty else str(one.default).replace("'", '"').replace(",)", ",)"))
        for one in parameters
    ]


def test_the_pipelines_page_has_every_argument_of_run():
    parameters = list(inspect.signature(run).parameters.values())[1:]
    shown = [(name, default) for name, default, _ in table("pipelines", "run")]
    assert shown == [(one.name, repr(one.default).replace("'", '"')) for one in parameters]


def test_the_pipelines_page_has_every_attribute_of_a_result():
    properties = [name for name, value in vars(RunResult).items() if isinstance(value, property)]
    assert sorted(column("pipelines", "RunResult")) == sorted([*fields(RunResult), *properties])


def test_the_pipelines_page_has_every_decorator_with_its_arguments():
    shown = {name.removeprefix("@"): arguments for name, _, arguments in table("pipelines", "Decorators")}
    there = [name for name in isekai_core.__all__ if name in types.KINDS]
    assert sorted(shown) == sorted(there)
    for name, arguments in shown.items():
        parameters = list(inspect.signature(getattr(definition, name)).parameters)
        assert re.findall(r"\w+(?= \(|,|$)", arguments) == [one for one in parameters if one != "function"]


# Processors


def test_the_processors_page_has_every_processor_of_this_repository():
    entries = [entry for entry in registry().entries() if entry.kind in types.KINDS]
    ours = [(entry.kind, entry.name) for entry in entries if entry.plugin.startswith("isekai-")]
    assert sorted(option_tables.parts(text("processors"))) == sorted(ours)
    headings = re.findall(r"^## ([\w-]+)$", text("processors"), re.MULTILINE)
    assert sorted(headings) == sorted(name for _, name in ours)


@pytest.mark.parametrize(("kind", "name"), list(option_tables.parts(text("processors"))))
def test_the_processors_page_has_the_options_of(kind, name):
    wanted = option_tables.table(kind, name)
    assert option_tables.parts(text("processors"))[kind, name] == wanted, "run python tests/option_tables.py"


@pytest.mark.parametrize(("kind", "name"), list(option_tables.parts(text("processors"))))
def test_every_option_says_what_it_is(kind, name):
    undocumented = [option.name for option in options_of(registry().find(kind, name).load()) if not option.doc]
    assert undocumented == []


def test_the_processors_page_has_every_filter_of_the_field_language():
    shown = documents.tables(text("processors").partition("## html-fields\n")[2].partition("\n## ")[0])[2]
    assert [row[0] for row in shown] == list(FILTERS)


# The journal


def test_the_page_on_the_journal_has_every_state_and_what_may_follow():
    assert column("journal", "Stage and state", folder=EXPLANATION) == [state.value for state in types.State]
    page = (EXPLANATION / "journal.md").read_text(encoding="utf-8")
    rows = dict(documents.tables(page)[1])
    assert list(rows) == [state.value for state in models.TRANSITIONS]
    for before, after in models.TRANSITIONS.items():
        shown = set(rows[before.value].split(", "))
        assert shown == {state.value for state in after} or (
            after == set(types.State) and rows[before.value].startswith("every state")
        )


def test_the_page_on_the_journal_has_every_model_of_it():
    page = (EXPLANATION / "journal.md").read_text(encoding="utf-8")
    drawn = re.findall(r"^ ([A-Z]\w+)  ", page, re.MULTILINE)
    there = [value.__name__ for value in vars(models).values() if getattr(value, "_meta", None)]
    assert sorted(drawn) == sorted(there)
