"""The one connection of a load: a single transaction, alone by an advisory lock, and closed in any case."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import errors, sql

from isekai_core.errors import SliceError, StagingError
from isekai_postgres.connection import APPLICATION, local_settings

LOCK = int.from_bytes(b"isekai", "big")
"""The advisory lock that a load or an unload holds: one at a time in a database."""

# Placeholders are never used: values are put in by the driver's own quoting, so that a percent sign in a name
# of a table or a column means itself.
_SETTINGS = {
    # No limit but the one that is asked for.
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "transaction_timeout": "0",
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    # Texts that mean the same everywhere, and rows that are refused and not hidden: a row that nobody sees would be
    # taken for one that is not there, and left by an unload.
    "array_nulls": "on",
    "xmloption": "content",
    "row_security": "off",
    # Statements run once, over whole tables: compiling them costs more than it gives.
    "jit": "off",
    # How many rows there are is what the planner has to know of a staging table, and little more.
    "default_statistics_target": "10",
}
# A load sorts and joins whole tables and makes indexes of them: with the few MB that servers start with, by way of the
# disk. What was said for this connection, its user or its database counts more.
_MEMORY = {"work_mem": "64MB", "maintenance_work_mem": "256MB"}
_SET_MEMORY = """
    SELECT set_config(s.name, asked.value, true)
    FROM unnest({}::text[], {}::text[]) AS asked (name, value) JOIN pg_catalog.pg_settings s ON s.name = asked.name
    WHERE s.source NOT IN ('client', 'user', 'database', 'database user')
"""
_HOLDER = """
    SELECT a.pid, a.application_name, a.usename, a.client_addr::text, a.xact_start::text
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND (l.classid::bigint << 32) + l.objid::bigint = {}
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
"""


CURRENT = sql.SQL("(SELECT (txid_current() % 4294967296)::text::xid)")
_LOST = "the connection was lost, and the database takes back what was not committed: run it again"
_PRIVILEGES = (
    "the user needs SELECT, INSERT and UPDATE on tables, for an unload DELETE, past their row policies; all of these on"
    " isekai_slice_map and isekai_slice_map_counters; USAGE, SELECT and UPDATE on sequences, TEMP on the database,"
    " CREATE on the schema"
)
# The first class that fits counts.
_ADVICE: tuple[tuple[tuple[type[psycopg.Error], ...], str], ...] = (
    (
        (errors.SerializationFailure, errors.DeadlockDetected),
        "somebody else was changing the same rows, so run the load again",
    ),
    (
        (errors.InsufficientPrivilege,),
        _PRIVILEGES,
    ),
    ((errors.QueryCanceled,), "give a longer statement_timeout= (in seconds), or load a smaller slice"),
    ((errors.DiskFull, errors.ConfigurationLimitExceeded), "free some there, and run it again"),
    ((errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow), _LOST),
)


@dataclass(slots=True)
class Session:
    """A connection to the target, and what its errors must never show.

    now: the transaction that writes: a row that it wrote has it as its `xmin` until somebody changes the row.
    is_joined: whether the transaction is somebody else's, who commits it or not.
    """

    connection: psycopg.Connection
    password: str = field(default="", repr=False)
    now: sql.Composable = field(default_factory=lambda: CURRENT)
    is_joined: bool = False

    def commit(self) -> None:
        """Commit what is this session's own."""
        if not self.is_joined:
            self.connection.commit()

    def run(self, statement: sql.SQL | sql.Composed) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run a statement that has all its values in it."""
        return self.connection.execute(statement)

    def rows(self, statement: sql.SQL | sql.Composed) -> list[Any]:
        """The rows of a query."""
        return self.run(statement).fetchall()

    def value(self, statement: sql.SQL | sql.Composed) -> Any:
        """The first value of a query's first row; None without one."""
        row = self.run(statement).fetchone()
        return row[0] if row else None

    @contextmanager
    def told(self, kind: type[SliceError], what: str, if_unique: str = "") -> Iterator[None]:
        """What the server refuses is told as an error of this kind about `what`.

        if_unique: what helps against values that are there already.
        """
        try:
            yield
        except (psycopg.Error, UnicodeError) as error:
            msg = f"{what}: {reason_of(error, self.password)}{_advice(error, if_unique)}"
            # Not chained: the driver's own message is in this one, without what it must not show.
            raise kind(msg) from None


