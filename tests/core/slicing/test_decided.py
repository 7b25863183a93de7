"""What importers decide: which texts nobody has said anything about."""

import pytest
from django.db import models

from isekai_core.errors import PlanError
from isekai_core.slicing import DataSlicer, Importer, ImportJob, hashed, keep
from isekai_core.slicing.decided import texts_without_decision
from isekai_core.slicing.plan import plan_of
from isekai_core.testing.shop.models import Branch, Category, Country, Customer, Person


def undecided(*of):
    """Those of these models, in a plan of their rows."""
    tables = [DataSlicer.plan(model._base_manager.filter(pk=1)).table(model._meta.label) for model in of]
    return texts_without_decision(tables)


def test_text_columns_without_a_decision_are_listed():
    columns = type("Columns", (), {"email": hashed, "first_name": keep})
    type("CustomerImporter", (Importer,), {"model": Customer, "Columns": columns})
    assert undecided(Customer) == ["shop.Customer.last_name", "shop.Customer.phone"]
    assert undecided(Person) == ["shop.Person.name", "shop.Person.notes"]
    assert undecided(Branch, Category) == ["shop.Branch.town", "shop.Category.slug"]


def test_choices_and_files_need_no_decision_and_addresses_of_computers_do():
    class Visit(models.Model):
        kind = models.CharField(max_length=5, choices=[("a", "A")])
        address = models.GenericIPAddressField()
        upload = models.FileField()
        country = models.ForeignKey(Country, models.CASCADE, to_field="code")

        class Meta:
            app_label = "shop"
            apps = type(Country._meta.apps)()

        def __str__(self):
            return self.kind

    assert undecided(Visit) == ["shop.Visit.address"]


def test_a_column_that_is_left_out_needs_no_decision():
    columns = type("Columns", (), {"email": hashed, "first_name": keep, "last_name": keep})
    type("CustomerImporter", (Importer,), {"model": Customer, "Columns": columns})
    with pytest.raises(PlanError, match=r"nothing says what becomes of shop\.Customer\.phone;"):
        plan_of([ImportJob(Customer)], masks="required")
    assert plan_of([ImportJob(Customer, exclude="phone")], masks="required").tables[0].model == "shop.Customer"
