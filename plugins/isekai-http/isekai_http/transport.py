"""How pages are fetched: httpx's interface over aiohttp's connections.

httpx's own transport takes many times the CPU of aiohttp for a page; the measurements, with how to
repeat them, are in the repository's `benchmarks/transport.md`. The ready-made bridge between the two
rewrites the escapes of a URL, which breaks signed addresses, keeps cookies, and reports a server that
hung up as a timeout: so the bridge is here. It can serve any `httpx.AsyncClient`.
"""

import ssl
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Self

import aiohttp
import httpx
from yarl import URL

from isekai_http.proxies import Proxies

_LONGEST_HEADER = 64 * 1024
"""Bytes: policies and cookies are longer than the 8 KiB that aiohttp takes, and browsers take more than this."""

# The first that fits: aiohttp's errors inherit from several of each other.
_TRANSLATION: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol),
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (TimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientProxyConnectionError, httpx.ProxyError),
    (aiohttp.ClientHttpProxyError, httpx.ProxyError),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError),
    (aiohttp.ClientError, httpx.ReadError),
    (OSError, httpx.ReadError),
    (ValueError, httpx.UnsupportedProtocol),  # a host that is no name
)
_FAULTS = (aiohttp.ClientError, OSError, ValueError)


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends httpx requests over at most `connections` connections.

    connections: how many at once; further requests wait.
    verify: False accepts any certificate.

    Redirects, cookies and content codings are left to the caller, as with httpx's own. The request
    extensions `timeout` (connect and read) and `target` (sent as it is, instead of the URL's path) count.
    The proxies of the environment are used, never for this machine itself.
    """

    def __init__(self, *, connections: int = 16, verify: bool = True) -> None:
        self._connections = connections
        self._verify = verify
        self._proxies = Proxies()
        self._session: aiohttp.ClientSession | None = None
        self._trust: ssl.SSLContext | None = None

    async def __aenter__(self) -> Self:
        self._session = self._open()
        return self

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`; the body of the response is read from its stream. Raises `httpx.TransportError`."""
        session = self._session = self._session or self._open()
        timeout = request.extensions.get("timeout", {})
        try:
            answer = await session.request(
                request.method,
                _address(request),
                headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
                data=None if request.method == "GET" else await request.aread() or None,
                allow_redirects=False,
                timeout=_client_timeout(timeout.get("connect"), timeout.get("read")),
                ssl=self._trusted() if request.url.scheme == "https" else True,
                proxy=self._proxies.for_host(request.url.scheme, request.url.host) if self._proxies else None,
            )
        except _FAULTS as error:
            raise _translated(error, request) from error
        return httpx.Response(
            answer.status,
            headers=answer.raw_headers,
            stream=_Stream(answer, request),
            extensions={"reason_phrase": (answer.reason or "").encode("latin-1", "replace")},
        )

    async def aclose(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        )

    def _trusted(self) -> ssl.SSLContext:
        # The authorities that httpx trusts, so that one address means the same to every part of the plugin.
        if self._trust is None:
            self._trust = httpx.create_ssl_context(verify=self._verify)
        return self._trust


class _Stream(httpx.AsyncByteStream):
    """The body of an answer, as it arrives."""

    # No generator: asyncio keeps a list of those, which takes longer than all that is done here.

    def __init__(self, answer: aiohttp.ClientResponse, request: httpx.Request) -> None:
        self._answer = answer
        self._request = request

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._answer.content.readany()
        except _FAULTS as error:
            raise _translated(error, self._request) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        # A connection whose body was read to its end is kept for the next request, any other is closed.
        self._answer.release()


def _address(request: httpx.Request) -> URL:
    # Built from parts: the password of a URL is in the headers by now, and yarl must not change escapes.
    target = request.extensions.get("target") or request.url.raw_path
    return URL(f"{request.url.scheme}://{request.url.netloc.decode()}{target.decode()}", encoded=True)


@lru_cache(maxsize=64)
def _client_timeout(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=connect, sock_read=read)


def _translated(error: Exception, request: httpx.Request) -> httpx.TransportError:
    kind = next(ours for theirs, ours in _TRANSLATION if isinstance(error, theirs))
    # Of an answer that is no HTTP aiohttp makes a status of its own, 400, which no server has said.
    said = error.message if type(error) is aiohttp.ClientResponseError else str(error)
    return kind(said or type(error).__name__, request=request)
