"""Joining: a load within the transaction that Django's own connection is in, which keeps it or takes it back.

So a test's database has the rows for as long as the test lasts, and a project can load a slice and do more, as one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, transaction
from psycopg import sql

from isekai_core.errors import MergeError, StagingError
from isekai_postgres.loading.session import Session, begin

_TABLES = """
    SELECT relname FROM pg_catalog.pg_class
    WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r' AND relname LIKE 'isekai\\_%'
"""
# Memory for temporary tables cannot be changed once there are some.
_SETTINGS = """
    SELECT name, setting FROM pg_catalog.pg_settings
    WHERE context IN ('user', 'superuser') AND name <> 'temp_buffers'
"""
_NOW = sql.Identifier("pg_temp", "isekai_now")


def transaction_of(alias: str | None) -> str | None:
    """The alias, if its connection is in a transaction."""
    return alias if alias is not None and connections[alias].in_atomic_block else None


@contextmanager
def joining(alias: str, statement_timeout: float | None = None) -> Iterator[Session]:
    """A session on Django's connection, in a savepoint; what it needed for itself is gone at the end.

    statement_timeout: in seconds, for the statements of the load; those before and after have their own.

    Deferred constraints have been checked then, and are deferred again, as Django's own checks leave them.
    """
    with transaction.atomic(using=alias):
        password = str(connections[alias].settings_dict.get("PASSWORD") or "")
        session = Session(connections[alias].connection, password, is_joined=True)
        with session.told(StagingError, "the target"):
            before = _settings(session)
            begin(session, statement_timeout)
            session.now = _transaction_id(session)
        yield session
        with session.told(MergeError, "tidying up after the load"):
            _tidy(session, before)


def _settings(session: Session) -> dict[str, str]:
    return dict(session.rows(sql.SQL(_SETTINGS)))


def _transaction_id(session: Session) -> sql.Composable:
    """What rows written from here on have as their `xmin`: within a savepoint, it is not that of the transaction."""
    session.run(sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT 1 AS one").format(_NOW))
    number = session.value(sql.SQL("SELECT xmin::text FROM {}").format(_NOW))
    return sql.SQL("{}::xid").format(sql.Literal(number))


def _tidy(session: Session, before: dict[str, str]) -> None:
    # ON COMMIT DROP would come too late for the next load in this transaction.
    names = [sql.Identifier("pg_temp", name) for (name,) in session.rows(sql.SQL(_TABLES))]
    # With the views on them that are maps of keys.
    session.run(sql.SQL("DROP TABLE {} CASCADE").format(sql.SQL(", ").join(names)))
    session.run(sql.SQL("SET CONSTRAINTS ALL DEFERRED"))
    for name, value in _settings(session).items():
        if value != before.get(name, value):
            statement = sql.SQL("SELECT set_config({}, {}, true)")
            session.run(statement.format(sql.Literal(name), sql.Literal(before[name])))
