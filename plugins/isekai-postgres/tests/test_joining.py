"""`joining.py`: within a transaction of Django's, a load is part of it."""

import pytest
from django.db import connections, transaction
from isekai_postgres.slices import Postgres

from isekai_core.errors import MergeError, StagingError
from isekai_core.testing.postgres import database_settings
from isekai_core.testing.shop.models import Shop, Tenant
from isekai_core.types.slices import LoadChoice

ALIAS = "joined"
NOW = "2026-01-02 03:04:05+00"
TENANTS = f"id,name,subdomain,created_at,is_active\n1,a,a,{NOW},t\n2,b,b,{NOW},t\n"
SHOPS = f"id,tenant_id,name,url,currency,created_at\n1,1,s,http://s,EUR,{NOW}\n"


class Silent:
    def begin(self, model, total): ...

    def advance(self, model, rows, size): ...

    def end(self, model): ...


@pytest.fixture
def django(target, django_db_blocker):
    """Django's own connection to the target, which has the tables."""
    target.create(Tenant, Shop)
    connections.settings[ALIAS] = connections.settings["default"] | database_settings(target.url)
    with django_db_blocker.unblock():
        try:
            yield connections[ALIAS]
        finally:
            connections[ALIAS].close()
            del connections[ALIAS]
            del connections.settings[ALIAS]


@pytest.fixture
def load(memory_bundle):
    def load(tenants=TENANTS, shops=SHOPS, statement_timeout=None, **choice):
        bundle = memory_bundle((Tenant, tenants), (Shop, shops))
        place = Postgres(alias=ALIAS, statement_timeout=statement_timeout)
        reports = place.load(bundle, LoadChoice(**choice), Silent())
        return [(one.created, one.updated) for one in reports]

    return load


def ask(django, statement):
    with django.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_the_rows_are_seen_within_and_go_with_the_transaction(django, load, target):
    with transaction.atomic(using=ALIAS):
        assert load() == [(2, 0), (1, 0)]
        assert Tenant.objects.using(ALIAS).count() == 2
        assert target.sql("SELECT count(*) FROM shop_tenant") == [(0,)]
        transaction.set_rollback(True, using=ALIAS)
    assert target.sql("SELECT count(*) FROM shop_tenant") == [(0,)]
    assert target.sql("SELECT to_regclass('isekai_slice_map')") == [(None,)]


def test_the_rows_stay_when_the_transaction_is_committed(django, load, target):
    with transaction.atomic(using=ALIAS):
        load()
    assert target.sql("SELECT count(*) FROM shop_tenant") == [(2,)]


def test_without_a_transaction_the_load_has_one_of_its_own(django, load, target):
    load()
    assert target.sql("SELECT count(*) FROM shop_tenant") == [(2,)]
    assert not django.in_atomic_block


def test_several_loads_in_one_transaction_leave_the_connection_as_it_was(django, load):
    settings = "SELECT name, setting FROM pg_settings WHERE name <> 'temp_buffers' ORDER BY name"
    temporary = "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'"
    before = ask(django, settings)
    with transaction.atomic(using=ALIAS):
        load(name="one")
        assert load(name="one") == [(0, 0), (0, 0)]
        assert load(TENANTS.replace(",a,a,", ",c,a,"), name="one") == [(0, 1), (0, 0)]
        assert ask(django, temporary) == []
        assert ask(django, settings) == before


def test_what_a_load_created_can_be_taken_out_within_the_transaction_and_after_it(django, load):
    with transaction.atomic(using=ALIAS):
        load(name="one")
        load(TENANTS.replace(",a,a,", ",c,a,"), name="one")
        assert [one.rows for one in Postgres(alias=ALIAS).unload("one")] == [1, 2]
        load(name="two")
    assert [one.rows for one in Postgres(alias=ALIAS).unload("two")] == [1, 2]


def test_a_load_that_fails_leaves_the_rest_of_the_transaction_as_it_was(django, load):
    with transaction.atomic(using=ALIAS):
        Tenant.objects.using(ALIAS).create(name="mine", subdomain="a")
        with pytest.raises(MergeError):
            load(ids="keep", on_conflict="error")
        with pytest.raises(StagingError, match=r"shop\.Shop"):
            load(shops=SHOPS.replace("1,1,s", "1,77,s"))
        assert list(Tenant.objects.using(ALIAS).values_list("name", flat=True)) == ["mine"]


def test_references_that_wait_for_the_end_of_the_transaction_still_may(django, load):
    with transaction.atomic(using=ALIAS):
        load()
        shop = Shop.objects.using(ALIAS).create(tenant_id=99, name="early", url="http://s")
        Tenant.objects.using(ALIAS).create(id=99, name="late", subdomain="late")
    assert Shop.objects.using(ALIAS).get(pk=shop.pk).tenant_id == 99


SLEEPS = (
    "CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$",
    "CREATE TRIGGER sleep BEFORE INSERT ON shop_shop FOR EACH ROW EXECUTE FUNCTION sleep()",
)


@pytest.mark.parametrize("own", ["0", "1min"])
def test_a_statement_timeout_holds_for_the_load_and_the_transaction_has_its_own_again(django, load, own):
    with transaction.atomic(using=ALIAS):
        ask(django, f"SELECT set_config('statement_timeout', '{own}', true)")
        load(name="one", statement_timeout=30)
        assert ask(django, "SHOW statement_timeout") == [(own,)]
        assert Postgres(alias=ALIAS, statement_timeout=30).unload("one")
        assert ask(django, "SHOW statement_timeout") == [(own,)]


def test_a_load_that_takes_too_long_is_given_up_and_the_transaction_goes_on(django, load, target):
    target.sql(*SLEEPS)
    with transaction.atomic(using=ALIAS):
        before = ask(django, "SHOW statement_timeout")
        with pytest.raises(MergeError, match=r"statement timeout; give a longer statement_timeout="):
            load(statement_timeout=0.3)
        assert ask(django, "SHOW statement_timeout") == before
        assert Tenant.objects.using(ALIAS).count() == 0
