"""The page on commands says what the commands take: every one of them, every argument, and nothing else."""

import argparse
import importlib
import re

import documents
import pytest
from repository import ROOT

from isekai_core.cli.main import COMMANDS, _shared_options

PAGE = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")


def parser_of(command):
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    importlib.import_module(f"isekai_core.cli.{command}").add_parser(commands)
    return commands.choices[command]


def arguments(parser):
    """As the page has them: `NAME`, `--cause ID`; of a command with actions, theirs, each with what it takes."""
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found += _of_actions(action)
        elif not isinstance(action, argparse._HelpAction):
            found.append(_written(action))
    return list(dict.fromkeys(found))


def _of_actions(action):
    options = []
    for name, parser in action.choices.items():
        positional = [one.metavar for one in parser._actions if not one.option_strings]
        yield " ".join([name, *positional])
        options += [one for one in arguments(parser) if one.startswith("--")]
    yield from options


def _written(action):
    if not action.option_strings:
        return action.metavar
    return " ".join(filter(None, (action.option_strings[-1], action.metavar)))


def column(heading):
    return [row[0] for row in documents.table_under(PAGE, heading)]


def test_the_page_has_every_command_in_their_order():
    assert re.findall(r"^## (\w+)$", PAGE, re.MULTILINE) == list(COMMANDS)
    linked = re.findall(r"^\| \[`isekai (\w+)`\]\(#(\w+)\)", PAGE, re.MULTILINE)
    assert linked == [(name, name) for name in COMMANDS]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_has_every_argument_of(command):
    assert column(command) == arguments(parser_of(command))


def test_the_page_has_the_options_of_all_commands():
    shown = [row[0] for row in documents.tables(PAGE)[1]]
    assert shown == arguments(_shared_options("isekai"))[:]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_argument_is_explained_in_the_help(command):
    for action in parser_of(command)._actions:
        assert action.help or isinstance(action, argparse._SubParsersAction), action
