"""`plugins/contain.py`: what ends a process elsewhere is an error of the processor here."""

import asyncio

import pytest

from isekai_core.errors import ExtractError, MineError, StageError
from isekai_core.plugins.contain import as_error, contained, in_words


class Mute(Exception):
    def __str__(self):
        raise SystemExit(0)


def test_an_exit_becomes_an_error_of_the_kind_that_keeps_its_text():
    error = as_error(SystemExit("no token"), "extractor")
    assert (type(error), str(error)) == (ExtractError, "the extractor ended with SystemExit: no token")
    assert isinstance(error.__cause__, SystemExit)


@pytest.mark.parametrize("raised", [SystemExit(0), asyncio.CancelledError(), GeneratorExit()])
def test_inside_whatever_ends_a_process_is_contained(raised):
    with pytest.raises(MineError, match=f"the miner ended with {type(raised).__name__}"), contained("miner"):
        raise raised


def test_an_ordinary_error_passes_as_it_is():
    error = ValueError("no")
    assert as_error(error, "miner") is error
    with pytest.raises(ValueError, match="no"), contained("miner"):
        raise error


def test_an_interrupt_is_the_users():
    with pytest.raises(KeyboardInterrupt), contained("miner"):
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        as_error(KeyboardInterrupt(), "miner")


def test_a_kind_without_a_stage_has_an_error_too():
    assert type(as_error(SystemExit(1), "slice_source")) is StageError


def test_an_error_that_cannot_say_what_it_is_has_its_class():
    assert in_words(Mute()) == "Mute: its message cannot be had"
    assert in_words(ValueError()) == "ValueError"
    assert in_words(as_error(SystemExit(3), "miner")) == "SystemExit: 3"
