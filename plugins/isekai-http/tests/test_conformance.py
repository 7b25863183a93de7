"""The processors of isekai-http keep the contract, as the kit has it."""

import pytest

from isekai_core import Key, use
from isekai_core.testing import ExtractorConformance, Response, SeederConformance

SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>{site}a.html</loc><lastmod>2026-01-31</lastmod><priority>0.8</priority></url>
<url><loc>{site}b%20\u00e9.html?x=1&amp;y=2</loc></url>
</urlset>"""


class TestSitemapSeeder(SeederConformance):
    @pytest.fixture
    def processor(self, site):
        site.pages["/sitemap.xml"] = Response(SITEMAP.format(site=site.url()), content_type="application/xml")
        return use("sitemap", url=site.url("/sitemap.xml"))


class TestHttpExtractor(ExtractorConformance):
    processor = use("http", concurrency=2)

    @pytest.fixture
    def keys(self, site):
        site.pages |= {
            "/page": "<h1>W\u00f6rld</h1>",
            "/image": Response(bytes(range(256)) * 1000, content_type="image/png", headers={"ETag": '"1"'}),
            "/moved": Response.redirect("/page"),
            "/in-chunks": Response("a" * 50_000, content_type="text/plain", chunked=True),
        }
        return [Key("url", site.url(path)) for path in site.pages]

    @pytest.fixture
    def missing(self, site):
        site.pages["/empty"] = ""
        site.pages["/broken"] = Response("<p>half of it", broken="in the body")
        site.pages["/busy"] = Response("later", status=503)
        return [Key("url", site.url(path)) for path in ("/nobody-has-this", "/empty", "/broken", "/busy")]
