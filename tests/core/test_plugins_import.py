"""What a plugin imports: `isekai_core` itself, with `import *`, needs no project."""

import subprocess
import sys

import pytest

import isekai_core


def test_a_plugin_may_import_everything_without_a_django_project():
    script = "from isekai_core import *; import sys; print(hookimpl, use, 'django' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=False, env={})
    assert (done.returncode, done.stdout.split()[-1]) == (0, "False"), done.stderr


@pytest.mark.parametrize("name", ["run", "RunResult"])
def test_what_needs_a_project_is_there_by_its_name(name):
    assert name in dir(isekai_core)
    assert getattr(isekai_core, name).__module__ == "isekai_core.pipeline.engine"
