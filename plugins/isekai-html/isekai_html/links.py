"""From what stands in a link to a key: cheap joining of addresses, the hot path of mining.

`urllib.parse.urljoin` parses both addresses anew for every link. Here the base is parsed once a page,
the usual forms of a link are joined as text, and what one page found is remembered for the next. The
core's `Key` makes the result canonical: dot segments, percent-encoding and the rest are its work.
"""

import re
import string
from typing import NamedTuple
from urllib.parse import quote

from isekai_core.types import Key, Mined

# The links of a site come again and again. What is remembered is bounded, and begun anew when it is full:
# to keep the order of use costs more here than it saves. A data: address may be megabytes long: it is not kept.
_REMEMBERED_LENGTH = 2048
_REMEMBERED = 16_384

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*:")
_UNUSUAL = re.compile(r"[^\x21-\x5b\x5d-\x7e]")
_DROPPED = re.compile(r"[\t\n\r]")
_ENDS = "".join(map(chr, range(0x21)))
_QUERY_OR_FRAGMENT = re.compile(r"[?#]")
_SLASHES = frozenset("/\\")
_NAMES = frozenset(string.ascii_letters + string.digits + "._-~%")
_UTF_8 = "utf-8"


class Target(NamedTuple):
    """Where a link leads.

    url: the canonical address.
    key: the resource.
    site: its host, with the port when that is not the scheme's own.
    suffix: of the path's last segment, lower-case and without the dot; empty when there is none.
    mined: the key as a miner gives it when there is nothing to say of it.
    """

    url: str
    key: Key
    site: str
    suffix: str
    mined: Mined


_targets: dict[str, Target | None] = {}


class Base(NamedTuple):
    """What the links of a page are relative to.

    page: the address itself, without query and fragment; query: with its question mark, or empty.
    scheme, origin, directory: the beginnings that `//host`, `/path` and `path` are put behind.
    charset: of the page, which is what a query's letters are sent in.
    """

    page: str
    query: str
    scheme: str
    origin: str
    directory: str
    charset: str


def base_of(url: str, charset: str = _UTF_8) -> Base:
    """The base that `url`, an absolute and canonical address, is for the links of its page.

    An empty one is that of a page without a web address: only absolute links lead anywhere.

    >>> base_of("https://old.example.org/blog/a.html?page=2").directory
    'https://old.example.org/blog/'
    """
    page, mark, query = url.partition("#")[0].partition("?")
    scheme, _, rest = page.partition("://")
    origin = f"{scheme}://{rest.partition('/')[0]}" if url else ""
    directory = page[: page.rfind("/") + 1]
    return Base(page, mark + query, scheme, origin, directory, charset)


def locate(base: Base, href: str) -> Target | None:
    """Where `href` leads from a page with `base`; None when that is no usable http or https address.

    A link to a part of the same page, `#top`, leads nowhere.

    >>> locate(base_of("https://old.example.org/blog/a.html"), "../img/a%20b.PNG#x").url
    'https://old.example.org/img/a%20b.PNG'
    """
    # The usual forms first, put together as text: the whole address is then looked up, not joined.
    if href.startswith("/") and href[1:2] not in _SLASHES and base.origin:
        return _recall(base.origin + href, base.charset)
    if href.startswith(("https://", "http://")):
        return _recall(href, base.charset)
    if href[:1] in _NAMES and ":" not in href and base.directory:
        return _recall(base.directory + href, base.charset)
    href = tidy(href, base.charset)
    return _target(join(base, href)) if href and not href.startswith("#") else None


def _recall(url: str, charset: str) -> Target | None:
    if url in _targets:
        return _targets[url]
    target = _target(tidy(url, charset))
    # What depends on the charset of a page is not kept, nor what is too long to come again.
    if len(url) <= _REMEMBERED_LENGTH and url.isascii():
        if len(_targets) >= _REMEMBERED:
            _targets.clear()
        _targets[url] = target
    return target


def tidy(href: str, charset: str = _UTF_8) -> str:
    r"""`href` as a browser reads it: no white space around or line ends inside, `\` for `/`, bytes escaped.

    >>> tidy(" img\\a.png ")
    'img/a.png'
    """
    if not _UNUSUAL.search(href):
        return href
    href = _DROPPED.sub("", href.strip(_ENDS))
    cut = found.start() if (found := _QUERY_OR_FRAGMENT.search(href)) else len(href)
    path, rest = href[:cut], href[cut:]
    if not _SCHEME.match(path) or path[:4].lower() == "http":
        path = path.replace("\\", "/")
    return _escape_bytes(path, _UTF_8) + _escape_bytes(rest, charset)


def _escape_bytes(text: str, charset: str) -> str:
    """Bytes that the page's charset does not know, and the letters of a foreign charset, percent-encoded."""
    if text.isascii() or (charset == _UTF_8 and not _has_surrogates(text)):
        return text
    return "".join(char if char.isascii() else _escape_char(char, charset) for char in text)


def _escape_char(char: str, charset: str) -> str:
    try:
        return quote(char, safe="", encoding=charset, errors="surrogateescape")
    except UnicodeError:
        if "\ud800" <= char <= "\udfff":
            return char  # No byte of any page: no key takes it either.
        # A browser sends letters that the charset lacks as a character reference.
        return quote(f"&#{ord(char)};", safe="")


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def join(base: Base, href: str) -> str | None:
    """The absolute address of a tidy `href`, not yet canonical; None for other schemes than http and https."""
    first = href[:1]
    if first == "/":
        return _join_rooted(base, href)
    if first in ("", "#"):
        return (base.page + base.query) or None
    if first == "?":
        return base.page + href if base.page else None
    if scheme := _SCHEME.match(href):
        return _join_absolute(base, href, scheme.group())
    return base.directory + href if base.directory else None


def _join_rooted(base: Base, href: str) -> str | None:
    if not base.origin:
        return None
    if href[1:2] != "/":
        return base.origin + href
    # `///path` names no host: browsers and urljoin disagree, and this is what urljoin makes of it.
    return base.origin + href[2:] if href[2:3] == "/" else f"{base.scheme}:{href}"


def _join_absolute(base: Base, href: str, scheme: str) -> str | None:
    if scheme.lower() not in ("http:", "https:"):
        return None
    rest = href[len(scheme) :]
    if rest.startswith("//"):
        return href
    # `http:page.html` is relative to a page of the same scheme.
    return join(base, rest) if scheme[:-1].lower() == base.scheme and not _SCHEME.match(rest) else None


def _target(url: str | None) -> Target | None:
    if url is None:
        return None
    try:
        key = Key("url", url)
    except ValueError:
        return None
    return Target(key.value, key, site_of(key.value), suffix_of(key.value), Mined(key))


def site_of(url: str) -> str:
    """The host of a canonical address, with its port when that is not the scheme's own.

    >>> site_of("http://user@localhost:8000/a")
    'localhost:8000'
    """
    start = url.index("://") + 3
    return url[start : url.index("/", start)].rpartition("@")[2]


def suffix_of(url: str) -> str:
    """The suffix of the path's last segment, lower-case: `pdf` for `/a/Report.PDF;jsessionid=1?x=y`.

    >>> suffix_of("https://old.example.org/a/Report.PDF?x=1.html")
    'pdf'
    """
    name = url.partition("?")[0].rpartition("/")[2].partition(";")[0]
    stem, dot, suffix = name.rpartition(".")
    return suffix.lower() if dot and stem else ""
