"""Who imports whom: the contracts hold, and fresh interpreters show what they cannot see."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from repository import CORE, PACKAGES, PLUGINS, ROOT, modules, named

# What fetches, parses and stores is a plugin's, and a module of core that brings it along is a mistake.
OF_PLUGINS = {
    "httpx",
    "aiohttp",
    "requests",
    "selectolax",
    "bs4",
    "lxml",
    "PIL",
    "psycopg",
    "psycopg2",
    "celery",
    "openpyxl",
}

SHOW = """
import importlib, json, sys
before = set(sys.modules)
for name in sys.argv[2:]:
    importlib.import_module(name)
    brought = {module.partition(".")[0] for module in set(sys.modules) - before}
    unwanted = sorted(brought & set(json.loads(sys.argv[1])))
    assert not unwanted, f"{name} imports {unwanted}"
print(json.dumps(sorted(brought)))
"""
SET_UP = "import django; django.setup()\n"


def imported_by(*names, without=(), django=False):
    """The top-level modules that a fresh interpreter has for importing `names`, none of which is `without`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ISEKAI_", "DJANGO_"))}
    if django:
        kept["DJANGO_SETTINGS_MODULE"] = "isekai_core.testing.settings"
    program = (SET_UP if django else "") + SHOW
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", program, json.dumps(sorted(without)), *names],
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def dotted(path, package):
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_the_contracts_hold():
    command = Path(sysconfig.get_path("scripts"), "lint-imports")
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_importing_the_root_costs_nothing():
    assert imported_by("isekai_core", without={"django", "pluggy", "tqdm", "asyncio"}) <= {
        "isekai_core",
        *sys.stdlib_module_names,
    }


def test_types_need_the_standard_library_only():
    assert imported_by("isekai_core.types") <= {"isekai_core", *sys.stdlib_module_names}


def test_hookspecs_need_pluggy_and_types_only():
    found = imported_by("isekai_core.hookspecs", without={"django"})
    assert "pluggy" in found


def test_a_pipeline_is_defined_without_django():
    assert "isekai_core" in imported_by("isekai_core.pipeline.definition", without={"django"})


def test_no_module_of_core_brings_what_belongs_to_a_plugin():
    names = [dotted(path, CORE) for path in modules(CORE)]
    found = imported_by(*names, without=OF_PLUGINS, django=True)
    assert {"django", "isekai_core", "pluggy", "tqdm"} <= found


@pytest.mark.parametrize("plugin", PLUGINS, ids=named(PLUGINS))
def test_asking_a_plugin_what_it_has_imports_no_library_of_it(plugin):
    name = f"{PACKAGES[plugin].name}.plugin"
    assert PACKAGES[plugin].name in imported_by(name, without=OF_PLUGINS | {"django"})


@pytest.mark.parametrize("plugin", PLUGINS, ids=named(PLUGINS))
def test_every_module_of_a_plugin_can_be_imported_alone(plugin):
    for path in modules(PACKAGES[plugin]):
        assert PACKAGES[plugin].name in imported_by(dotted(path, PACKAGES[plugin]), django=True)
