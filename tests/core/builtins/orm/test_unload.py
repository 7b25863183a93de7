"""The portable target gives back what it took: exactly the rows that loads created."""

import pytest
from django.db import connection
from shop_slices import AT, CIRCLE, SHOP, circle, count, empty, export, fill, load, shop_bundle

from isekai_core.builtins.orm.database import Orm
from isekai_core.errors import MergeError
from isekai_core.testing.shop.models import (
    Category,
    Product,
    Shop,
    Tenant,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["deferred", "at once"])
def constraints(request, monkeypatch):
    """Databases whose constraints wait for the end of a transaction, and those that have to be told otherwise."""
    if request.param == "at once":
        monkeypatch.setattr(connection.features, "can_defer_constraint_checks", False)


def test_an_unload_removes_exactly_the_rows_that_loads_created(constraints):
    bundle = shop_bundle(fill())
    empty(*SHOP)
    there = Tenant.objects.create(name="a", subdomain="a", created_at=AT)
    load(bundle, name="dev")
    removed = {one.model: one.rows for one in Orm().unload("dev")}
    assert removed == {
        "shop.OrderItem": 2, "shop.Order": 2, "shop.Customer": 2, "shop.Product": 1, "shop.Shop": 1, "shop.Tenant": 0,
    }  # fmt: skip
    assert list(Tenant.objects.all()) == [there]
    with pytest.raises(MergeError, match="no slice 'dev' has been loaded into orm:default; there are none"):
        Orm().unload("dev")


def test_rows_that_are_no_longer_in_the_slice_stay_until_it_is_unloaded():
    one, other = fill("a"), fill("b")
    both, less = export(Tenant.objects.filter(pk__in=[one.pk, other.pk])), export(Tenant.objects.filter(pk=one.pk))
    empty(*SHOP)
    load(both, name="dev")
    assert load(less, name="dev") == {"shop.Tenant": (0, 0, 1)}
    assert count()["Tenant"] == 2
    assert [one.rows for one in Orm().unload("dev")] == [2]
    assert count()["Tenant"] == 0
    assert load(less, name="dev") == {"shop.Tenant": (1, 0, 0)}


def test_an_unload_takes_circles_and_multi_table_rows_with_it(constraints):
    bundle = circle()
    empty(*CIRCLE)
    load(bundle, name="c")
    load(bundle, name="c")
    assert {one.rows for one in Orm().unload("c")} == {1}
    assert not any(model._base_manager.exists() for model in CIRCLE)


def test_an_unload_that_others_need_leaves_everything():
    bundle = shop_bundle(fill())
    empty(*SHOP)
    load(bundle, name="dev")
    shop = Shop.objects.get()
    Product.objects.create(tenant=shop.tenant, shop=shop, sku="own", name="own", price=1)
    before = count()
    with pytest.raises(MergeError, match="rows of the slice cannot be removed"):
        Orm().unload("dev")
    assert count() == before
    assert load(bundle, name="dev")["shop.Shop"] == (0, 0, 1)


def test_a_key_that_a_slice_once_gave_is_given_to_no_other_row():
    one, other = Category.objects.create(slug="one"), Category.objects.create(slug="other")
    first, second = export(Category.objects.filter(pk=one.pk)), export(Category.objects.filter(pk=other.pk))
    empty(Category)
    load(first, name="first")
    empty(Category)
    load(second, name="second")
    Orm().unload("first")
    assert [row.slug for row in Category.objects.all()] == ["other"]
