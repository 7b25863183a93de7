"""Extract: the first extractor that accepts the key brings its bytes; coroutines on a helper thread.

Django refuses the ORM under a running event loop, so the helper thread only fetches: rows are read and
written, and synchronous extractors run, in the thread that runs the pipeline.
"""

import asyncio
import inspect
import logging
import math
import queue
import random
import threading
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Self

from django.utils import timezone

from isekai_core.conf import settings
from isekai_core.errors import (
    ConfigurationError,
    ExtractError,
    IsekaiError,
    RunError,
    SkipResource,
    TemporaryError,
)
from isekai_core.loops import concurrency_of, new_loop
from isekai_core.pipeline.composing.compose import Composed, Processor
from isekai_core.pipeline.given import check_key, kept_payload
from isekai_core.pipeline.store.payloads import Identity, is_kept
from isekai_core.pipeline.work import Work, dump_metadata, load_metadata
from isekai_core.plugins.contain import as_error, in_words
from isekai_core.plugins.hidden import without_secrets
from isekai_core.types import Extraction, ResourceView, State
from isekai_core.types.protocols import accepts_key

_log = logging.getLogger(__name__)
_LAST_SECONDS = 1.0
_TRANSIENT = (TimeoutError, ConnectionError)
# What a server may say anew of the same bytes; it does not make them new.
_VALIDATORS = ("etag", "last_modified")


@dataclass
class Fetched:
    """What came back for a work: an extraction, or the exception."""

    work: Work
    processor: Processor
    result: Any
    seconds: float


def choose(composed: Composed, work: Work) -> Processor:
    """The first extractor that accepts the key; `ExtractError` names the key's type when there is none."""
    for processor in composed["extractor"]:
        try:
            if accepts_key(processor.object, work.key):
                return processor
        except KeyboardInterrupt:  # the user's
            raise
        except BaseException as error:  # code of the plugin
            msg = f"{processor.name} cannot say whether it takes the key: {in_words(error)}"
            raise ExtractError(msg) from error
    names = ", ".join(processor.name for processor in composed["extractor"]) or "none"
    msg = f"no extractor of this pipeline accepts a key of type {work.key.type!r} (extractors: {names})"
    raise ExtractError(msg)


def is_async(processor: Processor) -> bool:
    """Whether its `extract` is a coroutine function, and so runs on the helper thread."""
    return inspect.iscoroutinefunction(processor.object.extract)


def extract_here(work: Work, processor: Processor) -> Fetched:
    """Run a synchronous extractor in this thread."""
    start = time.perf_counter()
    try:
        result = processor.object.extract(work.view)
    except BaseException as error:  # code of the plugin
        result = as_error(error, "extractor")
    return Fetched(work, processor, result, time.perf_counter() - start)


class Fetcher:
    """The helper thread: an event loop with as many workers per extractor as its `concurrency` says.

    processes: how many processes of the run share these.
    """

    def __init__(self, processors: list[Processor], processes: int = 1) -> None:
        self._processors = processors
        self._processes = processes
        self._results: queue.SimpleQueue[Fetched] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop
        # Not by its name: a pipeline may have two of one name, each with its own `concurrency`.
        self._queues: dict[int, asyncio.Queue[tuple[Work, Processor]]] = {}
        self._thread: threading.Thread | None = None
        self._ready: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._stop: asyncio.Event | None = None
        self.outstanding = 0

    @property
    def limit(self) -> int:
        """How many may be under way: twice what is fetched at once, so that no worker waits for us."""
        return 2 * sum(map(self._workers, self._processors))

    @property
    def has_room(self) -> bool:
        """Whether it is worth handing over more: not for one at a time, each of which wakes the other thread.

        As many as are fetched at once are still there then, so that no worker waits.
        """
        return self.outstanding <= self.limit // 2

    def __enter__(self) -> Self:
        if self._processors:
            self._loop = new_loop()
            self._thread = threading.Thread(target=self._run, name="isekai-fetch", daemon=True)
            self._thread.start()
            if (error := self._ready.get()) is not None:
                self._thread.join()
                self._loop.close()
                raise as_error(error, "extractor")
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._loop.close()

    def _workers(self, processor: Processor) -> int:
        """This process's share of what the extractor may fetch at once."""
        return max(1, concurrency_of(processor.object) // self._processes)

    def submit(self, batch: list[tuple[Work, Processor]]) -> None:
        """Fetch these; the results come from `next`."""
        if batch:
            self.outstanding += len(batch)
            self._loop.call_soon_threadsafe(self._enqueue, batch)

    def next(self, timeout: float | None) -> Fetched | None:
        """The next result, waiting `timeout` seconds at most; None when there is none by then."""
        try:
            fetched = self._results.get(timeout=timeout) if timeout else self._results.get_nowait()
        except queue.Empty:
            return None
        self.outstanding -= 1
        return fetched

    def _enqueue(self, batch: list[tuple[Work, Processor]]) -> None:
        for work, processor in batch:
            self._queues[id(processor)].put_nowait((work, processor))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())
        self._loop.run_until_complete(_end_what_is_left())

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        async with AsyncExitStack() as stack:
            try:
                for processor in self._processors:
                    self._queues[id(processor)] = asyncio.Queue()
                    if hasattr(processor.object, "__aenter__"):
                        await stack.enter_async_context(_session(processor))
                workers = [
                    self._loop.create_task(self._work(self._queues[id(processor)]))
                    for processor in self._processors
                    for _ in range(self._workers(processor))
                ]
            except BaseException as error:  # whatever it is: who waits for us would wait for ever
                self._ready.put(error)
                return
            self._ready.put(None)
            await self._stop.wait()
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, waiting: "asyncio.Queue[tuple[Work, Processor]]") -> None:
        while True:
            work, processor = await waiting.get()
            start = time.perf_counter()
            result: Any
            try:
                result = await _extraction(processor, work.view)
            except BaseException as error:
                if self._stop is not None and self._stop.is_set():
                    raise
                # Also what would end this worker: who waits for its result would wait for ever.
                result = as_error(error, "extractor") if not isinstance(error, KeyboardInterrupt) else _ended(error)
            self._results.put(Fetched(work, processor, result, time.perf_counter() - start))


