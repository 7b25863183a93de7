"""Helpers: processes that extract, mine and transform beside the one that runs the pipeline.

All claim from the same journal, so that nothing is handed out, and nothing comes back but counts: a helper is told
which run it belongs to, and says what it did, a line of JSON each. Its standard input is its life line: when that is
closed, by whatever end the run came to, the helper stops.
"""

import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import ENVIRONMENT_VARIABLE
from django.db import connections

from isekai_core.errors import ConfigurationError
from isekai_core.loops import concurrency_of
from isekai_core.pipeline.composing.compose import Composed, compose
from isekai_core.pipeline.composing.discover import find
from isekai_core.pipeline.extract import is_async
from isekai_core.pipeline.journal import Journal
from isekai_core.pipeline.tally import Quiet, Tally
from isekai_core.types import Stage

_log = logging.getLogger(__name__)
# Byte by byte: what a buffer took with it would be missing on the life line. Without an order nobody is there any more.
_START = (
    "import json, os, sys; "
    "order = json.loads(b''.join(iter(lambda: os.read(0, 1).strip(b'\\n'), b'')) or sys.exit()); "
    "sys.path[:] = order['path']; "
    "from isekai_core.pipeline.helping.helper import main; "
    "sys.exit(main(order))"
)
_LAST_SECONDS = 10.0
_DYING_SECONDS = 1.0


def insist(composed: Composed, processes: int, using: str, *, fetches: bool) -> None:
    """Raise `ConfigurationError`, saying why, where no other process could do its part of the run."""
    if processes > 1 and (
        reason := _obstacle(composed, using) or (fetches and _obstacle_of_sharing(composed, processes))
    ):
        msg = f"{composed.name} cannot be run by {processes} processes: {reason}"
        raise ConfigurationError(msg)


def _obstacle(composed: Composed, using: str) -> str:
    if not os.environ.get(ENVIRONMENT_VARIABLE):
        return f"they need {ENVIRONMENT_VARIABLE}, and this one was set up without it"
    if connections[using].in_atomic_block:
        return "they would not see what the transaction that this is in has not committed"
    return _obstacle_of_sqlite(using) or _obstacle_by_name(composed)


def _obstacle_of_sharing(composed: Composed, processes: int) -> str:
    """A source sees no more connections than it was said to be good for."""
    for processor in filter(is_async, composed["extractor"]):
        if (most := concurrency_of(processor.object)) < processes:
            return f"{processor.name} fetches {most} at once at most (its concurrency), which they share"
    return ""


def _obstacle_of_sqlite(using: str) -> str:
    connection: Any = connections[using]
    if connection.vendor != "sqlite":
        return ""
    if connection.is_in_memory_db():
        return "its database is in the memory of this one"
    mode = str(connection.settings_dict["OPTIONS"].get("transaction_mode") or "")
    if mode.upper() in ("IMMEDIATE", "EXCLUSIVE"):
        return ""
    return f'SQLite needs "OPTIONS": {{"transaction_mode": "IMMEDIATE"}} in DATABASES[{using!r}] for that'


def _obstacle_by_name(composed: Composed) -> str:
    """They find it by its name."""
    try:
        same = _identity(compose(find(composed.name))) == _identity(composed)
    except ConfigurationError as error:
        return str(error)
    return "" if same else "what is found by this name, as by another process, is another pipeline"


def _identity(composed: Composed) -> list[Any]:
    """What another process must find by the same name."""
    return [composed.max_depth, composed.chains]


@contextmanager
def helpers(journal: Journal, tally: Tally, first: Stage, until: Stage) -> Iterator["Helpers"]:
    """All processes that `journal` counts beside this one, getting ready; none of them is left at the end."""
    crew = Helpers(journal, tally)
    try:
        for number in range(1, journal.processes if first < until else 1):
            crew.start(number, {"first": first.value, "until": until.value})
        yield crew
    finally:
        crew.end()
        journal.processes = 1


