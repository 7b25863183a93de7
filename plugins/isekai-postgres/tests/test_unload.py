"""Unload: exactly the rows that a load created go, unless somebody has come to need them."""

import pytest
from isekai_postgres import merge
from postgres_shared.rows import AT, SHOPS, TENANTS

from isekai_core.errors import MergeError, StagingError
from isekai_core.testing.shop.models import Branch, Category, Country, Firm, Label, Person, Shop, Tenant

PEOPLE = "id,name,country_id,works_at,born,height,notes,portrait,picture\n1,Ada,,20,,,,,x\n2,Bob,,21,,,,,x\n"


@pytest.fixture
def loaded(target):
    """Two tenants with a shop each, loaded as `dev`; one of the tenants had been there."""
    target.create(Tenant, Shop)
    target.sql(f"INSERT INTO shop_tenant VALUES (5, 'Mine', 'acme', '{AT}', true)")
    target.load((Tenant, TENANTS), (Shop, SHOPS), name="dev")
    return target


def tenants(target):
    return [row[0] for row in target.sql("SELECT subdomain FROM shop_tenant ORDER BY 1")]


def refused(target, name="dev"):
    before = target.content()
    with pytest.raises(MergeError) as caught:
        target.unload(name)
    assert target.content() == before
    assert target.is_left_alone()
    return str(caught.value)


def test_exactly_the_created_rows_go(loaded):
    reports = loaded.unload("dev")
    assert {report.model: report.rows for report in reports} == {"shop.Shop": 2, "shop.Tenant": 1}
    assert reports[0].model == "shop.Shop"
    assert tenants(loaded) == ["acme"]
    assert loaded.sql("SELECT count(*) FROM shop_shop") == [(0,)]
    assert loaded.sql("SELECT count(*) FROM isekai_slice_map") == [(0,)]
    assert "no slice 'dev' has been loaded here; there are none" in refused(loaded)


def test_other_slices_stay(loaded):
    loaded.load((Shop, SHOPS), name="other", fixed={"shop.Tenant": {1060: 5, 1061: 5}})
    loaded.unload("dev")
    assert loaded.sql("SELECT name, tenant_id FROM shop_shop ORDER BY 1") == [("One", 5), ("Two", 5)]
    assert "there are other" in refused(loaded)


def test_rows_of_all_loads_of_the_name_go(loaded):
    loaded.load((Tenant, TENANTS), (Shop, SHOPS + f"9,1061,Three,http://3,EUR,{AT}\n"), name="dev")
    loaded.load((Tenant, TENANTS), (Shop, SHOPS.replace("One", "Uno")), name="dev")
    assert loaded.unload("dev")[0].rows == 3
    assert tenants(loaded) == ["acme"]


def test_rows_that_are_no_longer_in_the_slice_stay_until_it_is_unloaded(loaded):
    (tenants, shops) = loaded.load((Tenant, TENANTS), (Shop, SHOPS.partition("8,")[0]), name="dev")
    assert [(one.rows, one.created, one.updated, one.unchanged) for one in (tenants, shops)] == [
        (2, 0, 0, 2),
        (1, 0, 0, 1),
    ]
    assert loaded.sql("SELECT name FROM shop_shop ORDER BY 1") == [("One",), ("Two",)]
    assert loaded.unload("dev")[0].rows == 2


def test_rows_that_are_gone_need_nothing(loaded):
    loaded.sql("DELETE FROM shop_shop WHERE name = 'One'")
    assert loaded.unload("dev")[0].rows == 1


def test_rows_that_were_changed_are_named_and_nothing_goes(loaded):
    loaded.sql("UPDATE shop_shop SET name = 'Ours now' WHERE name = 'One'")
    ((key,),) = loaded.sql("SELECT id FROM shop_shop WHERE name = 'Ours now'")
    assert f"shop.Shop has 1 that were changed since ({key})" in refused(loaded)


def test_rows_that_others_point_to_are_named_and_nothing_goes(loaded):
    loaded.sql(
        "INSERT INTO shop_shop SELECT 900, id, 'Mine', 'u', 'USD', now() FROM shop_tenant WHERE subdomain = 'beta'"
    )
    told = refused(loaded)
    assert "1 rows of table shop_shop point to rows of shop.Tenant (tenant_id" in told


