"""The HTML of an element with its links as refs, so that they become the new addresses.

The parser writes the HTML; where an address is to become a ref, a placeholder stands in the tree for that
moment. It holds 128 random bits that are drawn after the page was read, so nothing that stands in a page
can be taken for one: what came from a page never becomes a ref.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from html import escape
from itertools import groupby

from selectolax.lexbor import LexborNode

from isekai_core.types import Key, ResourceRef, Text
from isekai_html.page import Page
from isekai_html.scan import Link, links_within

_QUOTES = "\"'"


def inner_html(page: Page, node: LexborNode, becomes_ref: Callable[[Key], bool]) -> str | Text:
    """What is inside `node`; a `Text` when there is a link for which `becomes_ref` is true."""
    links = [link for link in links_within(node, page.locate) if becomes_ref(link.target.key)]
    if not links:
        return page.restore(node.inner_html or "")
    token = secrets.token_hex(16)
    refs: list[ResourceRef] = []
    changed = [_Change(page, list(group), token, refs) for _, group in groupby(links, _attribute_of)]
    try:
        html = page.restore(node.inner_html or "")
    finally:
        for change in changed:
            change.undo()
    return Text(*_pieces(html, token, refs))


def _pieces(html: str, token: str, refs: list[ResourceRef]) -> Iterator[str | ResourceRef]:
    # No regular expression: one with a token that is never seen again would be compiled for every page.
    first, *rest = html.split(token)
    if first:
        yield first
    for piece in rest:
        _, number, text = piece.split("-", 2)
        yield refs[int(number)]
        if text:
            yield text


def _attribute_of(link: Link) -> tuple[int, str]:
    return link.node.mem_id, link.attribute


class _Change:
    """An attribute with placeholders in it, for a moment."""

    def __init__(self, page: Page, links: list[Link], token: str, refs: list[ResourceRef]) -> None:
        self.node, self.attribute = links[0].node, links[0].attribute
        attributes = links[0].attributes
        self.before = attributes[self.attribute] or ""
        first = next((name for name in attributes if name in ("href", "xlink:href")), "")
        if self.attribute == "href" and first != "href":
            _put_behind(self.node, "xlink:href", attributes["xlink:href"] or "")
        self.node.attrs[self.attribute] = self._with_placeholders(page, links, token, refs)

    def _with_placeholders(self, page: Page, links: Iterable[Link], token: str, refs: list[ResourceRef]) -> str:
        written, position = "", 0
        for link in links:
            address, mark, part = self.before[link.start : link.end].partition("#")
            quote = _missing_quote(self.attribute, self.before, link.start)
            written += f"{self.before[position : link.start]}{quote}{token}-{len(refs)}-{mark}{part}{quote}"
            position = link.end
            fallback = page.restore(_as_written(address))
            refs.append(ResourceRef(link.target.key, "url", soft=True, fallback=fallback))
        return written + self.before[position:]

    def undo(self) -> None:
        self.node.attrs[self.attribute] = self.before


def _put_behind(node: LexborNode, name: str, value: str) -> None:
    """Make an attribute the last one: whoever sets `href` sets an `xlink:href` instead, where that comes first."""
    del node.attrs[name]
    node.attrs[name] = value


def _as_written(text: str) -> str:
    """`text` as the parser writes it in an attribute."""
    return escape(text, quote=False).replace('"', "&quot;").replace("\u00a0", "&nbsp;")


def _missing_quote(attribute: str, text: str, start: int) -> str:
    """The new address may hold a parenthesis, which only quotes keep from ending `url(…)`."""
    return "" if attribute != "style" or text[start - 1] in _QUOTES else '"'
