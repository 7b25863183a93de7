"""The `http` extractor: brings the page or file of a `url` key, many at once, a bounded part in memory."""

from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Self, cast
from urllib.parse import urlsplit

import httpx

from isekai_core.errors import ExtractError, SkipResource, TemporaryError
from isekai_core.types import Body, Extraction, Key, Payload, PayloadKind, ResourceView
from isekai_http import content
from isekai_http.answers import REDIRECTS, failure, headers_of, is_downgrade, next_address, refusal, shown, without_user
from isekai_http.body import Intake, blocks, head
from isekai_http.disposition import filename
from isekai_http.identity import EVERY_HOST, Identity, host_name
from isekai_http.transport import AiohttpTransport
from isekai_http.watch import Expired, Limit, Watch

TEXT_IN_MEMORY = 1024 * 1024
BLOB_IN_MEMORY = 64 * 1024
_NO_BODY = httpx.ByteStream(b"")
_KNOWN_ORIGINS = 4096
_COOKIES = "; it sets a cookie and gets none back: where it asks for one, give headers with that Cookie, and hosts"
_PAGES = ("text/html", "application/xhtml+xml")

Heard = Callable[[], None]


@dataclass(kw_only=True, eq=False)
class HttpExtractor:
    """Fetches `url` keys over HTTP.

    concurrency: how many resources at once, and how many connections.
    timeout: seconds that the server may be silent.
    connect_timeout: seconds until there is a connection.
    deadline: seconds that one resource may take in all, redirects included.
    max_bytes: the most that a resource may have, after its content-encoding is undone.
    max_redirects: how many redirects are followed.
    redirect_hosts: the hosts, beside its own, that a page which a miner found may redirect to; `*` means every host.
    user_agent: who we say we are; `isekai-http/` and its version without it.
    headers: further request headers, sent to `hosts` only.
    username: for Basic authentication, sent to `hosts` only.
    password: the same.
    hosts: the hosts that headers, username and password are meant for; `*` means every host.
    verify: false accepts any certificate, such as that of a legacy site that nobody renews.
    """

    accepts: ClassVar[Sequence[str]] = ("url",)
    produces: ClassVar[Sequence[str]] = ("*/*",)
    neutral_options: ClassVar[Sequence[str]] = ("concurrency", "timeout", "connect_timeout", "deadline")
    secret_options: ClassVar[Sequence[str]] = ("headers", "username", "password")

    concurrency: int = 16
    timeout: float = 30.0
    connect_timeout: float = 10.0
    deadline: float = 600.0
    max_bytes: int = 100 * 1024 * 1024
    max_redirects: int = 10
    redirect_hosts: Sequence[str] = ()
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
        self._redirect_hosts = frozenset(map(host_name, self.redirect_hosts))
        self._identity = Identity(
            user_agent=self.user_agent,
            headers=self.headers or {},
            username=self.username,
            password=self.password,
            hosts=self.hosts,
        )
        self._timeout = httpx.Timeout(self.timeout, connect=self.connect_timeout)
        self._origins: dict[tuple[str, bool], tuple[httpx.URL, httpx.Headers]] = {}
        self._open: tuple[httpx.AsyncBaseTransport, Watch] | None = None

    async def __aenter__(self) -> Self:
        if self._open is not None:
            msg = "this http extractor is open already; make another one for another run"
            raise RuntimeError(msg)
        transport = AiohttpTransport(connections=self.concurrency, verify=self.verify)
        self._open = await transport.__aenter__(), Watch(silence=self.timeout, deadline=self.deadline)
        return self

    async def __aexit__(self, *error: object) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            transport, watch = opened
            watch.stop()
            await transport.aclose()

    async def extract(self, resource: ResourceView) -> Extraction:
        """The text or the blob at the resource's address.

        Raises `TemporaryError` for what may pass (a timeout, a lost connection, 408, 425, 429, 5xx) and
        `ExtractError` for what stays (any other status, an empty or too large body, a bad redirect), and
        `SkipResource` for a page that was mined and redirects to one of another host.
        """
        if self._open is None:
            msg = "the http extractor is not open; use it in an 'async with' block"
            raise RuntimeError(msg)
        transport, watch = self._open
        try:
            with watch.over() as request:
                return await self._fetch(transport, resource, request.heard)
        except Expired as expired:
            raise self._too_slow(resource.key, expired.limit) from None

    async def _fetch(self, transport: httpx.AsyncBaseTransport, resource: ResourceView, heard: Heard) -> Extraction:
        """Follow the redirects from the resource's address, and read what is at their end."""
        key = resource.key
        url, downgraded, seen = key.value, False, {key.value}
        while True:
            # The transport itself: httpx's client does redirects, cookies and passwords in its own way, and
            # takes its time for that.
            try:
                response = await transport.handle_async_request(self._request(url, downgraded=downgraded))
            except httpx.TransportError as error:
                raise failure(url, error, self._timeout) from error
            heard()
            try:
                if response.status_code not in REDIRECTS:
                    return await self._read(resource, url, response, heard)
                target = next_address(url, response)
            finally:
                await response.aclose()
            if target in seen or len(seen) > self.max_redirects:
                hint = _COOKIES if "set-cookie" in response.headers else ""
                raise self._lost(key, target, hint, circle=target in seen)
            downgraded = downgraded or is_downgrade(url, target)
            seen.add(target)
            url = target

    def _request(self, url: str, *, downgraded: bool) -> httpx.Request:
        """A GET. Address and headers of a host are made once, and the path is sent as it was written.

        To take a URL apart costs httpx a third of what aiohttp needs to fetch it.
        """
        split = url.index("/", url.index("://") + 3)
        origin, path = url[:split], url[split:]
        known = self._origins.get((origin, downgraded))
        if known is None:
            if len(self._origins) >= _KNOWN_ORIGINS:
                self._origins.clear()
            known = httpx.URL(origin), httpx.Headers(self._identity.headers_for(origin, downgraded=downgraded))
            self._origins[origin, downgraded] = known
        extensions = {"timeout": {"connect": self.connect_timeout}, "target": path.encode("ascii")}
        return httpx.Request("GET", known[0], headers=known[1], stream=_NO_BODY, extensions=extensions)

    async def _read(self, resource: ResourceView, url: str, response: httpx.Response, heard: Heard) -> Extraction:
        if refused := refusal(url, response):
            raise refused
        headers = headers_of(response)
        media_type, charset = content.parse_content_type(headers.get("content-type", ""))
        in_memory = TEXT_IN_MEMORY if content.is_text(media_type) else BLOB_IN_MEMORY
        with Intake(url, headers, max_bytes=self.max_bytes, in_memory=in_memory) as intake:
            try:
                async for chunk in cast("AsyncIterable[bytes]", response.stream):
                    heard()
                    intake.take(chunk)
            except httpx.TransportError as error:
                raise failure(url, error, self._timeout) from error
            body = intake.finish()
        key, payload = resource.key, _payload(media_type, charset, body)
        if resource.depth and payload.media_type in _PAGES and self._leaves(key.value, url):
            msg = f"redirects to a page of another host, {shown(url)}; redirect_hosts names those that are wanted"
            raise SkipResource(msg)
        final_key = Key("url", without_user(url)) if url != key.value else key
        return Extraction(
            payload=payload,
            metadata=_metadata(headers),
            final_key=None if final_key == key else final_key,
        )

    def _leaves(self, url: str, target: str) -> bool:
        """Whether a redirect leads to another site.

        Which sites are gone through is for the pipeline to say: a miner goes on from what it is given, and a page
        that sends its readers elsewhere would have it go through all that is there.
        """
        host = urlsplit(target).hostname or ""
        wanted = EVERY_HOST in self._redirect_hosts or host in self._redirect_hosts
        return not wanted and _site(url) != _site(target)

    def _lost(self, key: Key, target: str, hint: str, *, circle: bool) -> ExtractError:
        where, last = shown(key.value), shown(target) + hint
        if circle:
            return ExtractError(f"{where}: redirects in a circle, back to {last}")
        return ExtractError(f"{where}: more than {self.max_redirects} redirects (max_redirects), the last to {last}")

    def _too_slow(self, key: Key, limit: Limit) -> TemporaryError:
        if limit == "silence":
            return TemporaryError(f"{shown(key.value)}: the server sent nothing for {self.timeout:g} s (timeout)")
        return TemporaryError(f"{shown(key.value)}: not complete within {self.deadline:g} s (deadline)")


def _site(url: str) -> tuple[str, int | None]:
    """The host and the port, without what many sites answer to as well: www, and either scheme's own port."""
    parts = urlsplit(url)
    return (parts.hostname or "").removeprefix("www."), None if parts.port in (80, 443) else parts.port


def _payload(media_type: str, charset: str | None, body: Body) -> Payload:
    first = head(body, content.HEAD)
    media_type = media_type or content.sniff(first)
    if not content.is_text(media_type):
        return Payload(PayloadKind.BLOB, media_type, body)
    codec = content.charset(media_type, charset, first, partial(blocks, body))
    return Payload(PayloadKind.TEXT, media_type, body, codec)


def _metadata(headers: Mapping[str, str]) -> dict[str, Any]:
    """What the source says of the body; chosen by name, so that a cookie never gets in."""
    disposition = headers.get("content-disposition")
    said = {
        "etag": headers.get("etag"),
        "last_modified": headers.get("last-modified"),
        "content_language": headers.get("content-language"),
        "filename": filename(disposition) if disposition else None,
    }
    return {name: value for name, value in said.items() if value}
