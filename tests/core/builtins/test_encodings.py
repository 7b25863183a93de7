"""`builtins/encodings.py`: what a text file says of itself, and where it does not keep to it."""

import pytest

from isekai_core.builtins.encodings import byte_order_mark, known_codec, undecodable


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_codec(codec):
    assert byte_order_mark("é".encode(codec)) == codec


def test_big_endian_marks_are_known_too():
    assert byte_order_mark(b"\xfe\xff\x00a") == "utf-16"
    assert byte_order_mark(b"\x00\x00\xfe\xff\x00\x00\x00a") == "utf-32"


def test_without_a_mark_nothing_is_said():
    assert byte_order_mark("é".encode()) is None
    assert byte_order_mark(b"") is None


def test_only_encodings_of_text_are_known():
    assert known_codec("cp1252")
    assert known_codec("UTF8")
    assert not known_codec("utf-9")
    assert not known_codec("base64")
    assert not known_codec("undefined")
    assert not known_codec("idna")
    assert not known_codec("punycode")
    assert known_codec("utf-32")
    assert not known_codec("a\x00b")
    assert not known_codec("")


@pytest.mark.parametrize(
    ("content", "encoding", "place"),
    [
        (b"a\nb\xe9c\n", "utf-8", "line 2, byte 3 holds e9"),
        (b"\xef\xbb\xbfa\nb\xe9c\n", "utf-8-sig", "line 2, byte 6 holds e9"),
        (b"x" * 65_535 + b"\xc3\xa9\n" + b"y" * 70_000 + b"\xe9z", "utf-8", "line 2, byte 135538 holds e9"),
        (b"x" * 65_535 + b"\xc3(", "utf-8", "line 1, byte 65535 holds c3"),
        (b"a\n\xc3", "utf-8", "line 2, byte 2 holds c3"),
        ("a\nb".encode("utf-16-le") + b"\x00", "utf-16-le", "line 2, byte 6 holds 00"),
        (b"a\x81", "cp1252", "line 1, byte 1 holds 81"),
    ],
)
def test_the_place_is_told_by_line_and_byte(tmp_path, content, encoding, place):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert undecodable(path, encoding) == place
