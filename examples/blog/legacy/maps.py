"""The old site's sitemaps: robots.txt names an index, the index a gzip'd map and a plain one."""

import datetime as dt
import gzip

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'

Entry = tuple[str, dt.date]


def robots(base: str) -> bytes:
    return f"User-agent: *\nDisallow: /-/\n\nSitemap: {base}/sitemap.xml\n".encode()


def index(base: str, maps: list[Entry]) -> bytes:
    return _document("sitemapindex", "sitemap", base, maps)


def urlset(base: str, pages: list[Entry]) -> bytes:
    return _document("urlset", "url", base, pages)


def packed(xml: bytes) -> bytes:
    # Without a time, so that the same map is the same bytes.
    return gzip.compress(xml, mtime=0)


def _document(root: str, item: str, base: str, entries: list[Entry]) -> bytes:
    lines = [f"  <{item}><loc>{base}{path}</loc><lastmod>{day}</lastmod></{item}>" for path, day in entries]
    return "\n".join([f'{HEAD}<{root} xmlns="{NAMESPACE}">', *lines, f"</{root}>", ""]).encode()
