"""`plugins/convert.py`: values against annotations."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Literal, NewType, Optional, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as some

from isekai_core.plugins.convert import Mismatch, convert, describe, shown

Slug = NewType("Slug", str)


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class Number(Enum):
    ONE = 1


class Point(TypedDict):
    x: int


class Own:
    pass


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (str, "a"),
        (int, 3),
        (float, 1.5),
        (float, 3),
        (bool, True),
        (bytes, b"a"),
        (None, None),
        (Any, object()),
        (str | None, None),
        (Optional[int], 4),  # noqa: UP045 - written so in older code
        (int | str, "a"),
        (Literal["a", 1], 1),
        (list, [1, "a"]),
        (list[str], ["a"]),
        (list[str], []),
        (Sequence[str], ("a", "b")),
        (Sequence[int], [1]),
        (Iterable[int], range(3)),
        (tuple[int, str], (1, "a")),
        (set[str], {"a"}),
        (AbstractSet[str], frozenset("a")),
        (dict[str, int], {"a": 1}),
        (Mapping[str, Any], {"a": object()}),
        (Mapping, {"a": 1}),
        (dict[str, list[int]], {"a": [1]}),
        (Point, {"x": 1}),
        (Callable[[int], str], str),
        (type, str),
        (Color, Color.RED),
        (Path, Path("a")),
        (dt.date, dt.date(2026, 1, 1)),
        (Slug, "a"),
        (Own, "anything that its author will check"),
        ("A name that only a type checker knows", 3),
    ],
)
def test_a_value_of_the_type_passes_unchanged(annotation, value):
    converted = convert(value, annotation)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (tuple[str, ...], ["a", "b"], ("a", "b")),
        (tuple[int, str], [1, "a"], (1, "a")),
        (set[str], ["a", "a"], {"a"}),
        (frozenset[str], ["a"], frozenset({"a"})),
        (AbstractSet[str], ["a"], {"a"}),
        (list[str], ("a",), ["a"]),
        (Path, "a/b", Path("a/b")),
        (str | Path, "a/b", "a/b"),
        (Path | None, "a/b", Path("a/b")),
        (list[Path], ["a"], [Path("a")]),
        (Color, "blue", Color.BLUE),
        (Number, 1, Number.ONE),
        (dict[str, tuple[int, ...]], {"a": [1]}, {"a": (1,)}),
    ],
)
def test_what_toml_cannot_write_is_brought_into_its_form(annotation, value, expected):
    converted = convert(value, annotation)
    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "value", "expected", "place"),
    [
        (str, 3, "str", ""),
        (int, "3", "int", ""),
        (int, True, "int", ""),
        (int, 1.0, "int", ""),
        (float, True, "float", ""),
        (bool, 1, "bool", ""),
        (None, 0, "None", ""),
        (str | None, 3, "str or None", ""),
        (list[str], "x", "list of str", ""),
        (Sequence[str], "x", "list of str", ""),
        (Sequence[str], b"x", "list of str", ""),
        (Iterable[str], "x", "list of str", ""),
        (list[str], {"a": 1}, "list of str", ""),
        (list[str], ["a", 3], "str", "[1]"),
        (list[list[str]], [["a"], [3]], "str", "[1][0]"),
        (list[str] | None, ["a", 3], "str", "[1]"),
        (list[int], range(3), "list of int", ""),
        (set[str], 3, "set of str", ""),
        (tuple[int, str], [1], "list of 2: int, str", ""),
        (tuple[int, str], [1, 2], "str", "[1]"),
        (dict[str, int], [1], "mapping of str to int", ""),
        (dict[str, int], {"a": "b"}, "int", "['a']"),
        (dict[str, int], {1: 1}, "str", "[1]"),
        (Mapping, 3, "mapping", ""),
        (Literal["a", "b"], "c", "'a' or 'b'", ""),
        (Literal[1], True, "1", ""),
        (Callable, "a", "callable", ""),
        (type, "a", "class", ""),
        (Color, "green", "'red' or 'blue'", ""),
        (Path, 3, "path", ""),
        (dt.date, "2026-01-01", "date", ""),
        (Slug, 3, "str", ""),
    ],
)
def test_a_value_of_another_type_is_refused_with_the_type_in_words_and_its_place(annotation, value, expected, place):
    with pytest.raises(Mismatch) as caught:
        convert(value, annotation)
    assert (caught.value.expected, caught.value.place) == (expected, place)


@pytest.mark.parametrize("annotation", [dict, dict[str, int], Mapping, list, list[int]])
def test_what_a_processor_is_given_is_not_the_pipelines_own(annotation):
    own = [1] if annotation in (list, list[int]) else {"a": 1}
    made = convert(own, annotation)
    made.clear()
    assert len(own) == 1


def test_a_generator_is_not_used_up():
    numbers = (number for number in range(3))
    assert list(convert(numbers, Iterable[str])) == [0, 1, 2]


def test_descriptions_of_what_passes_anyway():
    assert describe(Any) == "anything"
    assert describe(Own) == "Own"
    assert describe("Name") == "Name"
    assert describe(list) == "list"


def test_a_long_value_is_shown_cut():
    assert len(shown("x" * 5000)) == 80
    assert shown([1]) == "[1]"


json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
)


@given(json_values)
def test_any_value_passes_as_any_and_never_breaks_a_check(value):
    assert convert(value, Any) == value
    for annotation in (str, list[str], dict[str, int], tuple[int, ...], Color, Path, int | None):
        try:
            convert(value, annotation)
        except Mismatch as mismatch:
            assert mismatch.expected  # noqa: PT017 - either outcome is right, a crash is not
