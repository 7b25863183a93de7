"""What does not fit the portable target is told before anything is changed."""

import dataclasses

import pytest
from memory_bundle import MemoryBundle
from shop_slices import (
    SHOP,
    changed_plan,
    count,
    empty,
    export,
    fill,
    load,
    replace,
    shop_bundle,
)

from isekai_core.errors import StagingError
from isekai_core.testing.shop.models import (
    Category,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("column", "text", "told"),
    [
        ("subdomain", "x" * 51, "has 51 characters, 50 are taken at most"),
        ("name", None, "is NULL, which the target does not take"),
        ("created_at", "yesterday", "expected the text of a DateTimeField"),
        ("is_active", "2", "expected the text of a BooleanField"),
    ],
)
def test_values_that_do_not_fit_are_told_with_their_row_before_anything_changes(column, text, told):
    tenant = fill()
    bundle = shop_bundle(tenant)
    replace(bundle, "shop.Tenant", column, text)
    empty(*SHOP)
    with pytest.raises(StagingError) as caught:
        load(bundle)
    assert str(caught.value) == f"shop.Tenant.{column}: the row with the key {tenant.pk}: {told}"
    assert set(count().values()) == {0}


def test_a_bundle_that_does_not_fit_tells_all_differences_at_once():
    bundle = shop_bundle(fill())
    columns = bundle.plans[0].columns
    assert bundle.plans[0].model == "shop.Tenant"
    wrong = [
        dataclasses.replace(one, max_length=900) if one.name == "name" else one
        for one in columns
        if one.name != "subdomain"
    ]
    wrong = [
        dataclasses.replace(one, type="TextField", max_length=None) if one.name == "created_at" else one
        for one in wrong
    ]
    wrong.append(dataclasses.replace(columns[0], name="age"))
    changed_plan(bundle, "shop.Tenant", columns=tuple(wrong))
    changed_plan(bundle, "shop.Shop", model="shop.Market")
    bundle.texts["shop.Market"], bundle.counts["shop.Market"] = b"", 0
    with pytest.raises(StagingError) as caught:
        load(bundle)
    told = str(caught.value)
    assert "the bundle does not fit the target (4)" in told
    assert "shop.Tenant.name: texts of up to 900 characters do not fit into 200" in told
    assert "shop.Tenant.created_at: a TextField does not fit a DateTimeField" in told
    assert "shop.Tenant.age: the model has no such column" in told
    assert "shop.Market: this project has no such model" in told


def test_a_table_that_is_not_there_is_told_with_the_way_out(monkeypatch):
    bundle = export(Category.objects.all())
    monkeypatch.setattr(Category._meta, "db_table", "shop_gone")
    with pytest.raises(StagingError, match=r"shop\.Category: there is no table 'shop_gone'; run migrate"):
        load(bundle)


def test_a_file_with_other_columns_than_its_manifest_is_refused():
    bundle = shop_bundle(fill())
    bundle.change("shop.Tenant", lambda rows: [[*row, "x"] for row in rows])
    with pytest.raises(StagingError, match=r"shop\.Tenant: the file has the columns .*, the manifest says"):
        load(bundle)


def test_a_key_that_comes_twice_is_refused():
    bundle = shop_bundle(fill())
    bundle.change("shop.Tenant", lambda rows: [*rows, rows[1]])
    with pytest.raises(StagingError, match=r"shop\.Tenant: row 2 has the key \d+ again"):
        load(bundle)


def test_rebuilding_constraints_is_refused_with_the_way_out():
    with pytest.raises(StagingError, match=r"orm:default leaves constraints and indexes on; .*DataSlicer\.Postgres"):
        load(MemoryBundle(), constraints="rebuild")
