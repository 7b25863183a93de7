"""The `http` extractor against a real server: what it brings, what it refuses, what it never does."""

import asyncio
import base64
import gc
import gzip
import hashlib
import zlib

import pytest
from isekai_http.extract import HttpExtractor

from isekai_core.errors import ExtractError, TemporaryError
from isekai_core.testing import Response
from isekai_core.types import Extractor, Key, MemoryBody, PayloadKind, ResourceView, Spool

PAGE = "<!doctype html><title>été</title>"


def view(url: str) -> ResourceView:
    return ResourceView(Key("url", url))


# What it brings


def test_is_an_extractor_of_url_keys():
    assert isinstance(HttpExtractor(), Extractor)
    assert HttpExtractor.accepts == ("url",)


def test_brings_a_page_as_text(site, extract):
    site.pages["/a"] = PAGE
    got = extract(site.url("/a"))
    assert (got.payload.kind, got.payload.media_type, got.payload.charset) == (PayloadKind.TEXT, "text/html", "utf-8")
    assert got.payload.text == PAGE
    assert got.payload.sha256 == hashlib.sha256(PAGE.encode()).hexdigest()
    assert got.final_key is None
    assert got.metadata == {}


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("text/html; charset=iso-8859-1", "latin-1"),
        ("Text/HTML ; charset=ISO-8859-1", "latin-1"),
        ("text/html", "latin-1"),
        ("text/html", "utf-8"),
        ("", "utf-8"),
        ("application/xhtml+xml", "utf-8"),
        ("text/html; charset=utf-8", "latin-1"),
        ("text/html; charset=utf-16le", "utf-16-le"),
        ("text/html; charset=hex", "utf-8"),
    ],
)
def test_a_page_is_read_in_its_charset_declared_or_not(site, extract, content_type, encoding):
    site.pages["/a"] = Response(PAGE.encode(encoding), content_type=content_type)
    got = extract(site.url("/a"))
    assert got.payload.text == PAGE
    assert got.payload.read() == PAGE.encode(encoding)
    assert got.payload.media_type == ("application/xhtml+xml" if "xhtml" in content_type else "text/html")


@pytest.mark.parametrize("content_type", ["application/json", "image/svg+xml", "text/csv", "application/javascript"])
def test_other_text_is_text_too(site, extract, content_type):
    site.pages["/a"] = Response("é", content_type=content_type)
    payload = extract(site.url("/a")).payload
    assert (payload.kind, payload.media_type, payload.text) == (PayloadKind.TEXT, content_type, "é")


def test_what_is_no_text_is_a_blob(site, extract):
    site.pages["/a.png"] = Response(b"\x89PNG\r\n\x1a\n\x00", content_type="Image/PNG; q=1")
    payload = extract(site.url("/a.png")).payload
    assert (payload.kind, payload.media_type, payload.charset) == (PayloadKind.BLOB, "image/png", None)
    assert payload.read() == b"\x89PNG\r\n\x1a\n\x00"


def test_a_server_that_does_not_say_what_it_sends_is_not_believed_to_send_text(site, extract):
    site.pages["/a"] = Response(b"\x00\x01\x02\x03", content_type="")
    payload = extract(site.url("/a")).payload
    assert (payload.kind, payload.media_type) == (PayloadKind.BLOB, "application/octet-stream")


