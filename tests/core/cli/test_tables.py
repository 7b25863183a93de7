"""`cli/tables.py`: numbers in columns, and texts of others that cannot steer the terminal."""

import datetime as dt

import pytest

from isekai_core.cli.tables import clean_output, counted, indented, moment, print_counts, seconds, size
from isekai_core.pipeline.reports.readable import printable


def test_numbers_stand_to_the_right_and_a_nought_is_a_dot(capsys):
    print_counts(("Stage", "done", "failed"), [("seed", 5, 0), ("transform", 1200, 3)])
    assert capsys.readouterr().out == "Stage      done  failed\nseed          5       .\ntransform  1200       3\n"


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\r", "\x7f", "\x9b", "\u202e", "\u2066", "\u2028"])
def test_what_steers_a_terminal_is_shown_as_an_escape(char):
    shown = printable(f"a{char}b")
    assert shown == f"a{char!r}b".replace("'", "")
    assert char not in shown


@pytest.mark.parametrize("text", ["é ß 漢字 🙂", "tab\there", "two\nlines"])
def test_what_is_text_stays(text):
    assert printable(text) == text


def test_what_is_long_is_cut():
    assert printable("x" * 5000, 10) == "x" * 10 + "…"
    assert len(printable("x" * 5000)) == 1001


def test_every_line_is_indented():
    assert indented("a\nb", 2) == "  a\n  b"
    assert indented("", 2) == "  "


def test_moments_are_told_in_the_time_zone_of_the_project(settings):
    settings.TIME_ZONE = "Europe/Paris"
    assert moment(dt.datetime(2026, 1, 31, 12, 0, 5, tzinfo=dt.UTC)) == "2026-01-31 13:00:05"


def test_moments_of_a_project_without_time_zones_are_told_as_they_are(settings):
    settings.TIME_ZONE = "Europe/Paris"
    assert moment(dt.datetime(2026, 1, 31, 12, 0, 5)) == "2026-01-31 12:00:05"  # noqa: DTZ001 - what it is about


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 KB"), (5 * 1024**2, "5.0 MB"), (3 * 1024**4, "3072.0 GB")],
)
def test_sizes_are_told_in_the_unit_that_fits(number, said):
    assert size(number) == said


def test_seconds_and_nouns():
    assert (seconds(0), seconds(12.345), seconds(1234.5)) == ("0.00", "12.3", "1,234.5")
    assert (counted(0, "row"), counted(1, "row"), counted(2, "row")) == ("0 rows", "1 row", "2 rows")


def test_what_a_project_prints_is_not_on_standard_output(capsys):
    with clean_output():
        print("a remark")
    assert capsys.readouterr() == ("", "a remark\n")
