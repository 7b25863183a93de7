"""`pipeline/reports/readable.py`: stored specs and metadata on one line each, bounded."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest

from isekai_core import BlobRef, Key, ModelRef, ResourceRef, Text
from isekai_core.pipeline.reports.readable import readable, spec_lines
from isekai_core.types import encode

ADA = Key("thing", "ada")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("é", '"é"'),
        (None, "null"),
        ([1, True, 2.5], "[1, true, 2.5]"),
        ({"a": {"b": [1]}}, "{a: {b: [1]}}"),
        ({}, "{}"),
        (dt.date(2026, 1, 31), "2026-01-31"),
        (Decimal("1.50"), "1.50"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (ADA, "thing:ada"),
        (ResourceRef(ADA), "→ thing:ada"),
        (ResourceRef(ADA, "url", soft=True, fallback="/a"), "→ thing:ada (url)"),
        (ModelRef("auth.User", username="admin"), '→ auth.User with username: "admin"'),
        (BlobRef(), "the bytes of this resource"),
        (BlobRef(ADA, "a.png"), "the bytes of thing:ada as a.png"),
        (Text("see ", ResourceRef(ADA, "url", soft=True), "!"), '"see [→ thing:ada (url)]!"'),
        ({"$": "ref", "key": "thing:ada"}, '{"$": "ref", "key": "thing:ada"}'),
        ({1: "a"}, '{1: "a"}'),
    ],
)
def test_every_value_that_can_be_stored_can_be_read(value, expected):
    assert readable(encode(value)) == expected


def test_what_is_long_is_cut_and_says_how_long_it_is():
    assert readable("x" * 5000, 10) == '"xxxxxxxxx… (5,002 characters)'


def test_the_fields_of_a_spec_are_told_one_by_one():
    spec = {"model": "a.B", "values": {"title": "A", "by": encode(ResourceRef(ADA))}, "match": []}
    assert list(spec_lines(spec)) == [("title", '"A"'), ("by", "→ thing:ada")]
