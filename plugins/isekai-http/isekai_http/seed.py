"""The `sitemap` seeder: every page that a site's sitemaps name, as one `url` key each."""

import logging
import re
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urljoin, urlsplit

import httpx

from isekai_core.errors import SeedError, TemporaryError
from isekai_core.types import Body, Key, Seed
from isekai_core.types.keys import canonical_url
from isekai_http.answers import shown, without_user
from isekai_http.body import blocks, head
from isekai_http.fetch import Fetcher
from isekai_http.identity import Identity
from isekai_http.inflate import Inflater, is_gzip
from isekai_http.lastmod import to_utc
from isekai_http.proxies import LOCAL, Proxies
from isekai_http.sitemap import Entry, SitemapFault, read_entries, read_robots

logger = logging.getLogger(__name__)

_WHERE_TO_LOOK = "; check the address, or give that of the site's robots.txt, which names its sitemaps"
_FAULTS_SHOWN = 5
_ABSOLUTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
# Where the environment names a proxy, it is for other machines.
_NO_PROXY = {f"all://[{host}]" if ":" in host else f"all://{host}": None for host in LOCAL}


@dataclass(frozen=True, slots=True)
class _Place:
    """A sitemap that is still to be read, and how many indexes led to it."""

    url: str
    depth: int = 0

    @property
    def is_robots(self) -> bool:
        return urlsplit(self.url).path.endswith("/robots.txt")


@dataclass(kw_only=True, eq=False)
class SitemapSeeder:
    """Gives the pages that sitemaps name: urlsets, plain texts, indexes of those, also compressed, or a robots.txt.

    A page's lastmod becomes the seed's version, in UTC; changefreq and priority its metadata, as they stand.
    A `<loc>` that is no address is left out and logged as a warning. A sitemap that cannot be read does not
    stop the others: the error comes after them, and names it.

    url: the address of a sitemap, of an index, or of a robots.txt; or several of them.
    timeout: seconds that the server may be silent.
    connect_timeout: seconds until there is a connection.
    deadline: seconds that the download of one sitemap may take.
    max_bytes: the most that one sitemap may have, decompressed.
    max_depth: how many indexes may lead to a sitemap, one inside the other.
    max_sitemaps: the most sitemaps that are read.
    tries: how often a sitemap is asked for, when the fault may pass.
    wait: seconds before the second try, doubled for each further one, unless the server says how long.
    user_agent: who we say we are; `isekai-http/` and its version without it.
    headers: further request headers, sent to the hosts of `url`, and to no other.
    username: for Basic authentication, sent to the same hosts.
    password: the same.
    verify: false accepts any certificate, such as that of a legacy site that nobody renews.
    """

    produces: ClassVar[Sequence[str]] = ("url",)
    neutral_options: ClassVar[Sequence[str]] = ("timeout", "connect_timeout", "deadline", "tries", "wait")
    secret_options: ClassVar[Sequence[str]] = ("headers", "username", "password")

    url: str | list[str]
    timeout: float = 30.0
    connect_timeout: float = 10.0
    deadline: float = 300.0
    max_bytes: int = 64 * 1024 * 1024
    max_depth: int = 3
    max_sitemaps: int = 10_000
    tries: int = 3
    wait: float = 1.0
    user_agent: str = ""
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    verify: bool = True

    def __post_init__(self) -> None:
        for name in ("timeout", "connect_timeout", "deadline", "max_bytes", "max_sitemaps", "tries"):
            if not getattr(self, name) > 0:
                msg = f"{name} must be greater than 0, got {getattr(self, name)!r}"
                raise ValueError(msg)
        for name in ("max_depth", "wait"):
            if getattr(self, name) < 0:
                msg = f"{name} must not be negative, got {getattr(self, name)!r}"
                raise ValueError(msg)
        urls = [self.url] if isinstance(self.url, str) else list(self.url)
        if not urls:
            msg = "url needs at least one address, got none"
            raise ValueError(msg)
        self._urls = [_canonical(url) for url in urls]
        self._identity = Identity(
            user_agent=self.user_agent,
            headers=self.headers or {},
            username=self.username,
            password=self.password,
            hosts=[urlsplit(url).hostname or "" for url in self._urls],
        )

    def seed(self) -> Iterator[Seed]:
        """The pages, in the order of the sitemaps; `SeedError` at the end for what could not be read."""
        waiting = deque(_Place(url) for url in self._urls)
        seen: set[str] = set()
        faults: list[str] = []
        with self._client() as client:
            fetcher = self._fetcher(client)
            while waiting and len(seen) < self.max_sitemaps:
                place = waiting.popleft()
                if place.url in seen:
                    logger.warning("%s is listed more than once, it is read once", shown(place.url))
                    continue
                seen.add(place.url)
                found: list[_Place] = []
                try:
                    yield from self._read(fetcher, place, found)
                except SeedError as error:
                    faults.append(_told(place, error))
                waiting.extendleft(reversed(found))
        if faults or waiting:
            raise SeedError(_summary(faults, len(seen), len(waiting)))

    def _client(self) -> httpx.Client:
        try:
            # httpx would fail on such a proxy, too, in as many ways as there are.
            Proxies().check()
        except ValueError as error:
            raise SeedError(str(error)) from None
        timeout = httpx.Timeout(self.timeout, connect=self.connect_timeout)
        return httpx.Client(timeout=timeout, verify=self.verify, mounts=_NO_PROXY)

    def _fetcher(self, client: httpx.Client) -> Fetcher:
        return Fetcher(
            client=client,
            identity=self._identity,
            timeout=client.timeout,
            deadline=self.deadline,
            max_bytes=self.max_bytes,
            tries=self.tries,
            wait=self.wait,
        )

    def _read(self, fetcher: Fetcher, place: _Place, found: list[_Place]) -> Iterator[Seed]:
        """The seeds of one sitemap; the sitemaps that it names are added to `found`."""
        if place.depth > self.max_depth:
            msg = f"{shown(place.url)}: not read, more than {self.max_depth} indexes lead to it (max_depth)"
            raise SeedError(msg)
        with fetcher.fetch(place.url) as fetched:
            try:
                for entry in _entries(place, fetched.body, self.max_bytes):
                    address = _address(entry, fetched.url)
                    if address is not None and entry.kind == "url":
                        yield _seed(address, entry, fetched.url)
                    elif address is not None:
                        found.append(_Place(address.value, place.depth + (not place.is_robots)))
            except (SitemapFault, EOFError, zlib.error) as error:
                msg = f"{shown(place.url)}: {error}"
                raise SeedError(msg) from error


