"""Which addresses are wanted: hosts, and glob patterns on the address. The common options of every miner."""

import re
from collections.abc import Sequence
from fnmatch import translate
from urllib.parse import quote

from isekai_html.links import Target

_ENTRY = re.compile(
    r"(?P<sub>\*\.)?(?P<host>[^\s/:@*?#\[\]]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?", re.IGNORECASE
)
_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_ESCAPE = re.compile("%[0-9a-fA-F]{2}")
_LETTERS_IN_BRACKETS = re.compile(r"\[[^\]]*[^\x21-\x7e]")
_PORTS = {"http": "80", "https": "443"}


class Globs:
    """Glob patterns on addresses: `*` is anything, `?` one character, `[ab]` one of these.

    A pattern is compared with the whole address; one that begins with `/` with its path and query. Letters may be
    written as they are or as addresses have them, `/über/*` or `/%C3%BCber/*`.

    >>> bool(Globs("pages", ["/blog/*"])("https://old.example.org/blog/a?page=2"))
    True
    """

    def __init__(self, option: str, patterns: Sequence[str]) -> None:
        for pattern in patterns:
            if not pattern:
                msg = f"{option}: expected a glob pattern such as '/blog/*', got an empty text"
                raise ValueError(msg)
        patterns = sorted({*patterns, *map(_as_in_addresses, patterns)})
        self._whole = _any_of([pattern for pattern in patterns if not pattern.startswith("/")])
        self._path = _any_of([pattern for pattern in patterns if pattern.startswith("/")])

    def __call__(self, url: str) -> bool:
        if self._whole is not None and self._whole.match(url):
            return True
        return self._path is not None and bool(self._path.match(_path_of(url)))


class Addresses:
    """The addresses that a miner wants.

    domains: None for those of the page's own site; otherwise hosts, see the README.
    include, exclude: glob patterns; without `include` every address, without `exclude` none.
    """

    def __init__(
        self, domains: Sequence[str] | None, include: Sequence[str] | None, exclude: Sequence[str] | None
    ) -> None:
        self._domains = None if domains is None else _Domains(domains)
        self._include = Globs("include", include) if include is not None else None
        self._exclude = Globs("exclude", exclude) if exclude else None

    def wants(self, target: Target, site: str) -> bool:
        """Whether `target` is wanted from a page of `site`."""
        if self._domains is None:
            if target.site != site:
                return False
        elif not self._domains.holds(target):
            return False
        if self._include is not None and not self._include(target.url):
            return False
        return self._exclude is None or not self._exclude(target.url)


class _Domains:
    """`example.org` at any port, `example.org:8000`, `*.example.org` for what is under it, `*` for all."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._all = "*" in entries
        self._places: set[tuple[str, str]] = set()
        self._parents: list[tuple[str, str]] = []
        for entry in entries:
            if entry != "*":
                self._add(entry)

    def _add(self, entry: str) -> None:
        found = _ENTRY.fullmatch(entry.strip())
        if not found:
            msg = f"domains: expected hosts such as 'example.org', 'example.org:8000' or '*.example.org', got {entry!r}"
            raise ValueError(msg)
        host, port = _ascii(found["host"]), found["port"] or ""
        if found["sub"]:
            self._parents.append(("." + host, port))
        else:
            self._places.add((host, port))

    def holds(self, target: Target) -> bool:
        if self._all:
            return True
        host, port = _host_and_port(target)
        if (host, "") in self._places or (host, port) in self._places:
            return True
        return any(host.endswith(parent) and wanted in ("", port) for parent, wanted in self._parents)


def _any_of(patterns: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(translate, patterns))) if patterns else None


def _as_in_addresses(pattern: str) -> str:
    """The pattern with its letters as canonical addresses have them; as it is where that would break its brackets."""
    if _LETTERS_IN_BRACKETS.search(pattern):
        return pattern
    return _ESCAPE.sub(lambda escape: escape[0].upper(), quote(pattern, safe=_ASCII))


def _path_of(url: str) -> str:
    slash = url.find("/", url.find("://") + 3) if "://" in url else -1
    return url[slash:] if slash >= 0 else url


def _ascii(host: str) -> str:
    host = host.rstrip(".").lower()
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        msg = f"domains: not a usable host name ({error}): {host!r}"
        raise ValueError(msg) from None


def _host_and_port(target: Target) -> tuple[str, str]:
    host, colon, port = target.site.rpartition(":")
    if colon and not port.endswith("]"):
        return host, port
    return target.site, _PORTS[target.url.partition(":")[0]]
