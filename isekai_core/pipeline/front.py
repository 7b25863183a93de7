"""The front of the pipeline: extract, mine and transform, streaming.

A claim carries a resource through these stages in memory and writes it once: its page is parsed once,
and what every stage produced is in one transaction. How much is in memory is bounded by the requests
under way and by the batch that waits to be written, never by the number of resources.
"""

import time
from collections import deque
from typing import Protocol

from django.utils import timezone

from isekai_core.conf import settings
from isekai_core.errors import ExtractError
from isekai_core.pipeline.composing.compose import Processor
from isekai_core.pipeline.extract import Fetched, Fetcher, choose, extract_here, is_async, take
from isekai_core.pipeline.garbage import fewer_collections
from isekai_core.pipeline.journal import Journal, new_payloads
from isekai_core.pipeline.mine import mine
from isekai_core.pipeline.tally import Tally
from isekai_core.pipeline.transform import transform
from isekai_core.pipeline.work import Work
from isekai_core.types import Stage, State

_WRITE_BYTES = 16 * 1024 * 1024
_WRITE_SECONDS = 2.0
_POLL_SECONDS = 1.0
_OTHERS_SECONDS = 0.02


class Others(Protocol):
    """The other processes that do the front of the same run."""

    def goes_on(self) -> bool:
        """Whether this process is to go on; asked after every resource."""
        ...

    def told(self) -> None:
        """Something was written and counted."""
        ...


class Nobody:
    """This process is the only one."""

    def goes_on(self) -> bool:
        """Always."""
        return True

    def told(self) -> None:
        """Nobody asks."""