def test_rows_that_tables_of_no_model_point_to_are_named(loaded):
    loaded.sql(
        "CREATE TABLE note (shop bigint REFERENCES shop_shop ON DELETE CASCADE)",
        "INSERT INTO note SELECT id FROM shop_shop",
    )
    assert "2 rows of table note point to rows of shop.Shop" in refused(loaded)


@pytest.mark.parametrize("deferrable", ["DEFERRABLE", "NOT DEFERRABLE"])
def test_circles_and_multi_table_children_go(target, deferrable):
    target.create(Country, Label, Firm, Person, Branch)
    keys = target.sql("SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'f'")
    target.sql(*(f"ALTER TABLE {table} ALTER CONSTRAINT {name} {deferrable}" for table, name in keys))
    target.load(
        (Person, PEOPLE),
        (Firm, "id,name,owner_id\n20,Engines,2\n21,Looms,1\n"),
        (Branch, "firm_ptr_id,town\n21,Leeds\n"),
        name="dev",
    )
    reports = target.unload("dev")
    assert {report.model: report.rows for report in reports} == {"shop.Person": 2, "shop.Firm": 2, "shop.Branch": 1}
    assert target.sql("SELECT count(*) FROM shop_person") == [(0,)]


def test_a_self_reference_goes(target):
    target.create(Category)
    target.load((Category, "id,slug,parent_id\n1,b,2\n2,a,\n3,self,3\n"), name="dev")
    assert target.unload("dev")[0].rows == 3


def test_without_any_load_it_says_so(target):
    assert refused(target) == "no slice has been loaded here, so there is no 'dev' to unload"


def test_a_load_that_would_give_created_rows_other_keys_is_refused(loaded):
    before = loaded.content()
    with pytest.raises(
        MergeError, match=r"made shop\.Shop 7 the row 1, and this one would make it 7; unload 'dev' first"
    ):
        loaded.load((Shop, SHOPS), name="dev", ids="keep", fixed={"shop.Tenant": {1060: 5, 1061: 5}})
    assert loaded.content() == before


def test_a_failed_load_leaves_no_map(target):
    target.create(Tenant, Shop)
    with pytest.raises(StagingError):
        target.load((Tenant, TENANTS.replace("1061,", "1,")), (Shop, SHOPS), name="dev")
    assert target.sql("SELECT to_regclass('isekai_slice_map') IS NULL") == [(True,)]


def test_rows_that_were_deleted_come_back_under_their_keys(loaded):
    before = loaded.sql("SELECT id, name FROM shop_shop ORDER BY 1")
    loaded.sql("DELETE FROM shop_shop")
    loaded.load((Tenant, TENANTS), (Shop, SHOPS), name="dev")
    assert loaded.sql("SELECT id, name FROM shop_shop ORDER BY 1") == before
    assert loaded.unload("dev")[0].rows == 2


def test_rows_that_were_deleted_and_made_anew_by_others_are_theirs(loaded):
    loaded.unload("dev")
    loaded.load((Tenant, TENANTS), name="dev")
    loaded.sql(
        "DELETE FROM shop_tenant WHERE subdomain = 'beta'",
        f"INSERT INTO shop_tenant VALUES (99, 'Theirs', 'beta', '{AT}', true)",
    )
    loaded.load((Tenant, TENANTS), name="dev")
    loaded.unload("dev")
    assert loaded.sql("SELECT id, name FROM shop_tenant WHERE subdomain = 'beta'") == [(99, "Beta")]


def test_a_large_slice_is_loaded_again_in_time_that_grows_with_its_rows(target):
    target.create(Tenant, Shop)
    header, shop, _ = SHOPS.split("\n", 2)
    shops = "\n".join([header, *(shop.replace("7,1060", f"{n},1060") for n in range(30_000)), ""])
    target.load((Tenant, TENANTS), (Shop, shops), name="dev", parameters={"statement_timeout": 10})
    (_, report) = target.load((Tenant, TENANTS), (Shop, shops), name="dev", parameters={"statement_timeout": 10})
    assert report.unchanged == 30_000


def test_a_privilege_that_an_unload_needs_is_told(loaded):
    name = "isekai_loader"
    loaded.sql(
        f"CREATE ROLE {name}",
        f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}",
    )
    try:
        before = loaded.content()
        with pytest.raises(MergeError, match=r"permission denied for table .*; the user needs .* for an unload DELETE"):
            merge.unload({**loaded.parameters, "assume_role": name}, "dev")
        assert loaded.content() == before
    finally:
        loaded.sql(f"DROP OWNED BY {name}", f"DROP ROLE {name}")