@contextmanager
def writing(parameters: dict[str, Any]) -> Iterator[Session]:
    """A session in a transaction that holds the lock; nothing is committed unless the caller does.

    Raises `StagingError` when the server cannot be reached, takes no writes, or another load is running: that one
    is named, and nobody waits for it.
    """
    session = _connect(parameters)
    try:
        with session.told(StagingError, "the target"):
            _prepare(session, parameters.get("assume_role"), parameters.get("statement_timeout"))
            _lock(session)
        yield session
    finally:
        with suppress(psycopg.Error):
            session.connection.rollback()
        session.connection.close()


def begin(session: Session, statement_timeout: float | None = None) -> None:
    """Set up a transaction that is somebody else's for a load, and take the lock; `StagingError` as in `writing`."""
    with session.told(StagingError, "the target"):
        _prepare(session, None, statement_timeout)
        _lock(session)


def reason_of(error: Exception, password: str = "") -> str:
    """What the server said, in one line, with its detail and where it was, and without the password."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        parts = [error.diag.message_primary, error.diag.message_detail, error.diag.message_hint, _place(error)]
        text = "; ".join(" ".join(part.split()).rstrip(".") for part in parts if part)
    return text.replace(password, "***") if password else text


def _place(error: psycopg.Error) -> str:
    """Constraint and table, or the line of a COPY; the name of a staging table says nothing to anyone."""
    if error.diag.constraint_name:
        return f"constraint {error.diag.constraint_name} of table {error.diag.table_name}"
    context = (error.diag.context or "").split("\n")[0]
    return context.partition(", ")[2] if context.startswith("COPY ") else ""


def _advice(error: Exception, if_unique: str) -> str:
    if isinstance(error, psycopg.errors.UniqueViolation):
        return f"; {if_unique}" if if_unique else ""
    for kinds, advice in _ADVICE:
        if isinstance(error, kinds):
            return f"; {advice}"
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return f"; {_LOST}"
    return ""


_NOT_OF_LIBPQ = ("assume_role", "statement_timeout")


def _connect(parameters: dict[str, Any]) -> Session:
    arguments: dict[str, Any] = {
        "application_name": APPLICATION,
        "connect_timeout": 10,
        **{name: value for name, value in parameters.items() if name not in _NOT_OF_LIBPQ},
        "client_encoding": "utf8",
    }
    password = str(parameters.get("password") or "")
    try:
        # Nothing is prepared: each statement runs once, and some poolers know no prepared ones.
        return Session(psycopg.connect(**arguments, prepare_threshold=None), password)
    except psycopg.Error as error:
        advice = "expected a server that answers and takes this user and password"
        msg = f"the target cannot be reached: {reason_of(error, password)}; {advice}"
        raise StagingError(msg) from None


def _prepare(session: Session, role: Any, statement_timeout: float | None = None) -> None:
    if role:
        session.run(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
    if session.value(sql.SQL("SELECT current_setting('transaction_read_only') = 'on'")):
        standby = session.value(sql.SQL("SELECT pg_is_in_recovery()"))
        why = "it is a standby: load into its primary" if standby else "default_transaction_read_only is on"
        msg = f"the target takes no writes; {why}"
        raise StagingError(msg)
    session.run(local_settings(_SETTINGS))
    session.run(sql.SQL(_SET_MEMORY).format(list(_MEMORY), list(_MEMORY.values())))
    if statement_timeout:
        session.run(
            sql.SQL("SET LOCAL statement_timeout = {}").format(sql.Literal(math.ceil(statement_timeout * 1000)))
        )
    # Staged rows stay in memory, as far as they fit; a pooled connection that has had temporary tables refuses that.
    with suppress(psycopg.errors.InvalidParameterValue), session.connection.transaction():
        session.run(sql.SQL("SET LOCAL temp_buffers = '128MB'"))


def _lock(session: Session) -> None:
    if session.value(sql.SQL("SELECT pg_try_advisory_xact_lock({})").format(LOCK)):
        return
    held = session.rows(sql.SQL(_HOLDER).format(LOCK))
    who = ", ".join(
        f"process {pid} ({application or 'unnamed'}, user {user}{f' at {address}' if address else ''}, since {since})"
        for pid, application, user, address, since in held
    )
    msg = f"another load or unload is running in this database: {who or 'it has just ended'}; try again when it is done"
    raise StagingError(msg)
