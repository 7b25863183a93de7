"""The miners: which of a page's addresses are images, documents and further pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import ClassVar

from selectolax.lexbor import LexborNode

from isekai_core.types import Mined, ResourceView
from isekai_html.links import Target
from isekai_html.match import Addresses
from isekai_html.page import HTML_TYPES, Page, page_of
from isekai_html.prose import text_of
from isekai_html.scan import EMBED, FRAME, ICON, IMAGE, LINK, Link
from isekai_html.suffixes import DOCUMENTS, IMAGES, NO_PAGES, suffix_set

Metadata = dict[str, str]


@dataclass
class _Miner:
    """What the three miners have in common: where addresses may lead."""

    accepts: ClassVar[Sequence[str]] = HTML_TYPES
    produces: ClassVar[Sequence[str]] = ("url",)
    version: ClassVar[str] = "1"

    domains: list[str] | None = None
    include: list[str] | None = None
    exclude: list[str] | None = None
    _addresses: Addresses = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._addresses = Addresses(self.domains, self.include, self.exclude)


@dataclass
class ImageMiner(_Miner):
    """Finds the images of a page: in `img`, `srcset`, `picture`, posters, lazy attributes, styles and og:image.

    domains: the hosts whose images are wanted: `example.org`, `example.org:8000`, `*.example.org` for all
        under it, `*` for every host; by default the page's own host and port.
    include: glob patterns: only addresses that fit one are wanted.
    exclude: glob patterns: addresses that fit one are not wanted.
    linked: also the images that a link leads to, such as the large one behind a thumbnail.
    icons: also the icons of the site.

    Metadata: `alt` and `title`, where there are any.
    """

    linked: bool = True
    icons: bool = False

    def mine(self, resource: ResourceView) -> Iterable[Mined]:
        """The images, each once, with the first thing that the page says of it."""
        page = page_of(resource)
        found: dict[str, Mined] = {}
        node, metadata = None, Metadata()
        for link in page.found.others:
            target = link.target
            if self._is_image(link) and _is_news(found, target) and self._addresses.wants(target, page.site):
                # The addresses of one element come one after the other.
                if link.node is not node:
                    node, metadata = link.node, _said_of_image(page, link)
                found[target.url] = _mined(target, metadata)
        for target, node in chain.from_iterable(page.found.anchors.get(suffix, ()) for suffix in IMAGES):
            if self.linked and _is_news(found, target) and self._addresses.wants(target, page.site):
                found[target.url] = _mined(target, _said_of_thumbnail(page, node))
        return found.values()

    def _is_image(self, link: Link) -> bool:
        if link.kind == ICON:
            return self.icons
        return link.kind == IMAGE or (link.kind == EMBED and link.target.suffix in IMAGES)


@dataclass
class DocumentMiner(_Miner):
    """Finds the documents of a page: links whose path ends as a document does, or that say `download`.

    domains: the hosts whose documents are wanted: `example.org`, `example.org:8000`, `*.example.org` for
        all under it, `*` for every host; by default the page's own host and port.
    include: glob patterns: only addresses that fit one are wanted.
    exclude: glob patterns: addresses that fit one are not wanted.
    suffixes: what a document ends with, `["pdf", "dwg"]`; by default those of the common office, text,
        book, archive, sound and film formats.

    Metadata: `title`, the text of the link.
    """

    suffixes: list[str] | None = None
    _suffixes: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._suffixes = suffix_set("suffixes", self.suffixes, DOCUMENTS)

    def mine(self, resource: ResourceView) -> Iterable[Mined]:
        """The documents, each once, with the first text of a link to it."""
        page = page_of(resource)
        found: dict[str, Mined] = {}
        anchors = chain.from_iterable(page.found.anchors.get(suffix, ()) for suffix in self._suffixes)
        downloads = ((target, node) for target, node in page.found.downloads if target.suffix not in IMAGES)
        for target, node in chain(anchors, downloads):
            if _is_news(found, target) and self._addresses.wants(target, page.site):
                found[target.url] = _mined(target, _said_of_document(page, node))
        for link in page.found.others:
            if link.kind in (FRAME, EMBED) and link.target.suffix in self._suffixes:
                target = link.target
                if target.url not in found and self._addresses.wants(target, page.site):
                    found[target.url] = _mined(target, _said_of_image(page, link))
        return found.values()


@dataclass
class PageMiner(_Miner):
    """Finds further pages: links, image maps and frames that lead to no image and no document.

    domains: the hosts whose pages are wanted: `example.org`, `example.org:8000`, `*.example.org` for all
        under it, `*` for every host; by default the page's own host and port.
    include: glob patterns: only addresses that fit one are wanted.
    exclude: glob patterns: addresses that fit one are not wanted.
    skip_suffixes: what a page does not end with; by default the suffixes of images, documents, styles,
        scripts, feeds and programs. `.html`, `.php` and whatever else is not named are pages.

    The query is part of an address: `?page=2` and `?page=3` are two pages.
    """

    skip_suffixes: list[str] | None = None
    _skipped: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._skipped = suffix_set("skip_suffixes", self.skip_suffixes, NO_PAGES)

    def mine(self, resource: ResourceView) -> Iterable[Mined]:
        """The pages, each once."""
        page = page_of(resource)
        wants, site, skipped = self._addresses.wants, page.site, self._skipped
        found = {
            target.url: target.mined
            for suffix, anchors in page.found.anchors.items()
            if suffix not in skipped
            for target, _ in anchors
            if wants(target, site)
        }
        for link in page.found.others:
            target = link.target
            if link.kind in (FRAME, LINK) and target.suffix not in skipped and wants(target, site):
                found[target.url] = target.mined
        return found.values()


def _is_news(found: dict[str, Mined], target: Target) -> bool:
    before = found.get(target.url)
    return before is None or not before.metadata


def _mined(target: Target, metadata: Metadata) -> Mined:
    return Mined(target.key, metadata) if metadata else target.mined


def _said_of_image(page: Page, link: Link) -> Metadata:
    said = link.attributes
    if "alt" not in said and (parent := link.node.parent) is not None and parent.tag == "picture":
        image = parent.css_first("img")
        said = image.attributes if image else said
    return _texts(page, alt=said.get("alt"), title=said.get("title"))


def _said_of_thumbnail(page: Page, node: LexborNode) -> Metadata:
    image = node.css_first("img[alt]")
    return _texts(
        page, alt=image.attributes["alt"] if image else None, title=node.attributes.get("title") or text_of(node)
    )


def _said_of_document(page: Page, node: LexborNode) -> Metadata:
    return _texts(page, title=text_of(node) or node.attributes.get("title"))


def _texts(page: Page, **texts: str | None) -> Metadata:
    return {name: said for name, text in texts.items() if text and (said := page.short(text))}
