"""Rows that are there already: found without an index of their keys, too, and written where what is stored differs."""

import pytest
from django.db import models
from postgres_shared.rows import TENANTS, numbers

from isekai_core.errors import StagingError
from isekai_core.testing.shop.models import Tenant

COLUMNS = "name varchar(200), subdomain varchar(50), created_at timestamptz, is_active bool"
CIRCLE = (
    "CREATE TABLE shop_egg (id bigserial, hen_id bigint, note text, PRIMARY KEY (id) DEFERRABLE)",
    "CREATE TABLE shop_hen (id bigserial PRIMARY KEY, egg_id bigint, note text)",
)


@pytest.mark.parametrize(
    "statements",
    [
        (
            f"CREATE TABLE shop_tenant (id bigserial, {COLUMNS}, PRIMARY KEY (id, name)) PARTITION BY LIST (name)",
            "CREATE TABLE one PARTITION OF shop_tenant FOR VALUES IN ('Acme')",
            "CREATE TABLE other PARTITION OF shop_tenant DEFAULT",
        ),
        (f"CREATE TABLE shop_tenant (id bigserial, {COLUMNS}, PRIMARY KEY (id) DEFERRABLE)",),
        (f"CREATE TABLE shop_tenant (id bigserial, {COLUMNS})",),
    ],
    ids=["partitions", "deferrable", "no key"],
)
def test_rows_are_updated_where_no_index_tells_a_conflict(target, statements):
    target.sql(*statements)
    assert numbers(target.load((Tenant, TENANTS), name="a")[0]) == (2, 2, 0, 0)
    changed = TENANTS.replace("Acme", "Better") + "1062,New,new,,\n"
    assert numbers(target.load((Tenant, changed), name="a")[0]) == (3, 1, 1, 1)
    assert numbers(target.load((Tenant, changed), name="a")[0]) == (3, 0, 0, 3)
    assert numbers(target.load((Tenant, TENANTS), name="a", on_conflict="skip")[0]) == (2, 0, 0, 2)
    assert target.sql("SELECT name FROM shop_tenant ORDER BY id") == [("Better",), ("Beta",), ("New",)]
    assert target.unload("a")[0].rows == 3


def test_a_key_that_the_target_has_twice_is_told(target):
    target.sql(f"CREATE TABLE shop_tenant (id bigint, {COLUMNS})", "INSERT INTO shop_tenant VALUES (1060), (1060)")
    told = target.refuses(StagingError, (Tenant, TENANTS))
    assert "the bundle or the target has a key twice, or a row without one: Key (old)=(1060) is duplicated" in told


def test_tables_that_need_one_another_are_updated_together(target, own_models):
    class Hen(models.Model):
        egg = models.ForeignKey("shop.Egg", models.CASCADE, null=True)
        note = models.TextField()

        class Meta:
            app_label = "shop"

    class Egg(models.Model):
        hen = models.ForeignKey(Hen, models.CASCADE, null=True)
        note = models.TextField()

        class Meta:
            app_label = "shop"

    target.sql(*CIRCLE)
    eggs, hens = "id,hen_id,note\n1,7,a\n2,8,b\n", "id,egg_id,note\n7,2,x\n8,1,y\n"
    target.load((Egg, eggs), (Hen, hens), name="a")
    reports = target.load((Egg, eggs.replace("b", "c")), (Hen, hens + "9,2,new\n"), name="a")
    assert [numbers(report) for report in reports] == [(2, 0, 1, 1), (3, 1, 0, 2)]
    rows = target.sql("SELECT h.note, e.note FROM shop_hen h JOIN shop_egg e ON e.id = h.egg_id ORDER BY h.id")
    assert rows == [("x", "c"), ("y", "a"), ("new", "c")]


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("interval", "30 days", "1 mon"),
        ("numeric", "1.5", "1.50"),
        ("json", '{"a": 1}', '{"a":  1}'),
        ("jsonpath", '$."a"', '$."b"'),
        ("point[]", '"{""(1,2)""}"', '"{""(1,3)""}"'),
        ("pair", '"(1,""{}"")"', '"(1,""[]"")"'),
    ],
)
def test_what_is_equal_to_its_type_or_has_no_equality_is_written_when_it_differs(
    target, own_models, kind, before, after
):
    class Thing(models.Model):
        it = models.TextField()

        class Meta:
            app_label = "shop"
            managed = False

    target.sql(
        "CREATE TYPE pair AS (a int, b json)",
        f"CREATE TABLE shop_thing (id bigserial PRIMARY KEY, it {kind})",
    )
    texts = []
    for text, expected in ((before, (1, 1, 0, 0)), (before, (1, 0, 0, 1)), (after, (1, 0, 1, 0))):
        assert numbers(target.load((Thing, f"id,it\n1,{_quoted(text)}\n"), name="a")[0]) == expected
        texts += target.sql("SELECT it::text FROM shop_thing")
    assert texts[0] == texts[1] != texts[2]


def _quoted(text):
    return text if text.startswith('"') else '"{}"'.format(text.replace('"', '""'))
