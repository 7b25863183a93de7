"""What fetching a page costs: httpx alone, httpx over aiohttp, isekai-http, and aiohttp as the limit, side by side.

    python benchmarks/transport.py                     # 2,000 pages of 21 KB, 32 connections, 7 rounds
    python benchmarks/transport.py --rounds 3 --json
    python benchmarks/transport.py --only isekai-http --parts

The pages are those of `website.py`, from nginx where there is one, else from `server.py`; either way from a
process of its own, which counts for nobody. The contenders run by turns, in an order that changes from
round to round; each hashes every page. What it found, and what followed from it: `transport.md`.
"""

import argparse
import asyncio
import gc
import hashlib
import importlib.util
import json
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import aiohttp
import httpx
import website
from isekai_http.extract import HttpExtractor
from isekai_http.transport import AiohttpTransport

from isekai_core.types import Key, ResourceView

LIMIT = "aiohttp"
PORT = 8767

Fetch = Callable[[str], Awaitable[str]]


@dataclass
class Contender:
    """A way to fetch pages, with what its rounds measured."""

    name: str
    run: Callable[[Sequence[str], int], Awaitable[None]]
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


async def drain(urls: Iterable[str], connections: int, fetch: Fetch) -> None:
    """As many at once as there are connections, as the engine does it."""
    left = iter(urls)
    hashes: set[str] = set()

    async def work() -> None:
        for url in left:
            hashes.add(await fetch(url))

    await asyncio.gather(*(work() for _ in range(connections)))
    assert len(hashes) > 1, "every page came out the same"


async def with_client(urls: Sequence[str], connections: int, transport: httpx.AsyncBaseTransport | None) -> None:
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    async with httpx.AsyncClient(transport=transport, limits=limits) as client:

        async def fetch(url: str) -> str:
            response = await client.get(url)
            assert response.status_code == 200
            return hashlib.sha256(response.content).hexdigest()

        await drain(urls, connections, fetch)


async def httpx_alone(urls: Sequence[str], connections: int) -> None:
    await with_client(urls, connections, None)


async def httpx_with_the_bridge(urls: Sequence[str], connections: int) -> None:
    from httpx_aiohttp import AiohttpTransport as Bridge  # noqa: PLC0415 - a peer, and no dependency of ours

    await with_client(urls, connections, Bridge(limits=httpx.Limits(max_connections=connections)))


async def httpx_with_our_transport(urls: Sequence[str], connections: int) -> None:
    await with_client(urls, connections, AiohttpTransport(connections=connections))


async def isekai_http(urls: Sequence[str], connections: int) -> None:
    """The extractor, with all that it does: limits, timeouts, media type, charset, metadata."""
    views = {url: ResourceView(Key("url", url)) for url in urls}
    async with HttpExtractor(concurrency=connections) as extractor:

        async def fetch(url: str) -> str:
            return (await extractor.extract(views[url])).payload.sha256

        await drain(urls, connections, fetch)


async def aiohttp_alone(
    urls: Sequence[str], connections: int, *, silence: float | None = None, parse: bool = False
) -> None:
    timeout = aiohttp.ClientTimeout(total=300, sock_read=silence)
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def fetch(url: str) -> str:
            if parse:
                httpx.URL(url)
            async with session.get(url) as response:
                assert response.status == 200
                return hashlib.sha256(await response.read()).hexdigest()

        await drain(urls, connections, fetch)


def contenders(only: Sequence[str], *, parts: bool) -> list[Contender]:
    known = [
        Contender("httpx", httpx_alone),
        Contender("httpx + httpx-aiohttp", httpx_with_the_bridge),
        Contender("httpx + our transport", httpx_with_our_transport),
        Contender("isekai-http", isekai_http),
        Contender(LIMIT, aiohttp_alone),
    ]
    if parts:
        known += [
            Contender("aiohttp, httpx.URL", partial(aiohttp_alone, parse=True)),
            Contender("aiohttp, silence timer", partial(aiohttp_alone, silence=30.0)),
        ]
    if importlib.util.find_spec("httpx_aiohttp") is None:
        print("httpx-aiohttp is not installed and left out; pip install httpx-aiohttp", file=sys.stderr)
        del known[1]
    chosen = [one for one in known if not only or one.name in (*only, LIMIT) or one.name.startswith(f"{LIMIT}, ")]
    if len(chosen) < 2:
        sys.exit(f"--only knows {', '.join(repr(one.name) for one in known)}")
    return chosen


def measure(contender: Contender, urls: Sequence[str], connections: int) -> None:
    gc.collect()
    start, cpu = time.perf_counter(), time.process_time()
    asyncio.run(contender.run(urls, connections))
    contender.seconds.append(time.perf_counter() - start)
    contender.cpu.append(time.process_time() - cpu)


def rounds(all_of_them: list[Contender], urls: Sequence[str], connections: int, count: int) -> None:
    chance = random.Random(1)
    for contender in all_of_them:
        asyncio.run(contender.run(urls[:100], connections))  # imports and first uses are nobody's round
    for number in range(count):
        for contender in chance.sample(all_of_them, len(all_of_them)):
            measure(contender, urls, connections)
        print(f"round {number + 1} of {count}", file=sys.stderr)


def table(all_of_them: list[Contender], pages: int) -> list[dict[str, float | str]]:
    """Medians; the ratio is that of each round, because a busy machine slows all of a round down."""
    limit = next(one for one in all_of_them if one.name == LIMIT)
    return [
        {
            "name": one.name,
            "pages_per_second": pages / statistics.median(one.seconds),
            "cpu_ms_per_page": statistics.median(one.cpu) / pages * 1000,
            "times_aiohttp": statistics.median(mine / its for mine, its in zip(one.cpu, limit.cpu, strict=True)),
        }
        for one in all_of_them
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these, and aiohttp")
    parser.add_argument("--parts", action="store_true", help="also what single steps add to aiohttp")
    parser.add_argument("--json", action="store_true", help="the table as JSON on stdout")
    arguments = parser.parse_args()
    chosen = contenders(arguments.only, parts=arguments.parts)
    folder = website.WORK / f"transport-{arguments.pages}-{arguments.port}"
    website.write(folder, arguments.pages, 0, arguments.port)
    with website.serving(folder, arguments.port) as base:
        urls = [base + website.page_path(number) for number in range(arguments.pages)]
        rounds(chosen, urls, arguments.connections, arguments.rounds)
    result = table(chosen, arguments.pages)
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{'':24}{'pages/s':>10}{'CPU ms/page':>14}{'x aiohttp':>12}")
    for row in result:
        line = f"{row['pages_per_second']:>10,.0f}{row['cpu_ms_per_page']:>14.3f}{row['times_aiohttp']:>12.2f}"
        print(f"{row['name']:24}{line}")


if __name__ == "__main__":
    main()
