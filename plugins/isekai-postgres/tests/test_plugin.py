import dataclasses
import inspect
from importlib.metadata import entry_points

from isekai_postgres import plugin
from isekai_postgres.seed import TableSeeder


def test_the_seeder_is_registered_by_a_string_so_that_listing_plugins_imports_no_driver():
    registered = {}
    plugin.isekai_register_seeders(register=registered.__setitem__)
    assert registered == {"table": "isekai_postgres.seed:TableSeeder"}


def test_the_entry_point_names_the_plugin_module():
    (entry,) = entry_points(group="isekai", name="isekai-postgres")
    assert entry.load() is plugin


def test_every_option_is_documented():
    for option in dataclasses.fields(TableSeeder):
        assert f"\n{option.name}: " in inspect.getdoc(TableSeeder)
