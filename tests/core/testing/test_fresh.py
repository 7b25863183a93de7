"""What an import does is found out in a process of its own."""

import sys
from textwrap import dedent

import pytest

from isekai_core.testing.fresh import ImportReport, import_report


@pytest.fixture
def module(tmp_path, monkeypatch):
    """`module(source)`: the name of a module of that source, which nobody has imported yet."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(source):
        name = f"acme_{len(list(tmp_path.iterdir()))}_{tmp_path.name}"
        (tmp_path / f"{name}.py").write_text(dedent(source))
        return name

    return write


def test_an_import_that_does_nothing(module):
    assert import_report(module("import json, threading\nprint('hello')")) == ImportReport()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import subprocess, sys; subprocess.run([sys.executable, '-c', ''])", "starts a process, subprocess.Popen of"),
        ("import os; os.system('true')", "starts a process, os.system of"),
        (
            "import socket\nwith socket.socket() as one:\n    one.connect_ex(('127.0.0.1', 9))",
            "connects to ('127.0.0.1', 9)",
        ),
        ("import socket; socket.getaddrinfo('localhost', 80)", "asks for the address of 'localhost'"),
        (
            "import urllib.request\ntry:\n    urllib.request.urlopen('http://127.0.0.1:9/')\nexcept OSError: pass",
            "connects to ('127.0.0.1', 9)",
        ),
    ],
)
def test_an_import_that_does_something_is_told_with_its_place(module, source, words):
    name = module(source)
    calls = import_report(name).calls
    assert any(words in call for call in calls), calls
    assert all(f"(in {name}.py:" in call for call in calls)


def test_what_another_module_does_is_told_with_that_module(module):
    other = module("import os\nos.system('true')")
    name = module(f"import {other}")
    [call] = import_report(name).calls
    assert "os.system" in call
    assert call.endswith(f" (in {other}.py:2, by way of {name}.py:1)")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit('no')", "SystemExit: no"),
        ("import nobody_has_this", "ModuleNotFoundError: No module named 'nobody_has_this'"),
        ("import os; os._exit(7)", "the process that imports it ended with 7"),
    ],
)
def test_an_import_that_fails_says_why(module, source, words):
    report = import_report(module(source))
    assert words in report.error
    assert not report.needs_project


NEEDS_A_PROJECT = "from django.contrib.auth.models import User"


def test_an_import_that_needs_a_project(module):
    name = module(NEEDS_A_PROJECT)
    without, within = import_report(name), import_report(name, in_project=True)
    assert without.needs_project
    assert "ImproperlyConfigured" in without.error
    assert within == ImportReport()


def test_what_was_done_before_the_import_failed_is_told_too(module):
    report = import_report(module("import os; os.system('true')\n1 / 0"))
    assert len(report.calls) == 1
    assert report.error.startswith("ZeroDivisionError")


def test_a_test_module_is_imported_from_its_file():
    assert __name__ in sys.modules
    assert import_report(__name__) == ImportReport()


def test_what_was_typed_at_a_prompt_has_nothing_to_report(monkeypatch):
    assert import_report("__main__") == ImportReport()
