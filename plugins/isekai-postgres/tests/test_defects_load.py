"""Defects of an earlier implementation's load half, each of which must not come back."""

import uuid
from decimal import Decimal

import psycopg
import pytest
from django.db import models
from postgres_shared.rows import AT, PEOPLE, SHOPS, TENANTS

from isekai_core.errors import MergeError, StagingError
from isekai_core.testing.shop.models import Branch, Category, Country, Firm, Label, Person, Product, Shop, Tenant


def test_defect_15_it_loads_with_psycopg_3_and_needs_no_copy_expert(target):
    assert psycopg.__version__.startswith("3.")
    target.create(Tenant)
    assert target.load((Tenant, TENANTS))[0].created == 2


def test_defect_16_thousands_of_keys_are_mapped_and_keys_may_be_uuids(target):
    target.create(Country, Label, Firm, Person)
    keys = [uuid.UUID(int=number) for number in range(1, 8001)]
    target.sql(f"INSERT INTO shop_label SELECT '{keys[0]}', 'of somebody else'")
    labels = "id,name\n" + "".join(f"{key},n{number}\n" for number, key in enumerate(keys))
    people = PEOPLE + "".join(f"{number},p{number},,,,,,,x\n" for number in range(8000))
    between = "id,person_id,label_id\n" + "".join(f"{n},{n},{key}\n" for n, key in enumerate(keys))
    target.sql("SELECT setval('shop_person_id_seq', 100000)")
    target.load((Label, labels), (Person, people), (Firm, "id,name,owner_id\n"), (Person.labels.through, between))
    joined = "FROM shop_person_labels m JOIN shop_person p ON p.id = m.person_id JOIN shop_label l ON l.id = m.label_id"
    assert target.sql(f"SELECT count(*) {joined} WHERE substr(p.name, 2) = substr(l.name, 2)") == [(8000,)]
    assert target.sql("SELECT min(id), max(id) FROM shop_person") == [(100001, 108000)]
    assert target.sql("SELECT count(*) FROM shop_label WHERE name = 'of somebody else'") == [(1,)]


def test_defect_17_columns_have_their_own_names_and_keys_need_not_be_called_id(target):
    target.create(Country, Label, Firm, Person, Branch)
    people = PEOPLE + "1,Ada,,20,,,,,x\n"
    target.sql("SELECT setval('shop_firm_id_seq', 70)")
    target.load((Person, people), (Firm, "id,name,owner_id\n20,Engines,1\n"), (Branch, "firm_ptr_id,town\n20,Leeds\n"))
    assert target.sql("SELECT works_at FROM shop_person") == [(71,)]
    assert target.sql("SELECT firm_ptr_id FROM shop_branch") == [(71,)]


def test_defect_18_a_slice_without_a_required_column_that_has_a_default_loads(target):
    target.create(Tenant)
    target.sql("ALTER TABLE shop_tenant ADD COLUMN plan text NOT NULL DEFAULT 'free'")
    target.sql("ALTER TABLE shop_tenant ADD COLUMN big text GENERATED ALWAYS AS (upper(name)) STORED")
    target.load((Tenant, TENANTS))
    assert target.sql("SELECT plan, big FROM shop_tenant ORDER BY id") == [("free", "ACME"), ("free", "BETA")]


def test_defect_18_a_column_too_many_is_refused_before_anything_is_done(target, memory_bundle):
    target.create(Tenant)
    bundle = memory_bundle((Tenant, TENANTS))
    bundle._content["shop.Tenant"] = TENANTS.replace("is_active", "is_active,extra").encode()
    before = target.content()
    with pytest.raises(StagingError, match="it has besides 'extra'"):
        target.load(bundle)
    assert target.content() == before


def test_defect_18_tables_whose_long_names_begin_the_same_do_not_mix(target, own_models):
    class First(models.Model):
        name = models.TextField()

        class Meta:
            app_label = "shop"
            db_table = "t" * 62 + "1"

    class Second(models.Model):
        name = models.TextField()

        class Meta:
            app_label = "shop"
            db_table = "t" * 62 + "2"

    target.create(First, Second)
    target.load((First, "id,name\n1,one\n"), (Second, "id,name\n1,two\n"))
    assert target.sql(f"SELECT a.name, b.name FROM {'t' * 62}1 a, {'t' * 62}2 b") == [("one", "two")]


def test_defect_19_update_updates_and_the_next_row_of_the_application_gets_a_free_key(target):
    target.create(Tenant)
    target.load((Tenant, TENANTS), ids="keep")
    (report,) = target.load((Tenant, TENANTS.replace("Acme", "Acme Inc.")), ids="keep", on_conflict="update")
    assert (report.updated, report.unchanged) == (1, 1)
    assert target.sql("SELECT name FROM shop_tenant WHERE id = 1060") == [("Acme Inc.",)]
    added = f"INSERT INTO shop_tenant (name, subdomain, created_at, is_active) VALUES ('n', 'n', '{AT}', true)"
    assert target.sql(f"{added} RETURNING id") == [(1062,)]


