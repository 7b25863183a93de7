"""The processors of isekai-html keep the contract, as the kit has it."""

import io

from PIL import Image

from isekai_core import use
from isekai_core.testing import MinerConformance, TransformerConformance, make_resource

SITE = "url:https://old.example.org"
PAGE = """<!doctype html><html><head><title>Tides</title><link rel=icon href=/i.ico></head>
<body><h1>Tides &amp; moons</h1><img src="/a.png" alt="The moon"><p>See <a href="/b.html">b</a>, <a href="c.pdf">the
table</a> and <a href="https://elsewhere.example/">that</a>.</p><article>
<p>Hello, <b>w\u00f6rld</b></p></article></body>"""


def page():
    return make_resource(f"{SITE}/a/", text=PAGE, media_type="text/html", mined=[f"{SITE}/b.html"])


def picture(kind):
    file = io.BytesIO()
    Image.effect_noise((40, 30), 80).convert("RGB").save(file, kind)
    return file.getvalue()


class TestImageMiner(MinerConformance):
    processor = use("html-images", icons=True)

    def resources(self):
        return [page()]


class TestDocumentMiner(MinerConformance):
    processor = use("html-documents")

    def resources(self):
        return [page()]


class TestPageMiner(MinerConformance):
    processor = use("html-pages", domains=["*"])

    def resources(self):
        xhtml = make_resource(f"{SITE}/x", text=PAGE, media_type="application/xhtml+xml")
        latin = make_resource(f"{SITE}/l", text=PAGE, media_type="text/html", charset="latin-1")
        return [page(), xhtml, latin]


class TestFieldsTransformer(TransformerConformance):
    processor = use(
        "html-fields",
        model="blog.Article",
        match=["slug"],
        fields={"title": "h1", "slug": "@url | slug", "body": "article@html", "next": "a[href='/b.html']@href | ref"},
    )

    def resources(self):
        return [page()]


class TestImageTransformer(TransformerConformance):
    processor = use("image", model="blog.Photo", alt="alt", width="width", height="height", format="format")

    def resources(self):
        kinds = {
            "PNG": "image/png",
            "JPEG": "image/jpeg",
            "GIF": "image/gif",
            "WEBP": "image/webp",
            "TIFF": "image/tiff",
        }
        pictures = [
            make_resource(f"{SITE}/{kind}", blob=picture(kind), media_type=media_type, metadata={"alt": "The moon"})
            for kind, media_type in kinds.items()
        ]
        drawing = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'
        return [*pictures, make_resource(f"{SITE}/a.svg", blob=drawing, media_type="image/svg+xml")]


class TestDocumentTransformer(TransformerConformance):
    processor = use("document", model="blog.Document", title="title", size="size", media_type="kind")

    def resources(self):
        return [
            make_resource(f"{SITE}/c.pdf", blob=b"%PDF-1.4 a document", media_type="application/pdf"),
            make_resource(f"{SITE}/c.txt", text="Tide tables", metadata={"title": "Tables"}),
        ]
