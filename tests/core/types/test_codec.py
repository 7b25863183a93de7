"""`types/codec.py`: values to JSON and back, equal, and nothing that is text can become a ref."""

import datetime as dt
import json
import math
import uuid
from decimal import Decimal
from enum import IntEnum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as some

from isekai_core.types import BlobRef, Key, ModelRef, ResourceRef, Text, decode, encode
from isekai_core.types.specs import walk_refs


class Size(StrEnum):
    LARGE = "large"


class Level(IntEnum):
    HIGH = 3


keys = some.builds(
    Key, some.sampled_from(["url", "file", "row"]).filter(lambda kind: kind != "url"), some.text("abc/é", min_size=1)
)
plain = (
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False)
    | some.text()
    | some.decimals(allow_nan=False)
    | some.dates()
    | some.datetimes(timezones=some.none() | some.just(dt.UTC))
    | some.times()
    | some.timedeltas()
    | some.uuids()
    | some.binary(max_size=20)
    | keys
)
refs = (
    some.builds(ResourceRef, keys, some.sampled_from(["pk", "url", "a.b"]), soft=some.booleans(), fallback=plain)
    | some.builds(
        lambda value, attr: ModelRef("auth.User", attr, username=value), plain, some.sampled_from(["pk", "id"])
    )
    | some.builds(BlobRef, some.none() | keys, some.none() | some.text())
    | some.builds(Text, some.text(), some.builds(ResourceRef, keys, soft=some.just(True)), some.text())
)
values = some.recursive(
    plain | refs,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text() | some.just("$"), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_every_value_comes_back_equal_through_json(value):
    decoded = decode(json.loads(json.dumps(encode(value))))
    assert decoded == value


@given(values)
def test_encoding_is_the_same_every_time(value):
    assert json.dumps(encode(value)) == json.dumps(encode(decode(encode(value))))


json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.sampled_from(["$", "key", "v", "attr", "a"]), inner),
)


@given(json_values)
def test_whatever_a_page_says_it_never_becomes_a_ref(value):
    decoded = decode(json.loads(json.dumps(encode(value))))
    assert decoded == value
    assert list(walk_refs(decoded)) == []


def test_a_mapping_that_looks_like_a_ref_stays_a_mapping():
    forged = {"$": "ref", "key": "url:https://old.example.org/", "attr": "pk", "soft": False}
    assert decode(encode(forged)) == forged
    assert decode(encode({"body": [forged]})) == {"body": [forged]}


@pytest.mark.parametrize("key", [1, None, True, dt.date(2026, 1, 1), Decimal(1), "$"])
def test_a_mapping_with_keys_that_json_does_not_know_comes_back(key):
    assert decode(json.loads(json.dumps(encode({key: "x"})))) == {key: "x"}


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_numbers_that_json_does_not_know_come_back(value):
    assert decode(json.loads(json.dumps(encode(value), allow_nan=False))) == value


def test_not_a_number_comes_back():
    assert math.isnan(decode(json.loads(json.dumps(encode(math.nan), allow_nan=False))))


def test_types_that_look_alike_are_told_apart():
    moment = dt.datetime(2026, 1, 31, 12, 0, tzinfo=dt.UTC)
    decoded = decode(encode([moment, moment.date(), "2026-01-31", Decimal("1.10"), 1, True]))
    assert [type(value) for value in decoded] == [dt.datetime, dt.date, str, Decimal, int, bool]
    assert str(decoded[3]) == "1.10"


def test_a_time_zone_is_kept():
    moment = dt.datetime(2026, 1, 31, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert decode(encode(moment)).utcoffset() == dt.timedelta(hours=2)


def test_members_of_text_and_number_enums_become_their_values():
    assert encode([Size.LARGE, Level.HIGH]) == ["large", 3]
    assert [type(value) for value in encode([Size.LARGE, Level.HIGH])] == [str, int]


def test_tuples_come_back_as_lists():
    assert decode(encode((1, (2, 3)))) == [1, [2, 3]]


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, {2, 3}]}, "value.a[1]: cannot keep a value of type set"),
        ({"a": object()}, "value.a: cannot keep a value of type object"),
        ({1: object()}, "value[1]: cannot keep a value of type object"),
        ({(1, 2): 1}, "value: cannot keep a mapping with the key (1, 2)"),
        (ModelRef("auth.User", user=object()), "value.user: cannot keep a value of type object"),
    ],
)
def test_a_value_that_is_not_known_is_refused_with_its_path(value, place):
    with pytest.raises(TypeError) as caught:
        encode(value)
    assert str(caught.value).startswith(place)


def test_what_is_stored_is_stable():
    """Rows of older versions must be readable: these forms are never changed, only added to."""
    assert encode({"on": dt.date(2026, 1, 31), "for": dt.timedelta(days=1), "n": Decimal("1.0")}) == {
        "on": {"$": "date", "v": "2026-01-31"},
        "for": {"$": "duration", "v": [1, 0, 0]},
        "n": {"$": "decimal", "v": "1.0"},
    }
    assert encode(ResourceRef(Key("row", "1"), "url", soft=True, fallback="/a")) == {
        "$": "ref",
        "key": "row:1",
        "attr": "url",
        "soft": True,
        "fallback": "/a",
    }
    assert encode(BlobRef()) == {"$": "blob", "key": None, "name": None}
    assert encode(uuid.UUID(int=1)) == {"$": "uuid", "v": "00000000-0000-0000-0000-000000000001"}
    assert encode(b"\x00") == {"$": "bytes", "v": "AA=="}
