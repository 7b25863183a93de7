"""The transport behind any `httpx.AsyncClient`: httpx's interface, aiohttp's connections."""

import asyncio
import gc
import socket

import httpx
import pytest
from isekai_http.transport import AiohttpTransport

from isekai_core.testing import Response


def get(url: str, **options) -> httpx.Response:
    return send("GET", url, **options)


def send(method: str, url: str, *, transport: dict | None = None, **options) -> httpx.Response:
    client_options = {name: options.pop(name) for name in ("follow_redirects", "auth", "timeout") if name in options}

    async def once() -> httpx.Response:
        async with httpx.AsyncClient(transport=AiohttpTransport(**transport or {}), **client_options) as client:
            return await client.request(method, url, **options)

    return asyncio.run(once())


def test_serves_an_httpx_client(site):
    site.pages["/a"] = Response("é", headers={"X-Said": "yes"})
    response = get(site.url("/a"), headers={"X-Asked": "this"})
    assert (response.status_code, response.reason_phrase, response.text) == (200, "OK", "é")
    assert response.headers["x-said"] == "yes"
    assert site.requests[0].headers["x-asked"] == "this"


def test_leaves_redirects_and_passwords_to_httpx(site):
    site.pages["/a"] = Response.redirect("/b")
    site.pages["/b"] = lambda request: Response(request.headers["authorization"])
    response = get(site.url("/a"), follow_redirects=True, auth=("ada", "pw"))
    assert [one.status_code for one in response.history] == [302]
    assert response.text == "Basic YWRhOnB3"


def test_leaves_content_codings_to_httpx(site):
    site.pages["/a"] = Response(b"not gzip", headers={"Content-Encoding": "gzip"})
    with pytest.raises(httpx.DecodingError):
        get(site.url("/a"))


def test_sends_a_body(site):
    site.pages["/a"] = lambda request: Response(request.body)
    assert send("POST", site.url("/a"), content=b"some bytes").text == "some bytes"


def test_streams_a_body(site):
    site.pages["/a"] = Response("x" * 300_000)

    async def sizes() -> list[int]:
        client = httpx.AsyncClient(transport=AiohttpTransport())
        async with client, client.stream("GET", site.url("/a")) as response:
            return [len(chunk) async for chunk in response.aiter_raw()]

    got = asyncio.run(sizes())
    assert sum(got) == 300_000
    assert len(got) > 1


def test_works_without_being_entered(site):
    site.pages["/a"] = "a"

    async def once() -> bytes:
        transport = AiohttpTransport()
        response = await transport.handle_async_request(httpx.Request("GET", site.url("/a")))
        content = await response.aread()
        await response.aclose()
        await transport.aclose()
        await transport.aclose()
        return content

    assert asyncio.run(once()) == b"a"


@pytest.mark.parametrize("path", ["/a%2Cb?q=a%2Cb%3Bc&sig=x%2By%2F", "/?q=[1]|x"])
def test_changes_no_escape_of_a_url(site, path):
    site.pages[path] = "here"
    assert get(site.url(path)).text == "here"


def test_sends_a_target_as_it_is(site):
    site.pages["/%7e?[x]"] = "here"
    assert get(site.url("/"), extensions={"target": b"/%7e?[x]"}).text == "here"


def test_keeps_no_cookies_of_its_own(site):
    site.pages["/a"] = Response("a", headers={"Set-Cookie": "session=1"})

    async def twice() -> None:
        async with AiohttpTransport() as transport:
            for _ in range(2):
                response = await transport.handle_async_request(httpx.Request("GET", site.url("/a")))
                await response.aread()

    asyncio.run(twice())
    assert ["cookie" in request.headers for request in site.requests] == [False, False]


def test_has_no_more_connections_than_it_may(site):
    site.pages["/a"] = "a"

    async def many() -> None:
        async with httpx.AsyncClient(transport=AiohttpTransport(connections=3)) as client:
            await asyncio.gather(*(client.get(site.url("/a")) for _ in range(30)))

    asyncio.run(many())
    assert site.count("/a") == 30
    assert 1 <= site.most_at_once <= 3


# Errors


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Response("x", stall="at once"), httpx.ReadTimeout),
        (Response("x" * 1000, stall="in the body"), httpx.ReadTimeout),
        (Response("x", broken="at once"), httpx.ReadError),
        (Response("x" * 1000, broken="in the body"), httpx.ReadError),
        (Response("x" * 9000, broken="in the body", chunked=True), httpx.ReadError),
    ],
    ids=["silent", "silent in the body", "hung up", "truncated", "truncated chunks"],
)
def test_errors_are_those_of_httpx(site, response, error):
    site.pages["/a"] = response
    with pytest.raises(error) as caught:
        get(site.url("/a"), timeout=0.2)
    assert str(caught.value)
    assert caught.value.request.url == site.url("/a")


def test_an_answer_that_is_not_http_is_a_protocol_error(raw_server):
    with pytest.raises(httpx.RemoteProtocolError):
        get(raw_server(lambda connection: connection.sendall(b"SSH-2.0\r\n\r\n")))


def test_a_refused_connection_is_a_connect_error():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(httpx.ConnectError):
        get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "http://a..b/"])
def test_an_address_that_cannot_be_fetched_is_an_unsupported_protocol(url):
    with pytest.raises(httpx.UnsupportedProtocol):
        get(url)


def test_an_untrusted_certificate_is_a_connect_error(https_site):
    with pytest.raises(httpx.ConnectError, match="self-signed certificate"):
        get(https_site.url("/a").replace("http:", "https:"))


def test_an_untrusted_certificate_can_be_accepted(https_site):
    https_site.pages["/a"] = "a"
    assert get(https_site.url("/a").replace("http:", "https:"), transport={"verify": False}).text == "a"


def test_a_body_that_nobody_read_leaves_nothing_open(site):
    site.pages["/a"] = Response("x" * 3_000_000)

    async def leave() -> int:
        async with AiohttpTransport() as transport:
            response = await transport.handle_async_request(httpx.Request("GET", site.url("/a")))
            await response.aclose()
            return response.status_code

    assert asyncio.run(leave()) == 200
    assert gc.collect() >= 0  # a forgotten socket would warn now, and a warning is an error


# Proxies


def test_the_proxy_of_the_environment_is_used(site, monkeypatch):
    monkeypatch.setenv("http_proxy", site.url())
    site.pages["http://old.example.org/a?b"] = "by proxy"
    assert get("http://old.example.org/a?b").text == "by proxy"


def test_a_proxy_may_be_named_without_a_scheme(site, monkeypatch):
    monkeypatch.setenv("http_proxy", f"ada:pw@127.0.0.1:{site.port}")
    site.pages["http://old.example.org/a"] = lambda request: Response(request.headers["proxy-authorization"])
    assert get("http://old.example.org/a").text == "Basic YWRhOnB3"


def test_headers_may_be_as_long_as_browsers_take_them(site):
    site.pages["/a"] = Response("é", headers={"Content-Security-Policy": "x" * 60_000})
    assert len(get(site.url("/a")).headers["content-security-policy"]) == 60_000


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_proxy_is_used_for_this_machine(site, monkeypatch, host):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    site.pages["/a"] = "direct"
    assert get(site.url("/a").replace("127.0.0.1", host)).text == "direct"


def test_no_proxy_is_used_for_whom_the_environment_exempts(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    monkeypatch.setenv("no_proxy", "127.0.0.2")
    with socket.create_server(("127.0.0.2", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(httpx.ConnectError, match=f"127.0.0.2:{port}"):
        get(f"http://127.0.0.2:{port}/")
