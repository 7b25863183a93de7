"""Jobs: which rows of a model, checked before any database is asked."""

import pytest
from django.db.models import Count

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


@pytest.mark.parametrize("combined", ["union", "intersection", "difference"])
def test_combined_querysets_are_refused_with_the_way_out(combined):
    query = getattr(Tenant.objects.filter(pk=1), combined)(Tenant.objects.filter(pk=2))
    with pytest.raises(PlanError, match=rf"query is a {combined}; join conditions by \| and & in one filter"):
        ImportJob(Tenant, query)


def test_querysets_of_groups_are_refused_and_those_of_rows_with_an_aggregate_are_not():
    groups = Order.objects.values("status").annotate(n=Count("pk")).filter(n__gt=2)
    with pytest.raises(PlanError, match=r"shop.Order: query groups: .* filter by a subquery of it, as in status__in="):
        ImportJob(Order, groups)
    assert ImportJob(Order, Order.objects.filter(status__in=groups.values("status")))
    assert ImportJob(Order, Order.objects.annotate(n=Count("items")).values("status").filter(n=2))


def test_a_raw_query_is_no_queryset():
    with pytest.raises(PlanError, match="query is a queryset, got RawQuerySet"):
        ImportJob(Tenant, Tenant.objects.raw("SELECT * FROM shop_tenant"))


def test_none_and_values_are_querysets_like_others():
    assert ImportJob(Tenant, Tenant.objects.none())
    assert ImportJob(Tenant, Tenant.objects.values("name"))


def test_per_needs_at_least_one():
    with pytest.raises(PlanError, match=r"per\('customer', …\): expected a number of at least 1, got 0"):
        per("customer", 0)
