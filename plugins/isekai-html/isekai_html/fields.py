"""The field language: where the value of a model's field stands on a page, and what is done to it.

    source | filter | filter:argument

A source is a CSS selector, `selector@attribute` or `selector@html`, a literal `=text`, `@url` or
`@metadata.name`. The README lists all of it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from isekai_core.errors import TransformError
from isekai_core.types import Key, ResourceView, Text
from isekai_html.filters import HTML, TEXT, Filter
from isekai_html.links import site_of
from isekai_html.page import Page, page_of
from isekai_html.rewrite import inner_html

# `|` between spaces, but not within quotes: attribute selectors and arguments may hold one.
_PIECES = re.compile(r"""((?:"[^"]*"|'[^']*'|(?!\s\|\s).)*)(\s\|\s|$)""", re.DOTALL)
_ATTRIBUTE = re.compile(r"(?P<selector>.*?)\s*@(?P<attribute>[A-Za-z_][\w:.-]*)", re.DOTALL)
# A `|` without spaces is CSS's own, behind the name of a namespace: `h1|slug` is valid there, and finds nothing.
_NAMESPACE = re.compile(r"""\[[^\]]*+\]|"[^"]*+"|'[^']*+'|(?P<name>[\w*-]*+)\|""")
_NAMESPACES = ("*", "html", "svg", "math")
_METADATA = re.compile(r"@metadata((?:\.[^.\s]+)+)")
_SHOWN = 60


class Scene:
    """A resource as fields see it: its page, and which of its links become refs.

    rewrites: whether a key's links inside HTML become refs.
    """

    def __init__(self, resource: ResourceView, rewrites: Callable[[ResourceView, Page, Key], bool]) -> None:
        self.resource = resource
        self._rewrites = rewrites

    @cached_property
    def page(self) -> Page:
        """The parsed page."""
        return page_of(self.resource)

    def html(self, node: LexborNode) -> str | Text:
        """The inner HTML of `node`, with refs for links."""
        return inner_html(self.page, node, lambda key: self._rewrites(self.resource, self.page, key))

    def absolute(self, link: str) -> str | None:
        """The whole address that `link` leads to, with its `#part`; None when that is no web address."""
        base, (_, mark, part) = self.page.base, link.strip().partition("#")
        if link.strip().startswith("#"):
            return base.page + base.query + mark + part if base.page else None
        key = self.key(link)
        return None if key is None else key.value + mark + part

    def key(self, link: str) -> Key | None:
        """The resource that `link` leads to; None when that is no web address."""
        target = self.page.locate(link)
        return target.key if target else None

    def belongs(self, key: Key) -> bool:
        """Whether the resource is of the page's own site, or was found by a miner."""
        return key in self.resource.mined or site_of(key.value) == self.page.site


Source = Callable[[Scene, bool], list[Any]]


@dataclass(frozen=True)
class Field:
    """A field of a model, and where its value comes from.

    selects: from an element of the page, not from what is known of it anyway.

    >>> Field.parse("views", "td.views | int").kind
    'value'
    """

    name: str
    expression: str
    selects: bool
    source: Source
    filters: tuple[Filter, ...]
    kind: str

    @classmethod
    def parse(cls, name: str, expression: str) -> "Field":
        """The field that `expression` describes; `ValueError` names the field and what is wrong."""
        try:
            first, *rest = _pieces(expression.lstrip())
            source, kind = _source(first)
            filters = tuple(Filter.parse(text) for text in rest)
            selects = not first.startswith(("=", "@"))
            return cls(name, expression, selects, source, filters, _kind_after(kind, filters))
        except ValueError as error:
            msg = f"fields[{name!r}]: {error}"
            raise ValueError(msg) from None

    def read(self, scene: Scene) -> Any:
        """The value, or None when the page has none; `TransformError` names the field, source and value."""
        every = bool(self.filters) and self.filters[0].name in _EVERY
        matches = self.source(scene, every)
        value: Any = matches if every else next(iter(matches), None)
        for step in self.filters:
            before = value
            try:
                value = step(value, scene)
            except ValueError as error:
                msg = f"field {self.name!r}, from {self.expression!r}: {step.name} of {_short(before)}: {error}"
                raise TransformError(msg) from error
        return value


