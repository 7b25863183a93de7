"""`manage.py isekai …`: the same arguments, the same output, the same exit status."""

import io
import json
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command


def manage(*arguments, folder):
    """`django-admin isekai …`, which is `manage.py isekai …` of the settings in the environment."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "django", "isekai", *arguments],
        cwd=folder,
        env={"DJANGO_SETTINGS_MODULE": "isekai_core.testing.settings"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_output_and_status_are_those_of_the_command_line(tmp_path):
    run = manage("plugins", "list", "--json", folder=tmp_path)
    assert run.returncode == 0
    assert json.loads(run.stdout)["schema"] == 1


def test_a_failure_has_its_exit_status_and_its_message(tmp_path):
    run = manage("plugins", "show", "isekai-croe", folder=tmp_path)
    assert run.returncode == 2
    assert "did you mean 'isekai-core'?" in run.stderr


def test_options_that_django_knows_too_are_taken(tmp_path):
    run = manage("plugins", "list", "--json", "--settings", "isekai_core.testing.settings", folder=tmp_path)
    assert run.returncode == 0


def test_help_is_that_of_the_command_line(tmp_path):
    run = manage("--help", folder=tmp_path)
    assert run.returncode == 0
    assert "list the installed plugins, and what they provide" in run.stdout


def test_call_command_gives_the_output_to_its_caller():
    out = io.StringIO()
    call_command("isekai", "plugins", "list", "--json", stdout=out)
    assert json.loads(out.getvalue())["schema"] == 1


def test_call_command_raises_for_a_failure():
    with pytest.raises(CommandError, match="isekai plugins show croe: exit status 2") as caught:
        call_command("isekai", "plugins", "show", "croe")
    assert caught.value.returncode == 2
