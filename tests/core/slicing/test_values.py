"""`values.py`: texts as PostgreSQL prints them, and back."""

import datetime as dt
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isekai_core.slicing.values import is_known, json_text, parsed_json, text_of, value_of

EAST = dt.timezone(dt.timedelta(hours=2))
KNOWN = [
    ("BigAutoField", 7, "7"),
    ("BooleanField", True, "t"),
    ("BooleanField", False, "f"),
    ("CharField", "", ""),
    ("DateField", dt.date(2026, 1, 2), "2026-01-02"),
    ("DateTimeField", dt.datetime(2026, 1, 2, 3, 4, 5, 120000, dt.UTC), "2026-01-02 03:04:05.12+00"),
    ("DateTimeField", dt.datetime(26, 1, 2, 3, 4, 5, 0, dt.UTC), "0026-01-02 03:04:05+00"),
    ("TimeField", dt.time(3, 4, 5, 1), "03:04:05.000001"),
    ("DurationField", dt.timedelta(days=1, hours=2, microseconds=5), "1 day 02:00:00.000005"),
    ("DurationField", dt.timedelta(days=-1, hours=22), "-1 days +22:00:00"),
    ("DurationField", dt.timedelta(), "00:00:00"),
    ("DecimalField", Decimal("1.50"), "1.50"),
    ("DecimalField", Decimal("1E+3"), "1000"),
    ("FloatField", 1.0, "1"),
    ("FloatField", 1e15, "1e+15"),
    ("FloatField", 123456789012345.0, "123456789012345"),
    ("FloatField", 0.00001, "1e-05"),
    ("FloatField", float("-inf"), "-Infinity"),
    ("BinaryField", b"\x00\xff", "\\x00ff"),
    ("UUIDField", UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ("JSONField", {"bb": [1, True], "a": "ü"}, '{"a": "ü", "bb": [1, true]}'),
]


@pytest.mark.parametrize(("kind", "value", "text"), KNOWN)
def test_a_value_is_written_as_postgresql_prints_it_and_read_again(kind, value, text):
    assert text_of(kind, value) == text
    assert value_of(kind, text) == value


def test_a_moment_is_written_in_utc_wherever_it_was_told():
    assert text_of("DateTimeField", dt.datetime(2026, 1, 2, 3, tzinfo=EAST)) == "2026-01-02 01:00:00+00"


def test_null_stays_null_in_both_directions():
    assert text_of("JSONField", None) is None
    assert value_of("DateField", None) is None
    assert text_of("JSONField", parsed_json("null")) is None
    assert json_text(None) == "null"


@pytest.mark.parametrize(
    "kind", ["IntegerField", "DateField", "DecimalField", "BooleanField", "UUIDField", "JSONField"]
)
def test_a_text_that_is_none_of_its_type_is_refused_without_being_told(kind):
    with pytest.raises(ValueError, match=kind) as caught:
        value_of(kind, "se{cret")
    assert "cret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_type_that_nobody_knows_is_only_carried():
    assert not is_known("PolygonField")
    with pytest.raises(ValueError, match="PolygonField"):
        value_of("PolygonField", "x")


def test_json_keeps_its_digits_and_refuses_numbers_that_are_none():
    assert json_text(parsed_json('{"a": 1.50, "b": 1e3}')) == '{"a": 1.50, "b": 1000}'
    with pytest.raises(ValueError, match="infinite"):
        json_text(float("inf"))


@given(st.floats(allow_nan=False))
def test_every_float_comes_back(value):
    assert value_of("FloatField", text_of("FloatField", value)) == value


@given(st.timedeltas())
def test_every_duration_comes_back(value):
    assert value_of("DurationField", text_of("DurationField", value)) == value
