"""SIGTERM, which whoever stops services and containers sends, ends a run as Ctrl-C does."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Terminated(KeyboardInterrupt):
    """The process was asked to end; `status` is what its command ends with."""

    status = 128 + signal.SIGTERM


@contextmanager
def ending_kindly() -> Iterator[None]:
    """Raise `Terminated` for a SIGTERM that would end the process at once; one that somebody handles is left alone."""
    # Only the main thread may say what a signal does.
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(*_: Any) -> None:
    raise Terminated
