"""The filters of the field language: each does one thing to a value, and says what it takes and gives."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, NoReturn, Protocol

from isekai_core.types import Key, ResourceRef, Text
from isekai_html.dates import read_date, read_datetime
from isekai_html.values import read_bool, read_int, read_number, read_slug, without_tags

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

    def belongs(self, key: Key) -> bool:
        """Whether the resource is of the page's own site, or was found by a miner."""
        ...


Apply = Callable[[Any, Links], Any]
Make = Callable[[str | None], Apply]


@dataclass(frozen=True)
class Kind:
    """A filter of the language.

    make: from its argument (None without one) what it does; `ValueError` for an argument that cannot be.
    takes, gives: what may stand before it, and what it makes of that; None for the same.
    whole: it is given a list as a whole; other filters are given its items one by one.
    """

    make: Make
    takes: frozenset[str] = frozenset((TEXT,))
    gives: str | None = None
    whole: bool = False


@dataclass(frozen=True)
class Filter:
    """A filter as a field uses it, with its argument."""

    name: str
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
        kind = FILTERS[name]
        return cls(name, kind, kind.make(_unquoted(argument) if colon else None))

    def __call__(self, value: Any, links: Links) -> Any:
        """What the filter makes of `value`; what is missing stays missing."""
        if VALUE not in self.kind.takes:
            _check_text(value)
        if self.kind.whole:
            return self.apply(value, links)
        if isinstance(value, list):
            made = (self(item, links) for item in value)
            return [item for item in made if item is not None]
        return None if value is None else self.apply(value, links)


def _check_text(value: Any) -> None:
    """Metadata may hold anything."""
    for item in _listed(value):
        if not isinstance(item, str | Text | None):
            msg = f"expected text, got a {type(item).__name__}"
            raise ValueError(msg)  # noqa: TRY004 - a wrong value, which the field reports


def _unquoted(argument: str) -> str:
    argument = argument.strip()
    quoted = len(argument) > 1 and argument[0] == argument[-1] and argument[0] in "\"'"
    return argument[1:-1] if quoted else argument


def _refuse(name: str, expected: str, argument: str | None) -> NoReturn:
    got = "none" if argument is None else repr(argument)
    msg = f"the filter {name!r} takes {expected}, got {got}"
    raise ValueError(msg)


def _plain(name: str, change: Callable[[Any], Any]) -> Make:
    """A filter without an argument that asks nothing of the page."""

    def make(argument: str | None) -> Apply:
        if argument is not None:
            _refuse(name, "no argument", argument)
        return lambda value, _: change(value)

    return make


def _strip(value: str | Text) -> str | Text:
    if isinstance(value, str):
        return value.strip()
    parts = list(value.parts)
    if isinstance(first := parts[0], str):
        parts[0] = first.lstrip()
    if isinstance(last := parts[-1], str):
        parts[-1] = last.rstrip()
    return Text(*parts)


def _slug(argument: str | None) -> Apply:
    if argument not in (None, "unicode"):
        _refuse("slug", "no argument, or 'unicode'", argument)
    return lambda value, _: read_slug(value, allow_unicode=argument is not None)


def _regex(argument: str | None) -> Apply:
    if not argument:
        _refuse("regex", r"a pattern such as \d+", argument)
    try:
        pattern = re.compile(argument)
    except re.error as error:
        _refuse("regex", f"a regular expression ({error})", argument)

    def apply(value: str, _: Links) -> str | None:
        found = pattern.search(value)
        return found.group(1 if pattern.groups else 0) if found else None

    return apply


def _number(name: str, make_number: Callable[[str], Any]) -> Make:
    def make(argument: str | None) -> Apply:
        if argument not in (None, ".", ","):
            _refuse(name, "the decimal mark, '.' or ','", argument)

        def apply(text: str, _: Links) -> Any:
            number = read_number(text, argument or ".")
            return None if number is None else make_number(number)

        return apply

    return make


def _finite(number: str) -> float:
    made = float(number)
    if math.isinf(made):
        msg = "too large for a float"
        raise ValueError(msg)
    return made


def _moment(read: Callable[[str, str | None], Any]) -> Make:
    return lambda form: lambda text, _: read(" ".join(text.split()), form) if text.strip() else None


def _url(argument: str | None) -> Apply:
    if argument is not None:
        _refuse("url", "no argument", argument)
    # What is no web address, such as a mailto: link, stays as it is.
    return lambda link, links: links.absolute(link) or link.strip() or None


def _ref(argument: str | None) -> Apply:
    def apply(link: str, links: Links) -> ResourceRef:
        key = links.key(link)
        if key is None:
            msg = "expected an http or https address to refer to; the filter soft leaves out what is none"
            raise ValueError(msg)
        # The target of a hard ref is fetched: where to, is for the pipeline to say and not for a page.
        if not links.belongs(key):
            msg = "this is another host, and no miner found it there: name the host in its domains, or use soft"
            raise ValueError(msg)
        return ResourceRef(key, argument or "pk")

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
    if argument == "":
        _refuse("split", "a separator such as ';', or nothing for the comma", argument)

    def apply(value: Any, _: Links) -> list[str]:
        pieces = (piece.strip() for text in _listed(value) for piece in text.split(argument or ","))
        return [piece for piece in pieces if piece]

    return apply


def _join(argument: str | None) -> Apply:
    separator = ", " if argument is None else argument

    def apply(value: Any, _: Links) -> str | Text | None:
        parts: list[Any] = []
        for item in _listed(value):
            parts += [separator] if parts and separator else []
            parts += item.parts if isinstance(item, Text) else [item]
        if not parts:
            return None
        return "".join(parts) if all(isinstance(part, str) for part in parts) else Text(*parts)

    return apply


def _default(argument: str | None) -> Apply:
    if argument is None:
        _refuse("default", "a value such as 0", argument)
    return lambda value, _: argument if value is None or value in ("", []) else value


def _listed(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _first(value: Any) -> Any:
    return next(iter(_listed(value)), None)


def _last(value: Any) -> Any:
    return next(reversed(_listed(value)), None)


FILTERS: dict[str, Kind] = {
    "strip": Kind(_plain("strip", _strip), frozenset((TEXT, HTML))),
    "lower": Kind(_plain("lower", str.lower)),
    "upper": Kind(_plain("upper", str.upper)),
    "text": Kind(_plain("text", without_tags)),
    "slug": Kind(_slug),
    "regex": Kind(_regex),
    "int": Kind(_plain("int", read_int), gives=VALUE),
    "decimal": Kind(_number("decimal", Decimal), gives=VALUE),
    "float": Kind(_number("float", _finite), gives=VALUE),
    "bool": Kind(_plain("bool", read_bool), gives=VALUE),
    "date": Kind(_moment(read_date), gives=VALUE),
    "datetime": Kind(_moment(read_datetime), gives=VALUE),
    "url": Kind(_url),
    "ref": Kind(_ref, gives=VALUE),
    "refs": Kind(_ref, gives=VALUE),
    "soft": Kind(_soft, gives=VALUE),
    "all": Kind(_plain("all", list), _ANY, whole=True),
    "first": Kind(_plain("first", _first), _ANY, whole=True),
    "last": Kind(_plain("last", _last), _ANY, whole=True),
    "split": Kind(_split, whole=True),
    "join": Kind(_join, frozenset((TEXT, HTML)), whole=True),
    "default": Kind(_default, _ANY, whole=True),
}
"""Every filter by its name."""