_EVERY = ("all", "refs")


def _pieces(expression: str) -> list[str]:
    if expression.startswith("="):
        # The text of a literal may hold an apostrophe: quotes mean nothing in it.
        literal, bar, rest = re.sub(r"\s\|\s", "\0", expression, count=1).partition("\0")
        return [literal, *(_pieces(rest) if bar else ())]
    pieces, position = [], 0
    while found := _PIECES.match(expression, position):
        pieces.append(found[1].strip())
        position = found.end()
        if not found[2]:
            break
    return pieces


def _source(text: str) -> tuple[Source, str]:
    text = text.strip()
    if text.startswith("="):
        return _literal(text[1:].strip()), TEXT
    if text == "@url":
        return lambda scene, _: [scene.resource.key.value], TEXT
    if found := _METADATA.fullmatch(text):
        return _metadata(found[1].split(".")[1:]), TEXT
    if text.startswith("@"):
        msg = f"expected @url or @metadata.name, or a selector before @attribute, got {text!r}"
        raise ValueError(msg)
    found = _ATTRIBUTE.fullmatch(text)
    selector, attribute = (found["selector"], found["attribute"]) if found else (text, None)
    check_selector(selector)
    if attribute and attribute.lower() == "html":
        return _selected(selector, Scene.html), HTML
    if attribute:
        return _selected(selector, _attribute(attribute)), TEXT
    return _selected(selector, lambda scene, node: scene.page.text(node)), TEXT


def check_selector(selector: str, option: str = "") -> None:
    """`ValueError` for what is no CSS selector; its message begins with the option, where there is one."""
    for found in _NAMESPACE.finditer(selector):
        if found["name"] is not None and found["name"].lower() not in _NAMESPACES:
            msg = f"{option}expected a source, and filters with spaces around the | before each, got {selector!r}"
            raise ValueError(msg)
    try:
        LexborHTMLParser("").css(selector)
    except SelectolaxError:
        msg = f"{option}expected a CSS selector such as 'h1' or 'article > p.lead', got {selector!r}"
        raise ValueError(msg) from None


def _literal(text: str) -> Source:
    return lambda *_: [text]


def _metadata(path: list[str]) -> Source:
    def read(scene: Scene, every: bool) -> list[Any]:
        value: Any = scene.resource.metadata
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is None:
            return []
        items = value if every and isinstance(value, list | tuple) else [value]
        return [str(item) if isinstance(item, int | float) else item for item in items]

    return read


def _selected(selector: str, read: Callable[[Scene, LexborNode], Any]) -> Source:
    def select(scene: Scene, every: bool) -> list[Any]:
        tree = scene.page.tree
        if every:
            values = (read(scene, node) for node in tree.css(selector))
            return [value for value in values if value is not None]
        node = tree.css_first(selector)
        value = read(scene, node) if node else None
        return [] if value is None else [value]

    return select


def _attribute(name: str) -> Callable[[Scene, LexborNode], str | None]:
    def read(scene: Scene, node: LexborNode) -> str | None:
        attributes = node.attributes
        # The parser writes the names of HTML's own attributes in small letters, and `viewBox` as it is.
        found = name if name in attributes else name.lower()
        return scene.page.restore(attributes[found] or "") if found in attributes else None

    return read


def _kind_after(kind: str, filters: tuple[Filter, ...]) -> str:
    """What the filters make of a source of `kind`; `ValueError` for one that cannot stand where it stands."""
    for position, step in enumerate(filters):
        if step.name in _EVERY and position:
            msg = f"{step.name} stands right after the source; refs is short for all | ref"
            raise ValueError(msg)
        if kind not in step.kind.takes:
            before = "@html" if kind == HTML else filters[position - 1].name
            hint = "select the text or an attribute instead" if kind == HTML else "put it before"
            msg = f"the filter {step.name!r} takes text, which there is none after {before}; {hint}"
            raise ValueError(msg)
        kind = step.kind.gives or kind
    return kind


def _short(value: Any) -> str:
    text = repr(value.plain if isinstance(value, Text) else value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
