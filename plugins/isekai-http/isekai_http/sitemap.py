"""Reads sitemaps as they arrive: the XML of a urlset or an index, addresses in lines, and the lines of a robots.txt.

Expat is used directly because it can refuse what is dangerous in XML before it happens: a declared
entity, which is how a few bytes become gigabytes, or a file of this machine.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal
from xml.parsers import expat

from isekai_http.content import sniff

_NAMESPACE_MARK = " "
_ROOTS = ("urlset", "sitemapindex")
_KINDS: dict[str, Literal["url", "sitemap"]] = {"url": "url", "sitemap": "sitemap"}
_FIELDS = frozenset({"loc", "lastmod", "changefreq", "priority"})
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ADDRESS = re.compile(rb"https?://", re.IGNORECASE)
_SITEMAP_LINE = re.compile(r"\s*sitemap\s*:\s*(\S+)", re.IGNORECASE)


class SitemapFault(ValueError):
    """The bytes are no sitemap, or stop being one; the message says where."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One `<url>` or `<sitemap>`.

    kind: which of the two.
    line: where it ends in the file.
    fields: the texts that are there of loc, lastmod, changefreq and priority, stripped.
    """

    kind: Literal["url", "sitemap"]
    line: int
    fields: dict[str, str] = field(default_factory=dict)


def read_entries(blocks: Iterable[bytes]) -> Iterator[Entry]:
    """The entries of a sitemap, XML or text, lazily; `SitemapFault` after those that came before the fault.

    >>> [entry.fields for entry in read_entries([b"<urlset><url><loc> http://a.org/ </loc></url></urlset>"])]
    [{'loc': 'http://a.org/'}]
    """
    begun = _begun(blocks)
    first = next(begun, b"")
    if _ADDRESS.match(first):
        yield from _read_lines(b"".join([first, *begun]))
        return
    reader = _Reader()
    for block in chain([first], begun):
        fault = reader.feed(block)
        yield from reader.taken()
        if fault is not None:
            raise fault
    if fault := reader.feed(b"", last=True):
        raise fault


def _read_lines(content: bytes) -> Iterator[Entry]:
    """The addresses of a sitemap in plain text; `SitemapFault` at its end for lines that are none."""
    wrong = ""
    for number, line in enumerate(content.splitlines(), start=1):
        text = line.strip().decode("utf-8", "replace")
        if _ADDRESS.match(line.strip()):
            yield Entry("url", number, {"loc": text})
        elif text and not wrong:
            wrong = f"expected an address in each line, got {text[:60]!r} in line {number}"
    if wrong:
        raise SitemapFault(wrong)


def read_robots(content: bytes) -> Iterator[Entry]:
    r"""The Sitemap lines of a robots.txt; `SitemapFault` when there is none.

    >>> [entry.fields for entry in read_robots(b"User-agent: *\nsitemap: /map.xml  # all of it")]
    [{'loc': '/map.xml'}]
    """
    text = content.removeprefix(_BYTE_ORDER_MARK).decode("utf-8", "replace")
    found = False
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _SITEMAP_LINE.match(line):
            found = True
            yield Entry("sitemap", number, {"loc": match[1]})
    if not found:
        msg = "names no sitemap: expected a line such as 'Sitemap: https://example.org/sitemap.xml'"
        raise SitemapFault(msg)


def _begun(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks without blank lines before the XML, which many sites send and XML does not allow."""
    begun = False
    for block in blocks:
        rest = block if begun else block.removeprefix(_BYTE_ORDER_MARK).lstrip(b" \t\r\n")
        if not begun and sniff(rest) == "text/html":
            msg = "an HTML page came instead of a sitemap"
            raise SitemapFault(msg)
        if rest:
            begun = True
            yield rest


class _Reader:
    """Expat's handlers: from elements to entries."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=_NAMESPACE_MARK)
        self._parser.buffer_text = True
        self._parser.EntityDeclHandler = self._entity
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._entries: list[Entry] = []
        self._path: list[str] = []
        self._kind: Literal["url", "sitemap"] | None = None
        self._prefix = ""
        self._fields: dict[str, str] = {}
        self._text: list[str] = []

    def feed(self, block: bytes, *, last: bool = False) -> SitemapFault | None:
        """Parse `block`; the fault, if there is one: what came before it can still be taken."""
        try:
            self._parser.Parse(block, last)
        except SitemapFault as fault:
            return fault
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            return SitemapFault(f"not well-formed XML in line {error.lineno}, column {error.offset}: {reason}")
        except (LookupError, ValueError) as error:
            return SitemapFault(f"not readable as XML: {error}")
        return None

    def taken(self) -> list[Entry]:
        """The entries since the last call."""
        entries, self._entries = self._entries, []
        return entries

    def _entity(self, name: str, *_: object) -> None:
        msg = f"declares the entity {name!r}, which a sitemap has no use for and which is refused as unsafe"
        raise SitemapFault(msg)

    def _start(self, name: str, _: dict[str, str]) -> None:
        prefix, mark, local = name.rpartition(_NAMESPACE_MARK)
        if not self._path and local not in _ROOTS:
            msg = f"expected <urlset> or <sitemapindex>, got <{local[:60]}>"
            raise SitemapFault(msg)
        if len(self._path) == 1:
            # By its own name and namespace: not every index says that it is one, and not every root has a namespace.
            self._kind, self._prefix, self._fields = _KINDS.get(local), prefix + mark, {}
        self._path.append(name)
        self._text = []

    def _characters(self, text: str) -> None:
        self._text.append(text)

    def _end(self, name: str) -> None:
        self._path.pop()
        depth, local = len(self._path), name.removeprefix(self._prefix)
        # An image or a video in a <url> has a loc of its own, deeper or in another namespace.
        if depth == 2 and local in _FIELDS:  # noqa: PLR2004
            self._fields.setdefault(local, "".join(self._text).strip())
        elif depth == 1 and self._kind is not None:
            self._entries.append(Entry(self._kind, self._parser.CurrentLineNumber, self._fields))
        self._text = []