class Helpers:
    """The helpers of a run, as seen by the process that runs it."""

    def __init__(self, journal: Journal, tally: Tally) -> None:
        self._journal = journal
        self._tally = tally
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._said: queue.SimpleQueue[tuple[int, dict[str, Any] | None]] = queue.SimpleQueue()
        self._listeners: dict[int, threading.Thread] = {}
        self._lost: set[int] = set()
        self._have_told: set[int] = set()
        self._is_ending = False

    def start(self, number: int, stages: dict[str, str]) -> None:
        """Start the helper of that number; it waits for `begin`."""
        try:
            helper = _popen()
        except OSError as error:
            self._tell(number, f"cannot be started: {error}")
            return
        self._running[number] = helper
        # No process stays for it: what a plugin started may hold the other end for as long as it likes.
        listener = threading.Thread(
            target=self._listen, args=(number, helper), name=f"isekai-helper-{number}", daemon=True
        )
        listener.start()
        self._listeners[number] = listener
        _write(helper, json.dumps(self._order(number) | stages).encode() + b"\n")

    def _order(self, number: int) -> dict[str, Any]:
        journal = self._journal
        return {
            # An import looks at nothing else there, such as a Path that somebody put in.
            "path": [folder for folder in sys.path if isinstance(folder, str)],
            "pipeline": journal.pipeline,
            "composed": _identity(journal.composed),
            "run": journal.run.pk,
            "number": number,
            "processes": journal.processes,
            # Under a test runner they have other names than in the settings.
            "databases": {alias: str(connections.settings[alias]["NAME"]) for alias in connections},
        }

    def begin(self) -> None:
        """There is something to claim from now on."""
        for helper in self._running.values():
            _write(helper, b"\n")

    def goes_on(self) -> bool:
        """Hear what the helpers did. Always True: whatever became of them, this process goes on."""
        while not self._said.empty():
            self._hear(*self._said.get())
        while self._lost:
            # What they still held is for those who are left.
            self._journal.release_of(self._lost.pop())
        return True

    def told(self) -> None:
        """This process counts for itself."""

    def end(self) -> None:
        """Close their life lines, and wait until they have let go of what they were at."""
        self._is_ending = True
        for helper in self._running.values():
            _close(helper)
        try:
            self._wait(_LAST_SECONDS)
        finally:
            # Also when somebody cannot wait: one that hangs in code of a plugin does not stay, nor does what that
            # started. What it holds is given back as that of one that died.
            for helper in self._running.values():
                _kill(helper)
            self._wait(_DYING_SECONDS)
            self.goes_on()

    def _wait(self, seconds: float) -> None:
        """Until all are gone, and what they started, too; so many seconds at most."""
        end = time.monotonic() + seconds
        with suppress(queue.Empty):
            # No thread is joined: an interrupt meanwhile would leave it for one that has ended.
            while self._running:
                self._hear(*self._said.get(timeout=max(0.0, end - time.monotonic())))

    def _listen(self, number: int, helper: "subprocess.Popen[bytes]") -> None:
        """In a thread of its own: what the helper says, and that it is gone."""
        assert helper.stdout is not None, "it was started with a pipe"
        with helper.stdout as lines:
            for line in lines:
                with suppress(ValueError):  # the last one of a helper that was killed
                    self._said.put((number, json.loads(line)))
        self._said.put((number, None))

    def _hear(self, number: int, said: dict[str, Any] | None) -> None:
        if said is None:
            self._gone(number)
        elif "error" in said:
            self._have_told.add(number)
            self._tell(number, f"cannot go on: {said['error']}")
        else:
            self._tally.add(said)

    def _gone(self, number: int) -> None:
        self._listeners.pop(number).join()
        helper = self._running.pop(number)
        _close(helper)
        status = helper.wait()
        if status < 0:
            self._tell(number, f"was ended by signal {-status}")
        elif status > 0 and number not in self._have_told:
            self._tell(number, f"ended with status {status}")
        if status != 0:
            self._lost.add(number)

    def _tell(self, number: int, what: str) -> None:
        text = f"process {number + 1} of {self._journal.processes} {what}"
        text += "" if self._is_ending else "; the run goes on without it"
        if isinstance(self._tally.progress, Quiet):
            _log.warning("%s: %s", self._journal.pipeline, text)
        else:
            self._tally.progress.say(text)


def _popen() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - this very Python, and nothing of anybody's input
        # -P: a json.py in the folder where this was started is none of ours.
        [sys.executable, "-P", "-c", _START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C reaches all processes of a terminal's group: a helper is told by its life line.
        start_new_session=True,
    )


def _kill(helper: "subprocess.Popen[bytes]") -> None:
    if sys.platform == "win32":
        helper.kill()
        return
    with suppress(ProcessLookupError):
        os.killpg(helper.pid, signal.SIGKILL)


def _write(helper: "subprocess.Popen[bytes]", what: bytes) -> None:
    """One that is gone is heard of by who listens to it."""
    assert helper.stdin is not None, "it was started with a pipe"
    with suppress(OSError):
        helper.stdin.write(what)
        helper.stdin.flush()


def _close(helper: "subprocess.Popen[bytes]") -> None:
    assert helper.stdin is not None, "it was started with a pipe"
    with suppress(OSError):
        helper.stdin.close()
