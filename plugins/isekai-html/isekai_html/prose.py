"""The text of an element as somebody reads it."""

import re

from selectolax.lexbor import LexborNode

_SPACE = re.compile(r"[ \t\n\r\f]+")
# Nobody sees what stands in these: code, what is for browsers that show no frames or films, and the names of drawings.
_HIDDEN = frozenset(
    (
        *("script", "style", "template", "iframe", "noembed", "noframes", "audio", "canvas", "video"),
        *("title", "desc"),
    )
)
_KEPT = ("pre", "textarea")
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "br", "caption", "center", "dd", "details", "dialog", "div"),
        *("dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"),
        *("header", "hr", "legend", "li", "main", "nav", "ol", "optgroup", "option", "p", "pre", "search", "section"),
        *("summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    )
)


def text_of(root: LexborNode) -> str:
    """The text within `root`, without what is not shown, its white space as one space or that of `pre` as it is."""
    child = root.first_child
    lone = child is not None and child.next is None and child.tag == "-text"
    text = root.text() if lone else _read(root)
    return text.strip() if root.tag in _KEPT else _SPACE.sub(" ", text).strip(" ")


def _read(root: LexborNode) -> str:
    """The text, with a line end wherever a browser begins a new line: words of two paragraphs stay two."""
    pieces: list[str] = []
    waiting = _children(root)
    while waiting:
        part = waiting.pop()
        if part is None:
            pieces.append("\n")
        elif part.tag == "-text":
            pieces.append(part.text())
        elif part.tag in _BLOCKS:
            pieces.append("\n")
            waiting += (None, *_children(part))
        elif part.tag not in _HIDDEN:
            waiting += _children(part)
    return "".join(pieces)


def _children(node: LexborNode) -> list[LexborNode | None]:
    """Its children, the first one last; None is where a block ends."""
    return [*reversed([*node.iter(include_text=True)])]
