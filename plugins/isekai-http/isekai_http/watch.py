"""One clock for all requests under way: what is silent too long, or takes too long in all, is stopped.

A timer for each request that is set anew at each chunk costs a tenth of what aiohttp needs for a whole page
(the repository's `benchmarks/transport.md`); a look at all of them now and then costs nothing.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

_LOOKS = 10
"""How many looks there are in the shorter limit: a limit is exceeded by a tenth of that at most."""

Limit = Literal["silence", "deadline"]


class Expired(Exception):
    """A request took too long; `limit` says which of the two it exceeded."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(limit)
        self.limit: Limit = limit


@dataclass(slots=True, eq=False)
class Request:
    """A request under way, and the task that waits for it."""

    task: asyncio.Task[object]
    loop: asyncio.AbstractEventLoop
    begun: float
    heard_at: float
    cancels: int
    expired: Limit | None = None

    def heard(self) -> None:
        """Note that something came in."""
        self.heard_at = self.loop.time()


class Watch:
    """Stops a request that is silent for `silence` seconds or takes `deadline` seconds; made on the running loop."""

    def __init__(self, *, silence: float, deadline: float) -> None:
        self._silence = silence
        self._deadline = deadline
        self._interval = min(silence, deadline) / _LOOKS
        self._under_way: set[Request] = set()
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_later(self._interval, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._next.cancel()

    @contextmanager
    def over(self) -> Iterator[Request]:
        """Watch the running task during the block; raises `Expired` out of it."""
        task = asyncio.current_task()
        if task is None:
            msg = "only a task can be watched"
            raise RuntimeError(msg)
        now = self._loop.time()
        request = Request(task, self._loop, now, now, task.cancelling())
        self._under_way.add(request)
        try:
            yield request
        except asyncio.CancelledError:
            # Somebody else may want the task to stop as well: that goes first.
            if request.expired and task.uncancel() <= request.cancels:
                raise Expired(request.expired) from None
            raise
        finally:
            self._under_way.discard(request)

    def _look(self) -> None:
        now = self._loop.time()
        for request in self._under_way:
            if request.expired:
                continue
            if now - request.heard_at >= self._silence:
                request.expired = "silence"
            elif now - request.begun >= self._deadline:
                request.expired = "deadline"
            if request.expired:
                request.task.cancel()
        self._next = self._loop.call_later(self._interval, self._look)
