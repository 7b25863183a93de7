"""Loads into empty tables, whose rows get their keys while they are staged: quicker, and otherwise as any other."""

import pytest

from isekai_core.errors import StagingError
from isekai_core.testing.shop.models import Category, Country, Firm, Label, Person, Shop, Tenant

AT = "2026-01-02 03:04:05.123456+00"
TENANTS = f"id,name,subdomain,created_at,is_active\n1060,Acme,acme,{AT},t\n1061,Beta,beta,{AT},f\n"
SHOPS = f"id,tenant_id,name,url,currency,created_at\n7,1060,One,http://1,USD,{AT}\n8,1061,Two,http://2,EUR,{AT}\n"
ADRIFT = SHOPS.replace("1061", "1099")
JOINED = "SELECT s.name, t.name FROM shop_shop s JOIN shop_tenant t ON t.id = s.tenant_id ORDER BY 1"


def refused(target, *tables, **choice):
    before = target.content()
    with pytest.raises(StagingError) as caught:
        target.load(*tables, **choice)
    assert target.content() == before
    assert target.is_left_alone()
    return str(caught.value)


def test_keys_go_on_where_the_sequence_is_even_when_rows_of_before_are_gone(target):
    target.create(Tenant, Shop)
    target.load((Tenant, TENANTS), (Shop, SHOPS), name="a")
    target.sql("DELETE FROM shop_shop", "DELETE FROM shop_tenant")
    target.load((Tenant, TENANTS), (Shop, SHOPS), name="b")
    assert target.sql("SELECT id, name FROM shop_tenant ORDER BY id") == [(3, "Acme"), (4, "Beta")]
    assert target.sql(JOINED) == [("One", "Acme"), ("Two", "Beta")]


def test_rows_that_are_gone_come_back_under_their_keys(target):
    target.create(Tenant, Shop)
    target.load((Tenant, TENANTS), (Shop, SHOPS), name="a")
    target.sql("DELETE FROM shop_shop", "DELETE FROM shop_tenant", "SELECT setval('shop_tenant_id_seq', 50)")
    target.load((Tenant, TENANTS), (Shop, SHOPS), name="a")
    assert target.sql("SELECT id, name FROM shop_tenant ORDER BY id") == [(1, "Acme"), (2, "Beta")]


@pytest.mark.parametrize("line", ["7,1060,Again,http://1,USD", ",1060,Nobody,http://1,USD"])
def test_a_key_twice_or_none_is_refused(target, line):
    target.create(Tenant, Shop)
    told = refused(target, (Tenant, TENANTS), (Shop, f"{SHOPS}{line},{AT}\n"))
    assert "staging shop.Shop: the bundle has a key twice, or a row without one" in told


@pytest.mark.parametrize("has_rows", [False, True])
def test_dangling_references_are_told_all_at_once_whether_the_table_is_empty_or_not(target, has_rows):
    target.create(Tenant, Shop, Category)
    if has_rows:
        target.load((Tenant, TENANTS), (Shop, SHOPS), (Category, "id,slug,parent_id\n5,old,\n"))
    told = refused(target, (Tenant, TENANTS), (Shop, ADRIFT), (Category, "id,slug,parent_id\n1,a,\n2,b,9\n"), name="b")
    assert "references to rows that are not in the bundle" in told
    assert "shop.Shop.tenant_id has 1 (1099)" in told
    assert "shop.Category.parent_id has 1 (9)" in told


def test_what_may_be_null_becomes_null_when_it_is_asked_for(target):
    target.create(Country, Label, Firm, Person)
    person = "id,name,country_id,works_at,born,height,notes,portrait,picture\n1,Ada,9,,,,,,x\n2,Bob,,,,,,,x\n"
    (report,) = target.load((Person, person), dangling="null")
    assert report.created == 2
    assert target.sql("SELECT name, country_id FROM shop_person ORDER BY 1") == [("Ada", None), ("Bob", None)]


def test_rows_that_a_trigger_leaves_out_are_not_taken_for_dangling_ones(target):
    target.create(Tenant)
    target.sql(
        "CREATE FUNCTION not_beta() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF NEW.name = 'Beta' THEN RETURN NULL; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER not_beta BEFORE INSERT ON shop_tenant FOR EACH ROW EXECUTE FUNCTION not_beta()",
    )
    target.load((Tenant, TENANTS))
    assert target.sql("SELECT name FROM shop_tenant") == [("Acme",)]


# Primary keys under constraints="rebuild"


def key_of(target):
    return target.sql("SELECT 'shop_tenant_pkey'::regclass::oid")


def test_the_primary_key_of_an_empty_table_is_made_anew_and_is_as_it_was(target):
    target.create(Tenant, Shop)
    target.sql("COMMENT ON CONSTRAINT shop_tenant_pkey ON shop_tenant IS 'of the key'")
    before, definitions = key_of(target), target.definitions()
    target.load((Tenant, TENANTS), (Shop, SHOPS), constraints="rebuild")
    assert key_of(target) != before
    assert [row for row in target.definitions() if "isekai_slice_map" not in row[0]] == definitions
    assert target.sql(JOINED) == [("One", "Acme"), ("Two", "Beta")]


LEANING = {
    "a view": "CREATE VIEW named AS SELECT id, name FROM shop_tenant GROUP BY id",
    "a table that is not in the slice": "CREATE TABLE note (tenant bigint REFERENCES shop_tenant)",
    "a row": f"INSERT INTO shop_tenant VALUES (1, 'Old', 'old', '{AT}', true)",
}


@pytest.mark.parametrize("what", LEANING)
def test_a_primary_key_stays_where_something_needs_it(target, what):
    target.create(Tenant)
    target.sql(f"DO $$ BEGIN {LEANING[what]}; END $$")
    before, definitions = key_of(target), target.definitions()
    target.load((Tenant, TENANTS), constraints="rebuild")
    assert key_of(target) == before
    assert [row for row in target.definitions() if "isekai_slice_map" not in row[0]] == definitions