def _entries(place: _Place, body: Body, max_bytes: int) -> Iterator[Entry]:
    if not place.is_robots:
        return read_entries(_plain(body, max_bytes))
    return read_robots(b"".join(blocks(body)))


def _plain(body: Body, max_bytes: int) -> Iterator[bytes]:
    """The blocks of `body`, decompressed when it is gzip, whatever its name and its headers say."""
    if not is_gzip(head(body, 2)):
        yield from blocks(body)
        return
    inflater, size = Inflater("gzip"), 0
    for block in blocks(body):
        for piece in inflater.feed(block):
            size += len(piece)
            if size > max_bytes:
                msg = f"expected at most {max_bytes} bytes decompressed (max_bytes), got more"
                raise SitemapFault(msg)
            yield piece
    inflater.finish()


def _address(entry: Entry, base: str) -> Key | None:
    """Where `entry` points to; None, with a warning that names it, when that is nowhere."""
    loc = entry.fields.get("loc", "")
    if not loc:
        logger.warning("%s, line %d: left out, a <loc> is missing or empty", shown(base), entry.line)
        return None
    try:
        return Key("url", loc if _ABSOLUTE.match(loc) else urljoin(base, loc))
    except ValueError as error:
        logger.warning("%s, line %d: left out %r: %s", shown(base), entry.line, shown(loc), error)
        return None


def _seed(key: Key, entry: Entry, base: str) -> Seed:
    lastmod = entry.fields.get("lastmod", "")
    version = to_utc(lastmod)
    if lastmod and version is None:
        logger.warning("%s, line %d: not a lastmod: %r", shown(base), entry.line, lastmod[:60])
    metadata = {name: entry.fields[name] for name in ("changefreq", "priority") if entry.fields.get(name)}
    return Seed(key, metadata, version=version)


def _told(place: _Place, error: SeedError) -> str:
    passing = isinstance(error.__cause__, TemporaryError)
    return str(error) if place.depth or place.is_robots or passing else f"{error}{_WHERE_TO_LOOK}"


def _summary(faults: list[str], count: int, left: int) -> str:
    said = []
    if faults:
        more = [f"and {len(faults) - _FAULTS_SHOWN} more"] if len(faults) > _FAULTS_SHOWN else []
        told = "; ".join(faults[:_FAULTS_SHOWN] + more)
        said.append(told if count == 1 else f"{len(faults)} of {count} sitemaps could not be read: {told}")
    if left:
        said.append(f"{count} sitemaps were read, {left} more were not (max_sitemaps)")
    return "; ".join(said)


def _canonical(url: str) -> str:
    """The canonical address of a sitemap. It may hold a user and a password, which no key may."""
    Key("url", without_user(url.strip()))
    return canonical_url(url.strip())
