"""The filters of the field language: each does one thing to a value, and says what it takes and gives."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Protocol
from urllib.parse import unquote

from django.utils.text import slugify
from selectolax.lexbor import LexborHTMLParser

from isekai_core.types import Key, ResourceRef, Text
from isekai_html.dates import read_date, read_datetime

TEXT, HTML, VALUE = "text", "html", "value"
"""What passes between filters: text, HTML with refs inside, or a finished value such as a date or a ref."""

_ANY = frozenset((TEXT, HTML, VALUE))


class Links(Protocol):
    """What filters ask of the page."""

    def absolute(self, link: str) -> str | None:
        """The whole address that `link` leads to, with its `#part`; None when that is no web address."""
        ...

    def key(self, link: str) -> Key | None:
        """The resource that `link` leads to; None when that is no web address."""
        ...


Apply = Callable[[Any, Links], Any]


@dataclass(frozen=True)
class Kind:
    """A filter of the language.

    make: from its argument (None without one) what it does; `ValueError` for an argument that cannot be.
    takes, gives: what may stand before it, and what it makes of that; None for the same.
    whole: it is given a list as a whole; other filters are given its items one by one.
    """

    make: Callable[[str | None], Apply]
    takes: frozenset[str] = frozenset((TEXT,))
    gives: str | None = None
    whole: bool = False


@dataclass(frozen=True)
class Filter:
    """A filter as a field uses it, with its argument."""

    text: str
    kind: Kind
    apply: Apply

    @classmethod
    def parse(cls, text: str) -> "Filter":
        """The filter that `name` or `name:argument` means; `ValueError` says what is wrong with it."""
        name, colon, argument = text.partition(":")
        name = name.strip()
        if name not in FILTERS:
            near = get_close_matches(name, FILTERS, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(FILTERS))}"
            msg = f"there is no filter {name!r}: {hint}"
            raise ValueError(msg)
        return cls(text, FILTERS[name], FILTERS[name].make(_unquoted(argument) if colon else None))

    def __call__(self, value: Any, links: Links) -> Any:
        """What the filter makes of `value`; what is missing stays missing."""
        if self.kind.whole:
            return self.apply(value, links)
        if isinstance(value, list):
            made = (self(item, links) for item in value)
            return [item for item in made if item is not None]
        return None if value is None else self.apply(value, links)


def _unquoted(argument: str) -> str:
    stripped = argument.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'":
        return stripped[1:-1]
    return stripped


def _plain(name: str, change: Callable[[Any], Any]) -> Callable[[str | None], Apply]:
    """A filter without an argument that asks nothing of the page."""

    def make(argument: str | None) -> Apply:
        if argument is not None:
            msg = f"the filter {name!r} takes no argument, got {argument!r}"
            raise ValueError(msg)
        return lambda value, _: change(value)

    return make


def _strip(value: str | Text) -> str | Text:
    if isinstance(value, str):
        return value.strip()
    parts = list(value.parts)
    if isinstance(parts[0], str):
        parts[0] = parts[0].lstrip()
    if isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip()
    return Text(*parts)


def _without_tags(text: str) -> str:
    root = LexborHTMLParser(text).body
    return " ".join(root.text(separator=" ").split()) if root else ""


_ADDRESS = re.compile(r"(?:https?:)?//[^/?#]*|(?=[/.])")
_INDEX = re.compile(r"(?:index|default|home)\.[a-z]{2,5}", re.IGNORECASE)
_SUFFIX = re.compile(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{0,4}$")


def _slug(argument: str | None) -> Apply:
    if argument not in (None, "unicode"):
        msg = f"the filter 'slug' takes no argument, or 'unicode', got {argument!r}"
        raise ValueError(msg)
    return lambda value, _: slugify(_last_segment(value), allow_unicode=argument is not None) or None


def _last_segment(text: str) -> str:
    """Of an address its last segment without the suffix; any other text as it is."""
    text = text.strip()
    if not (start := _ADDRESS.match(text)):
        return text
    path = re.split(r"[?#]", text[start.end() :], maxsplit=1)[0]
    segments = [segment for segment in path.split("/") if segment.strip(".")]
    if len(segments) > 1 and _INDEX.fullmatch(segments[-1]):
        segments.pop()
    return unquote(_SUFFIX.sub("", segments[-1])) if segments else ""


def _regex(argument: str | None) -> Apply:
    if not argument:
        msg = r"the filter 'regex' needs a pattern, for example regex:\d+"
        raise ValueError(msg)
    try:
        pattern = re.compile(argument)
    except re.error as error:
        msg = f"the filter 'regex' needs a regular expression, got {argument!r}: {error}"
        raise ValueError(msg) from None

    def apply(value: str, _: Links) -> str | None:
        found = pattern.search(value)
        return found.group(1 if pattern.groups else 0) if found else None

    return apply


_NO_SPACE = str.maketrans("", "", " \u00a0\u202f\u2009'’")
_GROUPED = re.compile(r"([+-]?\d{1,3})((?:[.,]\d{3})+)(.*)", re.DOTALL)


def _int(text: str) -> int | None:
    if not text.strip():
        return None
    number = _without_groups(text, ",")
    if not re.fullmatch(r"[+-]?\d+", number, re.ASCII):
        msg = "expected a whole number such as 1234 or 1,234"
        raise ValueError(msg)
    return int(number)


def _decimal(name: str, read: Callable[[str], Any]) -> Callable[[str | None], Apply]:
    def make(argument: str | None) -> Apply:
        if argument not in (None, ".", ","):
            msg = f"the filter {name!r} takes the decimal mark, '.' or ',', got {argument!r}"
            raise ValueError(msg)
        mark = argument or "."

        def apply(text: str, _: Links) -> Any:
            if not text.strip():
                return None
            number = _without_groups(text, "." if mark == "," else ",").replace(mark, ".")
            if not re.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", number, re.ASCII):
                msg = f"expected a number such as 1234{mark}5"
                raise ValueError(msg)
            return read(number)

        return apply

    return make


def _without_groups(text: str, separator: str) -> str:
    """`text` without what separates thousands: white space, an apostrophe, or `separator` before three digits."""
    number = text.translate(_NO_SPACE).replace("\u2212", "-")
    found = _GROUPED.fullmatch(number)
    if found and set(found[2]) & {".", ","} == {separator}:
        number = found[1] + found[2].replace(separator, "") + found[3]
    return number


_TRUE = frozenset(("1", "true", "yes", "y", "on"))
_FALSE = frozenset(("0", "false", "no", "n", "off"))


def _bool(text: str) -> bool | None:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE | {""}:
        msg = "expected yes or no, true or false, on or off, 1 or 0"
        raise ValueError(msg)
    return word in _TRUE if word else None


def _date(read: Callable[[str, str | None], Any]) -> Callable[[str | None], Apply]:
    return lambda form: lambda text, _: read(" ".join(text.split()), form) if text.strip() else None


def _url(link: str, links: Links) -> str | None:
    """The whole address; what is no web address (mailto:) stays as it is."""
    return links.absolute(link) or link.strip() or None


def _ref(argument: str | None) -> Apply:
    attr = argument or "pk"

    def apply(link: str, links: Links) -> ResourceRef:
        key = links.key(link)
        if key is None:
            msg = "expected an http or https address for a ref; soft leaves out what is none"
            raise ValueError(msg)
        return ResourceRef(key, attr)

    return apply


def _soft(argument: str | None) -> Apply:
    attr = argument or "pk"

    def apply(link: str, links: Links) -> ResourceRef | None:
        key = links.key(link)
        if key is None:
            return None
        return ResourceRef(key, attr, soft=True, fallback=links.absolute(link) if attr == "url" else None)

    return apply


def _split(argument: str | None) -> Apply:
    separator = "," if argument is None else argument

    def apply(value: Any, _: Links) -> list[Any]:
        texts = value if isinstance(value, list) else [value]
        pieces = (piece for text in texts if text is not None for piece in (text.split(separator) if separator else text))
        return [piece for piece in (piece.strip() for piece in pieces) if piece]

    return apply


def _join(argument: str | None) -> Apply:
    separator = ", " if argument is None else argument

    def apply(value: Any, _: Links) -> Any:
        items = [item for item in _listed(value) if item is not None]
        if not items:
            return None
        parts: list[Any] = []
        for item in items:
            parts += [separator] if parts else []
            parts += item.parts if isinstance(item, Text) else [item]
        return Text(*parts) if any(isinstance(item, Text) for item in items) else "".join(parts)

    return apply


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _first(value: Any) -> Any:
    return next(iter(_listed(value)), None)


def _last(value: Any) -> Any:
    return next(iter(_listed(value)[::-1]), None)


def _default(argument: str | None) -> Apply:
    if argument is None:
        msg = "the filter 'default' needs a value, for example default:0"
        raise ValueError(msg)
    return lambda value, _: argument if value is None or value in ("", []) else value


FILTERS: dict[str, Kind] = {
    "strip": Kind(_plain("strip", _strip), frozenset((TEXT, HTML))),
    "lower": Kind(_plain("lower", str.lower)),
    "upper": Kind(_plain("upper", str.upper)),
    "text": Kind(_plain("text", _without_tags)),
    "slug": Kind(_slug),
    "regex": Kind(_regex),
    "int": Kind(_plain("int", _int), gives=VALUE),
    "decimal": Kind(_decimal("decimal", Decimal), gives=VALUE),
    "float": Kind(_decimal("float", float), gives=VALUE),
    "bool": Kind(_plain("bool", _bool), gives=VALUE),
    "date": Kind(_date(read_date), gives=VALUE),
    "datetime": Kind(_date(read_datetime), gives=VALUE),
    "url": Kind(_plain_url := (lambda argument: _url), gives=TEXT),
    "ref": Kind(_ref, gives=VALUE),
    "refs": Kind(_ref, gives=VALUE),
    "soft": Kind(_soft, gives=VALUE),
    "all": Kind(_plain("all", lambda value: value), _ANY, whole=True),
    "first": Kind(_plain("first", _first), _ANY, whole=True),
    "last": Kind(_plain("last", _last), _ANY, whole=True),
    "split": Kind(_split, whole=True),
    "join": Kind(_join, frozenset((TEXT, HTML)), whole=True),
    "default": Kind(_default, _ANY, whole=True),
}
"""Every filter by its name."""
