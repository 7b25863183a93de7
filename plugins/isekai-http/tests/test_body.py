import gzip
import hashlib

import pytest
from isekai_http.body import Intake, blocks, head

from isekai_core.errors import ExtractError, TemporaryError
from isekai_core.types import MemoryBody, Spool

URL = "https://old.example.org/a"


def take(
    chunks: list[bytes],
    headers: dict[str, str] | None = None,
    *,
    url: str = URL,
    max_bytes: int = 10_000,
    in_memory: int = 5000,
):
    with Intake(url, headers or {}, max_bytes=max_bytes, in_memory=in_memory) as intake:
        for chunk in chunks:
            intake.take(chunk)
        return intake.finish()


def test_a_small_body_stays_in_memory():
    body = take([b"abc", b"def"])
    assert isinstance(body, MemoryBody)
    assert (body.content, head(body, 4), list(blocks(body))) == (b"abcdef", b"abcd", [b"abcdef"])


def test_a_large_body_goes_on_in_a_temporary_file():
    body = take([b"a" * 600, b"b" * 600, b"c" * 600], in_memory=1000)
    expected = b"a" * 600 + b"b" * 600 + b"c" * 600
    assert isinstance(body, Spool)
    assert (body.size, body.sha256) == (1800, hashlib.sha256(expected).hexdigest())
    assert head(body, 4) == b"aaaa"
    assert b"".join(blocks(body)) == expected
    body.close()


def test_an_empty_body_is_refused():
    with pytest.raises(ExtractError, match="a: an empty body"):
        take([b"", b""])


def test_the_limit_counts_what_is_inflated():
    data = gzip.compress(b"x" * 10_000)
    assert take([data], {"content-encoding": "gzip"}, in_memory=20_000).size == 10_000
    with pytest.raises(ExtractError, match=r"at most 9999 bytes \(max_bytes\), got more"):
        take([data], {"content-encoding": "gzip"}, max_bytes=9999)


def test_a_length_beyond_the_limit_is_refused_before_anything_is_read():
    with pytest.raises(ExtractError, match=r"at most 10000 bytes \(max_bytes\), got 10001 bytes"):
        Intake(URL, {"content-length": "10001"}, max_bytes=10_000, in_memory=1000)


def test_a_length_that_is_no_number_is_not_believed():
    assert take([b"abc"], {"content-length": "many"}).size == 3


def test_what_broke_off_in_compression_may_be_tried_again():
    with pytest.raises(TemporaryError, match="broke off: the gzip data ends too early"):
        take([gzip.compress(bytes(range(256)) * 30)[:-5]], {"content-encoding": "gzip"})


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "br," * 200])
def test_another_coding_is_refused(coding):
    with pytest.raises(ExtractError, match="expected no content-encoding, gzip or deflate, got") as caught:
        take([b"x"], {"content-encoding": coding})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("coding", ["", "identity", " Identity ", "UTF-8", "none", "8bit, identity"])
def test_no_coding_is_no_coding(coding):
    assert take([b"abc"], {"content-encoding": coding}).size == 3


@pytest.mark.parametrize("coding", ["gzip, identity", "utf-8,GZIP"])
def test_a_coding_beside_what_is_none_is_undone(coding):
    assert take([gzip.compress(b"abc")], {"content-encoding": coding}).content == b"abc"


@pytest.mark.parametrize(
    ("url", "media_type"),
    [
        (URL, "application/x-gzip"),
        (URL, "application/gzip"),
        (f"{URL}.tar.gz?v=2", "application/x-tar"),
        (f"{URL}.TGZ", "application/octet-stream"),
    ],
)
def test_an_archive_that_is_said_to_be_encoded_stays_one(url, media_type):
    archive = gzip.compress(bytes(range(256)) * 4)
    headers = {"content-encoding": "x-gzip", "content-type": media_type}
    assert take(in_pieces(archive), headers, url=url).content == archive
    assert take(in_pieces(gzip.compress(archive)), headers, url=url).content == archive


@pytest.mark.parametrize(("url", "media_type"), [(URL, "application/x-tar"), (f"{URL}.html.gz", "text/html")])
def test_what_is_no_archive_by_its_name_and_type_is_inflated(url, media_type):
    headers = {"content-encoding": "gzip", "content-type": media_type}
    assert take([gzip.compress(b"abc")], headers, url=url).content == b"abc"


def test_an_archive_that_is_none_is_kept_as_it_came():
    assert take([b"no gzip"], {"content-encoding": "gzip", "content-type": "application/gzip"}).content == b"no gzip"


def in_pieces(data: bytes) -> list[bytes]:
    return [data[:200], b"", data[200:]]
