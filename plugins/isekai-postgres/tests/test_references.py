"""References of loaded rows: to new keys, to nothing, in circles, to parents and to anything."""

import pytest
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from postgres_shared.rows import AT, LABEL, LABELS, SHOPS, TENANTS, numbers
from postgres_shared.target import MemoryBundle

from isekai_core.builtins.orm.database import Orm
from isekai_core.errors import MergeError, StagingError
from isekai_core.testing.shop.models import Branch, Category, Country, Firm, Label, Person, Shop, Tenant
from isekai_core.types.slices import LoadChoice


def test_dangling_references_are_refused_with_the_ways_out(target):
    target.create(Tenant, Shop)
    some = TENANTS.replace("1061,", "1,")
    told = target.refuses(StagingError, (Tenant, some), (Shop, SHOPS))
    assert "shop.Shop.tenant_id has 1 (1061)" in told
    for way in ("add a job for shop.Tenant, or", "dangling='null'", "dangling='keep'"):
        assert way in told


@pytest.mark.parametrize("dangling", ["error", "null"])
def test_dangling_references_are_refused_in_the_words_of_every_other_target(target, dangling):
    target.create(Country, Label, Firm, Person, Tenant, Shop)
    lines = "".join(f"{n},{n},s,http://s,EUR,{AT}\n" for n in range(6, 13))
    people = "id,name,country_id,works_at,born,height,notes,portrait,picture\n1,Ada,XX,30,,,,,x\n2,Bob,XX,,,,,,x\n"
    tables = [(Person, people), (Shop, SHOPS.partition("\n")[0] + "\n" + lines)]
    told = target.refuses(StagingError, *tables, dangling=dangling)
    assert "shop.Shop.tenant_id has 7 (6, 7, 8, 9, 10, …)" in told
    assert ("shop.Person.country_id has 2 (XX)" in told) == (dangling == "error")
    with pytest.raises(StagingError) as caught:
        Orm(target.alias).load(MemoryBundle(*tables), LoadChoice(dangling=dangling), target.progress)
    assert str(caught.value) == told


def test_dangling_references_become_null_where_that_can_be(target):
    target.create(Category, Tenant, Shop)
    target.load((Category, "id,slug,parent_id\n1,a,77\n2,b,1\n"), dangling="null")
    assert target.sql("SELECT slug, parent_id IS NULL FROM shop_category ORDER BY 1") == [("a", True), ("b", False)]
    told = target.refuses(StagingError, (Shop, SHOPS), dangling="null")
    assert "shop.Shop.tenant_id has 2 (1060, 1061), and it cannot be NULL" in told


def test_dangling_references_can_be_kept_and_the_target_checks_them(target):
    target.create(Tenant, Shop)
    told = target.refuses(MergeError, (Shop, SHOPS), dangling="keep")
    assert "shop_shop_tenant_id" in told
    assert "of table shop_shop" in told
    target.load((Tenant, TENANTS), ids="keep")
    target.load((Shop, SHOPS), dangling="keep")
    assert target.shops() == [("One", "acme"), ("Two", "beta")]


def test_references_to_a_column_that_is_no_key_keep_its_values(target):
    target.create(Country, Label, Firm, Person)
    countries = "id,code,name\n1,GB,Britain\n"
    people = "id,name,country_id,works_at,born,height,notes,portrait,picture\n1,Ada,GB,,,,,,x\n"
    target.load((Country, countries), (Person, people), (Firm, "id,name,owner_id\n"))
    assert target.sql("SELECT country_id FROM shop_person") == [("GB",)]
    told = target.refuses(
        StagingError, (Country, countries), (Person, people.replace("GB", "XX")), (Firm, "id,name,owner_id\n")
    )
    assert "shop.Person.country_id has 1 (XX)" in told


PEOPLE = "id,name,country_id,works_at,born,height,notes,portrait,picture\n1,Ada,,20,,,,,x\n2,Bob,,21,,,,,x\n"
FIRMS = "id,name,owner_id\n20,Engines,2\n21,Looms,1\n"


def circle(target):
    return target.sql(
        "SELECT p.name, f.name, o.name FROM shop_person p JOIN shop_firm f ON f.id = p.works_at"
        " JOIN shop_person o ON o.id = f.owner_id ORDER BY 1"
    )


