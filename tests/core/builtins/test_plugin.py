"""`builtins/plugin.py`: what core registers can be had."""

import pytest

from isekai_core.builtins.extract import FileExtractor
from isekai_core.builtins.seed import CsvSeeder
from isekai_core.plugins.registry import registry
from isekai_core.types import Extractor, Seeder


@pytest.mark.parametrize(
    ("kind", "name", "cls", "protocol", "options"),
    [
        ("seeder", "csv", CsvSeeder, Seeder, {"path": "keys.csv"}),
        ("extractor", "file", FileExtractor, Extractor, {"root": "."}),
    ],
)
def test_a_name_leads_to_the_class_and_the_class_keeps_its_protocol(kind, name, cls, protocol, options):
    assert registry().find(kind, f"isekai-core/{name}").load() is cls
    assert isinstance(cls(**options), protocol)


def test_the_loader_is_registered():
    assert registry().find("loader", "isekai-core/models").load().__name__ == "ModelLoader"
