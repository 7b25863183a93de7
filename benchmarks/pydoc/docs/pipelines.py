"""How the pages and images of Python's documentation become rows: `isekai run pydoc`."""

from django.conf import settings

from isekai_core import Pipeline, use

pydoc = Pipeline(
    "pydoc",
    seeders=[use("sitemap", url=f"{settings.SITE}/sitemap.xml")],
    extractors=[use("http", concurrency=16)],
    miners=["html-images", "html-pages"],
    transformers=[
        use(
            "html-fields",
            model="docs.Page",
            match=["path"],
            fields={"path": "@url | regex:^https?://[^/]+/(.*)$", "title": "title", "body": "body@html"},
        ),
        use("image", model="docs.Image", file="file", alt="alt", width="width", height="height"),
    ],
    loaders=["models"],
)
