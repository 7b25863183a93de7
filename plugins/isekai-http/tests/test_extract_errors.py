"""The `http` extractor against a server that refuses, breaks off or says nothing: what may pass, and what stays."""

import asyncio
import socket
import struct
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from isekai_http.extract import HttpExtractor

from isekai_core.errors import TemporaryError
from isekai_core.testing import Response
from isekai_core.types import Key, ResourceView


def view(url: str) -> ResourceView:
    return ResourceView(Key("url", url))


# Statuses


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "Bad Request"),
        (403, "Forbidden"),
        (404, "Not Found"),
        (410, "Gone"),
        (206, "Partial Content"),
        (304, "Not Modified"),
    ],
)
def test_a_status_that_stays_is_an_error_with_address_status_and_reason(site, refused, status, reason):
    site.pages["/a"] = Response("some page", status=status)
    message = refused(site.url("/a"))
    assert message == f"{site.url('/a')}: {status} {reason}"


def test_a_missing_password_is_told_with_the_options_that_help(site, refused):
    site.pages["/a"] = Response("", status=401)
    message = refused(site.url("/a"))
    assert message.endswith("401 Unauthorized; give username, password and hosts, or headers and hosts")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_status_that_may_pass_is_tried_again(site, extract, status):
    site.pages["/a"] = Response("later", status=status)
    with pytest.raises(TemporaryError, match=f"/a: {status} ") as caught:
        extract(site.url("/a"))
    assert caught.value.retry_after is None


def test_a_500_that_never_heals_is_temporary_each_time(site):
    site.pages["/a"] = Response("broken", status=500)

    async def often() -> list[str]:
        async with HttpExtractor() as extractor:
            results = await asyncio.gather(
                *(extractor.extract(view(site.url("/a"))) for _ in range(5)), return_exceptions=True
            )
            return [type(result).__name__ for result in results]

    assert asyncio.run(often()) == ["TemporaryError"] * 5
    assert site.count("/a") == 5


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_passed_on(site, extract, status):
    site.pages["/a"] = Response("later", status=status, headers={"Retry-After": "120"})
    with pytest.raises(TemporaryError) as caught:
        extract(site.url("/a"))
    assert caught.value.retry_after == 120


def test_retry_after_as_a_date_is_passed_on(site, extract):
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    site.pages["/a"] = Response("later", status=503, headers={"Retry-After": date})
    with pytest.raises(TemporaryError) as caught:
        extract(site.url("/a"))
    assert caught.value.retry_after == pytest.approx(3600, abs=60)


# Bodies that are none, or too much


@pytest.mark.parametrize("response", [Response(""), Response("", status=204), Response("", chunked=True)])
def test_an_empty_body_is_an_error(site, refused, response):
    site.pages["/a"] = response
    message = refused(site.url("/a"))
    assert message == f"{site.url('/a')}: an empty body"


def test_a_body_that_says_it_is_too_large_is_not_read(site, refused):
    site.pages["/a"] = "x" * 1001
    message = refused(site.url("/a"), max_bytes=1000)
    assert message == f"{site.url('/a')}: expected at most 1000 bytes (max_bytes), got 1001 bytes"


def test_a_body_that_grows_too_large_is_cut_off(site, refused):
    site.pages["/a"] = Response("x" * 500_000, chunked=True)
    message = refused(site.url("/a"), max_bytes=100_000)
    assert message.endswith("expected at most 100000 bytes (max_bytes), got more")


def test_a_body_of_exactly_the_limit_is_brought(site, extract):
    site.pages["/a"] = "x" * 1000
    assert extract(site.url("/a"), max_bytes=1000).payload.size == 1000


# Connections


def test_a_silent_server_is_tried_again(site, extract):
    site.pages["/a"] = Response("x", stall="at once")
    with pytest.raises(TemporaryError) as caught:
        extract(site.url("/a"), timeout=0.2)
    assert str(caught.value) == f"{site.url('/a')}: the server sent nothing for 0.2 s (timeout)"


def test_a_server_that_falls_silent_in_the_body_is_tried_again(site, extract):
    site.pages["/a"] = Response("x" * 1000, stall="in the body")
    with pytest.raises(TemporaryError, match=r"sent nothing for 0\.2 s"):
        extract(site.url("/a"), timeout=0.2)