def test_a_large_blob_goes_through_a_temporary_file(site, extract):
    content = bytes(range(256)) * 4000
    site.pages["/a.zip"] = Response(content, content_type="application/zip")
    payload = extract(site.url("/a.zip")).payload
    assert isinstance(payload.body, Spool)
    assert (payload.size, payload.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert payload.read() == content
    payload.body.close()


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_large_text_goes_through_a_temporary_file_and_keeps_its_charset(site, extract, encoding):
    text = "<p>été</p>" * 200_000
    site.pages["/a"] = Response(text.encode(encoding), content_type="text/html")
    payload = extract(site.url("/a")).payload
    assert isinstance(payload.body, Spool)
    assert payload.charset == encoding
    assert payload.text == text
    payload.body.close()


def test_a_page_of_usual_size_stays_in_memory(site, extract):
    site.pages["/a"] = "x" * 200_000
    assert isinstance(extract(site.url("/a")).payload.body, MemoryBody)


def test_a_nul_in_a_page_is_kept(site, extract):
    site.pages["/a"] = Response(b"<p>a\x00b</p>")
    payload = extract(site.url("/a")).payload
    assert payload.read() == b"<p>a\x00b</p>"
    assert payload.text == "<p>a\x00b</p>"


def test_chunks_are_put_together(site, extract):
    site.pages["/a"] = Response("é" * 30_000, chunked=True)
    assert extract(site.url("/a")).payload.text == "é" * 30_000


def test_a_url_of_5000_characters_is_fetched(site, extract):
    path = "/" + "a" * 5000
    site.pages[path] = "long"
    assert extract(site.url(path)).payload.text == "long"


@pytest.mark.parametrize(
    "path", ["/a%2Cb/~c?q=a%2Cb%3Bc&sig=x%2By%2F==", "/?q=[1]|{x}", "/?a=b?c/d", "/%E9?%zz", "/a;b=c,d"]
)
def test_a_path_and_a_query_are_sent_as_they_were_written(site, extract, path):
    site.pages[path] = "here"
    assert extract(site.url(path)).payload.text == "here"


# What the source says of it


def test_metadata_is_what_the_source_says_of_the_body_and_no_more(site, extract):
    site.pages["/a"] = Response(
        "x",
        headers={
            "ETag": '"v1"',
            "Last-Modified": "Wed, 04 Mar 2026 05:06:07 GMT",
            "Content-Language": "de",
            "Content-Disposition": "attachment; filename=x; filename*=UTF-8''..%2F..%2F%C3%A9.pdf",
            "Set-Cookie": "session=secret",
            "X-Powered-By": "PHP/5",
        },
    )
    assert extract(site.url("/a")).metadata == {
        "etag": '"v1"',
        "last_modified": "Wed, 04 Mar 2026 05:06:07 GMT",
        "content_language": "de",
        "filename": "é.pdf",
    }


def test_cookies_are_not_carried_from_one_page_to_the_next(site):
    site.pages["/a"] = Response("a", headers={"Set-Cookie": "session=secret; Path=/"})
    site.pages["/b"] = "b"

    async def both() -> None:
        async with HttpExtractor() as extractor:
            await extractor.extract(view(site.url("/a")))
            await extractor.extract(view(site.url("/b")))

    asyncio.run(both())
    assert [request.path for request in site.requests] == ["/a", "/b"]
    assert "cookie" not in site.requests[1].headers


# Compression


@pytest.mark.parametrize(
    ("coding", "compress"), [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("Deflate", zlib.compress)]
)
def test_a_compressed_body_is_decompressed(site, extract, coding, compress):
    site.pages["/a"] = Response(compress(PAGE.encode()), headers={"Content-Encoding": coding})
    assert extract(site.url("/a")).payload.text == PAGE
    assert site.requests[0].headers["accept-encoding"] == "gzip, deflate"


def test_a_compression_bomb_stops_at_the_limit(site, refused):
    bomb = gzip.compress(b"\x00" * 30_000_000)
    site.pages["/a"] = Response(bomb, headers={"Content-Encoding": "gzip"})
    message = refused(site.url("/a"), max_bytes=1_000_000)
    assert message == f"{site.url('/a')}: expected at most 1000000 bytes (max_bytes), got more"


def test_a_body_that_is_not_compressed_as_it_says_is_an_error(site, refused):
    site.pages["/a"] = Response(PAGE, headers={"Content-Encoding": "gzip"})
    message = refused(site.url("/a"))
    assert "the content-encoding does not fit the bytes" in message


def test_a_compressed_body_that_ends_too_early_is_tried_again(site, extract):
    site.pages["/a"] = Response(gzip.compress(PAGE.encode())[:-9], headers={"Content-Encoding": "gzip"})
    with pytest.raises(TemporaryError, match="broke off: the gzip data ends too early"):
        extract(site.url("/a"))


def test_a_coding_that_was_not_asked_for_is_named(site, refused):
    site.pages["/a"] = Response(b"\x0b\x02\x80", headers={"Content-Encoding": "br"})
    message = refused(site.url("/a"))
    assert message.endswith("expected no content-encoding, gzip or deflate, got 'br'")


# Passwords


def test_headers_and_password_are_sent_to_the_named_host_only(site, extract):
    elsewhere = site.url("/b").replace("127.0.0.1", "localhost")
    site.pages["/a"] = Response.redirect(elsewhere)
    site.pages["/b"] = "there"
    extract(site.url("/a"), headers={"X-Key": "k"}, username="ada", password="pw", hosts=["127.0.0.1"])
    first, second = site.requests
    assert first.headers["x-key"] == "k"
    assert first.headers["authorization"] == "Basic " + base64.b64encode(b"ada:pw").decode()
    assert second.headers["host"] == f"localhost:{site.port}"
    assert {"x-key", "authorization"}.isdisjoint(second.headers)


def test_a_password_in_a_redirect_is_sent_and_never_kept(site, extract):
    there = site.url("/b").replace("http://", "http://ada:s3cr3t@")
    site.pages["/a"] = Response.redirect(there)
    site.pages["/b"] = "there"
    brought = extract(site.url("/a"))
    assert site.requests[1].headers["authorization"] == "Basic " + base64.b64encode(b"ada:s3cr3t").decode()
    assert site.requests[1].headers["host"] == f"127.0.0.1:{site.port}"
    assert brought.final_key == Key("url", site.url("/b"))


def test_a_password_in_a_redirect_is_not_shown(site, extract):
    site.pages["/a"] = Response.redirect(site.url("/gone").replace("http://", "http://ada:s3cr3t@"))
    with pytest.raises(ExtractError, match="404") as caught:
        extract(site.url("/a"))
    assert "s3cr3t" not in str(caught.value)


def test_says_who_it_is(site, extract):
    site.pages["/a"] = "a"
    extract(site.url("/a"))
    extract(site.url("/a"), user_agent="mover/1 (ada@example.org)")
    assert site.requests[0].headers["user-agent"].startswith("isekai-http/")
    assert site.requests[1].headers["user-agent"] == "mover/1 (ada@example.org)"


# Encryption


def test_a_certificate_that_nobody_trusts_is_an_error_that_tells_the_way_out(https_site, refused):
    https_site.pages["/a"] = "a"
    message = refused(https_site.url("/a").replace("http:", "https:"))
    assert "its certificate is not trusted: self" in message
    assert message.endswith("verify=False accepts it")


def test_a_certificate_that_nobody_trusts_is_accepted_when_asked(https_site, extract):
    https_site.pages["/a"] = "a"
    assert extract(https_site.url("/a").replace("http:", "https:"), verify=False).payload.text == "a"


# One object, many requests


def test_many_at_once_are_at_most_concurrency(site):
    site.pages |= {f"/{n}": str(n) for n in range(40)}

    async def many() -> list[str]:
        async with HttpExtractor(concurrency=4) as extractor:
            got = await asyncio.gather(*(extractor.extract(view(site.url(f"/{n}"))) for n in range(40)))
            return [one.payload.text for one in got]

    assert asyncio.run(many()) == [str(n) for n in range(40)]
    assert 1 <= site.most_at_once <= 4


def test_one_failure_does_not_disturb_the_others(site):
    site.pages |= {"/a": "a", "/b": Response("x", stall="at once"), "/c": Response("x", broken="at once"), "/d": "d"}

    async def all_of_them() -> list[object]:
        async with HttpExtractor(timeout=0.3) as extractor:
            work = [extractor.extract(view(site.url(path))) for path in ("/a", "/b", "/c", "/d")]
            return await asyncio.gather(*work, return_exceptions=True)

    first, stalled, broken, last = asyncio.run(all_of_them())
    assert (first.payload.text, last.payload.text) == ("a", "d")
    assert isinstance(stalled, TemporaryError)
    assert isinstance(broken, TemporaryError)


def test_a_task_that_is_cancelled_from_outside_stays_cancelled(site):
    site.pages["/a"] = Response("x", stall="at once")

    async def give_up() -> None:
        async with HttpExtractor() as extractor, asyncio.timeout(0.1):
            await extractor.extract(view(site.url("/a")))

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())


