import pytest
from isekai_http.lastmod import to_utc


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", "2026-01-01T00:00:00Z"),
        ("2026-03", "2026-03-01T00:00:00Z"),
        ("2026-03-04", "2026-03-04T00:00:00Z"),
        ("2026-03-04T05:06Z", "2026-03-04T05:06:00Z"),
        ("2026-03-04T05:06:07Z", "2026-03-04T05:06:07Z"),
        ("2026-03-04T05:06:07.891Z", "2026-03-04T05:06:07Z"),
        ("2026-03-04T05:06:07+02:00", "2026-03-04T03:06:07Z"),
        ("2026-03-04T23:06:07-05:30", "2026-03-05T04:36:07Z"),
        ("2026-03-04T05:06:07", "2026-03-04T05:06:07Z"),
        ("2026-03-04 05:06:07 +0200", "2026-03-04T03:06:07Z"),
        (" 2026-03-04\n", "2026-03-04T00:00:00Z"),
    ],
)
def test_a_w3c_date_of_every_precision_becomes_one_form(text, expected):
    assert to_utc(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "04.03.2026",
        "2026-13-01",
        "2026-02-30",
        "2026-03-04T25:00Z",
        "0000",
        "26-03-04",
        "\uff12\uff10\uff12\uff16",
    ],
)
def test_what_is_no_date_is_none(text):
    assert to_utc(text) is None


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-03-04T05:06+99:99"])
def test_a_date_that_no_calendar_reaches_is_none(text):
    assert to_utc(text) is None


def test_later_dates_compare_as_greater_text():
    dates = ["2025", "2026-01-31T23:59:59+01:00", "2026-02", "2026-02-01T00:00:01Z", "2026-02-01T00:00-01:00"]
    versions = [to_utc(date) for date in dates]
    assert versions == sorted(versions)
    assert len(set(versions)) == len(dates)
