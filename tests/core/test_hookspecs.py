"""`hookspecs.py`: the contract with plugins."""

import ast
import inspect
import subprocess
import sys
import textwrap

import pytest

from isekai_core import hookspecs
from isekai_core.types import KINDS
from isekai_core.types.slices import SLICE_KINDS

HOOKS = [name for name in vars(hookspecs) if name.startswith("isekai_")]


def test_there_is_one_hook_for_each_kind_in_the_order_of_the_stages():
    assert [f"isekai_register_{kind}s" for kind in (*KINDS, *SLICE_KINDS)] == HOOKS


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_marked_and_takes_register_alone(name):
    hook = getattr(hookspecs, name)
    assert getattr(hook, f"{hookspecs.PROJECT}_spec")
    assert list(inspect.signature(hook).parameters) == ["register"]


@pytest.mark.parametrize("name", HOOKS)
def test_the_example_of_every_hook_implements_it_and_registers_something(name):
    _, _, example = inspect.getdoc(getattr(hookspecs, name)).partition("Example::")
    source = textwrap.dedent(example)
    assert [node.name for node in ast.parse(source).body] == [name]
    namespace = {"hookimpl": hookspecs.hookimpl}
    exec(source, namespace)
    registered = []
    namespace[name](register=lambda *given: registered.append(given))
    assert len(registered) == 1


def test_the_contract_needs_no_django():
    script = "import sys, isekai_core.hookspecs; print('django' in sys.modules)"
    run = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
