"""What it costs to find all links and images of a page: the three miners of isekai-html beside parsers alone.

    python benchmarks/mine.py                        # 1,000 pages of 21 KB of each kind, 7 rounds
    python benchmarks/mine.py --pages 200 --rounds 3 --json
    python benchmarks/mine.py --only isekai-html lexbor

Peers that are not installed are left out and named; `pip install beautifulsoup4 lxml` brings them. The
contenders run by turns, in an order that changes from round to round, and every one must find the same
addresses. What counts is CPU time. What it found, and what followed from it: `mine.md`.
"""

import argparse
import importlib.util
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin

import website
from isekai_html.mine import DocumentMiner, ImageMiner, PageMiner
from selectolax.lexbor import LexborHTMLParser

from isekai_core.types import Key, Payload, ResourceView

SITE = "https://old.example.org"
LIMIT = "lexbor, parse and select"
PLAIN, DENSE = "prose", "portal"

Page = tuple[str, bytes]
Mine = Callable[[str, bytes], set[str]]


@dataclass
class Contender:
    """A way to find the addresses of a page, with what its rounds measured: kind of page to CPU seconds."""

    name: str
    mine: Mine
    needs: str = ""
    seconds: dict[str, list[float]] = field(default_factory=dict)


def prose_pages(count: int) -> list[Page]:
    """Those of `website.py`, which the other benchmarks fetch and load: much text, some 20 links."""
    prose = website._prose()  # noqa: SLF001 - its own pages, without writing them to disk
    return [
        (SITE + website.page_path(number), website._page(number, count, count, prose).encode())  # noqa: SLF001
        for number in range(count)
    ]


def portal_pages(count: int) -> list[Page]:
    """As many bytes, and some 85 addresses: a menu, links in the text, cards, images in two sizes, documents."""
    chance = random.Random(7)
    return [(f"{SITE}/articles/{number}.html", _portal(number, count, chance).encode()) for number in range(count)]


def _portal(number: int, count: int, chance: random.Random) -> str:
    def words(amount: int) -> str:
        return " ".join(chance.choices(website.WORDS, k=amount))

    menu = "".join(f'<li class="x"><a href="/section/{n}/" title="Go">Section {n}</a></li>' for n in range(20))
    text = "".join(
        f'<p class="text">{words(24)} <a href="/articles/{chance.randrange(count)}.html#part">{words(3)}</a>'
        f' {words(24)} <a class="more" href="../articles/{chance.randrange(count)}.html">{words(2)}</a> {words(20)}</p>'
        for _ in range(16)
    )
    figures = "".join(
        f'<figure><img src="/media/{n}.jpg" srcset="/media/{n}-400.jpg 400w, /media/{n}-800.jpg 800w" alt="{words(4)}">'
        f"<figcaption>{words(8)}</figcaption></figure>"
        for n in (chance.randrange(count) for _ in range(3))
    )
    cards = "".join(
        f'<div class="card"><a href="{SITE}/articles/{chance.randrange(count)}.html">'
        f'<img src="/thumbs/{chance.randrange(count)}.png" alt=""></a><span>{words(12)}</span></div>'
        for _ in range(10)
    )
    files = "".join(f'<p><a href="/files/{chance.randrange(count)}.pdf">{words(4)}</a></p>' for _ in range(3))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Article {number}</title>'
        f'<link rel="stylesheet" href="/style.css"><link rel="canonical" href="/articles/{number}.html"></head>'
        f'<body><nav><ul>{menu}</ul></nav><p><a href="?page=2">2</a> <a href="?page=3">3</a></p>'
        f"<article><h1>Article {number}</h1>{text}{figures}{files}</article><aside>{cards}</aside>"
        f"<footer><p>{words(950)}</p></footer></body></html>"
    )


MINERS = (ImageMiner(), DocumentMiner(), PageMiner())


def isekai_html(url: str, html: bytes) -> set[str]:
    """As the engine asks them: keys, with what the page says of each."""
    resource = ResourceView(Key("url", url), payload=Payload.from_text(html, "text/html"))
    return {mined.key.value for miner in MINERS for mined in miner.mine(resource)}


def lexbor_alone(url: str, html: bytes) -> set[str]:  # noqa: ARG001 - nothing is made of what is selected
    LexborHTMLParser(html).css("a,img")
    return set()


