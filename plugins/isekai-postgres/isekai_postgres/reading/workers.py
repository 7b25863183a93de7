"""Several connections that read tables of one snapshot at the same time; the first failure ends all of them."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

import psycopg

from isekai_postgres.reading.snapshot import Origin, following
from isekai_postgres.reasons import telling

_CANCEL_SECONDS = 5.0


class Job(Protocol):
    """What a worker is given."""

    @property
    def rows(self) -> int:
        """How much it is: the greatest are begun first."""
        ...

    @property
    def settings(self) -> frozenset[str]:
        """Settings of the leader that it reads."""
        ...


J = TypeVar("J", bound=Job)
Do = Callable[[psycopg.Connection, J, Callable[[], bool]], None]
Connecting = AbstractContextManager[psycopg.Connection]


def work(origin: Origin, leader: psycopg.Connection, snapshot: str, jobs: Sequence[J], do: Do[J], workers: int) -> None:
    """Do all jobs: with one worker in their order on the leader's connection, else on as many, the leader's among them.

    do: is called with a connection, a job, and a function that says whether to stop.
    """
    workers = min(workers, len(jobs))
    if workers < 2:  # noqa: PLR2004 - one worker is the leader itself
        for job in jobs:
            do(leader, job, lambda: False)
        return
    names = sorted({name for job in jobs for name in job.settings})
    with telling(f"{origin.name}: the chosen keys cannot be handed on", origin.password):
        values = [(name, *_value(leader, name)) for name in names]
    followers = [_handed_on(origin, snapshot, values) for _ in range(workers - 1)]
    _Crew(jobs, do).run([nullcontext(leader), *followers])


def _value(leader: psycopg.Connection, name: str) -> tuple[Any, ...]:
    return leader.execute("SELECT current_setting(%s)", [name]).fetchone() or ()


@contextmanager
def _handed_on(origin: Origin, snapshot: str, values: Iterable[tuple[Any, ...]]) -> Iterator[psycopg.Connection]:
    """A connection that sees what the leader sees, and knows the keys that it has chosen."""
    with following(origin, snapshot) as connection:
        with telling(f"{origin.name}: the chosen keys cannot be handed on", origin.password):
            for name, value in values:
                connection.execute("SELECT length(set_config(%s, %s, true))", [name, value])
        yield connection


class _Crew:
    """The threads of one export."""

    def __init__(self, jobs: Sequence[J], do: Do[J]) -> None:
        self._jobs: SimpleQueue[Any] = SimpleQueue()
        for job in sorted(jobs, key=lambda job: -job.rows):
            self._jobs.put(job)
        self._do: Do[Any] = do
        self._lock = threading.Lock()
        self._connections: list[psycopg.Connection] = []
        self._errors: list[BaseException] = []
        self._reasons: list[BaseException] = []

    def run(self, connecting: Sequence[Connecting]) -> None:
        """Return when all is done, or raise when all have ended: what went wrong first at work, else in connecting.

        A snapshot that cannot be taken is gone with the leader's connection, and the leader says why.

        connecting: what gives each worker its connection.
        """
        threads = [
            threading.Thread(target=self._worker, args=[one], name=f"isekai-export-{number}")
            for number, one in enumerate(connecting)
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except BaseException as error:
            self._fail(error)
            for thread in threads:
                thread.join()
            raise
        if self._errors:
            raise (self._reasons or self._errors)[0]

    def _worker(self, connecting: Connecting) -> None:
        try:
            with connecting as connection:
                with self._lock:
                    self._connections.append(connection)
                self._work(connection)
        except BaseException as error:
            self._fail(error)

    def _work(self, connection: psycopg.Connection) -> None:
        try:
            while not self._errors:
                self._do(connection, self._jobs.get_nowait(), lambda: bool(self._errors))
        except Empty:
            return
        except BaseException as error:
            if not isinstance(error.__cause__, psycopg.errors.QueryCanceled):
                self._reasons.append(error)
            raise
        finally:
            with self._lock:
                self._connections.remove(connection)

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._errors.append(error)
            for connection in self._connections:
                # One may wait for its first row for long.
                with suppress(psycopg.Error):
                    connection.cancel_safe(timeout=_CANCEL_SECONDS)