class Front:
    """Brings resources from the stages of `start` on to `until`.

    first: the last stage that the resources it claims have completed, or one between it and `until`.
    others: who does the same in other processes.
    """

    def __init__(
        self,
        journal: Journal,
        tally: Tally,
        *,
        first: Stage = Stage.SEEDED,
        until: Stage = Stage.TRANSFORMED,
        others: Others | None = None,
    ) -> None:
        self.journal = journal
        self.composed = journal.composed
        self.tally = tally
        self.until = until
        self.others: Others = others or Nobody()
        self.stages = [stage for stage in Stage if first <= stage < until]
        self.waiting: deque[Work] = deque()
        self.under_way: dict[int, Work] = {}
        self.finished: list[Work] = []
        self.bytes = 0
        self._batch_size = settings().batch_size
        # Less at once where others claim, too: nobody is to sit idle while one has a whole batch left.
        self._claim_size = max(1, self._batch_size // (1 if journal.processes == 1 else 2 * journal.processes))
        self._is_drained = False
        self._stale_steps: dict[str, set[int]] = {}
        self.written_at = time.monotonic()

    def run(self) -> None:
        """Until nothing is ready, nothing waits for another try, and no other process may bring up more."""
        fetching = [p for p in self.composed["extractor"] if is_async(p)] if Stage.SEEDED in self.stages else []
        with fewer_collections(), Fetcher(fetching, self.journal.processes) as fetcher:
            while self._step(fetcher) and self.others.goes_on():
                self.journal.beat(self.waiting, self.under_way.values(), self.finished)

    def _step(self, fetcher: Fetcher) -> bool:
        """One turn; False when all is done."""
        if fetcher.has_room:
            if not self.waiting:
                self._claim()
            self._start(fetcher)
            if self.waiting and fetcher.has_room:
                return True
        if fetcher.outstanding:
            if (fetched := fetcher.next(0.0) or self._idle(fetcher)) is not None:
                self._fetched(fetched)
            return True
        if self.finished:
            self._write()
            return True
        return bool(self.waiting) or self._wait_for_retries()

    def _idle(self, fetcher: Fetcher) -> Fetched | None:
        """While the helper thread fetches: write what is finished, then wait for it."""
        if not self.waiting and fetcher.outstanding <= fetcher.limit // 4 and self.finished:
            # New resources may be in there, and the fetching workers run dry.
            self._write()
        with self.tally.timed("extract"):
            return fetcher.next(_POLL_SECONDS)

    def _claim(self) -> None:
        if self._is_drained and self.under_way:
            # Nothing becomes ready before something is written.
            return
        works = self.journal.claim(self.stages, self._claim_size)
        if not works and self.finished and not self.under_way:
            self._write()
            works = self.journal.claim(self.stages, self._claim_size)
        self._is_drained = len(works) < self._claim_size
        self.waiting.extend(works)

    def _start(self, fetcher: Fetcher) -> None:
        """Hand out as much as there is room for."""
        batch: list[tuple[Work, Processor]] = []
        while self.waiting and fetcher.outstanding + len(batch) < max(fetcher.limit, 1):
            work = self.waiting.popleft()
            processor = self._extractor(work) if work.stage == Stage.SEEDED else None
            if processor is not None and is_async(processor):
                self.under_way[work.row.pk] = work
                batch.append((work, processor))
                continue
            if processor is not None:
                with self.tally.timed("extract"):
                    fetched = extract_here(work, processor)
                self._extracted(fetched)
            elif work.row.state == State.RUNNING.value:
                self._go_on(work)
            self._finish(work)
        fetcher.submit(batch)

    def _extractor(self, work: Work) -> Processor | None:
        try:
            return choose(self.composed, work)
        except ExtractError as error:
            work.row.extract_step_id = self.journal.step("extract", None)
            work.fail(error, "extract", "")
            return None

    def _fetched(self, fetched: Fetched) -> None:
        del self.under_way[fetched.work.row.pk]
        self._extracted(fetched)
        self._finish(fetched.work)

    def _extracted(self, fetched: Fetched) -> None:
        work = fetched.work
        self.tally.cost(fetched.processor, resources=1).seconds += fetched.seconds
        if not take(fetched, self.journal.step("extract", fetched.processor)):
            return
        if work.unchanged and self._restore(work):
            return
        self._go_on(work)

    def _restore(self, work: Work) -> bool:
        """Same bytes as before: the later stages stand, as far as today's processors did them."""
        row = work.row
        if row.mine_step_id is None or row.mine_step_id in self._stale("mine"):
            return False
        if row.transform_step_id is None or row.transform_step_id in self._stale("transform") or work.lead != row.lead:
            return False
        if not row.spec_hash:
            return False
        row.stage = Stage.TRANSFORMED.value
        self._settle(work)
        return True

    def _stale(self, stage: str) -> set[int]:
        if stage not in self._stale_steps:
            self._stale_steps[stage] = set(self.journal.stale_steps(stage))
        return self._stale_steps[stage]

    def _go_on(self, work: Work) -> None:
        """Mine and transform, as far as `until` and as far as it goes."""
        if work.stage < Stage.MINED <= self.until:
            with self.tally.timed("mine"):
                if not mine(work, self.composed, self.journal.step("mine", None), self.tally):
                    return
        if work.stage == Stage.MINED and self.until >= Stage.TRANSFORMED:
            with self.tally.timed("transform"):
                if transform(work, self.composed, self.journal, self.tally):
                    self._settle(work)

    def _settle(self, work: Work) -> None:
        """A spec that stands in the row already needs no load."""
        row = work.row
        if row.target_pk and row.spec_hash == row.loaded_hash and row.load_step_id not in self._stale("load"):
            row.stage, row.state = Stage.LOADED.value, State.DONE.value
            work.events.append(("load", "unchanged"))

    def _finish(self, work: Work) -> None:
        if work.row.state == State.RUNNING.value:
            work.row.state = State.READY.value
        work.let_go()
        self.journal.packer.begin(work.payload, work.spec)
        self.finished.append(work)
        self.bytes += sum(made.size for made in new_payloads([work]))
        old = time.monotonic() - self.written_at > _WRITE_SECONDS
        if len(self.finished) >= self._batch_size or self.bytes > _WRITE_BYTES or old:
            self._write()

    def _write(self) -> None:
        for work in self.journal.write(self.finished):
            for stage, outcome in work.events:
                self.tally.count(stage, outcome)
                self.tally.count_error(stage, outcome, work.row.error_processor)
                if stage == "load":
                    self.tally.models[work.row.target_model][outcome] += 1
        for work in self.finished:
            if work.payload is not None and hasattr(work.payload.body, "close"):
                work.payload.body.close()
        self.finished = []
        self.bytes = 0
        self._is_drained = False
        self.written_at = time.monotonic()
        # A batch of slow synchronous work is one step: it gives its signs of life here.
        self.journal.beat(self.waiting, self.under_way.values())
        self.others.told()

    def _wait_for_retries(self) -> bool:
        """Sleep until the next try is due, a second at most at a time; False when there is nothing to wait for."""
        with self.journal.transaction():
            # All in one moment: what another process lets go of, or takes, between two of these would not be seen.
            is_alone = not self.journal.others_hold()
            due = self.journal.wake() if Stage.SEEDED in self.stages else None
            if due is None:
                self._claim()
        if due is not None:
            seconds = (due - timezone.now()).total_seconds()
            time.sleep(max(0.0, min(seconds, _POLL_SECONDS)))
        elif not self.waiting and not is_alone:
            # It may bring up what this one can do.
            time.sleep(_OTHERS_SECONDS)
        return due is not None or bool(self.waiting) or not is_alone