def lexbor(url: str, html: bytes) -> set[str]:
    found = set()
    for node in LexborHTMLParser(html).css("a,img"):
        attributes = node.attributes
        found |= _absolute(url, attributes.get("href"), attributes.get("src"), attributes.get("srcset"))
    return found


def lxml(url: str, html: bytes) -> set[str]:
    from lxml import html as parser  # noqa: PLC0415 - a peer, and no dependency of ours

    found = set()
    for node in parser.fromstring(html).iter("a", "img"):
        found |= _absolute(url, node.get("href"), node.get("src"), node.get("srcset"))
    return found


def soup(features: str) -> Mine:
    def mine(url: str, html: bytes) -> set[str]:
        from bs4 import BeautifulSoup  # noqa: PLC0415 - a peer, and no dependency of ours

        found = set()
        for node in BeautifulSoup(html, features).find_all(["a", "img"]):
            found |= _absolute(url, node.get("href"), node.get("src"), node.get("srcset"))
        return found

    return mine


def _absolute(url: str, href: str | None, src: str | None, srcset: str | None) -> set[str]:
    """As one writes it oneself: joined by the standard library, not canonical, without what is said of them."""
    links = [link for link in (href, src) if link]
    links += [part.split()[0] for part in (srcset or "").split(", ") if part]
    return {urljoin(url, link).partition("#")[0] for link in links}


CONTENDERS = (
    Contender(LIMIT, lexbor_alone),
    Contender("isekai-html, three miners", isekai_html),
    Contender("lexbor and urljoin", lexbor),
    Contender("lxml and urljoin", lxml, needs="lxml"),
    Contender("BeautifulSoup with lxml", soup("lxml"), needs="bs4"),
    Contender("BeautifulSoup", soup("html.parser"), needs="bs4"),
)


def chosen(only: Sequence[str]) -> list[Contender]:
    wanted = [one for one in CONTENDERS if not only or any(word in one.name for word in only)]
    missing = [one for one in wanted if one.needs and not importlib.util.find_spec(one.needs)]
    for one in missing:
        print(f"{one.name} is left out: {one.needs} is not installed", file=sys.stderr)
    return [one for one in wanted if one not in missing]


def check(contenders: Sequence[Contender], pages: Sequence[Page]) -> None:
    """Every contender finds the same on the same pages."""
    for url, html in pages[:20]:
        expected = isekai_html(url, html)
        for one in contenders:
            found = {Key("url", address).value for address in one.mine(url, html)}
            assert found == expected or one.mine is lexbor_alone, f"{one.name} differs: {found ^ expected}"


def measure(contenders: Sequence[Contender], kinds: dict[str, list[Page]], rounds: int) -> None:
    order = list(contenders)
    chance = random.Random(1)
    for _ in range(rounds):
        chance.shuffle(order)
        for one in order:
            for kind, pages in kinds.items():
                began = time.process_time()
                for url, html in pages:
                    one.mine(url, html)
                one.seconds.setdefault(kind, []).append(time.process_time() - began)


def report(contenders: Sequence[Contender], kinds: dict[str, list[Page]]) -> str:
    lines = []
    for kind, pages in kinds.items():
        size = statistics.mean(len(html) for _, html in pages) / 1000
        addresses = statistics.mean(len(isekai_html(url, html)) for url, html in pages[:50])
        lines.append(f"\n{kind}: {len(pages)} pages of {size:.1f} KB, {addresses:.0f} addresses each\n")
        lines.append(f"{'':28}{'median':>10}{'best':>10}{'to the limit':>15}")
        limit = next((statistics.median(one.seconds[kind]) for one in contenders if one.name == LIMIT), None)
        for one in contenders:
            median, best = statistics.median(one.seconds[kind]), min(one.seconds[kind])
            ratio = f"{median / limit:14.1f}x" if limit else ""
            lines.append(f"{one.name:28}{median:8.3f} s{best:8.3f} s{ratio}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="find all links and images of generated pages, beside peers")
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="*", default=(), help="contenders whose name holds one of these words")
    parser.add_argument("--json", action="store_true", help="the CPU seconds of every round")
    args = parser.parse_args()
    kinds = {PLAIN: prose_pages(args.pages), DENSE: portal_pages(args.pages)}
    contenders = chosen(args.only)
    for pages in kinds.values():
        check(contenders, pages)
    measure(contenders, kinds, args.rounds)
    print(json.dumps({one.name: one.seconds for one in contenders}) if args.json else report(contenders, kinds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
