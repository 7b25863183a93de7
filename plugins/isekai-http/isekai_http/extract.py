"""The `http` extractor: brings the page or file of a `url` key, many at once, a bounded part in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Self, cast

import httpx

from isekai_core.errors import ExtractError, TemporaryError
from isekai_core.types import Body, Extraction, Key, Payload, PayloadKind, ResourceView
from isekai_http import content
from isekai_http.answers import REDIRECTS, failure, is_downgrade, next_address, refusal, shown
from isekai_http.body import Intake, blocks, head
from isekai_http.disposition import filename
from isekai_http.identity import Identity
from isekai_http.transport import AiohttpTransport, Client

TEXT_IN_MEMORY = 1024 * 1024
BLOB_IN_MEMORY = 64 * 1024

_NO_AUTH = httpx.Auth()
_NO_BODY = httpx.ByteStream(b"")
_KNOWN_ORIGINS = 4096


@dataclass(kw_only=True, eq=False)
class HttpExtractor:
    """Fetches `url` keys over HTTP.

    concurrency: how many resources at once, and how many connections.
    timeout: seconds that the server may be silent.
    connect_timeout: seconds until there is a connection.
    deadline: seconds that one resource may take in all, redirects included.
    max_bytes: the most that a resource may have, after its content-encoding is undone.
    max_redirects: how many redirects are followed.
    user_agent: who we say we are; `isekai-http/` and its version without it.
    headers: further request headers, sent to `hosts` only.
    username, password: for Basic authentication, sent to `hosts` only.
    hosts: the hosts that headers, username and password are meant for; `*` means every host.
    verify: False accepts any certificate, such as that of a legacy site that nobody renews.
    """

    accepts: ClassVar[Sequence[str]] = ("url",)
    neutral_options: ClassVar[Sequence[str]] = ("concurrency", "timeout", "connect_timeout", "deadline")
    secret_options: ClassVar[Sequence[str]] = ("headers", "username", "password")

    concurrency: int = 16
    timeout: float = 30.0
    connect_timeout: float = 10.0
    deadline: float = 600.0
    max_bytes: int = 100 * 1024 * 1024
    max_redirects: int = 10
    user_agent: str = ""
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    hosts: Sequence[str] = ()
    verify: bool = True

    def __post_init__(self) -> None:
        for name in ("concurrency", "timeout", "connect_timeout", "deadline", "max_bytes"):
            if not getattr(self, name) > 0:
                msg = f"{name} must be greater than 0, got {getattr(self, name)!r}"
                raise ValueError(msg)
        if self.max_redirects < 0:
            msg = f"max_redirects must not be negative, got {self.max_redirects!r}"
            raise ValueError(msg)
        self._identity = Identity(
            user_agent=self.user_agent,
            headers=self.headers or {},
            username=self.username,
            password=self.password,
            hosts=self.hosts,
        )
        self._timeout = httpx.Timeout(self.timeout, connect=self.connect_timeout)
        self._origins: dict[tuple[str, bool], tuple[httpx.URL, httpx.Headers]] = {}
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        if self._client is not None:
            msg = "this http extractor is open already; make another one for another run"
            raise RuntimeError(msg)
        transport = AiohttpTransport(connections=self.concurrency, verify=self.verify)
        self._client = await Client(transport=transport, timeout=self._timeout).__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def extract(self, resource: ResourceView) -> Extraction:
        """The text or the blob at the resource's address.

        Raises `TemporaryError` for what may pass (a timeout, a lost connection, 408, 425, 429, 5xx) and
        `ExtractError` for what stays (any other status, an empty or too large body, a bad redirect).
        """
        try:
            async with asyncio.timeout(self.deadline):
                return await self._fetch(resource.key)
        except TimeoutError:
            msg = f"{shown(resource.key.value)}: not complete within {self.deadline:g} s (deadline)"
            raise TemporaryError(msg) from None

    async def _fetch(self, key: Key) -> Extraction:
        """Follow the redirects from `key`, and read what is at their end."""
        url, downgraded, seen = key.value, False, {key.value}
        while True:
            response = await self._send(url, downgraded=downgraded)
            try:
                if response.status_code not in REDIRECTS:
                    return await self._read(key, url, response)
                target = next_address(url, response)
            finally:
                await response.aclose()
            if target in seen or len(seen) > self.max_redirects:
                raise self._lost(key, target, circle=target in seen)
            downgraded = downgraded or is_downgrade(url, target)
            seen.add(target)
            url = target

    async def _send(self, url: str, *, downgraded: bool) -> httpx.Response:
        if self._client is None:
            msg = "the http extractor is not open; use it in an 'async with' block"
            raise RuntimeError(msg)
        try:
            return await self._client.send(
                self._request(url, downgraded=downgraded),
                stream=True,
                auth=_NO_AUTH,
                follow_redirects=False,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise failure(url, error, self._timeout) from error

    def _request(self, url: str, *, downgraded: bool) -> httpx.Request:
        """A GET, at the price of a page's path: address and headers of a host are made once.

        httpx takes as long to take a URL apart as aiohttp takes to send a request; the path needs no
        taking apart, and is sent as the page wrote it.
        """
        split = url.find("/", url.find("://") + 3)
        origin, path = (url, "/") if split < 0 else (url[:split], url[split:])
        known = self._origins.get((origin, downgraded))
        if known is None:
            if len(self._origins) >= _KNOWN_ORIGINS:
                self._origins.clear()
            known = httpx.URL(origin), httpx.Headers(self._identity.headers_for(origin, downgraded=downgraded))
            self._origins[origin, downgraded] = known
        extensions = {"timeout": self._timeout.as_dict(), "target": path.encode("ascii")}
        return httpx.Request("GET", known[0], headers=known[1], stream=_NO_BODY, extensions=extensions)

    def _lost(self, key: Key, target: str, *, circle: bool) -> ExtractError:
        where = shown(key.value)
        if circle:
            return ExtractError(f"{where}: redirects in a circle, back to {shown(target)}")
        return ExtractError(f"{where}: more than {self.max_redirects} redirects (max_redirects), last to {shown(target)}")

    async def _read(self, key: Key, url: str, response: httpx.Response) -> Extraction:
        if error := refusal(url, response):
            raise error
        media_type, charset = content.parse_content_type(response.headers.get("content-type", ""))
        in_memory = TEXT_IN_MEMORY if content.is_text(media_type) else BLOB_IN_MEMORY
        with Intake(url, response, max_bytes=self.max_bytes, in_memory=in_memory) as intake:
            # The stream itself: httpx's iterators over it cost a tenth of the request.
            try:
                async for chunk in cast("httpx.AsyncByteStream", response.stream):
                    intake.take(chunk)
            except httpx.HTTPError as error:
                raise failure(url, error, self._timeout) from error
            body = intake.finish()
        final_key = Key("url", url) if url != key.value else key
        return Extraction(
            payload=_payload(media_type, charset, body),
            metadata=_metadata(response.headers),
            final_key=None if final_key == key else final_key,
        )


def _payload(media_type: str, charset: str | None, body: Body) -> Payload:
    first = head(body, content.HEAD)
    media_type = media_type or content.sniff(first)
    if not content.is_text(media_type):
        return Payload(PayloadKind.BLOB, media_type, body)
    codec = content.charset(media_type, charset, first, partial(blocks, body))
    return Payload(PayloadKind.TEXT, media_type, body, codec)


def _metadata(headers: httpx.Headers) -> dict[str, Any]:
    """What the source says of the body; chosen by name, so that a cookie never gets in."""
    said = {
        "etag": headers.get("etag"),
        "last_modified": headers.get("last-modified"),
        "content_language": headers.get("content-language"),
        "filename": filename(headers.get("content-disposition", "")),
    }
    return {name: value for name, value in said.items() if value}
