"""Keys that are remembered of a table are forgotten when its counter was set back since."""

import pytest
from django.core.management import call_command
from django.db import connection
from shop_slices import AT, CIRCLE, SHOP, circle, count, empty, export, fill, load, shop_bundle

from isekai_core.builtins.orm import counters
from isekai_core.builtins.orm.database import Orm
from isekai_core.errors import MergeError
from isekai_core.testing.shop.models import Branch, Category, Label, Person, Product, Shop, Tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_map():
    """Tests whose transactions are real leave it behind."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS isekai_slice_map")
        cursor.execute("DROP TABLE IF EXISTS isekai_slice_map_counters")


@pytest.fixture
def bundle(no_map):
    """A slice that has been loaded as `dev` into an empty database, and is all that is in it."""
    bundle = shop_bundle(fill())
    flush()
    load(bundle, name="dev")
    return bundle


def flush():
    call_command("flush", interactive=False, verbosity=0)


def flush_unheard():
    """As in a project without `isekai_core` in its INSTALLED_APPS."""
    call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)


def own_rows(number):
    """What the application has made since."""
    for n in range(number):
        tenant = Tenant.objects.create(name="mine", subdomain=f"mine{n}", created_at=AT)
        Shop.objects.create(tenant=tenant, name="mine", url="https://mine.test/")
    return mine()


def mine():
    return list(Shop.objects.filter(name="mine").order_by("pk").values_list("pk", "tenant", "tenant__subdomain", "url"))


@pytest.mark.parametrize("number", [0, 1, 3, 20])
def test_rows_that_came_after_a_flush_stay_untouched_and_the_slice_gets_new_keys(bundle, number):
    flush()
    there = own_rows(number)
    assert load(bundle, name="dev")["shop.Tenant"] == (1, 0, 0)
    assert mine() == there
    assert [one.pk for one in Tenant.objects.exclude(name="mine")] == [number + 1]
    assert count()["OrderItem"] == 2
    # From now on, these are remembered.
    assert load(bundle, name="dev")["shop.Tenant"] == (0, 0, 1)


def test_a_flush_that_nobody_heard_of_is_seen_while_the_counter_is_behind():
    tenants = [Tenant.objects.create(name=f"t{n}", subdomain=f"t{n}") for n in range(5)]
    bundle = export(Tenant.objects.filter(pk__in=[one.pk for one in tenants]))
    flush()
    load(bundle, name="dev")
    flush_unheard()
    there = own_rows(2)
    assert load(bundle, name="dev") == {"shop.Tenant": (5, 0, 0)}
    assert mine() == there


def test_on_postgresql_a_flush_is_seen_however_many_rows_have_come_and_whoever_heard_of_it(bundle):
    if connection.vendor == "postgresql":
        flush_unheard()
    else:
        flush()
    there = own_rows(20)
    load(bundle, name="dev")
    assert mine() == there
    assert count()["Tenant"] == 21


def test_a_database_that_tells_no_counter_gives_new_keys_in_an_empty_table(bundle, monkeypatch):
    monkeypatch.setattr(counters, "_last", lambda _alias, _field: None)
    before = list(Product.objects.values_list("pk", flat=True))
    assert load(bundle, name="dev")["shop.Product"] == (0, 0, 1)
    assert list(Product.objects.values_list("pk", flat=True)) == before
    empty(*SHOP)
    assert load(bundle, name="dev")["shop.Product"] == (1, 0, 0)


def test_rows_that_were_deleted_come_back_under_their_keys(bundle):
    before = list(Shop.objects.values_list("pk", "tenant"))
    empty(*SHOP)
    Tenant.objects.create(name="mine", subdomain="mine")
    load(bundle, name="dev")
    assert list(Shop.objects.values_list("pk", "tenant")) == before


def test_the_key_of_a_multi_table_child_is_forgotten_with_that_of_its_parent():
    bundle = circle()
    flush()
    load(bundle, name="c")
    flush()
    Branch.objects.create(name="mine", owner=Person.objects.create(name="mine"), town="mine")
    load(bundle, name="c")
    assert list(Branch.objects.order_by("pk").values_list("pk", "name", "town")) == [
        (1, "mine", "mine"),
        (2, "firm", "Paris"),
    ]
    assert not any(model._base_manager.count() > 2 for model in CIRCLE)


def test_keys_that_no_counter_gives_are_forgotten_by_a_flush_and_are_the_same_again():
    bundle = export(Label.objects.filter(pk=Label.objects.create(name="red").pk))
    flush()
    load(bundle, name="dev")
    flush()
    with pytest.raises(MergeError, match="no slice 'dev'"):
        Orm().unload("dev")
    assert load(bundle, name="dev") == {"shop.Label": (1, 0, 0)}
    assert load(bundle, name="dev") == {"shop.Label": (0, 0, 1)}


@pytest.mark.parametrize("number", [0, 20])
def test_what_is_unloaded_after_a_flush_takes_no_rows_of_others(bundle, number):
    flush()
    there = own_rows(number)
    with pytest.raises(MergeError, match="no slice 'dev' has been loaded into orm:default; there are none"):
        Orm().unload("dev")
    assert mine() == there


def test_what_is_unloaded_after_a_flush_that_nobody_heard_of_takes_no_rows_of_others(bundle):
    flush_unheard()
    Category.objects.create(slug="mine")
    assert {one.rows for one in Orm().unload("dev")} == {0}
    assert Category.objects.exists()


def test_a_flush_of_a_database_with_somebody_elses_table_in_the_place_of_the_map_is_left_alone():
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS isekai_slice_map")
        cursor.execute("CREATE TABLE isekai_slice_map (mine int)")
        cursor.execute("INSERT INTO isekai_slice_map VALUES (1)")
        flush()
        cursor.execute("SELECT mine FROM isekai_slice_map")
        assert cursor.fetchall() == [(1,)]
        cursor.execute("DROP TABLE isekai_slice_map")
