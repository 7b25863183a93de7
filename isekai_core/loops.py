"""Event loops: what runs outside of them, and the one that fetches.

Django refuses its ORM where a loop is running, as in every notebook's cell, so that a thread does the work then.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

_Result = TypeVar("_Result")
_DEFAULT_CONCURRENCY = 16


def outside_loops(work: Callable[[], _Result]) -> _Result:
    """What `work` returns; done in a thread of its own, which is waited for, where an event loop runs in this one.

    The thread has connections of its own, and closes them. What this one has not committed, it does not see.
    """
    if not _loop_is_running():
        return work()

    def in_thread() -> _Result:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1, thread_name_prefix="isekai-run") as pool:
        # With the context of the cell, so that what is displayed comes out below it.
        return pool.submit(contextvars.copy_context().run, in_thread).result()


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop to fetch with: uvloop's where that is installed, which takes two thirds of the CPU, else asyncio's own.

    Its sockets are read without Python's lock, which the thread that mines and transforms holds most of the time.
    """
    try:
        import uvloop  # noqa: PLC0415 - an extra, and imported only where something is fetched
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def concurrency_of(extractor: object) -> int:
    """How many coroutines of an extractor are under way at once, at most.

    >>> concurrency_of(object())
    16
    """
    given = getattr(extractor, "concurrency", None)
    return max(1, _DEFAULT_CONCURRENCY if given is None else int(given))


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
