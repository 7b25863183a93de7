"""What a load sets for its session: enough memory, no limit that nobody asked for, and rows that nobody hides."""

import pytest
from django.db import models
from isekai_postgres import merge

from isekai_core.errors import MergeError, StagingError
from isekai_core.testing.shop.models import Tenant

TENANTS = "id,name,subdomain,created_at,is_active\n1,Acme,acme,2026-01-02 03:04:05+00,t\n"


@pytest.fixture
def noted(target):
    """A target that notes, row by row, which memory a load may use."""
    target.create(Tenant)
    target.sql(
        "CREATE TABLE noted (work text, maintenance text)",
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO noted VALUES (current_setting('work_mem'), current_setting('maintenance_work_mem'));"
        " RETURN NEW; END $$",
        "CREATE TRIGGER note BEFORE INSERT ON shop_tenant FOR EACH ROW EXECUTE FUNCTION note()",
    )
    return target


def test_a_load_may_use_more_than_servers_start_with(noted):
    noted.load((Tenant, TENANTS))
    assert noted.sql("SELECT * FROM noted") == [("64MB", "256MB")]


def test_what_is_said_for_the_connection_or_the_database_counts(noted):
    name = noted.sql("SELECT current_database()")[0][0]
    noted.sql(f"ALTER DATABASE \"{name}\" SET work_mem = '5MB'")
    noted.load((Tenant, TENANTS), parameters={"options": "-c maintenance_work_mem=300MB"})
    assert noted.sql("SELECT * FROM noted") == [("5MB", "300MB")]


LIMITS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")


def test_no_limit_of_the_database_ends_a_load(target):
    target.create(Tenant)
    target.sql(
        "CREATE TABLE noted (name text, value text)",
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO noted"
        f" SELECT name, setting FROM pg_settings WHERE name = ANY ('{{{','.join(LIMITS)}}}'); RETURN NEW; END $$",
        "CREATE TRIGGER note BEFORE INSERT ON shop_tenant FOR EACH ROW EXECUTE FUNCTION note()",
    )
    name = target.sql("SELECT current_database()")[0][0]
    known = target.sql("SELECT name FROM pg_settings WHERE name = ANY (%s)", values=[list(LIMITS)])
    for (limit,) in known:
        target.sql(f"ALTER DATABASE \"{name}\" SET {limit} = '10min'")
    target.load((Tenant, TENANTS))
    assert dict(target.sql("SELECT * FROM noted")) == {limit: "0" for (limit,) in known}


def test_null_in_an_array_is_none_whatever_the_database_prefers(target, own_models):
    class Thing(models.Model):
        tags = models.TextField()

        class Meta:
            app_label = "shop"

    target.sql("CREATE TABLE shop_thing (id bigserial PRIMARY KEY, tags text[])")
    target.sql(f'ALTER DATABASE "{target.sql("SELECT current_database()")[0][0]}" SET array_nulls = off')
    target.load((Thing, 'id,tags\n1,"{a,NULL,""NULL""}"\n'))
    assert target.sql("SELECT tags FROM shop_thing") == [(["a", None, "NULL"],)]


@pytest.fixture
def guest(target):
    """A role that may do everything, but sees only one of the tenants that are there."""
    target.create(Tenant)
    target.load((Tenant, TENANTS + "2,Beta,beta,2026-01-02 03:04:05+00,t\n"), name="both")
    target.sql(
        "CREATE ROLE isekai_guest",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO isekai_guest",
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO isekai_guest",
        "GRANT ALL ON SCHEMA public TO isekai_guest",
        "ALTER TABLE shop_tenant ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY one ON shop_tenant USING (name = 'Acme') WITH CHECK (true)",
    )
    try:
        yield "isekai_guest"
    finally:
        target.sql("DROP OWNED BY isekai_guest", "DROP ROLE isekai_guest")


def test_rows_that_a_policy_hides_are_not_taken_for_rows_that_are_gone(target, guest):
    before = target.content()
    told = "affected by row-level security policy for table .*; the user needs SELECT, INSERT and UPDATE on tables,"
    with pytest.raises(StagingError, match=told):
        target.load((Tenant, TENANTS), parameters={"assume_role": guest}, name="both")
    with pytest.raises(MergeError, match=told):
        merge.unload({**target.parameters, "assume_role": guest}, "both")
    assert target.content() == before


def test_the_privileges_that_are_asked_for_are_enough(target):
    target.create(Tenant)
    target.sql("INSERT INTO shop_tenant VALUES (3, 'mine', 'mine', now(), true)")
    target.sql(
        "CREATE ROLE isekai_loader",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO isekai_loader",
        "GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO isekai_loader",
        "GRANT CREATE ON SCHEMA public TO isekai_loader",
    )
    given = {"assume_role": "isekai_loader"}
    try:
        for name in ("first", "again"):
            # The sequence is behind its table, and has to be moved.
            target.load((Tenant, TENANTS.replace("acme", name)), parameters=given, name=name)
        assert target.sql("SELECT id FROM shop_tenant ORDER BY id") == [(3,), (4,), (5,)]
        for name in ("first", "again"):
            merge.unload({**target.parameters, **given}, name)
        assert target.sql("SELECT id FROM shop_tenant") == [(3,)]
    finally:
        target.sql("DROP OWNED BY isekai_loader", "DROP ROLE isekai_loader")
