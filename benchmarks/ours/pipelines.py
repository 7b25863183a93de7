"""The job as a user of ISEKAI writes it."""

from django.conf import settings

from isekai_core import Pipeline, use

benchmark = Pipeline(
    "benchmark",
    seeders=[use("sitemap", url=f"{settings.SITE}/sitemap.xml")],
    extractors=[use("http", concurrency=32)],
    miners=["html-images", "html-documents", "html-pages"],
    transformers=[
        use(
            "html-fields",
            model="job.Article",
            match=["slug"],
            fields={
                "title": "h1",
                "slug": "link[rel=canonical]@href | slug",
                "published": "time@datetime | date",
                "hero": "img.hero@src | ref",
                "body": ".body@html",
            },
        ),
        use("image", model="job.Photo", file="file", alt="alt"),
    ],
    loaders=["models"],
)
