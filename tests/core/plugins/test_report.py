"""`plugins/report.py`: one schema, every key always there."""

import json

from isekai_core.conf import ProjectFile
from isekai_core.plugins.registry import build_registry
from isekai_core.plugins.report import details, listing, provided

PLUGIN_KEYS = [
    "name",
    "version",
    "state",
    "reason",
    "fix",
    "modules",
    "location",
    "editable",
    "shadowed",
    "import_ms",
    "hooks",
    "apps",
    "apis",
    "processors",
]
OPTIONS = """
    from dataclasses import dataclass
    from typing import ClassVar

    from isekai_core import hookimpl

    @hookimpl
    def isekai_register_miners(register):
        register("words", Miner)
        register("gone", "acme_gone:Miner")

    @hookimpl
    def isekai_register_seeders(register):
        register("zeros", "acme:Seeder")

    class Seeder:
        def seed(self):
            return []

    @dataclass
    class Miner:
        '''Finds words.

        sizes: how long.
        '''

        secret_options: ClassVar[tuple[str, ...]] = ("token",)
        sizes: tuple[int, ...] = (1, 2)
        kind: type = str
        token: str = "hunter2"

        def mine(self, resource):
            return []
"""


def build(folder):
    return build_registry(folder.scan(), ProjectFile())


def test_a_listing_has_a_versioned_schema_and_goes_through_json(folder):
    folder.add("acme")
    data = listing(build(folder))
    assert list(data) == ["schema", "core", "plugins", "problems"]
    assert (data["schema"], data["core"], data["problems"]) == (1, None, [])
    assert json.loads(json.dumps(data)) == data


def test_a_sound_and_a_broken_plugin_have_the_same_keys(folder):
    folder.add("acme")
    folder.add("broken", "import not_installed_anywhere")
    acme, broken = listing(build(folder))["plugins"]
    assert list(acme) == list(broken) == PLUGIN_KEYS
    assert (acme["state"], acme["reason"], acme["fix"]) == ("ok", "", "")
    assert broken["state"] == "missing dependency"
    assert broken["processors"] == []


def test_processors_come_by_stage_and_name(folder):
    folder.add("acme", OPTIONS)
    (acme,) = listing(build(folder))["plugins"]
    assert acme["processors"] == [
        {
            "kind": "seeder",
            "name": "zeros",
            "full_name": "acme/zeros",
            "class": "acme:Seeder",
            "replaces": "",
            "ambiguous": False,
        },
        {
            "kind": "miner",
            "name": "gone",
            "full_name": "acme/gone",
            "class": "acme_gone:Miner",
            "replaces": "",
            "ambiguous": False,
        },
        {
            "kind": "miner",
            "name": "words",
            "full_name": "acme/words",
            "class": "acme:Miner",
            "replaces": "",
            "ambiguous": False,
        },
    ]


def test_what_is_provided_fits_on_one_line(folder):
    folder.add("acme", OPTIONS)
    assert provided(build(folder).plugins[0]) == "seeders: zeros · miners: gone, words"


def test_details_tell_the_options_of_each_processor_and_hide_secrets(folder):
    folder.add("acme", OPTIONS)
    registry = build(folder)
    data = details(registry, registry.plugin("acme"))
    assert list(data) == ["schema", "core", "plugin"]
    assert list(data["plugin"]) == [*PLUGIN_KEYS, "traceback"]
    words = data["plugin"]["processors"][2]
    assert (words["doc"], words["error"]) == ("Finds words.", "")
    assert words["options"] == [
        {
            "name": "sizes",
            "type": "list of int",
            "required": False,
            "default": [1, 2],
            "secret": False,
            "doc": "how long.",
        },
        {"name": "kind", "type": "class", "required": False, "default": "<class 'str'>", "secret": False, "doc": ""},
        {"name": "token", "type": "str", "required": False, "default": None, "secret": True, "doc": ""},
    ]
    assert json.loads(json.dumps(data)) == data
    assert "hunter2" not in json.dumps(data)


def test_a_processor_whose_class_cannot_be_had_hides_no_other(folder):
    folder.add("acme", OPTIONS)
    registry = build(folder)
    zeros, gone, words = details(registry, registry.plugin("acme"))["plugin"]["processors"]
    assert list(zeros) == list(gone) == list(words)
    assert "needs acme_gone, which is not installed" in gone["error"]
    assert gone["options"] == []


def test_details_of_a_broken_plugin_hold_its_traceback(folder):
    folder.add("broken", "raise RuntimeError('no licence')")
    registry = build(folder)
    assert "RuntimeError: no licence" in details(registry, registry.plugin("broken"))["plugin"]["traceback"]


NOISY = """
    import os
    from dataclasses import dataclass, field

    from isekai_core import hookimpl

    def made():
        print("making")
        os.write(1, b"below\\n")
        return []

    @dataclass
    class Miner:
        sizes: list[int] = field(default_factory=made)

        def mine(self, resource):
            return []

    @hookimpl
    def isekai_register_miners(register):
        register("words", Miner)
"""


def test_what_is_printed_when_a_processor_is_asked_for_its_options_is_not_in_the_way(folder, capfd):
    folder.add("acme", NOISY)
    registry = build(folder)
    (words,) = details(registry, registry.plugin("acme"))["plugin"]["processors"]
    assert words["options"][0]["default"] == []
    told = capfd.readouterr()
    assert told.out == ""
    assert sorted(told.err.split()) == ["below", "making"]
