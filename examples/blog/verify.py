#!/usr/bin/env python
"""Compares the new site's rows with what the old site was made of: `python verify.py` after `isekai run blog`.

Nothing of ISEKAI's own counts is believed: rows, files and links are looked at one by one.
"""

import hashlib
import io
import os
import re
import sys
from collections.abc import Iterator
from html import unescape
from urllib.parse import urldefrag, urljoin

import django
from legacy import content, pages
from legacy.site import Site, build
from PIL import Image

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
if __name__ == "__main__":
    django.setup()

from blog.models import Article, Author, Document, Page, Photo, Section, Tag
from django.conf import settings
from django.db.models import Model

from isekai_core.models import Resource

_LINK = re.compile(r'(?:href|src)="([^"]*)"')


class Verifier:
    """Looks at everything, and tells what is not as it should be."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.writer = pages.Writer(site.base, site.articles)
        self.resources = {resource.key: resource for resource in Resource.objects.filter(pipeline="blog")}

    def problems(self) -> Iterator[str]:
        yield from self._counts()
        yield from self._failures()
        yield from self._articles()
        yield from self._others()
        yield from self._photos()
        yield from self._documents()

    def _counts(self) -> Iterator[str]:
        expected: dict[type[Model], int] = {
            Article: len(self.site.articles),
            Author: len(content.AUTHORS),
            Section: len(content.SECTIONS),
            Tag: len(content.TAGS),
            Page: len(pages.FLAT),
            Photo: len(self.site.images),
            Document: len(self.site.documents),
        }
        for model, count in expected.items():
            if (found := model._default_manager.count()) != count:
                yield f"expected {count} rows of {model.__name__}, found {found}"

    def _failures(self) -> Iterator[str]:
        """Exactly what was planted failed, with a reason; everything else is done."""
        planted = {self._key(content.DEAD_LINK): "extract", self._key(content.BROKEN_IMAGE): "transform"}
        for key, resource in sorted(self.resources.items()):
            if key not in planted and resource.state != "done":
                yield f"{key} is {resource.state}: {resource.message}"
        for key, stage in planted.items():
            resource = self.resources.get(key)
            if resource is None:
                yield f"{key} was planted to fail, and was not found"
            elif (resource.state, resource.error_stage) != ("failed", stage) or not resource.message:
                found = f"{resource.state} ({resource.error_stage}: {resource.message})"
                yield f"{key} should have failed in {stage}, is {found}"
        if (dead := self.resources.get(self._key(content.DEAD_LINK))) and "404" not in dead.message:
            yield f"the reason of the dead link does not say 404: {dead.message}"

    def _articles(self) -> Iterator[str]:
        rows = {row.slug: row for row in Article.objects.select_related("section", "author", "hero", "next_in_series")}
        for old in self.site.articles:
            if (row := rows.get(old.slug)) is None:
                yield f"there is no article {old.slug}"
                continue
            expected = (old.title, old.published, old.minutes, old.section, old.author, old.tags, old.next_in_series)
            following = row.next_in_series.slug if row.next_in_series else None
            tags = tuple(sorted(tag.slug for tag in row.tags.all()))
            found = (row.title, row.published, row.minutes, row.section.name, row.author.name, tags, following)
            if found != expected:
                yield f"article {old.slug}: expected {expected}, found {found}"
            yield from self._file(row.hero and row.hero.file, old.hero, f"article {old.slug}, hero")
            yield from self._text(row.body, self.writer.body(old), old.path)

    def _others(self) -> Iterator[str]:
        """Authors, sections, tags and the pages of no kind."""
        liked = content.favourites()
        for author in Author.objects.select_related("portrait", "favourite"):
            favourite = author.favourite.slug if author.favourite else None
            if author.name not in content.AUTHORS or favourite != liked.get(author.name):
                yield f"author {author.name} likes {favourite}, expected {liked.get(author.name)}"
            yield from self._file(
                author.portrait and author.portrait.file, pages.portrait_path(author.name), f"author {author.name}"
            )
            yield from self._text(author.bio, pages.bio(author.name), pages.author_path(author.name))
        sections = {
            (section.name, section.intro, section.editor.name) for section in Section.objects.select_related("editor")
        }
        if sections != (expected := {(name, *rest) for name, rest in content.SECTIONS.items()}):
            yield f"expected the sections {sorted(expected)}, found {sorted(sections)}"
        if (tags := {tag.name for tag in Tag.objects.all()}) != set(content.TAGS):
            yield f"expected the tags {sorted(content.TAGS)}, found {sorted(tags)}"
        rows = {page.slug: page for page in Page.objects.all()}
        for path, (slug, title) in pages.FLAT.items():
            if (page := rows.get(slug)) is None or page.title != title:
                yield f"page {slug} is not there as {title!r}"
            else:
                yield from self._text(page.body, self.writer.text(path), path)

    def _photos(self) -> Iterator[str]:
        for path, body in self.site.images.items():
            photo = self._row(path)
            if not isinstance(photo, Photo):
                yield f"{path} did not become a photo"
                continue
            yield from self._file(photo.file, path, f"photo {photo.pk}")
            size = Image.open(io.BytesIO(body)).size
            if (photo.width, photo.height) != size or photo.alt != (alt := self._alt(path)):
                yield f"photo {path}: {photo.width}x{photo.height} {photo.alt!r}, expected {size} and {alt!r}"

    def _alt(self, path: str) -> str:
        """What the first page (by its address) that shows the image says of it."""
        if path == pages.LOGO:
            return pages.NAME
        portraits = {pages.portrait_path(name): f"Portrait of {name}" for name in content.AUTHORS}
        heroes = {article.hero: pages.hero_alt(article) for article in self.site.articles}
        users = sorted(
            (article for article in self.site.articles if path in article.pictures), key=lambda article: article.path
        )
        return portraits.get(path) or heroes.get(path) or pages.picture_alt(path, users[0])

    def _documents(self) -> Iterator[str]:
        for path in self.site.documents:
            document = self._row(path)
            if not isinstance(document, Document):
                yield f"{path} did not become a document"
                continue
            yield from self._file(document.file, path, f"document {document.pk}")
            if document.title != (title := content.DOCUMENTS[path.rpartition("/")[2]]):
                yield f"document {path} is called {document.title!r}, expected {title!r}"

    def _file(self, field: object, path: str | None, what: str) -> Iterator[str]:
        """That a file field holds the bytes that the old site has at `path`."""
        if not path or not field:
            if path or field:
                yield f"{what}: expected {path or 'no file'}, found {field or 'none'}"
            return
        with field.open("rb") as stored:  # type: ignore[attr-defined]
            if _sha256(stored.read()) != _sha256(self.site.files[path]):
                yield f"{what}: {field} does not hold the bytes of {path}"

    def _text(self, found: str, old: str, page: str) -> Iterator[str]:
        """That a text is the old one, with every link to something migrated leading to its new address."""
        expected = _LINK.sub(
            lambda link: link.group().replace(link.group(1), self._new_address(link.group(1), page)), old
        )
        if _squeezed(found) != _squeezed(expected):
            links = [
                pair for pair in zip(_LINK.findall(expected), _LINK.findall(found), strict=False) if pair[0] != pair[1]
            ]
            what = (
                "; ".join(f"expected the link {good}, found {bad}" for good, bad in links)
                or f"text differs: {found[:300]!r}"
            )
            yield f"{page}: {what}"

    def _new_address(self, link: str, page: str) -> str:
        target, mark = urldefrag(urljoin(self.site.base + page, unescape(link)))
        path = target.removeprefix(self.site.base)
        row = self._row(path) if path in self.site.files else None
        if row is None:
            return link
        address = row.file.url if isinstance(row, Photo | Document) else row.get_absolute_url()  # type: ignore[attr-defined]
        return f"{address}#{mark}" if mark else str(address)

    def _row(self, path: str) -> Model | None:
        """The row that the resource at `path` became."""
        resource = self.resources.get(self._key(path))
        models = {model._meta.label: model for model in (Article, Author, Section, Tag, Page, Photo, Document)}
        if resource is None or resource.target_model not in models:
            return None
        return models[resource.target_model]._default_manager.filter(pk=resource.target_pk).first()

    def _key(self, path: str) -> str:
        return f"url:{self.site.base}{path}"


def _squeezed(html: str) -> str:
    """The text without what a parser may write in another way: spaces, quotes as entities."""
    return " ".join(unescape(html).split())


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def main() -> int:
    site = build(settings.LEGACY_SITE)
    found = list(Verifier(site).problems())
    for problem in found:
        print(f"not as planted: {problem}")
    if not found:
        counts = f"{len(site.pages)} pages, {len(site.images)} images and {len(site.documents)} documents"
        print(f"{counts} are in their models, links lead to the new addresses, and 2 planted failures are reported")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
