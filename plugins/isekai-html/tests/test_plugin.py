"""The plugin: what it registers can be imported and configured, and says what its options are."""

import doctest
import importlib
import pkgutil
import subprocess
import sys
from importlib.metadata import entry_points, requires

import isekai_html
import pytest
from isekai_html import plugin

from isekai_core.plugins.options import options_of
from isekai_core.types import Miner, Transformer

MINERS = {"html-images": {}, "html-documents": {}, "html-pages": {}}
TRANSFORMERS = {
    "html-fields": {"model": "blog.Article", "fields": {"title": "h1"}},
    "image": {"model": "blog.Photo"},
    "document": {"model": "blog.Document"},
}
OPTIONS = MINERS | TRANSFORMERS


def registered():
    found = {}
    plugin.isekai_register_miners(found.__setitem__)
    plugin.isekai_register_transformers(found.__setitem__)
    return found


def imported(name):
    module, _, attribute = registered()[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def test_the_entry_point_names_the_plugin():
    (entry,) = (entry for entry in entry_points(group="isekai") if entry.name == "isekai-html")
    assert entry.value == "isekai_html.plugin"


def test_it_registers_its_processors():
    assert set(registered()) == set(OPTIONS)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_processor_fulfils_its_protocol(name):
    processor = imported(name)(**OPTIONS[name])
    assert isinstance(processor, Miner if name in MINERS else Transformer)
    assert processor.version


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_typed_and_described(name):
    for option in options_of(imported(name)):
        assert option.doc, f"{name}.{option.name} has no description"
        assert option.type
        assert not option.name.startswith("_")


@pytest.mark.parametrize("name", OPTIONS)
def test_a_processor_says_what_it_does(name):
    assert (imported(name).__doc__ or "").startswith(("Finds ", "Makes "))


def test_to_know_what_there_is_imports_no_parser_and_no_pillow():
    code = (
        "import sys; from isekai_html import plugin; plugin.isekai_register_miners(lambda name, target: None); "
        "print(sorted({'selectolax', 'PIL', 'django'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_distribution_declares_what_it_imports():
    declared = " ".join(requires("isekai-html") or []).lower()
    for name in ("isekai-core", "selectolax", "pillow", "django"):
        assert name in declared


@pytest.mark.parametrize("name", sorted(module.name for module in pkgutil.iter_modules(isekai_html.__path__)))
def test_the_examples_in_its_docstrings_run(name):
    module = importlib.import_module(f"isekai_html.{name}")
    failed, _ = doctest.testmod(module)
    assert not failed
    assert (module.__doc__ or "").strip()
