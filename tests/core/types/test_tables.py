"""`types/tables.py`: what notebooks show is escaped, and asks nobody."""

import pytest
from django.db import models

from isekai_core.slicing import DataSlicer, Importer, ImportJob, hashed, per
from isekai_core.slicing import importer as home
from isekai_core.slicing.estimates import Estimates
from isekai_core.slicing.files import with_files
from isekai_core.slicing.plan import plan_of
from isekai_core.slicing.slicer import SliceResult
from isekai_core.testing.shop.models import Customer, Order, Person, Tenant
from isekai_core.types.estimates import Estimate, Reason
from isekai_core.types.slices import Column, TableReport
from isekai_core.types.tables import table_html


@pytest.fixture
def importers(monkeypatch):
    monkeypatch.setattr(home, "_importers", {})
    columns = {"email": hashed}
    type("CustomerImporter", (Importer,), {"model": Customer, "Columns": type("Columns", (), columns)})
    type("OrderImporter", (Importer,), {"model": Order, "Columns": type("Columns", (), {"customer": Customer})})


def test_everything_is_escaped():
    html = table_html("<b>", ["<i>"], [["<script>"]], ["<p>note"])
    assert "<b>" not in html
    assert "<i>" not in html
    assert "<script>" not in html
    assert "&lt;p&gt;note" in html


def test_numbers_stand_to_the_right():
    assert '<td style="text-align:right">1,200</td>' in table_html("", ["rows"], [[1200]])


def test_a_plan_says_which_rows_are_taken_and_what_is_masked(importers):
    jobs = [ImportJob(Customer, limit=100), ImportJob(Order, sample=0.5, limit=per("customer", 10))]
    html = plan_of(jobs)._repr_html_()
    assert "all rows, at most 100" in html
    assert "all rows, with their customer, at most 10 per customer, a share of 0.5" in html
    assert "email" in html


def test_a_plan_of_rows_and_its_text_ask_no_database():
    """There is none here: a query would fail."""
    plan = DataSlicer.plan(Order.objects.filter(pk=1))
    assert "those of a query" in plan._repr_html_()
    assert "those that others need" in plan._repr_html_()
    assert "QuerySet" not in repr(plan)
    assert isinstance(plan.table("shop.Order").queryset, models.QuerySet)


def test_a_plan_is_printed_with_a_line_for_each_table(importers):
    plan = plan_of([ImportJob(Customer, limit=100), ImportJob(Order, Order.objects.none())])
    assert str(plan).splitlines() == [
        "a slice, parents before children",
        "  shop.Customer: all rows, at most 100; 8 columns, masked: email",
        "  shop.Order: with their customer; 10 columns",
    ]
    assert repr(plan) == "SlicePlan(shop.Customer, shop.Order)"
    assert repr(plan.table("shop.Customer")) == f"TablePlan({str(plan).splitlines()[1].strip()})"


def test_a_table_of_which_nothing_is_taken_says_so(importers):
    assert "shop.Customer: no rows; 8 columns" in str(plan_of([ImportJob(Customer, Customer.objects.none())]))


def test_a_column_is_shown_without_what_is_as_it_is_by_default():
    column = Column("email", "email", "CharField", max_length=200, mask="hashed")
    assert repr(column) == "Column(name='email', field='email', type='CharField', max_length=200, mask='hashed')"
    assert eval(repr(column)) == column


def test_an_estimate_has_a_sum_and_says_why_there_are_so_many():
    because = (Reason("all", "", 1500), Reason("parent", "shop.<A>", 2))
    html = Estimates({"shop.A": Estimate(1, 1000), "shop.B": Estimate(2, 2000, because)})._repr_html_()
    assert "1,500 in the table; 2 with their shop.&lt;A&gt;</td>" in html
    assert html.endswith('3,000</td><td style="text-align:left"></td></tr></tbody></table>')


def test_a_result_shows_what_became_of_the_rows_where_there_is_something_to_show():
    cut = SliceResult([TableReport("shop.A", 5, 0, 0, 0)], "a", "<b>", ["<note>"])
    assert "created" not in cut._repr_html_()
    assert "&lt;b&gt;" in cut._repr_html_()
    assert "&lt;note&gt;" in cut._repr_html_()
    assert "created" in SliceResult([TableReport("shop.A", 5, 5, 0, 0)], "a", "b")._repr_html_()


def test_files_of_a_plan_are_named():
    assert "picture" in with_files(DataSlicer.plan(Person.objects.filter(pk=1)))._repr_html_()
    assert "picture" not in DataSlicer.plan(Tenant.objects.filter(pk=1))._repr_html_()
