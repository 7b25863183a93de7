"""A helper: the process that does a part of the front of another process's run."""

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from isekai_core.errors import IsekaiError

_log = logging.getLogger(__name__)
_LAST_SECONDS = 15.0
"""More than the process that runs the pipeline gives it, which can tell what became of it."""


def main(order: Mapping[str, Any]) -> int:
    """Do what `order` says until nothing is left to do, or the life line is closed; the exit status."""
    line, channel = _own_lines()
    try:
        _help(order, line, channel)
    except Exception as error:  # the last place where it can be told
        from django.db import Error  # noqa: PLC0415 - see below

        if not isinstance(error, IsekaiError | Error):
            _log.exception("process %s of run %s", order["number"] + 1, order["run"])
        _say(channel, {"error": str(error) if isinstance(error, IsekaiError) else f"{type(error).__name__}: {error}"})
        return 1
    return 0


def _own_lines() -> tuple[int, int]:
    """The life line, and where to say what was done; plugins, and programs that they start, have others.

    What they print is for people, who look elsewhere. Who reads standard input finds nothing there, and so waits for
    nothing.
    """
    line, channel = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return line, channel


def _help(order: Mapping[str, Any], line: int, channel: int) -> None:
    import django  # noqa: PLC0415 - sys.path is another one than when this module's imports would be looked for

    django.setup()
    from django.db import connections  # noqa: PLC0415 - these need a Django that is set up

    from isekai_core.models import Run  # noqa: PLC0415
    from isekai_core.pipeline.composing.compose import compose  # noqa: PLC0415
    from isekai_core.pipeline.composing.discover import find  # noqa: PLC0415
    from isekai_core.pipeline.front import Front  # noqa: PLC0415
    from isekai_core.pipeline.journal import Journal  # noqa: PLC0415
    from isekai_core.pipeline.tally import Tally  # noqa: PLC0415
    from isekai_core.types import Stage  # noqa: PLC0415

    for alias, name in order["databases"].items():
        connections.settings[alias]["NAME"] = name
    composed = compose(find(order["pipeline"]))
    if [composed.max_depth, composed.chains] != order["composed"]:
        msg = f"what it finds by the name {order['pipeline']!r} is another pipeline"
        raise IsekaiError(msg)
    if not os.read(line, 1):
        return
    run = Run.objects.get(pk=order["run"])
    journal = Journal(composed, run, number=order["number"], processes=order["processes"])
    asker = Asker(Tally(), line, channel)
    try:
        Front(journal, asker.tally, first=Stage(order["first"]), until=Stage(order["until"]), others=asker).run()
    finally:
        journal.packer.close()
        journal.release_of(order["number"])
        asker.told()
        connections.close_all()


class Asker:
    """The process that runs the pipeline, as seen by its helper."""

    def __init__(self, tally: Any, line: int, channel: int) -> None:
        self.tally = tally
        self._line = line
        self._channel = channel
        self._is_over = threading.Event()
        threading.Thread(target=self._watch, name="isekai-life-line", daemon=True).start()

    def _watch(self) -> None:
        while os.read(self._line, 1):
            """Nothing is said on it."""
        self._is_over.set()
        time.sleep(_LAST_SECONDS)
        # It hangs in code of a plugin, and nobody may be there any more to end it, and what that started.
        if sys.platform == "win32":
            os._exit(1)
        os.killpg(os.getpid(), signal.SIGKILL)

    def goes_on(self) -> bool:
        """Whether the run does, and with it this helper."""
        return not self._is_over.is_set()

    def told(self) -> None:
        """Say what was done since this was last said."""
        _say(self._channel, self.tally.taken())


def _say(channel: int, what: Mapping[str, Any]) -> None:
    try:
        os.write(channel, json.dumps(what).encode() + b"\n")
    except OSError:
        _log.debug("nobody hears %s", what, exc_info=True)
