"""Connections that read one snapshot: a leader that exports it, and workers that take it.

Nothing here writes, not even a temporary table: a hot standby is as good a source as a primary.
"""

import datetime as dt
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql.psycopg_any import get_adapters_template
from django.utils.timezone import get_default_timezone
from psycopg import sql

from isekai_postgres.connection import APPLICATION, local_settings
from isekai_postgres.reasons import telling, telling_connect

# As pg_dump sets them: texts that mean the same everywhere, rows that are refused and not hidden, and no time limit
# but the one that is asked for. A name that this server does not know is passed over.
_SETTINGS = {
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "row_security": "off",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    "synchronize_seqscans": "off",
    # Compiling takes longer than the one sequential pass it is for.
    "jit": "off",
}
_WAL = """
    SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text,
           pg_is_in_recovery()
"""
_KEEP_ALIVE = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 5}


@dataclass(frozen=True)
class Origin:
    """The database that is read.

    name: what messages call it, without a password.
    parameters: of the connection.
    statement_timeout: in seconds; None for no limit.
    engine, alias: of the Django backend that compiles its queries.
    """

    name: str
    parameters: dict[str, Any] = field(repr=False)
    statement_timeout: float | None = None
    engine: str = "django.db.backends.postgresql"
    alias: str = "isekai_slice_source"

    @property
    def for_writing(self) -> dict[str, Any]:
        """The parameters, with the timeout."""
        return {**self.parameters, "statement_timeout": self.statement_timeout}

    @property
    def password(self) -> Any:
        """For leaving it out of messages."""
        return self.parameters.get("password")


@contextmanager
def leading(origin: Origin) -> Iterator[tuple[psycopg.Connection, dict[str, Any]]]:
    """A connection whose snapshot workers can take, and the facts of it; closed in any case."""
    with _connected(origin) as connection:
        facts = {"server_version": _version(connection), **_position(connection)}
        _begin(connection)
        _set_up(connection, origin)
        with telling(f"{origin.name}: the snapshot cannot be exported", origin.password):
            row = connection.execute("SELECT pg_export_snapshot(), clock_timestamp()").fetchone()
        assert row is not None
        facts |= {"snapshot": row[0], "exported_at": row[1].astimezone(dt.UTC).isoformat(timespec="seconds")}
        yield connection, facts


@contextmanager
def following(origin: Origin, snapshot: str) -> Iterator[psycopg.Connection]:
    """A connection that sees what the leader sees; closed in any case."""
    with _connected(origin) as connection:
        _begin(connection)
        with telling(f"{origin.name}: the snapshot cannot be taken", origin.password):
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        _set_up(connection, origin)
        yield connection


@contextmanager
def _connected(origin: Origin) -> Iterator[psycopg.Connection]:
    given = {name: value for name, value in origin.parameters.items() if name != "assume_role"}
    # Values in querysets are written as Django's own connections would write them.
    context: Any = get_adapters_template(settings.USE_TZ, get_default_timezone() if settings.USE_TZ else None)
    arguments: dict[str, Any] = {
        "application_name": APPLICATION,
        "connect_timeout": 10,
        **_KEEP_ALIVE,
        **given,
        "client_encoding": "utf8",
        "autocommit": True,
        "context": context,
        # A prepared statement would not survive a pooler, and none runs twice.
        "prepare_threshold": None,
    }
    with telling_connect(origin.name, origin.password):
        connection = psycopg.connect(**arguments)
    try:
        yield connection
    finally:
        # Not by `with connection`, which would commit or roll back first: the server does that by itself.
        connection.close()


def _set_up(connection: psycopg.Connection, origin: Origin) -> None:
    """For the transaction alone: a pooler gives the next one another session, and this one to somebody else."""
    role = origin.parameters.get("assume_role")
    asked = {**_SETTINGS, "statement_timeout": str(math.ceil((origin.statement_timeout or 0) * 1000))}
    with telling(f"{origin.name}: the session cannot be set up", origin.password):
        if role:
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        connection.execute(local_settings(asked))


def _begin(connection: psycopg.Connection) -> None:
    connection.autocommit = False
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True


def _version(connection: psycopg.Connection) -> str:
    number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"


def _position(connection: psycopg.Connection) -> dict[str, Any]:
    """Where the server's log stood just before the snapshot, where this user may know."""
    try:
        row = connection.execute(_WAL).fetchone()
    except psycopg.Error:
        return {}
    return {"wal": row[0], "standby": row[1]} if row else {}
