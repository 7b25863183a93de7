"""What processors give: what is told of what cannot be kept."""

import pytest

from isekai_core import Key, Payload
from isekai_core.pipeline.given import check_key, check_payload, check_version, is_storable
from isekai_core.types import MemoryBody, PayloadKind


@pytest.mark.parametrize("key", [Key("url", "https://old.example.org/ä"), Key("file", "\U0001f600"), Key("row", "1")])
def test_keys_that_can_be_kept(key):
    assert check_key(key) is None


@pytest.mark.parametrize(
    ("key", "error", "reason"),
    [
        ("url:https://old.example.org/", TypeError, "expected a Key such as"),
        (None, TypeError, "got None"),
        (Key("file", "caf\udce9"), ValueError, "lone surrogate"),
    ],
)
def test_keys_that_cannot(key, error, reason):
    with pytest.raises(error, match=reason):
        check_key(key)


@pytest.mark.parametrize(
    ("payload", "error", "reason"),
    [
        ("text", TypeError, "expected a Payload such as .*, got 'text'"),
        (Payload.from_text("x", "text/\x00"), ValueError, "the media type holds a NUL"),
        (Payload(PayloadKind.TEXT, "text/plain", MemoryBody(b"x"), "utf\x008"), ValueError, "the charset holds a NUL"),
    ],
)
def test_payloads_that_cannot_be_kept(payload, error, reason):
    with pytest.raises(error, match=reason):
        check_payload(payload)


def test_whatever_bytes_a_payload_has_can_be_kept():
    assert check_payload(Payload.from_text("a\x00b\udce9")) is None
    assert check_payload(Payload.from_blob(bytes(256))) is None


@pytest.mark.parametrize(("version", "error"), [(7, TypeError), ("x" * 11, ValueError), ("\x00", ValueError)])
def test_versions_that_cannot_be_kept(version, error):
    with pytest.raises(error, match="version"):
        check_version(version, 10)


@pytest.mark.parametrize(
    ("value", "expected"), [("ä", True), ("", True), (7, True), (None, True), ("a\x00", False), ("\ud800", False)]
)
def test_what_a_database_keeps_as_text(value, expected):
    assert is_storable(value) is expected
