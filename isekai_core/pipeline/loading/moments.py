"""Moments: dates and times as a column takes them, however they were given."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import DateTimeField
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime


def moment(field: Any, value: Any) -> Any:
    """What a column of moments takes: with a zone where the project keeps zones, else without, as Django reads it.

    A moment without a zone, and a date, is taken to be in the project's. Any other value, and a text that is no
    moment, is given back as it is: what is wrong with it is the field's to say.
    """
    if not isinstance(field, DateTimeField):
        return value
    if isinstance(value, str):
        value = _read(value)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    if isinstance(value, dt.datetime) and timezone.is_naive(value) == settings.USE_TZ:
        return timezone.make_aware(value) if settings.USE_TZ else timezone.make_naive(value)
    return value


def _read(text: str) -> dt.date | str:
    try:
        return parse_datetime(text) or parse_date(text) or text
    except ValueError:
        # It looks like a moment, and is none: the 30th of February.
        return text
