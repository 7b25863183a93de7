"""Masks of PostgreSQL's own types, whose fields need the driver."""

import pytest
from django.contrib.postgres.fields import ArrayField, DateRangeField, HStoreField
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from odd_columns import masked

from isekai_core.errors import ExportError, PlanError
from isekai_core.slicing import DataSlicer, constant, fake
from isekai_core.slicing.decided import texts_without_decision
from isekai_core.testing.shop.models import Country

pytestmark = pytest.mark.usefixtures("isekai_importers")


def test_what_is_made_of_texts_or_of_nobody_knows_what_needs_a_decision():
    class Own(models.Field):
        def db_type(self, connection):
            return "xml"

    class Page(models.Model):
        words = SearchVectorField()
        pairs = HStoreField()
        own = Own()
        tags = ArrayField(models.CharField(max_length=9))
        numbers = ArrayField(models.IntegerField())
        days = DateRangeField()
        size = models.DecimalField(max_digits=9, decimal_places=2)
        seen = models.DateTimeField()
        data = models.BinaryField()

        class Meta:
            app_label = "shop"
            apps = type(Country._meta.apps)()

        def __str__(self):
            return "a page"

    (table,) = DataSlicer.plan(Page._base_manager.filter(pk=1)).tables
    assert texts_without_decision([table]) == ["shop.Page.words", "shop.Page.pairs", "shop.Page.own", "shop.Page.tags"]


@pytest.mark.parametrize("field", [ArrayField(models.TextField()), SearchVectorField(), DateRangeField()])
def test_what_is_only_carried_is_masked_by_texts_as_postgresql_writes_them(field):
    assert masked(field, constant("{a,b}"), ["{x}", "{y}"]) == ["{a,b}", "{a,b}"]
    assert masked(field, lambda text: text.upper(), ["{x}"]) == ["{X}"]
    told = f"a {field.get_internal_type()} is carried as PostgreSQL writes it: give such a text"
    with pytest.raises(PlanError, match=f"makes nothing that .* can hold; {told}"):
        masked(field, constant(["a"]), ["{x}"])
    with pytest.raises(PlanError, match=r"makes nothing that .* can hold; use a constant, null or a function"):
        masked(field, fake("name"), ["{x}"])
    with pytest.raises(ExportError, match=f"gave a list: {told}") as caught:
        masked(field, lambda text: [text], ["{x}"])
    assert "{x}" not in str(caught.value)
