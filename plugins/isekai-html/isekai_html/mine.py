"""The miners: which of a page's addresses are images, documents and further pages."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from isekai_core.types import Mined, ResourceView
from isekai_html.match import Addresses
from isekai_html.page import HTML_TYPES, Page, page_of
from isekai_html.scan import DOWNLOAD, EMBED, FRAME, ICON, IMAGE, LINK, Link

IMAGE_SUFFIXES = tuple("apng avif bmp gif heic heif ico jfif jpe jpeg jpg png svg svgz tif tiff webp".split())
"""A link that ends so leads to an image."""

DOCUMENT_SUFFIXES = tuple(
    """pdf ps djvu doc docm docx dot dotx odt ott rtf tex txt md xls xlsm xlsx xlt ods csv tsv ppt pptx pps ppsx odp odg
    epub mobi azw3 zip gz tgz bz2 xz 7z rar tar vcf ics mp3 m4a ogg oga opus wav flac aac mp4 m4v mov
    avi mkv webm mpg mpeg ogv wmv""".split()
)
"""A link that ends so leads to a document."""

_NEITHER = tuple("css js mjs json xml rss atom rdf exe msi dmg iso apk deb rpm jar swf woff woff2 ttf eot".split())

_IMAGES = frozenset(IMAGE_SUFFIXES)
_DOCUMENTS = frozenset(DOCUMENT_SUFFIXES)
_NO_PAGES = _IMAGES | _DOCUMENTS | frozenset(_NEITHER)
_LINKS = frozenset((LINK, DOWNLOAD))
_PAGED = frozenset((LINK, FRAME))
_FOLLOWED = frozenset((LINK, FRAME, EMBED))
_SUFFIX = re.compile(r"\.?[^\s./?#]+")


@dataclass
class _Miner:
    """What the three miners have in common: where addresses may lead, and each of them once."""

    accepts: ClassVar[Sequence[str]] = HTML_TYPES

    domains: list[str] | None = None
    include: list[str] | None = None
    exclude: list[str] | None = None
    _addresses: Addresses = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._addresses = Addresses(self.domains, self.include, self.exclude)

    def mine(self, resource: ResourceView) -> Iterable[Mined]:
        """Every wanted address once, with the first thing that the page says of it."""
        page = page_of(resource)
        wants, site = self._addresses.wants, page.site
        found: dict[str, Mined] = {}
        for (kind, suffix), links in page.links.items():
            if not self._is_mine(kind, suffix):
                continue
            for link in links:
                target = link.target
                before = found.get(target.url)
                if (before is None or not before.metadata) and wants(target, site):
                    found[target.url] = self._mined(page, link)
        return found.values()

    def _is_mine(self, kind: str, suffix: str) -> bool:
        raise NotImplementedError

    def _mined(self, page: Page, link: Link) -> Mined:
        raise NotImplementedError


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

    def _is_mine(self, kind: str, suffix: str) -> bool:
        if kind == ICON:
            return self.icons
        return kind == IMAGE or (suffix in _IMAGES and (self.linked or kind == EMBED))

    def _mined(self, page: Page, link: Link) -> Mined:
        if link.kind in _LINKS:
            image = link.node.css_first("img[alt]")
            alt = image.attributes["alt"] if image else None
            return _mined(page, link, alt=alt, title=link.attributes.get("title") or link.node.text())
        said = link.attributes
        parent = link.node.parent
        if "alt" not in said and parent is not None and parent.tag == "picture" and (image := parent.css_first("img")):
            said = image.attributes
        return _mined(page, link, alt=said.get("alt"), title=said.get("title"))


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
        self._suffixes = _suffix_set("suffixes", self.suffixes, _DOCUMENTS)

    def _is_mine(self, kind: str, suffix: str) -> bool:
        if kind == DOWNLOAD:
            return suffix not in _IMAGES
        return kind in _FOLLOWED and suffix in self._suffixes

    def _mined(self, page: Page, link: Link) -> Mined:
        text = link.node.text().strip() if link.kind in _LINKS else ""
        return _mined(page, link, title=text or link.attributes.get("title"))


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
        self._skipped = _suffix_set("skip_suffixes", self.skip_suffixes, _NO_PAGES)

    def _is_mine(self, kind: str, suffix: str) -> bool:
        return kind in _PAGED and suffix not in self._skipped

    def _mined(self, page: Page, link: Link) -> Mined:  # noqa: ARG002 - a page says nothing of the pages it links to
        return link.target.mined


def _mined(page: Page, link: Link, **texts: str | None) -> Mined:
    metadata = {name: said for name, text in texts.items() if text and (said := page.short(text))}
    return Mined(link.target.key, metadata) if metadata else link.target.mined


def _suffix_set(option: str, suffixes: list[str] | None, default: frozenset[str]) -> frozenset[str]:
    if suffixes is None:
        return default
    for suffix in suffixes:
        if not _SUFFIX.fullmatch(suffix):
            msg = f"{option}: expected suffixes such as 'pdf', got {suffix!r}"
            raise ValueError(msg)
    return frozenset(suffix.lower().removeprefix(".") for suffix in suffixes)
