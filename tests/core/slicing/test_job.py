"""Jobs: which rows of a model, checked before any database is asked."""

import pytest

from isekai_core.errors import PlanError
from isekai_core.slicing import ImportJob, per
from isekai_core.testing.shop.models import Customer, Order, Tenant


def test_a_limit_counts_rows_or_children_or_both():
    job = ImportJob(Order, limit=[1000, per("customer", 10, order_by="-created_at"), per("shop", 50)])
    assert job.number == 1000
    assert [(one.field, one.limit, one.order_by) for one in job.pers] == [
        ("customer", 10, ("-created_at",)),
        ("shop", 50, ()),
    ]


def test_a_job_is_shown_without_asking_the_database():
    job = ImportJob(Customer, Customer.objects.filter(email="a@example.org"), limit=100, sample=0.5)
    assert str(job) == "ImportJob(shop.Customer, filtered, limit=100, sample=0.5)"
    assert job._repr_html_() == f"<code>{job}</code>"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "shop.Order"}, "expected a Django model, got 'shop.Order'"),
        ({"query": [1, 2]}, "shop.Order: query is a queryset, got list"),
        ({"limit": 0}, "limit is a number of at least 1"),
        ({"limit": True}, "limit is a number of at least 1"),
        ({"sample": 1.5}, "sample is a share above 0 and up to 1, got 1.5"),
        ({"sample": 0}, "sample is a share above 0 and up to 1, got 0"),
        ({"order_by": "-create_at"}, r"shop.Order has no field 'create_at' \(did you mean 'created_at'\?\)"),
        ({"exclude": ["nothing"]}, "shop.Order has no field 'nothing'"),
        ({"limit": per("status", 3)}, r"per\('status', …\) needs a foreign key, and 'status' is none"),
        ({"limit": per("customer", 3, order_by="age")}, "shop.Order has no field 'age'"),
    ],
)
def test_what_cannot_be_is_refused_naming_the_job(arguments, message):
    with pytest.raises(PlanError, match=message):
        ImportJob(**{"model": Order, **arguments})


def test_querysets_that_cannot_be_compared_are_refused():
    with pytest.raises(PlanError, match=r"query is of shop.Customer"):
        ImportJob(Order, Customer.objects.all())
    with pytest.raises(PlanError, match=r"query is a union"):
        ImportJob(Tenant, Tenant.objects.all().union(Tenant.objects.all()))
    with pytest.raises(PlanError, match=r"query is cut by \[:n\].*use limit= and order_by="):
        ImportJob(Tenant, Tenant.objects.all()[:5])


def test_none_and_values_are_querysets_like_others():
    assert ImportJob(Tenant, Tenant.objects.none())
    assert ImportJob(Tenant, Tenant.objects.values("name"))


def test_per_needs_at_least_one():
    with pytest.raises(PlanError, match=r"per\('customer', …\): expected a number of at least 1, got 0"):
        per("customer", 0)
