"""`types/payloads.py`: bodies that can be read again, and payloads that keep the raw bytes."""

import datetime as dt
import hashlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from isekai_core.types import Body, MemoryBody, Payload, PayloadKind, Spool
from isekai_core.types.payloads import MEMORY_LIMIT


@pytest.fixture
def spool():
    made = Spool()
    yield made
    made.close()


@pytest.mark.parametrize("size", [0, 1, MEMORY_LIMIT, MEMORY_LIMIT + 1, 3 * MEMORY_LIMIT])
def test_a_spool_has_size_and_hash_of_what_was_written_and_gives_it_again_and_again(spool, size):
    content = bytes(number % 251 for number in range(size))
    for start in range(0, size, 1000):
        spool.write(content[start : start + 1000])
    assert (spool.size, spool.sha256) == (size, hashlib.sha256(content).hexdigest())
    for _ in range(2):
        with spool.open() as file:
            assert file.read() == content


def test_closing_a_reader_leaves_the_spool_open(spool):
    spool.write(b"abc")
    spool.open().close()
    with spool.open() as file:
        assert file.seek(1) == 1
        assert (file.read(1), file.tell(), file.read(), file.read()) == (b"b", 2, b"c", b"")
        assert file.readable()
        assert file.seekable()


def test_bodies_keep_the_protocol(spool):
    assert isinstance(spool, Body)
    assert isinstance(MemoryBody(b""), Body)


@given(some.binary())
def test_the_raw_bytes_are_kept_whatever_the_charset_says(content):
    for charset in ("utf-8", "ascii", "latin-1", "cp1252"):
        payload = Payload.from_text(content, "text/plain", charset)
        assert payload.read() == content
        assert payload.text.encode(charset, "surrogateescape") == content
        assert payload.sha256 == hashlib.sha256(content).hexdigest()


def test_text_given_as_a_string_is_kept_in_its_charset():
    payload = Payload.from_text("é", "text/html", "latin-1")
    assert (payload.kind, payload.media_type, payload.charset) == (PayloadKind.TEXT, "text/html", "latin-1")
    assert (payload.read(), payload.text, payload.size) == (b"\xe9", "é", 1)


def test_a_byte_that_is_not_of_the_charset_is_a_lone_surrogate():
    assert Payload.from_text(b"a\xe9").text == "a\udce9"


@pytest.mark.parametrize("charset", ["undefined", "idna", "punycode", "base64", "x-nobody-knows", "a\x00b"])
@pytest.mark.parametrize(("content", "text"), [("é".encode(), "é"), (b"a\xe9", "a\udce9"), (b"", "")])
def test_a_charset_that_reads_no_text_is_read_as_utf_8(charset, content, text):
    assert Payload.from_text(content, charset=charset).text == text


def test_bytes_that_a_charset_can_neither_read_nor_escape_are_read_as_utf_8():
    assert Payload.from_text("é!".encode(), charset="utf-16").text == "é!"
    assert Payload.from_text(b"\xe9\x00\x21", charset="utf-16").text == "\udce9\x00!"


def test_a_blob_may_be_bytes_or_a_body(spool):
    spool.write(b"abc")
    assert Payload.from_blob(b"abc").read() == b"abc"
    payload = Payload.from_blob(spool, "image/png")
    assert (payload.kind, payload.media_type, payload.read(), payload.size) == (
        PayloadKind.BLOB,
        "image/png",
        b"abc",
        3,
    )
    with payload.open() as file:
        assert file.read(2) == b"ab"


def test_a_record_comes_back_equal():
    record = {"name": "Ada", "born": dt.date(1815, 12, 10), "price": Decimal("1.10"), "$": "not a ref"}
    payload = Payload.from_record(record)
    assert payload.record == record
    assert payload.kind is PayloadKind.RECORD


def test_equal_records_have_equal_hashes_whatever_the_order_of_their_fields():
    assert Payload.from_record({"a": 1, "b": 2}).sha256 == Payload.from_record({"b": 2, "a": 1}).sha256


def test_a_record_that_cannot_be_kept_is_refused_with_its_path():
    with pytest.raises(TypeError, match=r"value.tags: cannot keep a value of type set"):
        Payload.from_record({"tags": {1}})


def test_what_is_no_record_says_so():
    with pytest.raises(TypeError, match=r"this payload is blob \(image/png\), not a record"):
        _ = Payload.from_blob(b"x", "image/png").record
