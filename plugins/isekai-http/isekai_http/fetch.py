"""Fetches one sitemap for the seeder: whole, bounded, with a few tries, before anything of it is used.

A sitemap is kept in a temporary file while its seeds are taken: whoever takes them may be slow, and a
server does not wait; and a download that breaks off can be tried again, because nothing was given yet.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from isekai_core.errors import ExtractError, SeedError, TemporaryError
from isekai_core.types import Body, Spool
from isekai_http.answers import REDIRECTS, failure, headers_of, is_downgrade, next_address, refusal, shown
from isekai_http.body import Intake
from isekai_http.identity import Identity

MAX_REDIRECTS = 10
LONGEST_WAIT = 60.0
"""Seconds: a server that asks for more than this is not waited for."""

_IN_MEMORY = 1024 * 1024


@dataclass(frozen=True)
class Fetched:
    """A downloaded file: its bytes, and the address that it came from in the end."""

    body: Body
    url: str


@dataclass(frozen=True, kw_only=True)
class Fetcher:
    """Downloads with an open `httpx.Client`.

    tries: how often at most, for what may pass.
    wait: seconds before the second try, doubled for each further one, unless the server says how long.
    """

    client: httpx.Client
    identity: Identity
    timeout: httpx.Timeout
    deadline: float
    max_bytes: int
    tries: int
    wait: float

    @contextmanager
    def fetch(self, url: str) -> Iterator[Fetched]:
        """The file at `url`, until the end of the block; `SeedError` when it cannot be had."""
        try:
            fetched = self._try_often(url)
        except TemporaryError as error:
            msg = f"{error}; tried {self.tries} times, run again later"
            raise SeedError(msg) from error
        except ExtractError as error:
            raise SeedError(str(error)) from error
        try:
            yield fetched
        finally:
            if isinstance(fetched.body, Spool):
                fetched.body.close()

    def _try_often(self, url: str) -> Fetched:
        for count in range(1, self.tries + 1):
            try:
                return self._try_once(url)
            except TemporaryError as error:
                wait = self.wait * 2 ** (count - 1) if error.retry_after is None else error.retry_after
                if count == self.tries:
                    raise
                if wait > LONGEST_WAIT:
                    msg = f"{error}; the server asks to wait {wait:.0f} s, run again after that"
                    raise ExtractError(msg) from error
                time.sleep(wait)
        msg = f"tries must be at least 1, got {self.tries}"
        raise ValueError(msg)

    def _try_once(self, url: str) -> Fetched:
        end = time.monotonic() + self.deadline
        downgraded = False
        for _ in range(MAX_REDIRECTS + 1):
            target = self._step(url, end, downgraded=downgraded)
            if isinstance(target, Fetched):
                return target
            downgraded = downgraded or is_downgrade(url, target)
            url = target
        msg = f"{shown(url)}: more than {MAX_REDIRECTS} redirects"
        raise ExtractError(msg)

    def _step(self, url: str, end: float, *, downgraded: bool) -> Fetched | str:
        """The file, or where it is said to be."""
        headers = self.identity.headers_for(url, downgraded=downgraded)
        try:
            with self.client.stream("GET", _without_password(url), headers=headers) as response:
                if response.status_code in REDIRECTS:
                    return next_address(url, response)
                return Fetched(self._read(url, response, end), url)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise failure(url, error, self.timeout) from error

    def _read(self, url: str, response: httpx.Response, end: float) -> Body:
        if refused := refusal(url, response):
            raise refused
        with Intake(url, headers_of(response), max_bytes=self.max_bytes, in_memory=_IN_MEMORY) as intake:
            for chunk in response.iter_raw():
                intake.take(chunk)
                if time.monotonic() > end:
                    msg = f"{shown(url)}: not complete within {self.deadline:g} s (deadline)"
                    raise TemporaryError(msg)
            return intake.finish()


def _without_password(url: str) -> httpx.URL:
    # It is in the headers already, as for the extractor.
    return httpx.URL(url).copy_with(username=None, password=None)
