"""Every wheel, alone with core in a new environment: nothing works only because something else is installed."""

import json

import pytest
from repository import PACKAGES, ROOT

CORE = "isekai-core"
NAMES = [CORE, *(folder.name for folder in PACKAGES if folder != ROOT)]
names = pytest.mark.parametrize("name", NAMES)

IMPORT_ALL = """
import importlib, json, pkgutil, sys
import django
django.setup()
package = importlib.import_module(sys.argv[1])
found = [one.name for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
for name in found:
    # Django's own way to find them; the kit is an extra.
    if ".migrations" not in name and not name.startswith("isekai_core.testing"):
        importlib.import_module(name)
print(json.dumps([package.__file__, found]))
"""


@pytest.fixture(scope="module")
def alone(new_environment, wheels, shared):
    """Distribution to an environment with nothing but it, core, and what they require."""
    made = {CORE: shared}

    def environment(name):
        if name not in made:
            made[name] = new_environment(wheels[CORE], wheels[name])
        return made[name]

    return environment


@names
def test_the_plugin_is_listed_as_ok_beside_core_only(name, alone, empty):
    done = alone(name).isekai("plugins", "list", "--json", cwd=empty)
    assert (done.status, done.err) == (0, "")
    listed = json.loads(done.out)
    assert {plugin["name"]: plugin["state"] for plugin in listed["plugins"]} == {CORE: "ok", name: "ok"}
    assert listed["problems"] == []


@names
def test_every_processor_of_it_can_be_loaded(name, alone, project):
    done = alone(name).isekai("plugins", "show", name, "--json", cwd=project.folder)
    assert (done.status, done.err) == (0, "")
    processors = json.loads(done.out)["plugin"]["processors"]
    assert processors
    assert {processor["name"]: processor["error"] for processor in processors if processor["error"]} == {}
    assert all(processor["doc"] for processor in processors)


@names
def test_every_module_of_it_can_be_imported(name, alone, empty):
    environment = alone(name)
    program = f"import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'isekai_core.testing.settings'{IMPORT_ALL}"
    done = environment.run(environment.python, "-I", "-c", program, name.replace("-", "_"), cwd=empty)
    assert done.status == 0, done.err
    file, modules = json.loads(done.out)
    assert file.startswith(str(environment.folder))
    assert modules
