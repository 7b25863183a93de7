"""A helper: the process that does a part of the front of another process's run."""

import json
import logging
import os
import threading
from collections.abc import Mapping
from typing import Any

from isekai_core.errors import IsekaiError

_log = logging.getLogger(__name__)


def main(order: Mapping[str, Any]) -> int:
    """Do what `order` says until nothing is left to do, or the life line is closed; the exit status."""
    # What a plugin prints is for people, and they look elsewhere.
    channel = os.dup(1)
    os.dup2(2, 1)
    try:
        _help(order, channel)
    except Exception as error:  # the last place where it can be told
        is_expected = isinstance(error, IsekaiError)
        if not is_expected:
            _log.exception("process %s of run %s", order["number"] + 1, order["run"])
        _say(channel, {"error": str(error) if is_expected else f"{type(error).__name__}: {error}"})
        return 1
    return 0


def _help(order: Mapping[str, Any], channel: int) -> None:
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
    if composed.chains != order["chains"]:
        msg = f"what it finds by the name {order['pipeline']!r} is another pipeline"
        raise IsekaiError(msg)
    if not os.read(0, 1):
        return
    run = Run.objects.get(pk=order["run"])
    journal = Journal(composed, run, number=order["number"], processes=order["processes"])
    asker = Asker(Tally(), channel)
    try:
        Front(journal, asker.tally, first=Stage(order["first"]), until=Stage(order["until"]), others=asker).run()
    finally:
        journal.packer.close()
        journal.release_of(order["number"])
        asker.told()
        connections.close_all()


class Asker:
    """The process that runs the pipeline, as seen by its helper."""

    def __init__(self, tally: Any, channel: int) -> None:
        self.tally = tally
        self._channel = channel
        self._is_over = threading.Event()
        threading.Thread(target=self._watch, name="isekai-life-line", daemon=True).start()

    def _watch(self) -> None:
        while os.read(0, 1):
            """Nothing is said on it."""
        self._is_over.set()

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
