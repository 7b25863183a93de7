"""Connections to the source: read-only, closed in any case, and with errors that never show a password."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from isekai_core.errors import SeedError
from isekai_postgres.values import register_loaders

APPLICATION = "isekai"
"""The name under which the server lists the connection, unless the parameters give another."""

_HINT = (
    "expected postgresql://user:password@host:port/database, with special characters of the password percent-encoded"
)
_HOST = re.compile(r"[^@\s]*")
_PORT = re.compile(r"[0-9,]*")

# What the driver can read, whatever the database prefers; which of 1/2 is the day stays as it is. Between two batches,
# a pipeline may take its time.
_SETTINGS = {"DateStyle": "ISO", "IntervalStyle": "postgres", "idle_in_transaction_session_timeout": "0"}

_SET = """
    SELECT set_config(asked.name, asked.value, true)
    FROM unnest({}::text[], {}::text[]) AS asked (name, value)
    WHERE current_setting(asked.name, true) IS NOT NULL
"""

# What Django's OPTIONS may hold that is not libpq's.
_DJANGO_ONLY = ("assume_role", "isolation_level", "pool", "server_side_binding")


def local_settings(asked: Mapping[str, str]) -> sql.Composed:
    """What sets these for the transaction alone, whose session a pooler may give to somebody else.

    A name that the server does not know is passed over.
    """
    return sql.SQL(_SET).format(list(asked), list(asked.values()))


def parameters_of_dsn(dsn: str) -> dict[str, Any]:
    """The parameters in a URL; `ValueError`, which does not repeat any of it, when it cannot be one."""
    try:
        is_url = isinstance(dsn, str) and dsn.startswith(("postgresql://", "postgres://"))
        parameters = dict(conninfo_to_dict(dsn)) if is_url else None
    except psycopg.Error:
        parameters = None
    if parameters is None:
        msg = f"dsn is not a PostgreSQL URL; {_HINT}"
        raise ValueError(msg) from None
    # A password with an @ or a / in it is read as a part of the host or the port, and would be shown there.
    if not _HOST.fullmatch(str(parameters.get("host", ""))) or not _PORT.fullmatch(str(parameters.get("port", ""))):
        msg = f"dsn has a host or a port that cannot be one; {_HINT}"
        raise ValueError(msg)
    return parameters


def parameters_of_alias(alias: str) -> dict[str, Any]:
    """The parameters of a database in Django's settings; `ValueError` when it is none, or no PostgreSQL."""
    if alias not in connections.settings:
        msg = f"DATABASES has no {alias!r}; it has {', '.join(sorted(connections.settings))}"
        raise ValueError(msg)
    django = connections[alias]
    if django.vendor != "postgresql":
        msg = f"the database {alias!r} is {django.vendor}, not postgresql"
        raise ValueError(msg)
    return _from_settings(django.settings_dict)


def _from_settings(settings: dict[str, Any]) -> dict[str, Any]:
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    given = {name: settings.get(theirs) for name, theirs in names.items()}
    options = settings.get("OPTIONS", {})
    return {
        **{name: value for name, value in given.items() if value},
        **{name: value for name, value in options.items() if name not in _DJANGO_ONLY},
        **({"assume_role": role} if (role := options.get("assume_role")) else {}),
    }


@contextmanager
def reading(parameters: dict[str, Any], what: str) -> Iterator[psycopg.Connection]:
    """A connection in a read-only transaction, closed at the end; errors become `SeedError`s about `what`."""
    role = parameters.get("assume_role")
    arguments: dict[str, Any] = {
        "application_name": APPLICATION,
        "connect_timeout": 10,
        **{name: value for name, value in parameters.items() if name != "assume_role"},
        "client_encoding": "utf8",
    }
    try:
        with psycopg.connect(**arguments) as connection:
            connection.read_only = True
            register_loaders(connection)
            if role:
                connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
            connection.execute(local_settings(_SETTINGS))
            yield connection
    except (psycopg.Error, UnicodeDecodeError) as error:
        msg = f"{what}: {_reason(error, parameters.get('password'))}"
        # Not chained: the driver's own message is in this one, without what it must not show.
        raise SeedError(msg) from None


def _reason(error: Exception, password: Any) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"a text is not valid in the encoding of the database ({error})"
    diagnosis = error.diag if isinstance(error, psycopg.Error) else None
    text = (diagnosis and diagnosis.message_primary) or " ".join(str(error).split()) or type(error).__name__
    if diagnosis and diagnosis.message_hint:
        text = f"{text} ({diagnosis.message_hint})"
    return text.replace(str(password), "***") if password else text
