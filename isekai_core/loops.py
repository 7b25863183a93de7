"""Work under a running event loop, as in every notebook's cell: Django refuses its ORM there, so a thread does it."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

_Result = TypeVar("_Result")


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


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
