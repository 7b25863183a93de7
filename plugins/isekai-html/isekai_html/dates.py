"""Dates as people write them. What can be read in two ways is refused, not guessed."""

import datetime as dt
import re

from django.conf import settings
from django.utils import timezone

_MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august"]
_MONTHS += ["september", "october", "november", "december"]
_MONTH = r"(?P<month>[a-z]{3,9})\.?"
_DAY = r"(?P<day>\d{1,2})"
_YEAR = r"(?P<year>\d{4})"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
# Possessive at its end: an attribute may hold very many spaces, which two in a row could share in as many ways.
_TIME = (
    r"(?:(?:,|\s+at|\s*[-\u2013|])?\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    r"\s*+(?P<half>[ap]\.?m\.?)?\s*+(?P<zone>z|utc|gmt|[+-]\d{2}:?\d{2})?)?"
)
_FORMS = [
    re.compile(_WEEKDAY + form + _TIME, re.IGNORECASE)
    for form in (
        rf"{_DAY}(?:st|nd|rd|th|\.)?\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}",
        rf"{_MONTH}\s+{_DAY}(?:st|nd|rd|th)?,?\s+{_YEAR}",
        rf"{_DAY}\.\s?(?P<month>\d{{1,2}})\.\s?{_YEAR}",
        rf"{_YEAR}[/.](?P<month>\d{{1,2}})[/.]{_DAY}",
    )
]
_TWO_WAYS = re.compile(r"\d{1,2}[/-]\d{1,2}[/-]\d{2,4}")
_KNOWN = "2026-01-31, 31 January 2026, Jan 31, 2026, 31.01.2026, 2026/01/31"


def read_date(text: str, form: str | None = None) -> dt.date:
    """The day that `text` names; `form` is a `strptime` format, without one the common forms are read.

    >>> read_date("Saturday, January 31st, 2026")
    datetime.date(2026, 1, 31)
    """
    return _read(text, form, "date").date()


def read_datetime(text: str, form: str | None = None) -> dt.datetime:
    """The moment that `text` names; midnight when it names a day only.

    Without a zone it is in the project's time zone, where the project uses time zones.
    """
    moment = _read(text, form, "datetime")
    return timezone.make_aware(moment) if settings.USE_TZ and moment.tzinfo is None else moment


def _read(text: str, form: str | None, name: str) -> dt.datetime:
    if form is not None:
        # A zone is read where the format has one; without one it is the project's.
        return dt.datetime.strptime(text, form)  # noqa: DTZ007
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        pass
    for known in _FORMS:
        if found := known.fullmatch(text):
            return _moment(found)
    if _TWO_WAYS.match(text):
        msg = f"cannot tell the day from the month; say which, for example {name}:%d/%m/%Y"
        raise ValueError(msg)
    msg = f"expected a date such as {_KNOWN}, or a format: {name}:%d/%m/%Y"
    raise ValueError(msg)


def _moment(found: re.Match[str]) -> dt.datetime:
    part = found.groupdict()
    hour = int(part["hour"] or 0)
    if part["half"]:
        hour = hour % 12 + (12 if part["half"].lower().startswith("p") else 0)
    return dt.datetime(
        int(part["year"]),
        _month(part["month"]),
        int(part["day"]),
        hour,
        int(part["minute"] or 0),
        int(part["second"] or 0),
        tzinfo=_zone(part["zone"]),
    )


def _month(text: str) -> int:
    if text.isdigit():
        return int(text)
    name = text.lower()
    for number, month in enumerate(_MONTHS, 1):
        if month.startswith(name) or (name == "sept" and number == 9):  # noqa: PLR2004 - September
            return number
    msg = f"{text!r} is no English month"
    raise ValueError(msg)


def _zone(text: str | None) -> dt.tzinfo | None:
    if text is None:
        return None
    if text[0] not in "+-":
        return dt.UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return dt.timezone(dt.timedelta(minutes=-minutes if text[0] == "-" else minutes))
