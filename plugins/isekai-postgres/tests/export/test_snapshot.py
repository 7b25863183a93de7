"""What an export sets is its transaction's alone: a pooler gives the session to somebody else after it."""

import pytest
from isekai_postgres.connection import parameters_of_dsn
from isekai_postgres.reading.snapshot import Origin, following, leading

NAMES = ("row_security", "TimeZone", "IntervalStyle", "statement_timeout", "idle_in_transaction_session_timeout")


def settings(connection):
    """The settings of a session, and its role."""
    values = [connection.execute("SELECT current_setting(%s)", [name]).fetchone()[0] for name in NAMES]
    return [*values, connection.execute("SELECT current_user").fetchone()[0]]


@pytest.fixture
def origin(source):
    """A source that prefers other settings than an export, which is done as another role."""
    name = source.sql("SELECT current_database()")[0][0]
    source.sql(
        f"ALTER DATABASE \"{name}\" SET timezone = 'Asia/Tokyo'",
        f"ALTER DATABASE \"{name}\" SET intervalstyle = 'sql_standard'",
        f"ALTER DATABASE \"{name}\" SET idle_in_transaction_session_timeout = '1min'",
        "CREATE ROLE isekai_pooled",
    )
    try:
        yield Origin("it", {**parameters_of_dsn(source.url), "assume_role": "isekai_pooled"}, 90)
    finally:
        source.sql("DROP ROLE isekai_pooled")


def test_nothing_that_an_export_sets_outlives_its_transaction(origin, source):
    own = ["off", "UTC", "postgres", "90s", "0", "isekai_pooled"]
    others = ["on", "Asia/Tokyo", "sql_standard", "0", "1min", source.connection.info.user]
    with leading(origin) as (leader, facts), following(origin, facts["snapshot"]) as follower:
        for connection in (leader, follower):
            assert settings(connection) == own
        for connection in (follower, leader):
            connection.rollback()
            assert settings(connection) == others
