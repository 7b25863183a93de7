"""Masking: what a mask is given, and that values which Python does not have are masked all the same."""

import datetime as dt

import pytest
from django.db import models
from odd_columns import masked

from isekai_core.errors import ExportError, PlanError
from isekai_core.slicing import constant, fake, hashed, null

ENDLESS = ["infinity", "-infinity", "0044-03-15 BC", "20000-01-01"]
MOMENTS = ["infinity", "0044-03-15 00:00:00+00 BC", "20000-01-01 00:00:00+00"]
SPANS = ["1 year 2 mons", "-1 mons +3 days"]


@pytest.mark.parametrize(
    ("field", "texts", "made"),
    [
        (models.DateField, ENDLESS, dt.date(2000, 1, 2)),
        (models.DateTimeField, MOMENTS, dt.datetime(2000, 1, 2, tzinfo=dt.UTC)),
        (models.DurationField, SPANS, dt.timedelta(days=1)),
    ],
)
def test_masks_that_need_no_value_mask_what_python_has_no_value_for(field, texts, made):
    nothing = [None] * len(texts)
    assert masked(field(null=True), null, texts) == nothing
    one = masked(field(), constant(made), texts)
    assert len(set(one)) == 1
    assert one[0].startswith(("2000-01-02", "1 day"))
    assert masked(field(), lambda: made, texts) == one


def test_a_fake_day_stands_for_a_day_without_end():
    made = masked(models.DateField(), fake("date_of_birth"), ENDLESS)
    assert all(dt.date.fromisoformat(day) for day in made)


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        (models.DateField(), "-infinity", "a DateField like this one, such as infinity or a year before 1"),
        (models.DurationField(), "1 mon", "a DurationField like this one, such as one of months"),
        (models.JSONField(), "[" * 100_000 + "]" * 100_000, "a JSONField like this one"),
    ],
)
def test_a_function_of_a_value_that_python_does_not_have_is_told_what_else_there_is(field, text, told):
    with pytest.raises(ExportError) as caught:
        masked(field, lambda value: value, [text])
    message = str(caught.value)
    assert message.startswith("shop.Odd.it: the row with the key 0: the mask ")
    assert told in message
    assert message.endswith("; null, constant(…) and fake(…) need none")
    assert text not in message
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_an_empty_text_in_json_stays_one():
    for mask in (hashed, fake("name")):
        empty, other = masked(models.JSONField(), mask, ['""', '"Ada"'])
        assert empty == '""'
        assert "Ada" not in other


ALONE = (
    {"constraints": [models.UniqueConstraint(fields=["it"], name="alone")]},
    {"unique_together": [("it",)]},
)


@pytest.mark.parametrize("options", ALONE, ids=["constraint", "together"])
def test_a_column_that_a_constraint_makes_unique_is_one_as_any_other(options):
    with pytest.raises(PlanError, match="constant cannot keep a unique IntegerField unique"):
        masked(models.IntegerField(), constant(7), ["1", "2"], **options)
    with pytest.raises(ExportError, match="hashed cannot stay unique in 1 characters"):
        masked(models.CharField(max_length=1), hashed, map(str, range(40)), **options)
    made = masked(models.CharField(max_length=20), constant("x"), map(str, range(40)), **options)
    assert len(set(made)) == 40
