"""A bound on what a page can make the parser do.

HTML's own rules take quadratic time for elements nested tens of thousands deep and for elements with
tens of thousands of attributes, and quadratic memory for formatting elements that are never closed: 30 KB
can become 2 GB of tree. Browsers limit the depth; the parser does not. So a page with many tags is read
once before, as text, and a tag that would lead beyond the limits is left out: what is within is kept, as
a sibling instead of a descendant. No page that people wrote comes near the limits.
"""

import re

MANY_TAGS = 10_000
"""A page with fewer takes the parser a tenth of a second at worst, and is not read before."""

MAX_DEPTH = 512
"""Open elements, as in browsers."""

MAX_REOPENED = 500_000
"""How many formatting elements may be opened again, in all, because their paragraph ended before them."""

MAX_ATTRIBUTES = 500
"""Attributes of one element: each is compared with all before it."""

_LARGE = 65_536
_FEW_TAGS = 1000
_LOOK_BACK = 16
_SAME_FORMATTING = 3

_NAMES = rb"iframe noembed noframes script style textarea title xmp"
_ATTRIBUTES = rb"""(?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*"|'[^']*'|(?!["'])[^\s>]*+))?+)*+"""
_RAW = b"|".join(
    name + rb"(?=[\s/>])" + _ATTRIBUTES + rb">?+(?:[^<]|<(?!/" + name + rb"))*+" for name in _NAMES.split()
)
# Always matches to its end, be that the end of the page: so that no tag is read twice. Comments and the text
# of scripts are passed over whole; group 1 is the name, with a slash when it closes.
_TAG = re.compile(
    rb"<(?:!--(?:[^-]|-(?!->))*+|" + _RAW + rb"|(/?[a-z][^\s/>]*+)" + _ATTRIBUTES + rb">?+|[!?/][^>]*+)", re.IGNORECASE
)
_ATTRIBUTE = re.compile(rb"""[\s/]++[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*"|'[^']*'|[^\s>]*+))?+""")
_LONG_TAG = 4096
_LONG = re.compile(rb"<[a-z][^>]{%d}" % _LONG_TAG, re.IGNORECASE)
_FORMATTED = re.compile(rb"<(?:[bisu]|tt|em|big|code|font|small|strike|strong)[\s/>]", re.IGNORECASE)

_VOID = frozenset(b"area base br col embed hr img input link meta param source track wbr html head body".split())
_FORMATTING = frozenset(b"b big code em font i s small strike strong tt u a nobr".split())
_ONE_AT_A_TIME = frozenset((b"a", b"nobr"))
_TABLE_PARTS = frozenset(b"caption td th tr tbody tfoot thead".split())
_CELLS = frozenset(b"td th caption applet object marquee template".split())
_CLOSE_PARAGRAPH = frozenset(
    b"""address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header li listing main menu nav ol p pre search section summary table ul""".split()
)
_FENCES = frozenset(
    b"applet button caption datalist dir dl marquee menu object ol select svg table template ul".split()
)
# An element that ends where the next one of its group begins.
_GROUP = {
    name: group
    for group in map(frozenset, (s.split() for s in (b"p", b"li", b"dd dt", b"option optgroup", b"td th", b"tr")))
    for name in group
} | {name: frozenset(b"tbody thead tfoot tr".split()) for name in (b"tbody", b"thead", b"tfoot")}


def bounded(html: bytes) -> bytes:
    """`html`, or the same without the tags and attributes that lead beyond the limits."""
    return html if _is_harmless(html) else _Reader(html).read()


def _is_harmless(html: bytes) -> bool:
    """Whether no page of so many tags and so many formatting elements can pass the limits by much."""
    if len(html) > _LARGE and _LONG.search(html):
        return False
    tags = html.count(b"<")
    return tags < _FEW_TAGS or (tags < MANY_TAGS and tags * len(_FORMATTED.findall(html)) < MAX_REOPENED)


