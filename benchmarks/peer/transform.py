"""The two transformers that a user of isekai-django would write for this site."""

import datetime as dt
from typing import Any
from urllib.parse import urljoin

from isekai.transformers import BaseTransformer
from isekai.types import BlobRef, BlobResource, Key, ResourceRef, Spec, TextResource, ref
from selectolax.lexbor import LexborHTMLParser


class ArticleTransformer(BaseTransformer):
    """A page becomes an article; links in its text become references, so that they lead to the new addresses."""

    def transform(self, key: Key, resource: Any) -> Spec | None:
        if not isinstance(resource, TextResource) or resource.mime_type != "text/html":
            return None
        page = LexborHTMLParser(resource.text)
        body = page.css_first(".body")
        for link in body.css("a[href]"):
            target = Key("url", urljoin(key.value, link.attributes["href"] or ""))
            link.attrs["href"] = ref(ResourceRef(target).url)
        image = page.css_first("img.hero")
        values: dict[str, Any] = {
            "title": page.css_first("h1").text(),
            "slug": key.value.rstrip("/").rpartition("/")[2],
            "published": dt.date.fromisoformat(page.css_first("time").attributes["datetime"] or "").isoformat(),
            "body": body.inner_html,
        }
        if image is not None:
            values["hero"] = ResourceRef(Key("url", urljoin(key.value, image.attributes["src"] or "")))
        return Spec("job.Article", values)


class PhotoTransformer(BaseTransformer):
    def transform(self, key: Key, resource: Any) -> Spec | None:
        if not isinstance(resource, BlobResource) or not resource.mime_type.startswith("image/"):
            return None
        return Spec("job.Photo", {"file": BlobRef(key), "alt": resource.metadata.get("alt_text", "")})