@pytest.mark.parametrize(
    ("begin", "limits", "message"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", {"timeout": 0.3, "deadline": 0.6}, "deadline"),
        (b"HTTP/1.1 200 OK\r\nX: ", {"timeout": 0.3, "deadline": 0.6}, "timeout"),
        (b"HTTP/1.1 200 OK\r\nX: ", {"timeout": 10, "deadline": 0.3}, "deadline"),
    ],
    ids=["body", "headers without an end", "headers beyond the deadline"],
)
def test_a_server_that_drips_is_stopped(raw_server, extract, begin, limits, message):
    def drip(connection: socket.socket) -> None:
        connection.settimeout(0.01)
        connection.sendall(begin)
        while True:
            try:
                connection.sendall(b"x")
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return

    url = raw_server(drip)
    with pytest.raises(TemporaryError, match=rf"\({message}\)$"):
        extract(url, **limits)


def test_a_truncated_body_is_tried_again(site, extract):
    site.pages["/a"] = Response("x" * 1000, headers={"Content-Length": "2000"}, broken="in the body")
    with pytest.raises(TemporaryError, match="/a: the answer broke off: "):
        extract(site.url("/a"))


def test_truncated_chunks_are_tried_again(site, extract):
    site.pages["/a"] = Response("x" * 20_000, chunked=True, broken="in the body")
    with pytest.raises(TemporaryError, match="/a: the answer broke off: "):
        extract(site.url("/a"))


def test_a_server_that_hangs_up_is_tried_again(site, extract):
    site.pages["/a"] = Response("x", broken="at once")
    with pytest.raises(TemporaryError, match="/a: the answer broke off: Server disconnected"):
        extract(site.url("/a"))


def test_a_reset_connection_is_tried_again(raw_server, extract):
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with pytest.raises(TemporaryError, match="the answer broke off: "):
        extract(raw_server(reset))


def test_an_answer_that_is_not_http_is_tried_again(raw_server, extract):
    with pytest.raises(TemporaryError, match="the answer is no HTTP: "):
        extract(raw_server(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9\r\n\r\n")))


def test_a_refused_connection_is_tried_again(extract):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TemporaryError, match=r"the connection failed: .*Connect call failed"):
        extract(f"http://127.0.0.1:{port}/a")


def test_a_connection_that_does_not_come_about_is_tried_again(extract):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        # A full queue: the kernel answers no further connection.
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        with pytest.raises(TemporaryError) as caught:
            extract(f"http://127.0.0.1:{address[1]}/a", connect_timeout=0.2)
        for one in waiting:
            one.close()
    assert str(caught.value).endswith("/a: no connection within 0.2 s (connect_timeout)")


@pytest.mark.parametrize("url", ["http://a..b/", f"http://{'a' * 64}.example/"])
def test_a_host_that_is_no_name_is_an_error(refused, url):
    message = refused(url)
    assert "not an address that can be fetched" in message


def test_a_connection_is_used_again_after_an_error_page(site):
    site.pages["/a"] = "a"

    async def several() -> None:
        async with HttpExtractor(concurrency=1) as extractor:
            for path in ("/none", "/a", "/none", "/a"):
                await asyncio.gather(extractor.extract(view(site.url(path))), return_exceptions=True)

    asyncio.run(several())
    assert [request.path for request in site.requests] == ["/none", "/a", "/none", "/a"]


@pytest.mark.parametrize("option", ["http_proxy", "all_proxy"])
@pytest.mark.parametrize(
    "proxy", ["socks5://ada:s3cr3t@127.0.0.1:1", "ada:s3cr3t@127.0.0.1:99999", "http://ada:s3/cr3t@x"]
)
def test_a_proxy_that_cannot_be_one_is_told_without_its_password(refused, monkeypatch, option, proxy):
    monkeypatch.setenv(option, proxy)
    message = refused("http://old.example.org/a")
    assert "the environment names the proxy " in message
    assert "expected an http one such as http://proxy.example.org:3128" in message
    assert "s3" not in message


def test_a_proxy_that_does_not_answer_is_named_as_what_failed(extract, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://ada:s3cr3t@127.0.0.1:1")
    with pytest.raises(TemporaryError, match="the proxy of the environment failed: ") as caught:
        extract("http://old.example.org/a")
    assert "s3cr3t" not in str(caught.value)
