"""Puts the old site together: every address and its bytes. `python -m legacy.site` writes it to `build/legacy`."""

import datetime as dt
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from legacy import content, maps, pages, papers, pictures
from legacy.content import Article

BASE = "http://127.0.0.1:8765"
FOLDER = Path(__file__).resolve().parent.parent / "build" / "legacy"
FLAT_SINCE = dt.date(2009, 6, 1)


@dataclass
class Site:
    """The old site: what is at which path. `pages` and `images` leave out what is planted to fail."""

    base: str
    articles: list[Article]
    pages: dict[str, bytes] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    others: dict[str, bytes] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, bytes]:
        return self.pages | self.images | self.documents | self.others

    def write(self, folder: Path) -> None:
        """Every file below `folder`, where the path of a page that ends with a slash is its index.html."""
        for path, body in self.files.items():
            target = folder / unquote(path).lstrip("/")
            target = target / "index.html" if path.endswith("/") else target
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)


def build(base: str = BASE) -> Site:
    """The whole site, for the address `base`."""
    site = Site(base, content.articles())
    writer = pages.Writer(base, site.articles)
    for article in site.articles:
        site.pages[article.path] = _article_bytes(writer, article)
    liked = content.favourites()
    site.pages |= {pages.author_path(name): writer.author(name, liked.get(name)).encode() for name in content.AUTHORS}
    site.pages |= {pages.section_path(name): writer.section(name).encode() for name in content.SECTIONS}
    site.pages |= {pages.tag_path(name): writer.tag(name).encode() for name in content.TAGS}
    site.pages |= {path: writer.flat(path).encode() for path in pages.FLAT}
    site.images = _images(site.articles)
    site.documents = {f"/files/{name}": papers.paper(name, title) for name, title in content.DOCUMENTS.items()}
    site.others = {content.BROKEN_IMAGE: pictures.truncated(content.BROKEN_IMAGE), **_maps(site)}
    site.others["/style.css"] = b"body { font-family: Georgia, serif; max-width: 40em; margin: auto }\n"
    return site


def _article_bytes(writer: pages.Writer, article: Article) -> bytes:
    if article.slug == content.LATIN_1:
        return writer.article(article, "iso-8859-1").encode("iso-8859-1", "xmlcharrefreplace")
    return writer.article(article, "" if article.slug == content.UNDECLARED else "utf-8").encode()


def _images(articles: list[Article]) -> dict[str, bytes]:
    paths = {path for article in articles for path in (article.hero, *article.pictures) if path}
    made = {path: pictures.picture(path) for path in sorted(paths - {content.BROKEN_IMAGE})}
    made |= {path: pictures.picture(path, (96, 128)) for path in map(pages.portrait_path, content.AUTHORS)}
    return made | {pages.LOGO: pictures.picture(pages.LOGO, (96, 96))}


def _maps(site: Site) -> dict[str, bytes]:
    """The sitemaps leave out the tags, the archive and the first years: those are found by links."""
    listed = [(article.path, article.published) for article in site.articles if article.in_sitemap]
    kinds = [*map(pages.author_path, content.AUTHORS), *map(pages.section_path, content.SECTIONS)]
    plain = [(path, FLAT_SINCE) for path in ["/", "/about.html", *kinds]]
    names = [("/sitemap-articles.xml.gz", max(day for _, day in listed)), ("/sitemap-pages.xml", FLAT_SINCE)]
    return {
        "/robots.txt": maps.robots(site.base),
        "/sitemap.xml": maps.index(site.base, names),
        "/sitemap-articles.xml.gz": maps.packed(maps.urlset(site.base, listed)),
        "/sitemap-pages.xml": maps.urlset(site.base, plain),
    }


if __name__ == "__main__":
    built = build(*sys.argv[1:2])
    built.write(FOLDER)
    print(f"{len(built.pages)} pages, {len(built.images)} images, {len(built.documents)} documents in {FOLDER}")