async def _end_what_is_left() -> None:
    """Tasks that an extractor began and did not end, such as a heartbeat, end with the run."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        # One that will not end keeps nobody waiting.
        await asyncio.wait(left, timeout=_LAST_SECONDS)


@asynccontextmanager
async def _session(processor: Processor) -> AsyncIterator[None]:
    """Open it, and close it; what was fetched is there, whether it can be closed or not."""
    try:
        await processor.object.__aenter__()
    except ConfigurationError:
        raise
    except BaseException as error:  # code of the plugin
        msg = f"{processor.name} cannot be opened: {without_secrets(in_words(error))}"
        raise RunError(msg) from error
    try:
        yield
    finally:
        try:
            await processor.object.__aexit__(None, None, None)
        except BaseException as error:
            _log.warning("%s cannot be closed: %s", processor.name, without_secrets(in_words(error)))


def _extraction(processor: Processor, view: ResourceView) -> Coroutine[Any, Any, Extraction]:
    made: Coroutine[Any, Any, Extraction] = processor.object.extract(view)
    return made


def _ended(error: BaseException) -> ExtractError:
    return ExtractError(f"the extractor ended with {in_words(error)}")


def take(fetched: Fetched, step: int) -> bool:
    """Put what was fetched into its work; whether the resource goes on."""
    work, result = fetched.work, fetched.result
    work.row.extract_step_id = step
    if isinstance(result, SkipResource):
        work.skip("extract", result)
        return False
    if isinstance(result, Exception):
        _failed(work, result, fetched.processor)
        return False
    try:
        _take_extraction(work, result)
    except BaseException as error:  # to look at what it gave may run code of the plugin
        work.fail(as_error(error, "extractor"), "extract", fetched.processor.name)
        return False
    return work.alias is None


def _take_extraction(work: Work, result: Any) -> None:
    if inspect.iscoroutine(result):
        result.close()
        msg = "extract() returned a coroutine without being a coroutine function: write async def extract"
        raise ExtractError(msg)
    if not isinstance(result, Extraction):
        msg = f"an extractor returns an Extraction, got {result!r}"[:500]
        raise ExtractError(msg)
    result = _kept(result)
    if result.payload.size == 0:
        msg = f"{work.key}: the source gave an empty body (0 bytes)"
        raise ExtractError(msg)
    extracted = dump_metadata(result.metadata, "extraction metadata")
    if result.final_key is not None and result.final_key != work.key:
        work.payload, work.alias = result.payload, result.final_key
        work.finish("extract")
        work.skip("extract", f"redirects to {result.final_key}")
        return
    work.row.alias_of_id = None
    before = work.stored
    same = before is not None and Identity.of(result.payload) == before and is_kept(work.stored_blob)
    same = same and _without_validators(extracted) == _without_validators(work.row.extracted)
    work.row.extracted = extracted
    work.finish("extract")
    if same:
        work.events[-1] = ("extract", "unchanged")
        work.unchanged = True
    else:
        work.payload = result.payload
    metadata = {**work.view.metadata, **result.metadata}
    work.view = ResourceView(work.key, metadata=metadata, payload=result.payload, depth=work.row.depth)


def _kept(extraction: Extraction) -> Extraction:
    try:
        if extraction.final_key is not None:
            check_key(extraction.final_key)
        return replace(extraction, payload=kept_payload(extraction.payload))
    except (TypeError, ValueError) as error:
        raise ExtractError(str(error)) from None


def _without_validators(metadata: str) -> dict[str, Any]:
    return {name: value for name, value in load_metadata(metadata).items() if name not in _VALIDATORS}


def _failed(work: Work, error: Exception, processor: Processor) -> None:
    work.row.attempts += 1
    temporary = (isinstance(error, IsekaiError) and error.then == "retry") or isinstance(error, _TRANSIENT)
    attempts = settings().retry_attempts
    if temporary and work.row.attempts < attempts:
        work.fail(error, "extract", processor.name)
        work.row.state = State.RETRY_WAIT.value
        work.row.next_attempt_at = timezone.now() + timedelta(seconds=_delay(error, work.row.attempts))
        work.events[-1] = ("extract", "retry")
        return
    work.fail(error, "extract", processor.name)
    if temporary:
        work.row.message += f" (tried {work.row.attempts} times)"


def _delay(error: Exception, attempt: int) -> float:
    """Seconds until the next try: what the source asked for, or doubling with up to a quarter of jitter."""
    longest = settings().retry_max_wait
    asked = error.retry_after if isinstance(error, TemporaryError) else None
    if isinstance(asked, int | float) and math.isfinite(asked):
        return min(max(asked, 0.0), longest)
    # Nothing was asked, or by a plugin that gave on a header's text as it stands.
    backoff = settings().retry_backoff * 2 ** (attempt - 1)
    return float(min(backoff, longest) * random.uniform(1.0, 1.25))  # noqa: S311 - jitter, not a secret
