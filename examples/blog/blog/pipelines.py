"""How the old site becomes the new one: `isekai run blog`."""

from django.conf import settings

from isekai_core import Pipeline, use

OLD = settings.LEGACY_SITE

blog = Pipeline(
    "blog",
    seeders=[use("sitemap", url=f"{OLD}/sitemap.xml")],
    extractors=[use("http", concurrency=8)],
    miners=["html-images", "html-documents", "html-pages"],
    transformers=[
        use(
            "html-fields",
            model="blog.Article",
            pages=f"{OLD}/articles/*",
            match=["slug"],
            fields={
                "title": "h1",
                "slug": "main@id",
                "published": "time@datetime | date",
                "minutes": ".minutes | int",
                "author": "a[rel=author]@href | ref",
                "section": "a.section@href | ref",
                "tags": "a[rel=tag]@href | refs",
                "hero": ".hero img@src | ref",
                "next_in_series": "a[rel=next]@href | ref",
                "body": ".body@html",
            },
        ),
        use(
            "html-fields",
            model="blog.Author",
            pages=f"{OLD}/authors/*",
            match=["slug"],
            fields={
                "name": "h1",
                "slug": "main@id",
                "bio": ".bio@html",
                "portrait": "img.portrait@src | ref",
                "favourite": "a.favourite@href | ref",
            },
        ),
        use(
            "html-fields",
            model="blog.Section",
            pages=f"{OLD}/sections/*",
            match=["slug"],
            fields={"name": "h1", "slug": "main@id", "intro": ".intro", "editor": "a.editor@href | ref"},
        ),
        use(
            "html-fields",
            model="blog.Tag",
            pages=f"{OLD}/tags/*",
            match=["slug"],
            fields={"name": "h1", "slug": "main@id"},
        ),
        # Whatever page is left: the start page, the archive and the like.
        use(
            "html-fields",
            model="blog.Page",
            match=["slug"],
            fields={"title": "h1", "slug": "main@id", "body": ".text@html"},
        ),
        use("image", model="blog.Photo", file="file", alt="alt", width="width", height="height"),
        use("document", model="blog.Document", file="file", title="title"),
    ],
    loaders=["models"],
)
