"""`plugins/entry.py`: a processor's class is imported at first use, and every way it can fail is told."""

import sys

import pytest

from isekai_core.errors import PluginUnusable
from isekai_core.plugins.entry import ProcessorEntry
from isekai_core.plugins.scan import Installed

ACME = Installed("acme", "1.0", ("acme.plugin",))


class Miner:
    def mine(self, resource):
        return []


def entry(target, kind="miner"):
    return ProcessorEntry(kind, "html", target, ACME)


def test_a_registered_class_is_given_as_it_is():
    assert entry(Miner).load() is Miner
    assert entry(Miner).reference.endswith(":Miner")


def test_an_import_string_is_imported_at_first_use(folder):
    folder.add("acme_late", "class Outer:\n    class Miner:\n        def mine(self, resource): return []\n")
    made = entry("acme_late:Outer.Miner")
    assert "acme_late" not in sys.modules
    assert made.load().__qualname__ == "Outer.Miner"


def test_what_its_module_prints_goes_to_standard_error(folder, capsys):
    folder.add("acme_loud", "print('hello')\nclass Miner:\n    def mine(self, resource): return []\n")
    assert entry("acme_loud:Miner").load().__name__ == "Miner"
    assert capsys.readouterr() == ("", "hello\n")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import not_installed_anywhere", "needs not_installed_anywhere, which is not installed; pip install not_inst"),
        ("raise SystemExit(2)", "calls sys.exit(2) while it is imported"),
        ("class Minor: pass", "there is no 'Miner' in it (did you mean 'Minor'?)"),
        ("class Miner: pass", "acme_bad:Miner is no miner: it has no method mine()"),
        ("def Miner(): pass", "acme_bad:Miner is no class but a function"),
    ],
)
def test_a_class_that_cannot_be_had_names_processor_and_reason(folder, source, message):
    folder.add("acme_bad", source)
    with pytest.raises(PluginUnusable) as caught:
        entry("acme_bad:Miner").load()
    assert str(caught.value).startswith("miner acme/html cannot be used: ")
    assert message in str(caught.value)


def test_a_module_of_the_plugins_own_that_is_missing_means_a_broken_installation():
    with pytest.raises(PluginUnusable, match=r"its own module acme is missing; pip install --force-reinstall acme"):
        entry("acme.mine:Miner").load()


def test_a_class_that_needs_a_django_project_says_so(folder):
    source = "from django.core.exceptions import AppRegistryNotReady\nraise AppRegistryNotReady('not loaded')\n"
    folder.add("acme_models", source)
    with pytest.raises(PluginUnusable, match=r"it needs a Django project; start this beside its manage.py, or see"):
        entry("acme_models:Miner").load()


@pytest.mark.parametrize("kind", ["seeder", "extractor", "transformer", "loader"])
def test_a_class_of_another_kind_is_refused(kind):
    with pytest.raises(PluginUnusable, match=f"is no {kind}: it has no method"):
        entry(Miner, kind).load()


@pytest.mark.parametrize("raised", ["SystemExit(0)", "ValueError('no')"])
def test_a_metaclass_that_raises_is_told(raised, folder):
    folder.add(
        "acme_meta",
        f"class Meta(type):\n    def __getattr__(cls, name): raise {raised}\nclass Miner(metaclass=Meta): pass\n",
    )
    with pytest.raises(PluginUnusable, match=r"asking acme_meta:Miner raised (SystemExit: 0|ValueError: no)"):
        entry("acme_meta:Miner").load()
