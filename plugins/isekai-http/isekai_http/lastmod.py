"""A sitemap's lastmod in one form, so that two of them compare as text."""

import datetime as dt
import re

_W3C = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:[Tt ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
    r"\s*(?P<zone>[Zz]|[+-]\d\d:?\d\d)?)?)?)?"
)


def to_utc(text: str) -> str | None:
    """A W3C date of any precision as `2026-01-31T00:00:00Z`; None when it is none.

    What is missing is taken as its beginning, a missing zone as UTC; fractions of a second are dropped.

    >>> to_utc("2026-01-31T01:30+02:00")
    '2026-01-30T23:30:00Z'
    >>> to_utc("yesterday")
    """
    match = _W3C.fullmatch(text.strip())
    if match is None or not text.isascii():
        return None
    numbers = [int(match[name] or least) for name, least in _PARTS]
    try:
        moment = dt.datetime(*numbers, tzinfo=_zone(match["zone"])).astimezone(dt.UTC)  # type: ignore[arg-type,misc]
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=None).isoformat() + "Z"


_PARTS = (("year", 0), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))


def _zone(text: str | None) -> dt.timezone:
    if text is None or text in "Zz":
        return dt.UTC
    offset = dt.timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return dt.timezone(-offset if text[0] == "-" else offset)