def test_nothing_is_left_open_whatever_happens(site, extract):
    site.pages |= {
        "/big": Response("x" * 3_000_000, chunked=True),
        "/stall": Response("x" * 200_000, stall="in the body"),
    }
    for path, options in (("/big", {"max_bytes": 2_000_000}), ("/stall", {"timeout": 0.2}), ("/none", {})):
        with pytest.raises(ExtractError):
            extract(site.url(path), **options)
    assert gc.collect() >= 0  # a forgotten file or socket would warn now, and a warning is an error


def test_it_must_be_opened(site):
    with pytest.raises(RuntimeError, match="use it in an 'async with' block"):
        asyncio.run(HttpExtractor().extract(view(site.url("/a"))))


def test_it_can_be_opened_again_but_not_twice_at_once(site):
    site.pages["/a"] = "a"
    extractor = HttpExtractor()

    async def use() -> str:
        async with extractor:
            return (await extractor.extract(view(site.url("/a")))).payload.text

    async def twice() -> None:
        async with extractor, extractor:
            pass

    assert [asyncio.run(use()), asyncio.run(use())] == ["a", "a"]
    with pytest.raises(RuntimeError, match="is open already"):
        asyncio.run(twice())
    assert asyncio.run(use()) == "a"


# Options


@pytest.mark.parametrize("name", ["concurrency", "timeout", "connect_timeout", "deadline", "max_bytes"])
def test_an_option_that_must_be_positive_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be greater than 0, got 0"):
        HttpExtractor(**{name: 0})


def test_a_negative_number_of_redirects_is_refused():
    with pytest.raises(ValueError, match="max_redirects must not be negative, got -1"):
        HttpExtractor(max_redirects=-1)


def test_a_password_for_nobody_in_particular_is_refused():
    with pytest.raises(ValueError, match="give hosts="):
        HttpExtractor(username="ada", password="pw")


def test_secrets_are_declared_and_not_in_the_repr():
    extractor = HttpExtractor(headers={"X-Key": "s3cr3t"}, username="ada", password="s3cr3t", hosts=["*"])
    assert "s3cr3t" not in repr(extractor)
    assert set(HttpExtractor.secret_options) == {"headers", "username", "password"}
