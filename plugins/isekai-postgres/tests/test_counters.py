"""`counters.py`: keys that are remembered of a table are forgotten when its sequence was set back since."""

import pytest
from django.core.management import call_command
from postgres_shared.rows import AT, SHOPS, TENANTS, numbers

from isekai_core.errors import MergeError
from isekai_core.testing.shop.models import Branch, Country, Firm, Label, Person, Shop, Tenant

BUNDLE = ((Tenant, TENANTS), (Shop, SHOPS))
TABLES = "shop_shop, shop_tenant"
SHOPS_NOW = "SELECT s.id, s.name, t.subdomain FROM shop_shop s JOIN shop_tenant t ON t.id = s.tenant_id ORDER BY 1"
SET_BACK = {
    "truncate": [f"TRUNCATE {TABLES} RESTART IDENTITY"],
    "restart": [
        f"TRUNCATE {TABLES}",
        "ALTER SEQUENCE shop_tenant_id_seq RESTART",
        "ALTER SEQUENCE shop_shop_id_seq RESTART",
    ],
    "made anew": [f"DROP TABLE {TABLES}"],
}


@pytest.fixture
def loaded(target):
    """Two tenants with a shop each, loaded as `dev`."""
    target.create(Tenant, Shop)
    target.load(*BUNDLE, name="dev")
    return target


def own_rows(target, number):
    """So many tenants and shops that the application has made."""
    target.sql(
        "INSERT INTO shop_tenant (name, subdomain, created_at, is_active)"
        f" SELECT 'mine', 'mine' || n, '{AT}', true FROM generate_series(1, {number}) n",
        "INSERT INTO shop_shop (tenant_id, name, url, currency, created_at)"
        f" SELECT id, 'mine', '', 'EUR', '{AT}' FROM shop_tenant ORDER BY id",
    )
    return target.sql("SELECT s::text, t::text FROM shop_shop s JOIN shop_tenant t ON t.id = s.tenant_id ORDER BY s.id")


def still_there(target, rows):
    joined = "SELECT s::text, t::text FROM shop_shop s JOIN shop_tenant t ON t.id = s.tenant_id WHERE t.name = 'mine'"
    return target.sql(f"{joined} ORDER BY s.id") == rows


@pytest.mark.parametrize("number", [0, 1, 2, 20])
@pytest.mark.parametrize("how", SET_BACK)
def test_rows_that_came_after_a_sequence_was_set_back_stay_untouched(loaded, how, number):
    loaded.sql(*SET_BACK[how])
    if how == "made anew":
        loaded.create(Tenant, Shop)
    mine = own_rows(loaded, number) if number else []
    assert [numbers(one) for one in loaded.load(*BUNDLE, name="dev")] == [(2, 2, 0, 0), (2, 2, 0, 0)]
    assert still_there(loaded, mine)
    assert loaded.sql(SHOPS_NOW)[number:] == [(number + 1, "One", "acme"), (number + 2, "Two", "beta")]
    # From now on, these are remembered.
    assert [numbers(one) for one in loaded.load(*BUNDLE, name="dev")] == [(2, 0, 0, 2), (2, 0, 0, 2)]


def test_a_flush_by_django_is_seen(loaded):
    call_command("flush", database=loaded.alias, interactive=False, verbosity=0, inhibit_post_migrate=True)
    mine = own_rows(loaded, 3)
    loaded.load(*BUNDLE, name="dev")
    assert still_there(loaded, mine)
    assert len(loaded.sql(SHOPS_NOW)) == 5


@pytest.mark.parametrize("number", [0, 1])
def test_a_sequence_that_was_set_to_less_than_a_remembered_key_is_seen(loaded, number):
    loaded.sql("DELETE FROM shop_shop", "DELETE FROM shop_tenant")
    loaded.sql("SELECT setval('shop_tenant_id_seq', 1, false), setval('shop_shop_id_seq', 1, false)")
    mine = own_rows(loaded, number) if number else []
    loaded.load(*BUNDLE, name="dev")
    assert still_there(loaded, mine)
    assert [key for key, name, _ in loaded.sql(SHOPS_NOW) if name != "mine"] == [number + 1, number + 2]


