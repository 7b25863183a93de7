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
import importlib, json, os, sys
before = set(sys.modules)
if "DJANGO_SETTINGS_MODULE" in os.environ:
    import django
    django.setup()
for name in sys.argv[2:]:
    importlib.import_module(name)
    brought = {module.partition(".")[0] for module in set(sys.modules) - before}
    unwanted = sorted(brought & set(json.loads(sys.argv[1])))
    assert not unwanted, f"{name} imports {unwanted}"
print(json.dumps(sorted(brought)))
"""

# A process for each module, all of them children of one that has Django set up: that is what takes long.
EACH_ALONE = """
import importlib, os, sys, traceback
import django
django.setup()
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{name} cannot be imported alone")
"""


def fresh_interpreter(program, *arguments, django=False):
    """What a Python that nobody has prepared prints for a program; warnings are errors in it, too."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ISEKAI_", "DJANGO_"))}
    if django:
        kept["DJANGO_SETTINGS_MODULE"] = "isekai_core.testing.settings"
    command = [sys.executable, "-I", "-W", "error", "-c", program, *arguments]
    done = subprocess.run(command, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported_by(*names, without=(), django=False):
    """The top-level modules that a fresh interpreter has for importing `names`, none of which is `without`."""
    return set(json.loads(fresh_interpreter(SHOW, json.dumps(sorted(without)), *names, django=django)))


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
    assert {"django", "isekai_core", "pluggy"} <= found


@pytest.mark.parametrize("plugin", PLUGINS, ids=named(PLUGINS))
def test_asking_a_plugin_what_it_has_imports_no_library_of_it(plugin):
    name = f"{PACKAGES[plugin].name}.plugin"
    assert PACKAGES[plugin].name in imported_by(name, without=OF_PLUGINS | {"django"})


@pytest.mark.parametrize("package", PACKAGES.values(), ids=named(PACKAGES.values()))
def test_every_module_can_be_imported_alone(package):
    names = [dotted(path, package) for path in modules(package)]
    assert package.name in names
    fresh_interpreter(EACH_ALONE, *names, django=True)