def test_defect_19_a_slice_is_loaded_as_a_whole_or_not_at_all(target):
    target.create(Tenant, Shop)
    target.sql("ALTER TABLE shop_shop ADD CONSTRAINT no_two CHECK (name <> 'Two')")
    with pytest.raises(MergeError, match="no_two"):
        target.load((Tenant, TENANTS), (Shop, SHOPS))
    assert target.sql("SELECT count(*) FROM shop_tenant") == [(0,)]


def test_defect_20_null_and_the_empty_text_stay_apart(target):
    target.create(Country, Label, Firm, Person)
    target.load((Person, PEOPLE + '1,"",,,,,,,""\n'), (Country, "id,code,name\n"), (Firm, "id,name,owner_id\n"))
    rows = target.sql("SELECT name, picture, country_id, works_at, born, height, notes, portrait FROM shop_person")
    assert rows == [("", "", None, None, None, None, None, None)]


def test_defect_21_circles_of_three_tables_load_by_their_column_names(target, own_models):
    class North(models.Model):
        to_east = models.ForeignKey("shop.East", models.CASCADE, db_column="eastward")

        class Meta:
            app_label = "shop"

    class East(models.Model):
        to_south = models.ForeignKey("shop.South", models.CASCADE, db_column="southward")

        class Meta:
            app_label = "shop"

    class South(models.Model):
        to_north = models.ForeignKey(North, models.CASCADE, db_column="northward")

        class Meta:
            app_label = "shop"

    target.create(North, East, South)
    target.sql("SELECT setval('shop_east_id_seq', 50), setval('shop_south_id_seq', 70)")
    target.load((North, "id,eastward\n1,2\n"), (East, "id,southward\n2,3\n"), (South, "id,northward\n3,1\n"))
    joined = "FROM shop_north n JOIN shop_east e ON e.id = n.eastward JOIN shop_south s ON s.id = e.southward"
    assert target.sql(f"SELECT n.id, e.id, s.id {joined} WHERE s.northward = n.id") == [(1, 51, 71)]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"ids": "keep"}, [(5, "here"), (1060, "acme"), (1061, "beta")]),
        ({"ids": "remap"}, [(5, "here"), (6, "acme"), (7, "beta")]),
        ({"ids": "remap", "fixed": {"shop.Tenant": {1060: 10}}}, [(5, "here"), (10, "acme"), (11, "beta")]),
        ({"ids": "keep", "fixed": {"shop.Tenant": {1060: 10}}}, [(5, "here"), (10, "acme"), (1061, "beta")]),
    ],
)
def test_defect_21_every_way_to_choose_keys_does_something_of_its_own(target, choice, expected):
    target.create(Tenant)
    target.sql(f"INSERT INTO shop_tenant VALUES (5, 'Here', 'here', '{AT}', true)")
    target.load((Tenant, TENANTS), **choice)
    assert target.sql("SELECT id, subdomain FROM shop_tenant ORDER BY id") == expected


def test_defect_22_keys_come_from_the_sequence_so_that_no_two_are_the_same(target):
    target.create(Category)
    target.sql(
        "ALTER TABLE shop_category ALTER COLUMN id TYPE int", "ALTER TABLE shop_category ALTER parent_id TYPE int"
    )
    target.sql("ALTER SEQUENCE shop_category_id_seq AS int", "SELECT setval('shop_category_id_seq', 1000)")
    rows = "id,slug,parent_id\n" + "".join(f"{number},s{number},\n" for number in range(1, 20_001))
    with pytest.raises(StagingError, match="BigAutoField does not fit the type integer"):
        target.load((Category, rows))
    target.sql(
        "ALTER TABLE shop_category ALTER COLUMN id TYPE bigint", "ALTER TABLE shop_category ALTER parent_id TYPE bigint"
    )
    target.load((Category, rows))
    keys = "SELECT count(DISTINCT id), min(id), max(id), max(id) < 2147483648 FROM shop_category"
    assert target.sql(keys) == [(20_000, 1001, 21_000, True)]
    assert target.sql("SELECT nextval('shop_category_id_seq')") == [(21_001,)]


def test_defect_23_foreign_keys_names_and_decimals_arrive_exactly(target, own_models):
    class Card(models.Model):
        paid_idle = models.DecimalField(max_digits=30, decimal_places=20, db_column="paid_idle")
        tenant = models.ForeignKey(Tenant, models.CASCADE, db_column="tenant_id_idx")

        class Meta:
            app_label = "shop"

    target.create(Tenant, Shop, Product, Card)
    exact = "1234567890.12345678901234567890"
    target.load((Tenant, TENANTS), (Card, f"id,paid_idle,tenant_id_idx\n1,{exact},1061\n"))
    joined = "SELECT c.paid_idle, t.name FROM shop_card c JOIN shop_tenant t ON t.id = c.tenant_id_idx"
    assert target.sql(joined) == [(Decimal(exact), "Beta")]
