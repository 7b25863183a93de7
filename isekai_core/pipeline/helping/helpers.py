"""Helpers: processes that extract, mine and transform beside the one that runs the pipeline.

All claim from the same journal, so that nothing is handed out, and nothing comes back but counts: a helper is told
which run it belongs to, and says what it did, a line of JSON each. Its standard input is its life line: when that is
closed, by whatever end the run came to, the helper stops.
"""

import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import ENVIRONMENT_VARIABLE
from django.db import connections

from isekai_core.errors import ConfigurationError
from isekai_core.pipeline.composing.compose import Composed, compose
from isekai_core.pipeline.composing.discover import find
from isekai_core.pipeline.journal import Journal
from isekai_core.pipeline.tally import Tally
from isekai_core.types import Stage

_log = logging.getLogger(__name__)
# Byte by byte: what a buffer took with it would be missing on the life line.
_START = (
    "import json, os, sys; "
    "order = json.loads(b''.join(iter(lambda: os.read(0, 1).strip(b'\\n'), b''))); "
    "sys.path[:] = order['path']; "
    "from isekai_core.pipeline.helping.helper import main; "
    "sys.exit(main(order))"
)
_LAST_SECONDS = 10.0


def insist(composed: Composed, processes: int, using: str) -> None:
    """Raise `ConfigurationError`, saying why, where no other process could do its part of the run."""
    if processes > 1 and (reason := _obstacle(composed, using)):
        msg = f"{composed.name} cannot be run by {processes} processes: {reason}"
        raise ConfigurationError(msg)


def _obstacle(composed: Composed, using: str) -> str:
    if not os.environ.get(ENVIRONMENT_VARIABLE):
        return f"they need {ENVIRONMENT_VARIABLE}, and this one was set up without it"
    if connections[using].in_atomic_block:
        return "they would not see what the transaction that this is in has not committed"
    return _obstacle_of_sqlite(using) or _obstacle_by_name(composed)


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
        same = compose(find(composed.name)).chains == composed.chains
    except ConfigurationError as error:
        return str(error)
    return "" if same else "what is found by this name, as by another process, is another pipeline"


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
        self._listeners: list[threading.Thread] = []

    def start(self, number: int, stages: dict[str, str]) -> None:
        """Start the helper of that number; it waits for `begin`."""
        helper = subprocess.Popen(  # noqa: S603 - this very Python, and nothing of anybody's input
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C reaches all processes of a terminal's group: a helper is told by its life line.
            start_new_session=True,
        )
        self._running[number] = helper
        listener = threading.Thread(target=self._listen, args=(number, helper), name=f"isekai-helper-{number}")
        listener.start()
        self._listeners.append(listener)
        _write(helper, json.dumps(self._order(number) | stages).encode() + b"\n")

    def _order(self, number: int) -> dict[str, Any]:
        journal = self._journal
        return {
            "path": sys.path,
            "pipeline": journal.pipeline,
            "chains": journal.composed.chains,
            "run": journal.run.pk,
            "number": number,
            "processes": journal.processes,
            # Under a test runner they have other names than in the settings.
            "databases": {alias: str(connections[alias].settings_dict["NAME"]) for alias in connections},
        }

    def begin(self) -> None:
        """There is something to claim from now on."""
        for helper in self._running.values():
            _write(helper, b"\n")

    def goes_on(self) -> bool:
        """Hear what the helpers did. Always True: whatever became of them, this process goes on."""
        while not self._said.empty():
            self._hear(*self._said.get())
        return True

    def told(self) -> None:
        """This process counts for itself."""

    def end(self) -> None:
        """Close their life lines, and wait until they have let go of what they were at."""
        for helper in self._running.values():
            _close(helper)
        for helper in self._running.values():
            try:
                helper.wait(_LAST_SECONDS)
            except subprocess.TimeoutExpired:
                # What it holds is given back as that of one that died.
                helper.kill()
        for listener in self._listeners:
            listener.join()
        self.goes_on()

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
            self._tell(number, f"cannot go on: {said['error']}")
        else:
            self._tally.add(said)

    def _gone(self, number: int) -> None:
        """What it still held is for those who are left."""
        helper = self._running.pop(number)
        _close(helper)
        if (status := helper.wait()) < 0:
            self._tell(number, f"was ended by signal {-status}")
        if status != 0:
            self._journal.release_of(number)

    def _tell(self, number: int, what: str) -> None:
        text = f"process {number + 1} of {self._journal.processes} {what}; the run goes on without it"
        _log.warning("%s: %s", self._journal.pipeline, text)
        self._tally.progress.say(text)


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
