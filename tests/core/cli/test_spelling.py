"""`cli/spelling.py`: messages name what can be typed, and only where it can be typed."""

import argparse

import pytest

from isekai_core.cli import slice as slice_command
from isekai_core.cli.spelling import as_typed

OF_NO_MESSAGE = {"help", "json"}


def options_of(action):
    parser = argparse.ArgumentParser()
    slice_command.add_parser(parser.add_subparsers())
    (slices,) = parser._subparsers._group_actions
    (actions,) = slices.choices["slice"]._subparsers._group_actions
    return [one for one in actions.choices[action]._actions if one.option_strings and one.dest not in OF_NO_MESSAGE]


@pytest.mark.parametrize("action", ["export", "load"])
def test_every_option_with_words_of_its_own_is_spelled_as_a_flag(action):
    having = [one for one in options_of(action) if one.choices]
    assert having
    for one in having:
        for word in one.choices:
            assert as_typed(f"load with {one.dest}='{word}'") == f"load with {one.option_strings[0]} {word}"


@pytest.mark.parametrize(
    ("message", "typed"),
    [
        ("cut already holds x; overwrite=True replaces what is there", "--overwrite replaces what is there"),
        ("files of the slice that are not stored: 2; files=True stores them", "2; --files stores them"),
        ("masks='required', and nothing says", "--require-masks, and nothing says"),
        ("missing; add a job, or load with dangling='null' or 'keep'", "load with --dangling null or keep"),
        ("budget: expected a size such as '50MB'", "--budget: expected a size such as '50MB'"),
        ("through a target that can, such as DataSlicer.Postgres", "such as postgresql://…"),
    ],
)
def test_what_messages_name_is_what_can_be_typed(message, typed):
    assert as_typed(message).endswith(typed)


@pytest.mark.parametrize(
    "message",
    [
        "run the migrations there, or leave it out: exclude=…",
        "shop.Tenant: query is cut by [:n], which chooses anew each time; use limit= and order_by=",
        "the budget: what it is",
    ],
)
def test_what_stands_in_the_file_of_jobs_stays_as_python_spells_it(message):
    assert as_typed(message) == message