class _Reader:
    """Reads the tags, and keeps count of what the parser will have open.

    stack: the names of the elements that are open.
    cells: the formatting elements that will be opened again in the next paragraph, one list for each
        open table cell or the like: none is carried into a cell or out of it.
    """

    def __init__(self, html: bytes) -> None:
        self.html = html
        self.kept: list[bytes] = []
        self.copied = 0
        self.stack: list[bytes] = []
        self.cells: list[list[tuple[bytes, bytes]]] = [[]]
        self.reopened = 0

    def read(self) -> bytes:
        for found in _TAG.finditer(self.html):
            name = found[1]
            if name is None:
                continue
            tag, name = found.group(), name.lower()
            if name.startswith(b"/"):
                self._close(name[1:])
            elif not self._open(name, tag, found.start()):
                self._replace(found.start(), found.end(), b"")
            elif len(tag) > _LONG_TAG:
                self._cut_attributes(tag, found.start())
        return b"".join([*self.kept, self.html[self.copied :]]) if self.kept else self.html

    def _open(self, name: bytes, tag: bytes, start: int) -> bool:
        """Count the element in; False when it is one too many."""
        formatting = self.cells[-1]
        if formatting:
            self.reopened += len(formatting)
            if self.reopened > MAX_REOPENED:
                self._close_formatting(start)
        if name in _VOID or (name in _TABLE_PARTS and b"table" not in self.stack):
            return True
        if name in _FORMATTING:
            return self._open_formatting(name, tag)
        if name in _CLOSE_PARAGRAPH and b"p" in self.stack[-_LOOK_BACK:]:
            self._close_group(_GROUP[b"p"])
        if group := _GROUP.get(name):
            self._close_group(group)
        if len(self.stack) >= MAX_DEPTH:
            return False
        self.stack.append(name)
        if name in _CELLS:
            self.cells.append([])
        return True

    def _open_formatting(self, name: bytes, tag: bytes) -> bool:
        formatting = self.cells[-1]
        if name in _ONE_AT_A_TIME:
            self._close_formatting_element(name)
        elif self.reopened > MAX_REOPENED or len(self.stack) >= MAX_DEPTH:
            return False
        self.stack.append(name)
        # Of elements that are the same in every attribute, three are opened again.
        if formatting.count((name, tag)) < _SAME_FORMATTING:
            formatting.append((name, tag))
        return True

    def _close(self, name: bytes) -> None:
        if name in _FORMATTING:
            self._close_formatting_element(name)
        elif name in self.stack:
            while self._pop() != name:
                pass

    def _pop(self) -> bytes:
        name = self.stack.pop()
        if name in _CELLS:
            self.cells.pop()
        return name

    def _close_group(self, group: frozenset[bytes]) -> None:
        """End the element that the next one of its group ends, if one is open and no fence is between."""
        for back, name in enumerate(reversed(self.stack[-_LOOK_BACK:]), 1):
            if name in group:
                for _ in range(back):
                    self._pop()
                return
            if name in _FENCES:
                return

    def _close_formatting_element(self, name: bytes) -> None:
        """End it alone: what was opened within stays open, in the parser too."""
        if name in self.stack:
            del self.stack[len(self.stack) - 1 - self.stack[::-1].index(name)]
        formatting = self.cells[-1]
        for index in range(len(formatting) - 1, -1, -1):
            if formatting[index][0] == name:
                del formatting[index]
                return

    def _close_formatting(self, at: int) -> None:
        formatting = self.cells[-1]
        self._replace(at, at, b"".join(b"</%s>" % name for name, _ in reversed(formatting)))
        formatting.clear()

    def _cut_attributes(self, tag: bytes, start: int) -> None:
        for count, attribute in enumerate(_ATTRIBUTE.finditer(tag)):
            if count == MAX_ATTRIBUTES:
                self._replace(start + attribute.start(), start + len(tag) - 1, b"")
                return

    def _replace(self, start: int, end: int, by: bytes) -> None:
        self.kept += (self.html[self.copied : start], by)
        self.copied = end
