"""Dates as people write them."""

import datetime as dt

import pytest
from isekai_html.dates import read_date, read_datetime

DAY = dt.date(2026, 1, 31)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-01-31", "20260131", "2026-01-31T23:30:00-08:00", "2026-01-31 10:00", "2026-01-31T10:00:00Z"),
        *("31 January 2026", "31 Jan 2026", "31. January 2026", "31st of January, 2026", "Saturday, 31 January 2026"),
        *("January 31, 2026", "Jan. 31 2026", "january 31st, 2026", "Sat Jan 31, 2026"),
        *("31.01.2026", "31. 1. 2026", "2026/01/31", "2026.1.31"),
        *("Sat, 31 Jan 2026 10:00:00 GMT", "31 January 2026, 10:30", "January 31, 2026 at 10:30 pm"),
    ],
)
def test_common_forms_are_read(text):
    assert read_date(text) == DAY


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T10:30:00", (10, 30, 0, dt.UTC)),
        ("2026-01-31", (0, 0, 0, dt.UTC)),
        ("2026-01-31T10:30:05+02:00", (10, 30, 5, dt.timezone(dt.timedelta(hours=2)))),
        ("Sat, 31 Jan 2026 10:30:05 GMT", (10, 30, 5, dt.UTC)),
        ("31 Jan 2026 10:30 -0530", (10, 30, 0, dt.timezone(-dt.timedelta(hours=5, minutes=30)))),
        ("January 31, 2026 at 10:30 p.m.", (22, 30, 0, dt.UTC)),
        ("January 31, 2026 12:05 am", (0, 5, 0, dt.UTC)),
        ("31.01.2026 - 12:05 pm", (12, 5, 0, dt.UTC)),
    ],
)
def test_moments_are_read_with_their_zone(text, moment):
    hour, minute, second, zone = moment
    found = read_datetime(text)
    assert found == dt.datetime(2026, 1, 31, hour, minute, second, tzinfo=zone)
    assert found.utcoffset() == zone.utcoffset(found)


def test_a_moment_without_a_zone_is_in_the_projects(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    assert read_datetime("2026-07-01T12:00").utcoffset() == dt.timedelta(hours=2)
    settings.USE_TZ = False
    assert read_datetime("2026-07-01T12:00").tzinfo is None


@pytest.mark.parametrize("month", ["January", "jan", "Sep", "Sept", "september", "DECEMBER", "may"])
def test_months_are_read_in_full_and_short(month):
    assert read_date(f"1 {month} 2026").day == 1


@pytest.mark.parametrize(
    "text", ["13 of 2026", "1 Ju 2026", "1 Janvier 2026", "31 June 2026", "yesterday", "2026", "12:30"]
)
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError, match=r"expected a date|no English month|day"):
        read_date(text)


@pytest.mark.parametrize("day", ["31 January 2026", "January 31, 2026", "31.01.2026", "2026/01/31"])
def test_what_is_no_time_after_very_many_spaces_is_refused_at_once(day):
    with pytest.raises(ValueError, match="expected a date such as"):
        read_datetime(f"{day} 10:30{' ' * 1_000_000}sharp")


@pytest.mark.parametrize("text", ["01/02/2026", "1-2-26", "31/01/2026"])
def test_what_can_be_read_in_two_ways_is_not_guessed(text):
    with pytest.raises(ValueError, match="cannot tell the day from the month"):
        read_date(text)
