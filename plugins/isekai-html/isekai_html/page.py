"""A page, parsed once for every miner and transformer of it."""

import re
from functools import cached_property, partial
from html import escape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from isekai_core.types import Payload, ResourceView
from isekai_html.links import Base, Target, base_of, locate, site_of
from isekai_html.nesting import bounded
from isekai_html.prose import text_of
from isekai_html.scan import Found, scan

HTML_TYPES = ("text/html", "application/xhtml+xml")
"""The media types that are pages."""

XHTML = "application/xhtml+xml"

# The parser drops NUL characters and replaces bytes that are no UTF-8. They are carried through it as
# characters of the last private-use plane, so that a field that holds one says so instead of losing it.
_FIRST_MARK = 0x10FF00
_MARKS = {0: _FIRST_MARK} | {0xDC00 + byte: _FIRST_MARK + byte for byte in range(0x80, 0x100)}
_UNMARK = {mark: char for char, mark in _MARKS.items()}
_REPLACE = dict.fromkeys(_UNMARK, "\ufffd")

# What XHTML writes and HTML reads otherwise: empty elements and CDATA sections. What is passed over comes to its end in
# any case, be that the end of the page, so that nothing is read twice.
_XHTML_ONLY = re.compile(
    r"<!--.*?(?:-->|\Z)|<!\[CDATA\[(?P<section>.*?)(?:\]\]>|\Z)"
    r"|<(?P<name>[a-zA-Z][\w:.-]*)(?P<attributes>(?:\s[^<>]*)?)/>"
    r"|<(?P<raw>script|style)\b[^<>]*>.*?(?:</(?P=raw)|\Z)",
    re.DOTALL,
)
# Within SVG and MathML there is none, and what the selector finds there is an `xlink:href`.
_BASE = "base[href]:not(svg *, math *)"
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)


class Page:
    """A parsed page.

    tree: of its elements. Who changes it puts it back: everyone shares it.
    site: the page's own host, with the port when that is not the scheme's own; empty without a web address.
    base: what its links are relative to, `<base href>` included.
    """

    def __init__(self, resource: ResourceView) -> None:
        text = resource.payload.text.removeprefix("\ufeff")
        if resource.media_type == XHTML:
            text = _XHTML_ONLY.sub(_as_html, text)
        try:
            html = text.encode()
            self._marked = "\0" in text
        except UnicodeEncodeError:
            self._marked = True
        if self._marked:
            html = text.translate(_MARKS).encode("utf-8", "replace")
        self.tree = LexborHTMLParser(bounded(html))
        url = resource.key.value if resource.key.type == "url" else ""
        own = base_of(url, _charset_of(resource.payload))
        self.base = self._base(own)
        self.site = site_of(url or self.base.page) if url or self.base.page else ""

    @cached_property
    def found(self) -> Found:
        """Everything on the page that leads somewhere: one pass, made once."""
        root = self.tree.root
        return scan(root, self.locate if self._marked else partial(locate, self.base)) if root else Found()

    def locate(self, link: str) -> Target | None:
        """Where `link`, an attribute's text, leads; None when that is no usable http or https address."""
        return locate(self.base, self.restore(link))

    def restore(self, text: str) -> str:
        """`text` of the tree with the NULs and the undecodable bytes that it had: those are lone surrogates."""
        return text.translate(_UNMARK) if self._marked else text

    def short(self, text: str | None, limit: int = 500) -> str:
        """`text` for metadata: in one line, of at most `limit` characters, and what no database takes replaced."""
        line = " ".join((text or "").split())
        if self._marked:
            line = line.translate(_REPLACE)
        return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"

    def text(self, node: LexborNode) -> str:
        """The text of `node` as it is read: without scripts and styles, white space as one space."""
        return self.restore(text_of(node))

    def _base(self, own: Base) -> Base:
        node = self.tree.css_first(_BASE)
        target = locate(own, self.restore(node.attributes["href"] or "")) if node else None
        return base_of(target.url, own.charset) if target else own


def page_of(resource: ResourceView) -> Page:
    """The page of `resource`, parsed by whoever asks first."""
    return resource.once("isekai-html/page", Page)


def _charset_of(payload: Payload) -> str:
    """What the letters of a query are sent in: utf-8, as which a page is read, where Python knows no such charset."""
    charset = payload.charset or "utf-8"
    try:
        bytes(4).decode(charset, "surrogateescape")
    except (LookupError, ValueError):
        return "utf-8"
    return charset


def _as_html(match: re.Match[str]) -> str:
    """`<script src="a"/>` is whole in XHTML, but in HTML the rest of the page would be the script."""
    if match["section"] is not None:
        return escape(match["section"], quote=False)
    name = match["name"]
    if name is None or name.lower() in _VOID:
        return match.group()
    return f"<{name}{match['attributes']}></{name}>"
