"""What processors give: what is told of what cannot be kept."""

import hashlib
import io

import pytest

from isekai_core import Key, Payload
from isekai_core.pipeline.given import check_key, check_payload, check_version, is_storable, kept_payload
from isekai_core.types import MemoryBody, PayloadKind, Spool


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
        (Payload.from_text("x", None), TypeError, "expected a payload with a media type such as 'text/html', got None"),
        (Payload.from_text("x", ""), TypeError, "expected a payload with a media type such as 'text/html', got ''"),
        (Payload("text", "text/plain", MemoryBody(b"x")), TypeError, "expected a payload of a PayloadKind, got 'text'"),
    ],
)
def test_payloads_that_cannot_be_kept(payload, error, reason):
    with pytest.raises(error, match=reason):
        check_payload(payload)


def test_whatever_bytes_a_payload_has_can_be_kept():
    assert check_payload(Payload.from_text("a\x00b\udce9")) is None
    assert check_payload(Payload.from_blob(bytes(256))) is None


ABC = hashlib.sha256(b"abc").hexdigest()


class OwnBody:
    """Somebody's own, which may say what is not so."""

    def __init__(self, content=b"abc", size=3, sha256=ABC):
        self.content = content
        self.size = size
        self.sha256 = sha256

    def open(self):
        return io.BytesIO(self.content)


def closed_spool():
    spool = Spool()
    spool.write(b"abc")
    spool.close()
    return spool


def test_the_bytes_of_somebody_elses_body_are_read_at_once():
    body = OwnBody()
    kept = kept_payload(Payload.from_blob(body, "image/png"))
    body.content = b"xyz"
    assert (kept.read(), kept.size, kept.media_type) == (b"abc", 3, "image/png")


@pytest.mark.parametrize("payload", [Payload.from_text("abc"), Payload.from_blob(Spool())])
def test_what_is_in_a_body_of_cores_own_is_not_read(payload):
    assert kept_payload(payload) is payload


@pytest.mark.parametrize(
    ("body", "error", "reason"),
    [
        (OwnBody(size=30), ValueError, "says that its size is 30, and that of what it gives is 3"),
        (OwnBody(sha256=None), ValueError, "says that its sha256 is None"),
        (OwnBody(content=b""), ValueError, "says that its size is 3, and that of what it gives is 0"),
        (
            bytearray(b"abc"),
            TypeError,
            r"expected a payload of bytes, of a Spool or of another Body, got one of bytearray",
        ),
        (MemoryBody("abc"), TypeError, "of bytes, of a Spool or of another Body, got one of 'abc'"),
        (closed_spool(), ValueError, "closed file"),
    ],
)
def test_bodies_that_cannot_be_kept(body, error, reason):
    with pytest.raises(error, match=reason):
        kept_payload(Payload.from_blob(body))


@pytest.mark.parametrize(("version", "error"), [(7, TypeError), ("x" * 11, ValueError), ("\x00", ValueError)])
def test_versions_that_cannot_be_kept(version, error):
    with pytest.raises(error, match="version"):
        check_version(version, 10)


@pytest.mark.parametrize(
    ("value", "expected"), [("ä", True), ("", True), (7, True), (None, True), ("a\x00", False), ("\ud800", False)]
)
def test_what_a_database_keeps_as_text(value, expected):
    assert is_storable(value) is expected
