"""What the plugin registers, as core sees it."""

import re
from dataclasses import MISSING, fields
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from isekai_http import plugin

from isekai_core.types import Extractor, Seeder


def registered(hook) -> dict[str, str]:
    found: dict[str, str] = {}
    hook(found.__setitem__)
    return found


def load(target: str) -> type:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def test_registers_the_sitemap_seeder():
    assert registered(plugin.isekai_register_seeders) == {"sitemap": "isekai_http.seed:SitemapSeeder"}


def test_registers_the_http_extractor():
    assert registered(plugin.isekai_register_extractors) == {"http": "isekai_http.extract:HttpExtractor"}


def test_the_targets_can_be_imported_and_are_what_they_are_registered_as():
    seeder = load(registered(plugin.isekai_register_seeders)["sitemap"])
    extractor = load(registered(plugin.isekai_register_extractors)["http"])
    assert isinstance(seeder(url="https://old.example.org/sitemap.xml"), Seeder)
    assert isinstance(extractor(), Extractor)


def test_is_announced_by_an_entry_point():
    (found,) = [point for point in entry_points(group="isekai") if point.name == "isekai-http"]
    assert found.value == "isekai_http.plugin"


@pytest.mark.parametrize("name", ["SitemapSeeder", "HttpExtractor"])
def test_every_option_is_explained_where_isekai_plugins_show_reads_it(name):
    cls = load({"SitemapSeeder": "isekai_http.seed:", "HttpExtractor": "isekai_http.extract:"}[name] + name)
    explained = [line.partition(":")[0] for line in map(str.strip, cls.__doc__.splitlines()) if ": " in line]
    options = {field.name for field in fields(cls)}
    assert options - set(explained) == set()
    assert set(cls.neutral_options) | set(cls.secret_options) <= options


@pytest.mark.parametrize(
    ("heading", "target"),
    [("## `sitemap`", "isekai_http.seed:SitemapSeeder"), ("## `http`", "isekai_http.extract:HttpExtractor")],
)
def test_the_readme_lists_every_option_with_its_default(heading, target):
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    section = text.partition(heading)[2].partition("\n## ")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| `?([^`|]+?)`? \|", section, re.MULTILINE))
    assert listed == {
        field.name: "required" if field.default is MISSING else repr(field.default) for field in fields(load(target))
    }
