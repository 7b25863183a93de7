"""What the filters read out of a text: numbers, yes and no, slugs. A text that holds nothing gives None."""

import re
from urllib.parse import unquote

from django.utils.text import slugify
from selectolax.lexbor import LexborHTMLParser

from isekai_html.nesting import bounded
from isekai_html.prose import text_of

_SIGN = re.compile(r"(?<=^[+-])\s+")
# Groups of three, set apart by one and the same character.
_GROUPED = {
    separator: re.compile(
        rf"([+-]?\d{{1,3}}([{separator}\s'\u2019])\d{{3}}(?:\2\d{{3}})*+)(?!\d)(.*)", re.DOTALL | re.ASCII
    )
    for separator in ".,"
}
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)

_TRUE = frozenset(("1", "true", "yes", "y", "on"))
_FALSE = frozenset(("0", "false", "no", "n", "off"))

_ADDRESS = re.compile(r"(?:https?:)?//[^/?#]*|(?=\.{0,2}/)")
_INDEX = re.compile(r"(?:index|default)\.[a-z]{2,5}", re.IGNORECASE)
_SUFFIX = re.compile(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{0,4}$")


def read_int(text: str) -> int | None:
    """A whole number; its thousands may be set apart.

    >>> read_int(" 1,234 ")
    1234
    """
    number = _without_groups(text, ",")
    if not number:
        return None
    if not _WHOLE.fullmatch(number):
        msg = "expected a whole number such as 1234 or 1,234, and nothing else"
        raise ValueError(msg)
    return int(number)


def read_number(text: str, mark: str = ".") -> str | None:
    """A number as Python writes it, for `Decimal` and `float`; `mark` is the decimal mark of `text`.

    >>> read_number("1.234,50", ",")
    '1234.50'
    """
    other = "." if mark == "," else ","
    number = _without_groups(text, other)
    if not number:
        return None
    if other in number or not _NUMBER.fullmatch(number := number.replace(mark, ".")):
        msg = f"expected a number such as 1234{mark}5, and nothing else"
        raise ValueError(msg)
    return number


def _without_groups(text: str, separator: str) -> str:
    """`text` without what sets thousands apart: white space, an apostrophe, or `separator`, each before three digits.

    White space before more or fewer is what stands between two numbers: those are no number.
    """
    number = _SIGN.sub("", " ".join(text.replace("\u2212", "-").split()))
    if found := _GROUPED[separator].fullmatch(number):
        return found[1].replace(found[2], "") + found[3]
    return number


def read_bool(text: str) -> bool | None:
    """Yes or no.

    >>> read_bool("Off")
    False
    """
    word = text.strip().lower()
    if not word:
        return None
    if word not in _TRUE | _FALSE:
        msg = "expected yes or no, true or false, on or off, 1 or 0"
        raise ValueError(msg)
    return word in _TRUE


def read_slug(text: str, *, allow_unicode: bool = False) -> str | None:
    """Django's slug of a text; of an address, that of its last segment without the suffix.

    >>> read_slug("https://old.example.org/blog/Circles%20all.html?page=2"), read_slug("/blog/ada/index.html")
    ('circles-all', 'ada')
    """
    return slugify(_last_segment(text.strip()), allow_unicode=allow_unicode) or None


def _last_segment(text: str) -> str:
    address = _ADDRESS.match(text)
    if not address:
        return text
    path = re.split(r"[?#]", text[address.end() :], maxsplit=1)[0]
    segments = [segment for segment in path.split("/") if segment.strip(".")]
    # The index page of a directory is named by the directory.
    if len(segments) > 1 and _INDEX.fullmatch(segments[-1]):
        segments.pop()
    return unquote(_SUFFIX.sub("", segments[-1])) if segments else ""


def without_tags(html: str) -> str:
    """The text of a piece of HTML, in one line, as it is read.

    >>> without_tags("<p>Fish &amp; <b>chip</b>s</p><p>Tea</p>")
    'Fish & chips Tea'
    """
    body = LexborHTMLParser(bounded(html.encode())).body
    return " ".join(text_of(body).split()) if body else ""
