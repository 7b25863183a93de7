"""How much memory a load lets the server use: more than it starts with, and no more than somebody has said."""

import pytest

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
