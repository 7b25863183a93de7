"""A plain script does the job: `python -m script.run`, with the environment that `pipeline.py` sets up.

What it leaves out is what is thrown away with it: nothing is journalled, tried again, checked or reported, a second
run begins anew, all of the site is in memory at once, and whatever goes wrong ends it. It is the limit that anything
which does those things can come near to.
"""

import asyncio
import datetime as dt
import os
import sys
from typing import Any
from urllib.parse import urljoin, urlsplit

import django

CONNECTIONS = 32
ROWS = 500


def main() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "script.settings"
    django.setup()

    from job.measure import Meter, migrate  # noqa: PLC0415 - Django has to be set up first

    migrate()
    meter = Meter()
    meter.start()
    move(meter)
    print(meter.report("a plain script"))
    return 0


def move(meter: Any) -> None:
    from django.conf import settings  # noqa: PLC0415

    with meter.stage("seed"):
        ((_, sitemap),) = asyncio.run(fetch([f"{settings.SITE}/sitemap.xml"]))
        urls = addresses(sitemap)
    with meter.stage("extract"):
        pages = asyncio.run(fetch(urls))
    with meter.stage("transform"):
        articles = [article_of(url, text) for url, text in pages]
    with meter.stage("extract"):
        images = asyncio.run(fetch([image for _, image, _ in articles if image]))
    with meter.stage("load"):
        load(articles, dict(images))


async def fetch(urls: list[str]) -> list[tuple[str, bytes]]:
    """Every address with its bytes, as many at once as there are connections."""
    import aiohttp  # noqa: PLC0415

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:

        async def one(url: str) -> tuple[str, bytes]:
            async with session.get(url) as answer:
                return url, await answer.read()

        return await asyncio.gather(*map(one, urls))


def addresses(sitemap: bytes) -> list[str]:
    from xml.etree import ElementTree as ET  # noqa: PLC0415

    return [node.text or "" for node in ET.fromstring(sitemap).iterfind("{*}url/{*}loc")]


def article_of(url: str, html: bytes) -> tuple[Any, str, str]:
    """The article, the address of its image, and the alternative text of that."""
    from job.models import Article  # noqa: PLC0415
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415

    page: Any = LexborHTMLParser(html)
    body, hero = page.css_first(".body"), page.css_first("img.hero")
    for link in body.css("a[href]"):
        link.attrs["href"] = f"/articles/{slug_of(urljoin(url, link.attributes['href']))}/"
    article = Article(
        title=page.css_first("h1").text(),
        slug=slug_of(url),
        published=dt.date.fromisoformat(page.css_first("time").attributes["datetime"]),
        body=body.inner_html,
    )
    image = urljoin(url, hero.attributes["src"]) if hero else ""
    return article, image, hero.attributes.get("alt") or "" if hero else ""


def slug_of(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]


def load(articles: list[tuple[Any, str, str]], images: dict[str, bytes]) -> None:
    from django.core.files.base import ContentFile  # noqa: PLC0415
    from job.models import Article, Photo  # noqa: PLC0415

    photos = {}
    for _, image, alt in articles:
        if image and image not in photos:
            photos[image] = photo = Photo(alt=alt)
            photo.file.save(slug_of(urlsplit(image).path), ContentFile(images[image]), save=False)
    Photo.objects.bulk_create(photos.values(), batch_size=ROWS)
    for article, image, _ in articles:
        article.hero = photos.get(image)
    Article.objects.bulk_create([article for article, _, _ in articles], batch_size=ROWS)


if __name__ == "__main__":
    sys.exit(main())
