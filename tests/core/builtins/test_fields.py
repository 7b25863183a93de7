"""Values as fields take them: the same however they are written, and told apart where they differ."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from testapp.models import Reading, Sheet

from .conftest import again, item, load

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("field", "first", "same", "other"),
    [
        ("price", Decimal("1.5"), Decimal("1.50"), Decimal("2.5")),
        ("price", "1.5", "1.50", "2.5"),
        ("price", 3, "3", 4),
        ("price", 100, "1E2", 200),
        ("price", 0, "-0", 1),
        ("raw", b"abc", bytearray(b"abc"), b"abd"),
        ("ratio", "1.25", 1.25, 1.5),
        ("ratio", 3, "3.0", 4),
        ("took", dt.timedelta(seconds=90), "00:01:30", dt.timedelta(seconds=2)),
        ("data", {"a": (1, 2)}, {"a": [1, 2]}, {"a": 2}),
        ("data", {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2}),
        ("data", {"a": 1}, {"a": 1.0}, {"a": True}),
        ("data", {"a": 1e20}, {"a": 10**20}, {"a": 1.5}),
        ("data", {"a": -0.0}, {"a": 0}, {"a": 0.5}),
        ("data", {1: "a"}, {"1": "a"}, {2: "a"}),
        ("data", "a", "a", "b"),
        ("at", "10:00", dt.time(10), "11:00"),
        ("when", "2026-01-01 03:00", "2026-01-01T03:00:00Z", "2026-01-02 03:00"),
        ("when", "2026-01-01", dt.date(2026, 1, 1), "2026-01-02"),
        ("when", dt.datetime(2026, 1, 1, 3), "2026-01-01 04:00+01:00", "2026-01-01 04:00"),  # noqa: DTZ001
        ("host", "::0001", "::1", "::2"),
        (
            "number",
            "12345678123456781234567812345678",
            uuid.UUID("12345678-1234-5678-1234-567812345678"),
            uuid.UUID(int=3),
        ),
    ],
)
def test_a_value_is_the_same_however_it_is_written_and_another_one_replaces_it(field, first, same, other):
    (one,) = load(item("Reading", {"name": "a", field: first}))
    (unchanged,) = load(again(one, name="a", **{field: same}))
    assert (unchanged.action, unchanged.kept) == ("unchanged", ())
    (updated,) = load(again(one, name="a", **{field: other}))
    assert (updated.action, updated.changed, updated.kept) == ("update", (field,), ())
    (settled,) = load(again(updated, name="a", **{field: other}))
    assert settled.action == "unchanged"


@pytest.mark.parametrize("given", ["2026-07-01 12:00+02:00", "2026-07-01 10:00"])
def test_without_time_zones_a_moment_is_the_one_of_the_projects_zone(given, settings):
    settings.USE_TZ = False
    (one,) = load(item("Reading", {"name": "a", "when": given}))
    assert Reading.objects.get().when == dt.datetime(2026, 7, 1, 10)  # noqa: DTZ001 - as the project keeps it
    (same,) = load(again(one, name="a", when=given))
    assert same.action == "unchanged"


@pytest.mark.parametrize("text", ["2026-13-01", "2026-02-30 10:00", "soon"])
def test_what_is_no_moment_is_refused_by_the_name_of_its_field(text):
    (one,) = load(item("Reading", {"name": "a", "when": text}))
    assert one.action == "error"
    assert "field 'when'" in str(one.error)


# JSON

ID = uuid.UUID("12345678-1234-5678-1234-567812345678")
MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)


@pytest.mark.parametrize("value", [ID, Decimal("1.50"), dt.date(2026, 1, 2), {1, 2}, float("nan")])
def test_what_json_has_not_is_refused_unless_the_field_has_an_encoder_for_it(value):
    plain, rich = load(
        item("Sheet", {"name": "a", "exact": {"see": [value]}}), item("Sheet", {"name": "b", "rich": {"see": [value]}})
    )
    assert plain.action == "error"
    assert "field 'exact'" in str(plain.error)
    assert (rich.action == "error") == isinstance(value, set | float)


@pytest.mark.parametrize("save", ["bulk", "each"])
@pytest.mark.parametrize(
    ("field", "first", "other"),
    [
        ("rich", {"at": MOMENT, "price": Decimal("1.50"), "took": dt.timedelta(1)}, {"at": None}),
        ("rich", MOMENT, dt.date(2026, 1, 1)),
        ("exact", {"price": [1.25]}, {"price": [1.5]}),
    ],
)
def test_json_is_compared_as_the_column_gives_it_back(field, first, other, save):
    (one,) = load(item("Sheet", {"name": "a", field: first}), save=save)
    (same,) = load(again(one, name="a", **{field: first}), save=save)
    assert (same.action, same.kept) == ("unchanged", ())
    (changed,) = load(again(same, name="a", **{field: other}), save=save)
    assert (changed.changed, changed.kept) == ((field,), ())


def test_json_that_was_edited_by_hand_is_kept_whatever_encodes_it():
    (one,) = load(item("Sheet", {"name": "a", "rich": {"at": MOMENT}, "exact": [1.5]}))
    Sheet.objects.update(rich={"at": "by hand"}, exact=[2.5])
    (later,) = load(again(one, name="b", rich={}, exact=[3.5]))
    assert (later.changed, later.kept) == (("name",), ("rich", "exact"))
