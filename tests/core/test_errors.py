"""`errors.py`: one tree, and what the engine does next."""

import inspect
import re

import pytest

from isekai_core import errors

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_is_an_isekai_error_with_a_docstring_and_says_what_comes_next(error):
    assert issubclass(error, errors.IsekaiError)
    assert error.__doc__
    assert error.then in ("stop", "fail", "retry", "skip")


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_stands_in_the_drawn_tree_at_its_place(error):
    drawn = {found.group(1): found.start(1) for found in re.finditer(r"(?m)^[ │├└─]*([A-Z]\w+)", errors.__doc__)}
    drawn = {name: start - errors.__doc__.rfind("\n", 0, start) for name, start in drawn.items()}
    assert error.__name__ in drawn
    for parent in error.__mro__[1:]:
        if parent.__name__ in drawn:
            assert drawn[parent.__name__] < drawn[error.__name__]


@pytest.mark.parametrize(
    ("error", "then"),
    [
        (errors.ConfigurationError, "stop"),
        (errors.ProcessorAmbiguous, "stop"),
        (errors.RunBusy, "stop"),
        (errors.LoadError, "fail"),
        (errors.ExtractError, "fail"),
        (errors.TemporaryError, "retry"),
        (errors.SkipResource, "skip"),
    ],
)
def test_what_the_engine_does_next(error, then):
    assert error("x").then == then


def test_a_temporary_error_keeps_how_long_the_source_asked_to_wait():
    assert errors.TemporaryError("busy").retry_after is None
    assert errors.TemporaryError("busy", retry_after=2.5).retry_after == 2.5
    assert str(errors.TemporaryError("busy", retry_after=2.5)) == "busy"