def test_tables_that_need_one_another(target):
    target.create(Country, Label, Firm, Person)
    target.load((Person, PEOPLE), (Firm, FIRMS))
    assert circle(target) == [("Ada", "Engines", "Bob"), ("Bob", "Looms", "Ada")]


def test_tables_that_need_one_another_by_constraints_that_cannot_be_deferred(target):
    target.create(Country, Label, Firm, Person)
    keys = target.sql("SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'f' AND condeferrable")
    target.sql(*(f"ALTER TABLE {table} ALTER CONSTRAINT {name} NOT DEFERRABLE" for table, name in keys))
    target.sql("ALTER TABLE shop_person ALTER COLUMN works_at SET NOT NULL")
    reports = target.load((Person, PEOPLE), (Firm, FIRMS), name="a")
    assert circle(target) == [("Ada", "Engines", "Bob"), ("Bob", "Looms", "Ada")]
    reports = target.load((Person, PEOPLE.replace("Bob", "Bo")), (Firm, FIRMS), name="a")
    assert [numbers(report) for report in reports] == [(2, 0, 1, 1), (2, 0, 0, 2)]


def test_a_table_that_points_to_itself_by_a_constraint_that_cannot_be_deferred(target, tree):
    target.sql(tree.ddl)
    target.load((Category, "id,slug,parent_id\n1,b,2\n2,a,\n3,self,3\n"))
    joined = "SELECT c.slug, p.slug FROM shop_category c JOIN shop_category p ON p.id = c.parent_id ORDER BY 1"
    assert target.sql(joined) == [("b", "a"), ("self", "self")]


def test_the_key_of_a_multi_table_child_is_that_of_its_parent(target):
    target.create(Country, Label, Firm, Person, Branch)
    target.sql("SELECT setval('shop_firm_id_seq', 500)")
    target.load((Person, PEOPLE), (Firm, FIRMS), (Branch, "firm_ptr_id,town\n21,Leeds\n"), name="a")
    joined = "SELECT f.id, f.name, b.town FROM shop_branch b JOIN shop_firm f ON f.id = b.firm_ptr_id"
    assert target.sql(joined) == [(502, "Looms", "Leeds")]
    reports = target.load((Person, PEOPLE), (Firm, FIRMS), (Branch, "firm_ptr_id,town\n21,York\n"), name="a")
    assert numbers(reports[2]) == (1, 0, 1, 0)


def test_many_to_many_tables(target):
    target.create(Country, Label, Firm, Person)
    between = Person.labels.through
    people = "id,name,country_id,works_at,born,height,notes,portrait,picture\n1,Ada,,,,,,,x\n"
    tables = [(Label, LABELS), (Person, people), (between, f"id,person_id,label_id\n9,1,{LABEL}\n")]
    target.load(*tables, (Firm, "id,name,owner_id\n"), name="a")
    target.load(*tables, (Firm, "id,name,owner_id\n"), name="a")
    joined = "SELECT p.name, l.name FROM shop_person_labels m JOIN shop_person p ON p.id = m.person_id"
    assert target.sql(f"{joined} JOIN shop_label l ON l.id = m.label_id") == [("Ada", "red")]


def test_generic_foreign_keys_follow_their_rows(target, own_models):
    class Tag(models.Model):
        content_type = models.ForeignKey(ContentType, models.CASCADE)
        object_id = models.TextField()
        thing = GenericForeignKey("content_type", "object_id")

        class Meta:
            app_label = "shop"

    target.create(ContentType, Tenant, Label, Tag)
    target.sql(
        "SELECT setval('shop_tenant_id_seq', 500)", "INSERT INTO django_content_type VALUES (9, 'shop', 'tenant')"
    )
    types = "id,app_label,model\n1,shop,tenant\n2,shop,label\n3,shop,order\n"
    tables = [(ContentType, types), (Tenant, TENANTS), (Label, LABELS)]
    header = "id,content_type_id,object_id\n"
    target.load(*tables, (Tag, f"{header}1,1,1061\n2,2,{LABEL}\n"))
    assert target.sql("SELECT object_id FROM shop_tag ORDER BY id") == [("502",), (LABEL,)]
    assert target.sql("SELECT content_type_id FROM shop_tag WHERE object_id = '502'") == [(9,)]
    told = target.refuses(StagingError, *tables, (Tag, f"{header}1,1,77\n2,3,88\n"))
    assert "shop.Tag.object_id has 2 (77, 88)" in told
