"""What importers decide: which texts nobody has said anything about."""

from django.db import models

from isekai_core.slicing import Importer, hashed, keep
from isekai_core.slicing.decided import texts_without_decision
from isekai_core.testing.shop.models import Branch, Category, Country, Customer, Person


def test_text_columns_without_a_decision_are_listed():
    columns = type("Columns", (), {"email": hashed, "first_name": keep})
    type("CustomerImporter", (Importer,), {"model": Customer, "Columns": columns})
    assert texts_without_decision([Customer]) == ["shop.Customer.last_name", "shop.Customer.phone"]
    assert texts_without_decision([Person]) == ["shop.Person.name", "shop.Person.notes"]
    assert texts_without_decision([Branch, Category]) == ["shop.Branch.town", "shop.Category.slug"]


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

    assert texts_without_decision([Visit]) == ["shop.Visit.address"]