def test_only_the_table_whose_sequence_was_set_back_gets_new_keys(loaded):
    tenants = loaded.sql("SELECT t::text FROM shop_tenant t ORDER BY id")
    loaded.sql("TRUNCATE shop_shop RESTART IDENTITY")
    loaded.sql(
        f"INSERT INTO shop_shop (tenant_id, name, url, currency, created_at) VALUES (1, 'mine', '', 'EUR', '{AT}')"
    )
    assert [numbers(one) for one in loaded.load(*BUNDLE, name="dev")] == [(2, 0, 0, 2), (2, 2, 0, 0)]
    assert loaded.sql("SELECT t::text FROM shop_tenant t ORDER BY id") == tenants
    assert [row[:2] for row in loaded.sql(SHOPS_NOW)] == [(1, "mine"), (2, "One"), (3, "Two")]


@pytest.mark.parametrize(
    "change",
    [
        "SELECT setval('shop_shop_id_seq', 3, false)",
        "VACUUM FULL shop_shop",
        "ALTER SEQUENCE shop_shop_id_seq AS integer",
        "DROP TABLE isekai_slice_map_counters",
        "DELETE FROM shop_shop WHERE name = 'Two'",
        "UPDATE shop_shop SET url = 'x'",
    ],
)
def test_the_keys_stay_when_no_key_can_have_been_given_again(loaded, change):
    before = loaded.sql(SHOPS_NOW)
    loaded.sql(change)
    loaded.load(*BUNDLE, name="dev")
    assert loaded.sql(SHOPS_NOW) == before


def test_the_keys_stay_after_a_dump_and_a_restore(loaded):
    before = loaded.sql(SHOPS_NOW)
    # As a restore does it: another table for the map, other files for the sequences, and the same in all of them.
    loaded.sql("CREATE TABLE restored (LIKE isekai_slice_map INCLUDING ALL)")
    loaded.sql("INSERT INTO restored TABLE isekai_slice_map", "DROP TABLE isekai_slice_map")
    loaded.sql("ALTER TABLE restored RENAME TO isekai_slice_map")
    loaded.sql("ALTER SEQUENCE shop_tenant_id_seq RESTART 3", "ALTER SEQUENCE shop_shop_id_seq RESTART 3")
    assert [numbers(one) for one in loaded.load(*BUNDLE, name="dev")] == [(2, 0, 0, 2), (2, 0, 0, 2)]
    assert loaded.sql(SHOPS_NOW) == before
    loaded.sql(f"TRUNCATE {TABLES} RESTART IDENTITY")
    mine = own_rows(loaded, 4)
    loaded.load(*BUNDLE, name="dev")
    assert still_there(loaded, mine)


@pytest.mark.parametrize("ids", ["keep", "natural"])
def test_other_ways_to_find_keys_are_not_held_up_by_what_is_void(loaded, ids):
    loaded.sql(f"TRUNCATE {TABLES} RESTART IDENTITY")
    mine = own_rows(loaded, 2)
    loaded.load(*BUNDLE, name="dev", ids=ids)
    assert still_there(loaded, mine)
    assert len(loaded.sql(SHOPS_NOW)) == 4


def test_the_key_of_a_multi_table_child_is_forgotten_with_that_of_its_parent(target):
    target.create(Country, Label, Firm, Person, Branch)
    people = "id,name,country_id,works_at,born,height,notes,portrait,picture\n1,Ada,,,,,,,x\n"
    tables = [(Person, people), (Firm, "id,name,owner_id\n21,Looms,1\n"), (Branch, "firm_ptr_id,town\n21,Leeds\n")]
    target.load(*tables, name="a")
    target.sql(
        "TRUNCATE shop_branch, shop_firm, shop_person RESTART IDENTITY CASCADE",
        "INSERT INTO shop_person (name, picture) VALUES ('mine', '')",
        "INSERT INTO shop_firm (name, owner_id) VALUES ('mine', 1)",
        "INSERT INTO shop_branch VALUES (1, 'mine')",
    )
    target.load(*tables, name="a")
    assert target.sql("SELECT firm_ptr_id, town FROM shop_branch ORDER BY 1") == [(1, "mine"), (2, "Leeds")]


def test_what_is_unloaded_after_a_sequence_was_set_back_takes_no_rows_of_others(loaded):
    loaded.sql(f"TRUNCATE {TABLES} RESTART IDENTITY")
    mine = own_rows(loaded, 3)
    assert {one.model: one.rows for one in loaded.unload("dev")} == {"shop.Shop": 0, "shop.Tenant": 0}
    assert still_there(loaded, mine)
    with pytest.raises(MergeError, match="no slice 'dev' has been loaded here"):
        loaded.unload("dev")
    assert loaded.sql("SELECT count(*) FROM isekai_slice_map_counters") == [(0,)]
