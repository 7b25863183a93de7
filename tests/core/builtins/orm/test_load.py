"""The portable target: keys, conflicts, references, cycles; all of it or nothing; and out again."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models.signals import post_save, pre_save
from memory_bundle import Told
from shop_slices import (
    AT,
    CIRCLE,
    SHOP,
    changed_plan,
    circle,
    count,
    empty,
    export,
    fill,
    load,
    replace,
    shop_bundle,
    without_customers,
)

from isekai_core.builtins.orm.database import Orm
from isekai_core.errors import MergeError, StagingError
from isekai_core.testing.shop.models import (
    Branch,
    Category,
    Order,
    OrderItem,
    Person,
    Shop,
    Tenant,
)
from isekai_core.types.slices import LoadChoice

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["deferred", "at once"])
def constraints(request, monkeypatch):
    """Databases whose constraints wait for the end of a transaction, and those that have to be told otherwise."""
    if request.param == "at once":
        monkeypatch.setattr(connection.features, "can_defer_constraint_checks", False)


def shape():
    """What is there, without keys."""
    rows = OrderItem.objects.order_by("quantity").select_related("order__customer__shop__tenant", "product__shop")
    return [
        (
            one.quantity, one.order.order_number, one.order.customer.email, one.order.customer.shop.name,
            one.order.customer.shop.tenant.subdomain, one.product.shop.name, one.product.price,
            one.order.customer.shop.tenant.created_at, one.tenant.subdomain,
        )
        for one in rows
    ]  # fmt: skip


def test_into_an_empty_database_and_out_again_is_the_same_bytes(constraints):
    tenant = fill()
    bundle = shop_bundle(tenant)
    empty(*SHOP)
    assert load(bundle, ids="keep")["shop.OrderItem"] == (2, 0, 0)
    assert shop_bundle(tenant).texts == bundle.texts


def test_new_keys_keep_what_belongs_together(constraints):
    bundle = shop_bundle(fill())
    before = shape()
    empty(*SHOP)
    Tenant.objects.create(name="here", subdomain="here")
    load(bundle, ids="remap")
    assert shape() == before
    assert count() == {"OrderItem": 2, "Order": 2, "Customer": 2, "Product": 1, "Shop": 1, "Tenant": 2}


def test_what_is_made_afterwards_meets_no_key_of_the_bundle():
    tenant = fill()
    bundle = shop_bundle(tenant)
    empty(*SHOP)
    load(bundle, ids="keep", fixed={"shop.Tenant": {tenant.pk: 5000}})
    assert Tenant.objects.get().pk == 5000
    assert Tenant.objects.create(name="n", subdomain="n").pk > 5000


def test_a_tenant_becomes_another_one():
    tenant = fill()
    bundle = shop_bundle(tenant)
    empty(*SHOP)
    there = Tenant.objects.create(pk=7010, name="dev", subdomain="dev", created_at=AT)
    load(bundle, fixed={"shop.Tenant": {tenant.pk: 7010}}, on_conflict="skip")
    assert Tenant.objects.get() == there
    assert Tenant.objects.get().name == "dev"
    assert {one.tenant_id for one in OrderItem.objects.all()} == {7010}


def test_a_tenant_outside_the_bundle_becomes_another_one():
    tenant = fill()
    bundle = shop_bundle(tenant)
    empty(*SHOP)
    Tenant.objects.create(pk=7010, name="dev", subdomain="dev")
    bundle.plans = [one for one in bundle.plans if one.model != "shop.Tenant"]
    load(bundle, fixed={"shop.Tenant": {tenant.pk: 7010}})
    assert {one.tenant_id for one in OrderItem.objects.all()} == {7010}


@pytest.mark.parametrize(
    ("fixed", "told"),
    [
        ({"shop.Nothing": {1: 2}}, "fixed: the bundle has no shop.Nothing, and nothing in it points to one"),
        ({"shop.Tenant": {999: 2}}, "fixed: the bundle has no shop.Tenant with the key 999"),
        ({"shop.Tenant": {1: "x"}}, "fixed: 'x' is no key of shop.Tenant, which is a BigAutoField"),
    ],
)
def test_fixed_keys_that_cannot_be_are_told(fixed, told):
    bundle = shop_bundle(fill())
    with pytest.raises(StagingError, match=re.escape(told)):
        load(bundle, fixed=fixed)


def test_the_same_slice_gets_the_same_keys_again_and_changes_nothing():
    bundle = shop_bundle(fill())
    empty(*SHOP)
    first = load(bundle, name="dev")
    keys = list(OrderItem.objects.order_by("pk").values_list("pk", flat=True))
    assert {one[0] for one in first.values()} == {1, 2}
    assert load(bundle, name="dev") == {model: (0, 0, made) for model, (made, _, _) in first.items()}
    assert list(OrderItem.objects.order_by("pk").values_list("pk", flat=True)) == keys
    OrderItem.objects.filter(pk=keys[0]).delete()
    assert load(bundle, name="dev")["shop.OrderItem"] == (1, 0, 1)
    assert list(OrderItem.objects.order_by("pk").values_list("pk", flat=True)) == keys


def test_a_slice_without_a_name_is_known_by_its_content():
    bundle = shop_bundle(fill())
    empty(*SHOP)
    load(bundle)
    assert {one[2] for one in load(bundle).values()} == {1, 2}


def test_natural_keys_find_the_rows_that_are_there_and_those_below_them():
    bundle = shop_bundle(fill())
    empty(*SHOP)
    tenant = Tenant.objects.create(name="old name", subdomain="a", created_at=AT)
    shop = Shop.objects.create(tenant=tenant, name="own", url="x")
    done = load(bundle, ids="natural")
    assert done["shop.Tenant"] == (0, 1, 0)
    assert Tenant.objects.get().name == "a"
    assert done["shop.Shop"] == (1, 0, 0)
    shops = {one.tenant_id for one in Shop.objects.all()}
    assert shops == {tenant.pk}
    assert shop in Shop.objects.all()


def test_natural_keys_of_references_are_compared_as_they_will_be(constraints):
    root = Category.objects.create(slug="root")
    Category.objects.create(slug="leaf", parent=root)
    bundle = export(Category.objects.all())
    empty(Category)
    Category.objects.create(pk=900, slug="leaf")
    assert load(bundle, ids="natural") == {"shop.Category": (1, 1, 0)}
    assert Category.objects.get(pk=900).parent.slug == "root"


@pytest.mark.parametrize(
    ("choice", "done", "name"), [("update", (0, 1, 0), "a"), ("skip", (0, 0, 1), "changed"), ("error", None, "changed")]
)
def test_rows_that_are_there_already_are_updated_left_or_refused(choice, done, name):
    tenant = fill()
    bundle = export(Tenant.objects.all())
    Tenant.objects.update(name="changed")
    if done is None:
        with pytest.raises(MergeError, match=rf"shop\.Tenant: rows of the bundle are there already: {tenant.pk};"):
            load(bundle, ids="keep", on_conflict=choice)
    else:
        assert load(bundle, ids="keep", on_conflict=choice) == {"shop.Tenant": done}
    assert Tenant.objects.get().name == name


def test_a_row_that_others_need_is_skipped_and_pointed_to():
    bundle = shop_bundle(fill())
    empty(*SHOP)
    there = Tenant.objects.create(name="mine", subdomain="a")
    load(bundle, ids="keep", on_conflict="skip")
    assert Tenant.objects.get() == there
    assert Shop.objects.get().tenant == there


@pytest.mark.parametrize("ids", ["remap", "keep", "natural"])
def test_circles_multi_table_models_and_links_arrive_whole(ids, constraints):
    bundle = circle()
    empty(*CIRCLE)
    made = load(bundle, ids=ids)
    assert set(made.values()) == {(1, 0, 0)}
    branch = Branch.objects.get()
    person = branch.owner
    assert (branch.name, branch.town, person.name, person.employer_id) == ("firm", "Paris", "ann", branch.pk)
    assert (person.country.name, person.notes, bytes(person.portrait)) == ("France", {"b": 1}, b"\0")
    assert [one.name for one in person.labels.all()] == ["x"]
    assert set(load(bundle, ids=ids).values()) == {(0, 0, 1)}


def test_a_json_null_arrives_as_one():
    Person.objects.create(name="a")
    bundle = export(Person.objects.all())
    replace(bundle, "shop.Person", "notes", "null")
    for _ in range(2):
        load(bundle, ids="keep")
        assert export(Person.objects.all()).column("shop.Person", "notes") == ["null"]
        empty(Person)


def test_no_save_and_no_signals_and_the_times_of_the_bundle():
    bundle = shop_bundle(fill())
    empty(*SHOP)
    heard = []

    def hear(sender, **_):
        heard.append(sender)

    pre_save.connect(hear)
    post_save.connect(hear)
    try:
        load(bundle)
        Tenant.objects.update(name="x")
        load(bundle)
    finally:
        pre_save.disconnect(hear)
        post_save.disconnect(hear)
    assert heard == []
    assert Tenant.objects.get().created_at == AT
    assert Tenant.objects.get().name == "a"


def test_a_reference_to_a_row_outside_the_bundle_is_refused_and_says_what_to_do():
    bundle = without_customers(shop_bundle(fill()))
    before = count()
    with pytest.raises(StagingError) as caught:
        load(bundle)
    told = str(caught.value)
    customers = Order.objects.order_by("customer").values_list("customer", flat=True)
    assert f"shop.Order.customer_id has 2 ({', '.join(map(str, customers))}); add a job for shop.Customer, or" in told
    with pytest.raises(StagingError, match=r"and it cannot be NULL; add a job for shop\.Customer, or load with"):
        load(bundle, dangling="null")
    assert count() == before


def test_a_reference_outside_the_bundle_is_kept_or_null_when_that_is_asked_for():
    bundle = without_customers(shop_bundle(fill()))
    assert load(bundle, ids="keep", dangling="keep")["shop.Order"] == (0, 0, 2)
    root = Category.objects.create(slug="root")
    Category.objects.create(slug="leaf", parent=root)
    tree = export(Category.objects.all())
    tree.change("shop.Category", lambda rows: [row for row in rows if "root" not in row])
    assert load(tree, ids="keep", dangling="null") == {"shop.Category": (0, 1, 0)}
    assert Category.objects.get(slug="leaf").parent is None


def test_a_reference_that_the_target_does_not_know_is_refused_with_everything_as_it_was():
    bundle = without_customers(shop_bundle(fill()))
    empty(*SHOP)
    with pytest.raises(MergeError, match="orm:default: it refuses"):
        load(bundle, dangling="keep")
    assert set(count().values()) == {0}


def test_columns_that_were_left_out_get_their_defaults():
    bundle = shop_bundle(fill())
    columns = tuple(one for one in bundle.plans[0].columns if one.name != "is_active")
    changed_plan(bundle, "shop.Tenant", columns=columns)
    bundle.change("shop.Tenant", lambda rows: [[text for place, text in enumerate(row) if place != 4] for row in rows])
    Tenant.objects.update(is_active=False)
    load(bundle, ids="keep")
    assert Tenant.objects.get().is_active is False
    empty(*SHOP)
    load(bundle, ids="keep")
    assert Tenant.objects.get().is_active is True


def test_content_types_and_permissions_go_by_their_names():
    bundle = export(Permission.objects.filter(codename="add_order"))
    kind = ContentType.objects.get(app_label="shop", model="order")
    bundle.change("contenttypes.ContentType", lambda rows: [rows[0], ["9001", *rows[1][1:]]])
    place = [one.name for one in bundle.plans[-1].columns].index("content_type_id")
    bundle.change("auth.Permission", lambda r: [r[0], [*r[1][:place], "9001", *r[1][place + 1 :]]])
    assert set(load(bundle, ids="keep", on_conflict="error").values()) == {(0, 0, 1)}
    assert Permission.objects.get(codename="add_order").content_type == kind


def test_progress_tells_the_rows_of_every_table():
    bundle = shop_bundle(fill())
    told = Told()
    Orm().load(bundle, LoadChoice(ids="keep"), told)
    assert told.totals == told.rows == bundle.counts


@pytest.mark.django_db(transaction=True)
def test_a_failure_in_the_middle_leaves_nothing_behind_and_no_table_of_ours():
    bundle = shop_bundle(fill())
    empty(*SHOP)
    # A test of another module may have left it.
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS isekai_slice_map")
    place = [one.name for one in bundle.plans[-1].columns].index("quantity")
    label = bundle.plans[-1].model
    assert label == "shop.OrderItem"
    bundle.change(label, lambda rows: [rows[0], *([*r[:place], "9" * 30, *r[place + 1 :]] for r in rows[1:])])
    # A test whose transactions are real may have left the table behind.
    there = connection.introspection.table_names()
    with pytest.raises(MergeError, match=r"it refuses rows of shop\.OrderItem"):
        load(bundle)
    assert set(count().values()) == {0}
    assert connection.introspection.table_names() == there
