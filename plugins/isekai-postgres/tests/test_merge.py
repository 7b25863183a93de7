"""Loads into a real database: which keys rows get, what becomes of those that are there, and of references."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from postgres_shared.rows import AT, LABEL, LABELS, SHOPS, TENANTS, numbers

from isekai_core.errors import MergeError, StagingError
from isekai_core.testing.shop.models import Category, Country, Label, Shop, Tenant

# Keys


def test_remap_gives_new_keys_and_references_follow(target):
    target.create(Tenant, Shop)
    target.sql(f"INSERT INTO shop_tenant (name, subdomain, created_at, is_active) VALUES ('Old', 'old', '{AT}', true)")
    reports = target.load((Tenant, TENANTS), (Shop, SHOPS))
    assert [(report.model, *numbers(report)) for report in reports] == [
        ("shop.Tenant", 2, 2, 0, 0),
        ("shop.Shop", 2, 2, 0, 0),
    ]
    assert target.sql("SELECT id, name FROM shop_tenant ORDER BY id") == [(1, "Old"), (2, "Acme"), (3, "Beta")]
    assert target.shops() == [("One", "acme"), ("Two", "beta")]


def test_a_second_load_of_the_same_name_gives_the_same_keys(target):
    target.create(Tenant, Shop)
    target.load((Tenant, TENANTS), (Shop, SHOPS), name="dev")
    before = target.sql("SELECT s::text FROM shop_shop s ORDER BY 1")
    changed = SHOPS.replace("One", "Uno") + f"9,1061,Three,http://3,EUR,{AT}\n"
    reports = target.load((Tenant, TENANTS), (Shop, changed), name="dev")
    assert [numbers(report) for report in reports] == [(2, 0, 0, 2), (3, 1, 1, 1)]
    assert (
        target.sql("SELECT replace(s::text, 'Uno', 'One') FROM shop_shop s WHERE name <> 'Three' ORDER BY 1") == before
    )


def test_the_same_bundle_without_a_name_gives_the_same_keys(target):
    target.create(Tenant, Shop)
    target.load((Tenant, TENANTS), (Shop, SHOPS))
    reports = target.load((Tenant, TENANTS), (Shop, SHOPS))
    assert [numbers(report) for report in reports] == [(2, 0, 0, 2), (2, 0, 0, 2)]


def test_the_same_rows_under_another_name_are_other_rows(target):
    target.create(Tenant, Shop)
    target.load((Tenant, TENANTS), (Shop, SHOPS), name="a")
    target.load((Tenant, TENANTS), (Shop, SHOPS), name="b")
    assert target.shops() == [("One", "acme"), ("One", "acme"), ("Two", "beta"), ("Two", "beta")]
    assert target.sql("SELECT count(*) FROM shop_tenant") == [(2,)]  # they have unique values


def test_keys_can_be_kept_and_the_sequence_goes_on_after_them(target):
    target.create(Tenant, Shop)
    target.load((Tenant, TENANTS), (Shop, SHOPS), ids="keep")
    assert target.sql("SELECT id, tenant_id FROM shop_shop ORDER BY id") == [(7, 1060), (8, 1061)]
    added = f"INSERT INTO shop_tenant (name, subdomain, created_at, is_active) VALUES ('n', 'n', '{AT}', true)"
    assert target.sql(f"{added} RETURNING id") == [(1062,)]


def test_sequences_never_go_back(target):
    target.create(Tenant)
    target.sql("SELECT setval('shop_tenant_id_seq', 5000)")
    target.load((Tenant, TENANTS), ids="keep")
    assert target.sql("SELECT last_value FROM shop_tenant_id_seq") == [(5000,)]


def test_a_sequence_that_is_behind_its_table_gives_no_key_that_is_taken(target):
    target.create(Tenant)
    target.sql(f"INSERT INTO shop_tenant VALUES (1, 'Old', 'old', '{AT}', true), (2, 'Older', 'older', '{AT}', true)")
    target.load((Tenant, TENANTS))
    names = target.sql("SELECT id, name FROM shop_tenant ORDER BY id")
    assert names == [(1, "Old"), (2, "Older"), (3, "Acme"), (4, "Beta")]


def test_natural_keys_find_the_rows_that_mean_the_same(target):
    target.create(Tenant, Shop)
    target.sql(f"INSERT INTO shop_tenant VALUES (5, 'Old name', 'beta', '{AT}', true)")
    reports = target.load((Tenant, TENANTS), (Shop, SHOPS), ids="natural")
    assert numbers(reports[0]) == (2, 1, 1, 0)
    assert target.sql("SELECT name, is_active FROM shop_tenant WHERE id = 5") == [("Beta", False)]
    assert target.shops() == [("One", "acme"), ("Two", "beta")]


def test_natural_keys_go_through_foreign_keys(target, customers):
    target.create(Tenant, Shop, customers.model)
    target.load((Tenant, TENANTS), (Shop, SHOPS), (customers.model, customers.csv), name="a")
    target.sql("ALTER TABLE isekai_slice_map RENAME TO gone", "ALTER INDEX isekai_slice_map_of RENAME TO gone_of")
    shops_without_natural_key = {"shop.Shop": {7: 1, 8: 2}}
    reports = target.load(
        (Tenant, TENANTS),
        (Shop, SHOPS),
        (customers.model, customers.csv),
        ids="natural",
        fixed=shops_without_natural_key,
    )
    assert numbers(reports[2]) == (2, 0, 0, 2)


@pytest.fixture
def customers():
    from isekai_core.testing.shop.models import Customer

    class Customers:
        model = Customer
        csv = (
            "id,tenant_id,shop_id,email,first_name,last_name,phone,created_at\n"
            f'31,1060,7,a@x.org,A,X,"",{AT}\n32,1061,8,a@x.org,B,X,"",{AT}\n'
        )

    return Customers


def test_natural_keys_of_a_table_that_points_to_itself(target, tree):
    target.sql(tree.ddl)
    target.sql("INSERT INTO shop_category VALUES (1, 'root', NULL), (2, 'a', 1), (3, 'b', 2)")
    target.load((Category, "id,slug,parent_id\n30,b,20\n20,a,10\n10,root,\n40,c,30\n"), ids="natural")
    assert target.sql("SELECT slug, parent_id FROM shop_category ORDER BY id") == [
        ("root", None), ("a", 1), ("b", 2), ("c", 3),
    ]  # fmt: skip


def test_fixed_keys_take_the_place_of_new_ones(target):
    target.create(Tenant, Shop)
    target.load((Tenant, TENANTS), (Shop, SHOPS), fixed={"shop.Tenant": {1060: 10}})
    assert target.sql("SELECT tenant_id FROM shop_shop WHERE name = 'One'") == [(10,)]
    assert target.sql("SELECT name FROM shop_tenant WHERE id = 10") == [("Acme",)]


def test_fixed_keys_of_rows_that_are_not_in_the_bundle(target):
    target.create(Tenant, Shop)
    target.sql(f"INSERT INTO shop_tenant VALUES (10, 'Mine', 'mine', '{AT}', true)")
    target.load((Shop, SHOPS), fixed={"shop.Tenant": {1060: 10, "1061": "10"}})
    assert target.shops() == [("One", "mine"), ("Two", "mine")]


@pytest.mark.parametrize(
    ("fixed", "told"),
    [
        ({"shop.Tenant": {99: 1}}, "fixed: the bundle has no shop.Tenant with the key 99"),
        ({"shop.Label": {1: 1}}, "fixed: the bundle has no shop.Label, and nothing in it points to one"),
        ({"shop.Tenant": {"x'; --": 1}}, "fixed: keys of shop.Tenant: invalid input syntax"),
        ({"shop.Tenant": {1060: 5, 1061: 5}}, "1060, 1061 would all become 5"),
    ],
)
def test_fixed_keys_that_cannot_be_are_told(target, fixed, told):
    target.create(Tenant)
    assert told in target.refuses(StagingError, (Tenant, TENANTS), fixed=fixed)


def test_content_types_and_permissions_always_go_by_their_natural_keys(target):
    target.create(ContentType, Permission)
    target.sql(
        "INSERT INTO django_content_type VALUES (5, 'shop', 'order')",
        "INSERT INTO auth_permission VALUES (50, 'Can add order', 5, 'add_order')",
    )
    types = "id,app_label,model\n1,shop,order\n2,shop,shop\n"
    permissions = "id,name,content_type_id,codename\n1,Can add order,1,add_order\n2,Can add shop,2,add_shop\n"
    for ids in ("keep", "remap", "natural"):
        target.load((ContentType, types), (Permission, permissions), ids=ids, on_conflict="error", name=ids)
    assert target.sql("SELECT id, content_type_id FROM auth_permission WHERE codename = 'add_order'") == [(50, 5)]
    assert target.sql("SELECT count(*) FROM auth_permission") == [(2,)]


def test_uuid_keys_stay_unless_somebody_else_has_them(target):
    target.create(Label)
    target.load((Label, LABELS), name="a")
    assert target.sql("SELECT id::text FROM shop_label") == [(LABEL,)]
    target.load((Label, LABELS.replace("red", "blue")), name="a")
    assert target.sql("SELECT id::text, name FROM shop_label") == [(LABEL, "blue")]
    target.load((Label, LABELS.replace("red", "green")), name="b")
    rows = dict(target.sql("SELECT name, id::text FROM shop_label"))
    assert rows["blue"] == LABEL
    assert rows["green"] != LABEL


# Rows that are there


def test_update_writes_only_rows_that_differ(target):
    target.create(Tenant)
    target.load((Tenant, TENANTS), ids="keep")
    before = dict(target.sql("SELECT id, xmin::text FROM shop_tenant"))
    (report,) = target.load((Tenant, TENANTS.replace("Beta", "Better")), ids="keep")
    after = dict(target.sql("SELECT id, xmin::text FROM shop_tenant"))
    assert numbers(report) == (2, 0, 1, 1)
    assert after[1060] == before[1060]
    assert after[1061] != before[1061]


def test_skip_leaves_rows_and_references_go_to_them(target):
    target.create(Tenant, Shop)
    target.sql(f"INSERT INTO shop_tenant VALUES (5, 'Mine', 'acme', '{AT}', true)")
    for ids in ("keep", "remap"):
        target.load((Tenant, TENANTS), (Shop, SHOPS), ids=ids, on_conflict="skip", name=ids)
        assert target.sql("SELECT name FROM shop_tenant WHERE subdomain = 'acme'") == [("Mine",)]
    assert target.sql("SELECT DISTINCT tenant_id FROM shop_shop WHERE name = 'One'") == [(5,)]


def test_error_names_the_rows(target):
    target.create(Tenant)
    target.sql(f"INSERT INTO shop_tenant VALUES (5, 'Mine', 'acme', '{AT}', true)")
    told = target.refuses(MergeError, (Tenant, TENANTS), on_conflict="error")
    assert told == "on_conflict='error': shop.Tenant has rows of the bundle already: 1060 (there 5)"


def test_unique_values_that_another_key_has_are_refused_with_keep(target):
    target.create(Tenant)
    target.sql(f"INSERT INTO shop_tenant VALUES (5, 'Mine', 'acme', '{AT}', true)")
    told = target.refuses(MergeError, (Tenant, TENANTS), ids="keep")
    assert "merging shop.Tenant: duplicate key value violates unique constraint" in told
    assert "Key (subdomain)=(acme) already exists" in told
    assert "ids='natural'" in told


# What the table is like


def test_generated_columns_and_identities_that_are_always_generated(target):
    target.sql(
        "CREATE TABLE shop_country (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code varchar(2) UNIQUE,"
        " name varchar(100), shout text GENERATED ALWAYS AS (upper(name)) STORED)"
    )
    target.load((Country, "id,code,name\n5,GB,Britain\n"), ids="keep")
    assert target.sql("SELECT * FROM shop_country") == [(5, "GB", "Britain", "BRITAIN")]


def test_triggers_stay_on(target):
    target.create(Country)
    target.sql(
        "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql"
        " AS $$BEGIN NEW.name := upper(NEW.name); RETURN NEW; END$$",
        "CREATE TRIGGER shout BEFORE INSERT ON shop_country FOR EACH ROW EXECUTE FUNCTION shout()",
    )
    target.load((Country, "id,code,name\n5,GB,Britain\n"))
    assert target.sql("SELECT name FROM shop_country") == [("BRITAIN",)]


def test_a_check_constraint_is_told_with_its_table(target):
    target.create(Country)
    target.sql("ALTER TABLE shop_country ADD CONSTRAINT short CHECK (length(name) < 5)")
    told = target.refuses(MergeError, (Country, "id,code,name\n5,GB,Britain\n"))
    assert "merging shop.Country" in told
    assert "constraint short of table shop_country" in told


def test_names_with_quotes_percent_signs_and_braces(target, own_models):
    class Odd(models.Model):
        key = models.BigAutoField(primary_key=True, db_column='k%%"{0}')
        value = models.TextField(db_column="v%(x)s'")

        class Meta:
            app_label = "shop"
            db_table = 'od%s d"{}t'

    target.sql('CREATE TABLE "od%s d""{}t" ("k%%""{0}" bigserial PRIMARY KEY, "v%(x)s\'" text)')
    header = '"k%%""{0}",v%(x)s\'\n'
    target.load((Odd, header + '1,"a"\n'), name="it's %s {}")
    target.load((Odd, header + '1,"b"\n'), name="it's %s {}", constraints="rebuild")
    assert target.sql('SELECT "v%(x)s\'" FROM "od%s d""{}t"') == [("b",)]
    target.unload("it's %s {}")
    assert target.sql('SELECT "v%(x)s\'" FROM "od%s d""{}t"') == []


def test_rows_that_would_become_one_are_refused(target):
    target.create(Tenant)
    target.sql(f"INSERT INTO shop_tenant VALUES (5, 'Mine', 'acme', '{AT}', true)")
    told = target.refuses(StagingError, (Tenant, TENANTS.replace("Beta,beta", "Beta,acme")), ids="natural")
    assert "staging shop.Tenant: several rows of the bundle would become one: 1060, 1061 would all become 5" in told
