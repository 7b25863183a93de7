"""Keys: what identifies a resource. Canonical here, once, so that one thing has one key."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, quote, urlsplit

_TYPE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NO_HOST = re.compile(r"[\s\"<>\\^`{|}]")
_USER = re.compile(r"//[^/?#]*@")
_WITH_USER = re.compile(rf"[^/?#]*{_USER.pattern}")
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_SAFE = "/:@!$&'()*+,;=-._~%"
_QUERY_SAFE = _PATH_SAFE + '?[]|^`{}\\"<>'
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What identifies a resource: a type and a value, written `type:value`.

    A `url` key is made canonical: lower-case scheme and host, no default port, no fragment, dot
    segments resolved, percent-encoding normalised, the query untouched. Other types (`file`, `row`,
    one of your own) are kept as they are.

    >>> Key("url", "HTTP://Old.Example.org:80/a/../b%7ec#top")
    Key(type='url', value='http://old.example.org/b~c')
    >>> str(Key("file", "images/a.png"))
    'file:images/a.png'

    Raises `ValueError` for an empty value, a control character (NUL too), a type that is no short
    lower-case word, and a `url` that is not absolute http or https, or that holds a user or a password:
    keys are stored and shown. `TypeError` for what is no text, such as a number.
    """

    type: str
    value: str

    def __post_init__(self) -> None:
        if not isinstance(self.type, str) or not isinstance(self.value, str):
            msg = f"a key is made of two texts such as Key('row', '7'), got {self.type!r} and {self.value!r}"[:500]
            raise TypeError(msg)
        if not _TYPE.fullmatch(self.type):
            msg = f"a key's type is a short lower-case word such as 'url', got {self.type!r}"
            raise ValueError(msg)
        value = self.value.strip() if self.type == "url" else self.value
        if not value:
            msg = f"a key of type {self.type!r} needs a value, got an empty one"
            raise ValueError(msg)
        if found := _CONTROL.search(value):
            msg = f"a key must not hold control characters, got {found.group()!r} in {value[:200]!r}"
            raise ValueError(msg)
        if self.type == "url":
            if _WITH_USER.match(value):
                what = "a url key holds no user and no password, since keys are stored and shown"
                msg = f"{what}; they are options of the extractor; got {_shown(value)}"
                raise ValueError(msg)
            value = canonical_url(value)
        object.__setattr__(self, "value", value)

    @classmethod
    def parse(cls, text: str) -> "Key":
        """The key that `str(key)` wrote; `ValueError` when there is no type before the first colon.

        >>> Key.parse("row:shop/7")
        Key(type='row', value='shop/7')
        """
        return _parsed(text)

    @property
    def digest(self) -> str:
        """sha256 of `str(self)` in hexadecimal: 64 characters, what the database is unique by."""
        return hashlib.sha256(str(self).encode("utf-8", "surrogatepass")).hexdigest()

    def __hash__(self) -> int:
        # Pages are looked up by their keys all the time: a string remembers its hash, a pair does not.
        return hash(self.value)

    def __str__(self) -> str:
        return f"{self.type}:{self.value}"


@lru_cache(maxsize=8192)
def _parsed(text: str) -> Key:
    # The same links stand on many pages, and in their specs again.
    kind, colon, value = text.partition(":")
    if not colon:
        msg = f"a key is written type:value, for example url:https://example.org/, got {text[:200]!r}"
        raise ValueError(msg)
    return Key(kind, value)


def key_of(text: str) -> Key | None:
    """The key that somebody means: `url:https://…`, or just the address; None for what is no key.

    >>> key_of("HTTPS://old.example.org")
    Key(type='url', value='https://old.example.org/')
    """
    try:
        return Key("url", text) if _ADDRESS.match(text) else Key.parse(text)
    except ValueError:
        return None


@lru_cache(maxsize=16384)
def canonical_url(url: str) -> str:
    """The one spelling of an absolute http(s) URL; `ValueError` for anything else.

    >>> canonical_url("https://EXAMPLE.org")
    'https://example.org/'
    """
    parts = _split(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in _DEFAULT_PORTS or not host or _NO_HOST.search(host):
        msg = f"a url key is an absolute http or https address, got {_shown(url)}"
        raise ValueError(msg)
    place = _authority(parts, host)
    path = _resolve_dots(_normal_escapes(quote(parts.path or "/", safe=_PATH_SAFE)))
    # The query is a server's own language: only what no request line can carry is escaped.
    query = "?" + quote(parts.query, safe=_QUERY_SAFE) if parts.query else ""
    return f"{parts.scheme}://{place}{path}{query}"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        msg = f"not a usable URL ({error}): {_shown(url)}"
        raise ValueError(msg) from None
    return parts


def _shown(url: str) -> str:
    """`url` for a message: without user and password, and not longer than anyone reads."""
    return repr(_USER.sub("//…@", url, count=1)[:200])


def _authority(parts: SplitResult, host: str) -> str:
    if ":" in host:
        host = f"[{host}]"
    elif not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError as error:
            msg = f"not a usable host name ({error}): {host[:200]!r}"
            raise ValueError(msg) from None
    user, at, _ = parts.netloc.rpartition("@")
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{user}{at}{host}{port}"


def _normal_escapes(path: str) -> str:
    """Escapes of unreserved characters undone, the others upper-case; a lone `%` is escaped."""
    if "%" not in path:
        return path

    def normal(match: re.Match[str]) -> str:
        char = chr(int(match.group(1), 16))
        return char if char in _UNRESERVED else match.group().upper()

    return _ESCAPE.sub(normal, re.sub(r"%(?![0-9a-fA-F]{2})", "%25", path))


def _resolve_dots(path: str) -> str:
    """RFC 3986, 5.2.4, of a path that begins with a slash: an empty segment is one like any other."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
