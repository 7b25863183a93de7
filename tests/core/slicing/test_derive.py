"""Plans from a few rows: what they need to the last, and what is named."""

import pytest

from isekai_core.errors import PlanError
from isekai_core.slicing import DataSlicer
from isekai_core.testing.shop.models import Branch, Category, Firm, Label, OrderItem, Person, Tenant

pytestmark = pytest.mark.django_db


def rows(plan, model):
    return set(plan.table(model._meta.label).queryset.values_list("pk", flat=True))


def test_parents_come_by_themselves_and_children_only_where_they_are_named():
    plan = DataSlicer.plan(OrderItem.objects.filter(pk=1))
    assert {table.model for table in plan.tables} == {
        f"shop.{name}" for name in ("Tenant", "Shop", "Customer", "Product", "Order", "OrderItem")
    }
    assert plan.table("shop.Order").closure == (("shop.OrderItem", "order_id"),)
    assert ("shop.Order", "customer_id") in plan.table("shop.Customer").closure
    only = DataSlicer.plan(Tenant.objects.filter(pk=1))
    assert [table.model for table in only.tables] == ["shop.Tenant"]


def test_named_relations_are_followed_to_the_end_of_the_path():
    one, two = (Tenant.objects.create(name=name, subdomain=name) for name in ("one", "two"))
    shops = [tenant.shop_set.create(name="s", url="https://example.org") for tenant in (one, one, two)]
    for shop in shops:
        shop.customer_set.create(tenant=shop.tenant, email="a@example.org")
    plan = DataSlicer.plan(Tenant.objects.filter(name="one"), follow=["shop__customer"])
    assert rows(plan, Tenant) == {one.pk}
    assert rows(plan, type(shops[0])) == {shop.pk for shop in shops[:2]}
    assert plan.table("shop.Customer").queryset.count() == 2


def test_many_to_many_rows_come_with_their_table_between():
    person = Person.objects.create(name="Ada")
    label, other = (Label.objects.create(name=name) for name in ("a", "b"))
    person.labels.add(label)
    plan = DataSlicer.plan(Person.objects.filter(pk=person.pk), follow=["labels"])
    assert rows(plan, Label) == {label.pk}
    assert other.pk not in rows(plan, Label)
    assert plan.table("shop.Person_labels").queryset.count() == 1
    back = DataSlicer.plan(Label.objects.filter(pk=label.pk), follow=["person"])
    assert rows(back, Person) == {person.pk}


def test_a_tree_and_a_table_of_two_models_need_their_own_rows():
    plan = DataSlicer.plan(Category.objects.all())
    assert plan.table("shop.Category").closure == (("shop.Category", "parent_id"),)
    plan = DataSlicer.plan(Branch.objects.all())
    assert ("shop.Branch", "firm_ptr_id") in plan.table("shop.Firm").closure
    assert ("shop.Firm", "owner_id") in plan.table("shop.Person").closure


@pytest.mark.parametrize(
    ("follow", "message"),
    [
        (["shops"], r"no model of the roots has a relation 'shops' \(did you mean 'shop'"),
        (["shop__custommer"], r"shop.Shop has no relation 'custommer' \(did you mean 'customer'"),
        (["name"], "no model of the roots has a relation 'name'"),
    ],
)
def test_a_relation_that_is_not_there_is_told_with_those_that_are(follow, message):
    with pytest.raises(PlanError, match=message):
        DataSlicer.plan(Tenant.objects.all(), follow=follow)


def test_what_is_no_queryset_is_refused():
    with pytest.raises(PlanError, match=r"expected querysets such as Tenant.objects.filter\(pk=1\)"):
        DataSlicer.plan(Firm)
