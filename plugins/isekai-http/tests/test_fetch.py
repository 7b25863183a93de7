"""The download of one sitemap: bounded, tried again, told by its address."""

import base64
from contextlib import contextmanager

import httpx
import pytest
from isekai_http.fetch import Fetched, Fetcher
from isekai_http.identity import Identity

from isekai_core.errors import SeedError
from isekai_core.testing import Response


@pytest.fixture
def fetch():
    """`fetch(url, **options)`: a block with the file."""

    @contextmanager
    def run(url: str, *, identity: Identity | None = None, verify: bool = True, **options):
        given = {
            "deadline": 10.0,
            "max_bytes": 1_000_000,
            "tries": 3,
            "wait": 0.0,
            "timeout": httpx.Timeout(5),
        } | options
        client = httpx.Client(timeout=given["timeout"], verify=verify)
        with client, Fetcher(client=client, identity=identity or Identity(), **given).fetch(url) as fetched:
            yield fetched

    return run


def content(fetched: Fetched) -> bytes:
    with fetched.body.open() as file:
        return file.read()


def failure(fetch, url: str, **options) -> str:
    with pytest.raises(SeedError) as caught, fetch(url, **options):
        pass
    return str(caught.value)


def test_brings_the_bytes_and_where_they_came_from(site, fetch):
    site.pages["/a"] = Response.redirect("/b")
    site.pages["/b"] = "here"
    with fetch(site.url("/a")) as fetched:
        assert (content(fetched), fetched.url) == (b"here", site.url("/b"))


def test_a_large_file_is_on_disk_until_the_end_of_the_block(site, fetch):
    site.pages["/a"] = "x" * 1_500_000
    with fetch(site.url("/a"), max_bytes=2_000_000) as fetched:
        assert len(content(fetched)) == 1_500_000
    with pytest.raises(ValueError, match="closed"):
        content(fetched)


@pytest.mark.parametrize(
    "fault", [Response("", status=503), Response("x" * 100, broken="in the body"), Response("x", broken="at once")]
)
def test_what_may_pass_is_tried_again(site, fetch, fault):
    site.pages["/a"] = [fault, fault, Response("here")]
    with fetch(site.url("/a")) as fetched:
        assert content(fetched) == b"here"
    assert site.count("/a") == 3


def test_what_does_not_pass_is_given_up(site, fetch):
    site.pages["/a"] = Response("", status=500)
    message = failure(fetch, site.url("/a"))
    assert message == f"{site.url('/a')}: 500 Internal Server Error; tried 3 times, run again later"
    assert site.count("/a") == 3


def test_what_stays_is_not_tried_again(site, fetch):
    assert failure(fetch, site.url("/none")) == f"{site.url('/none')}: 404 Not Found"
    assert site.count("/none") == 1


def test_the_server_says_how_long_to_wait(site, fetch):
    site.pages["/a"] = [Response("", status=429, headers={"Retry-After": "0"}), Response("here")]
    with fetch(site.url("/a"), wait=3600.0) as fetched:
        assert content(fetched) == b"here"


def test_a_server_that_wants_to_be_left_alone_for_long_is(site, fetch):
    site.pages["/a"] = Response("", status=503, headers={"Retry-After": "7200"})
    message = failure(fetch, site.url("/a"))
    assert message.endswith("503 Service Unavailable; the server asks to wait 7200 s, run again after that")
    assert site.count("/a") == 1


def test_a_silent_server_is_given_up(site, fetch):
    site.pages["/a"] = Response("x", stall="at once")
    message = failure(fetch, site.url("/a"), timeout=httpx.Timeout(0.1), tries=2)
    assert message.endswith("/a: the server sent nothing for 0.1 s (timeout); tried 2 times, run again later")


def test_a_slow_download_is_stopped_at_the_deadline(site, fetch):
    site.pages["/a"] = "x" * 500_000
    assert "not complete within 1e-09 s (deadline)" in failure(fetch, site.url("/a"), deadline=1e-9, tries=1)


def test_a_large_download_is_stopped_at_the_limit(site, fetch):
    site.pages["/a"] = Response("x" * 200_000, chunked=True)
    assert failure(fetch, site.url("/a"), max_bytes=1000).endswith("expected at most 1000 bytes (max_bytes), got more")


def test_redirects_are_bounded(site, fetch):
    site.pages["/a"] = Response.redirect("/a")
    assert failure(fetch, site.url("/a")).endswith("/a: more than 10 redirects")
    assert site.count("/a") == 11


@pytest.mark.parametrize("target", ["http://[::1", "http://127.0.0.1:x/", "ftp://127.0.0.1/a"])
def test_a_redirect_to_what_is_no_address_is_an_error(site, fetch, target):
    site.pages["/a"] = Response.redirect(target)
    assert "/a: redirects to " in failure(fetch, site.url("/a"))
    assert site.count("/a") == 1


def test_a_host_that_is_no_name_is_an_error(fetch):
    assert "not an address that can be fetched" in failure(fetch, "http://a..b/")


def test_a_password_goes_to_the_named_host_and_is_never_shown(site, fetch):
    identity = Identity(username="ada", password="s3cr3t", hosts=["127.0.0.1"])
    site.pages["/a"] = Response.redirect(site.url("/b").replace("127.0.0.1", "localhost"))
    message = failure(fetch, site.url("/a"), identity=identity)
    first, second = site.requests
    assert first.headers["authorization"] == "Basic " + base64.b64encode(b"ada:s3cr3t").decode()
    assert "authorization" not in second.headers
    assert "s3cr3t" not in message


def test_a_password_in_the_address_is_sent_and_never_shown(site, fetch):
    message = failure(fetch, site.url("/a").replace("http://", "http://ada:s3cr3t@"))
    assert site.requests[0].headers["authorization"] == "Basic " + base64.b64encode(b"ada:s3cr3t").decode()
    assert "s3cr3t" not in message


def test_a_certificate_that_nobody_trusts_is_an_error_that_tells_the_way_out(https_site, fetch):
    https_site.pages["/a"] = "here"
    url = https_site.url("/a").replace("http:", "https:")
    assert failure(fetch, url).endswith("verify=False accepts it")
    with fetch(url, verify=False) as fetched:
        assert content(fetched) == b"here"
