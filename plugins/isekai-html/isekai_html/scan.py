"""The one pass over a page: every attribute that holds addresses, and where in it they stand."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from selectolax.lexbor import LexborNode

from isekai_html.links import Target

LINK, FRAME, EMBED, IMAGE, ICON = "link", "frame", "embed", "image", "icon"
"""What an address is for: to be followed, shown as a page within, played or embedded, shown as an image."""

_SELECTOR = "a,area,img,source,video,audio,iframe,frame,embed,object,input,image,meta,link"
# A look through a page's elements costs a tenth of parsing it: what is rare is looked for in one go.
# One selector, not a list of them: an element that fits two is found once.
_RARE = ":is([style*='url(' i],[background],a[download],area[download])"

Attributes = Mapping[str, str | None]


@dataclass(slots=True)
class Link:
    """An address on a page: `attribute[start:end]` of `node`, which leads to `target`.

    attributes: all of the node's; what was said of the address (alt, title) is among them.
    """

    kind: str
    target: Target
    node: LexborNode
    attributes: Attributes
    attribute: str
    start: int
    end: int


@dataclass(slots=True)
class Found:
    """What one pass found on a page.

    anchors: the links of `a` and `area` by the suffix of their target; nine of ten addresses are such, so
        they are kept lean.
    downloads: those of them that say `download`.
    others: everything else.
    """

    anchors: dict[str, list[tuple[Target, LexborNode]]] = field(default_factory=dict)
    downloads: list[tuple[Target, LexborNode]] = field(default_factory=list)
    others: list[Link] = field(default_factory=list)


Locate = Callable[[str], Target | None]
Spans = Iterator[tuple[int, int]]

_SRCSET_URL = re.compile(r"[\s,]*([^\s]+)")
_SRCSET_DESCRIPTORS = re.compile(r"[^,(]*+(?:\([^)]*+\)?[^,(]*+)*+,?")
_CSS_URL = re.compile(r"""url\(\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'()]++))\s*\)""", re.IGNORECASE)
_REFRESH = re.compile(r"""\s*[\d.]+\s*[;,]\s*(?:url\s*=\s*)?["']?([^"'\s]+)""", re.IGNORECASE)
_IMAGE_META = frozenset(
    ("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src", "image")
)
_ICONS = frozenset(("icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon", "fluid-icon"))


def scan(root: LexborNode, locate: Locate) -> Found:
    """Every address within `root` that leads somewhere, sorted for the miners."""
    found = Found()
    anchors = found.anchors
    rare = root.css(_RARE)
    # Asked once a page, not once a link.
    may_download = any("download" in node.attrs for node in rare)
    for node in root.css(_SELECTOR):
        tag = node.tag or ""
        if tag == "a" or tag == "area":  # noqa: PLR1714 - the hot path
            lean = node.attrs
            target = locate(lean.get("href") or "")
            if target is None:
                continue
            if may_download and "download" in lean:
                found.downloads.append((target, node))
            elif target.suffix in anchors:
                anchors[target.suffix].append((target, node))
            else:
                anchors[target.suffix] = [(target, node)]
        else:
            attributes = node.attributes
            found.others += _links(node, attributes, _places(tag, attributes), locate)
    for node in rare:
        found.others += _links(node, node.attributes, _DECORATIONS, locate)
    return found


def links_within(root: LexborNode, locate: Locate) -> Iterator[Link]:
    """Every address within `root`, not of itself, that leads somewhere, and where it stands."""
    for node in root.css(_SELECTOR):
        if node.mem_id != root.mem_id:
            attributes = node.attributes
            yield from _links(node, attributes, _places(node.tag or "", attributes), locate)
    for node in root.css(_RARE):
        if node.mem_id != root.mem_id:
            yield from _links(node, node.attributes, _DECORATIONS, locate)


def srcset_urls(text: str) -> Spans:
    """Where the addresses of a `srcset` stand; commas are parts of an address unless they end it.

    >>> [text[slice(*span)] for text in ["a,b.jpg 1x, c.jpg 2x"] for span in srcset_urls(text)]
    ['a,b.jpg', 'c.jpg']
    """
    position = 0
    while found := _SRCSET_URL.match(text, position):
        start, position = found.span(1)
        end = start + len(found[1].rstrip(","))
        if end > start:
            yield start, end
        if end == position and (descriptors := _SRCSET_DESCRIPTORS.match(text, position)):
            position = descriptors.end()


def css_urls(text: str) -> Spans:
    """Where the addresses of `url(…)` stand in a style, without their quotes."""
    for found in _CSS_URL.finditer(text):
        yield found.span(found.lastindex or 0)


def refresh_url(text: str) -> Spans:
    """Where `<meta http-equiv="refresh" content="0; url=/new/">` leads."""
    if found := _REFRESH.match(text):
        yield found.span(1)


# What a tag's attributes hold: without a function, the whole attribute is the address.
Places = tuple[tuple[str, str, Callable[[str], Spans] | None], ...]

_LINKED: Places = (("href", LINK, None),)
_DECORATIONS: Places = (("style", IMAGE, css_urls), ("background", IMAGE, None))
_SOURCE: Places = (
    ("srcset", IMAGE, srcset_urls),
    ("data-srcset", IMAGE, srcset_urls),
    ("data-lazy-srcset", IMAGE, srcset_urls),
    ("src", EMBED, None),
)
_PLACES: dict[str, Places] = {
    "a": _LINKED,
    "area": _LINKED,
    "img": (
        ("src", IMAGE, None),
        ("data-src", IMAGE, None),
        ("data-original", IMAGE, None),
        ("data-lazy-src", IMAGE, None),
        ("srcset", IMAGE, srcset_urls),
        ("data-srcset", IMAGE, srcset_urls),
        ("data-lazy-srcset", IMAGE, srcset_urls),
    ),
    "source": _SOURCE,
    "video": (("poster", IMAGE, None), ("src", EMBED, None)),
    "audio": (("src", EMBED, None),),
    "iframe": (("src", FRAME, None),),
    "frame": (("src", FRAME, None),),
    "embed": (("src", EMBED, None),),
    "object": (("data", EMBED, None),),
    "image": (("href", IMAGE, None), ("xlink:href", IMAGE, None)),
}


def _places(tag: str, attributes: Attributes) -> Places:
    if tag in _PLACES:
        return _PLACES[tag]
    if tag == "meta":
        return _meta_places(attributes)
    if tag == "link":
        return _link_places(attributes)
    if tag == "input":
        return (("src", IMAGE, None),) if (attributes.get("type") or "").lower() == "image" else ()
    return ()


def _links(node: LexborNode, attributes: Attributes, places: Places, locate: Locate) -> list[Link]:
    links = []
    for name, kind, spans in places:
        text = attributes.get(name)
        if not text:
            continue
        for start, end in spans(text) if spans else ((0, len(text)),):
            target = locate(text[start:end])
            if target is not None:
                links.append(Link(kind, target, node, attributes, name, start, end))
    return links


def _meta_places(attributes: Attributes) -> Places:
    names = (attributes.get(name) for name in ("property", "name", "itemprop"))
    if any(name and name.lower() in _IMAGE_META for name in names):
        return (("content", IMAGE, None),)
    if (attributes.get("http-equiv") or "").lower() == "refresh":
        return (("content", LINK, refresh_url),)
    return ()


def _link_places(attributes: Attributes) -> Places:
    kinds = (attributes.get("rel") or "").lower().split()
    if not _ICONS.isdisjoint(kinds):
        return (("href", ICON, None),)
    return (("href", IMAGE, None),) if "image_src" in kinds else ()
