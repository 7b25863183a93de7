"""Seed: the keys to start from, written in batches. What a seeder gave before it failed is kept."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from isekai_core.conf import settings
from isekai_core.errors import SeedError
from isekai_core.models import Resource
from isekai_core.pipeline.composing.compose import Processor
from isekai_core.pipeline.given import check_key, check_version, kept_payload, several
from isekai_core.pipeline.journal import Journal, first_batch
from isekai_core.pipeline.repeats import Repeats
from isekai_core.pipeline.store import payloads
from isekai_core.pipeline.store.family import NewResource, add_resources
from isekai_core.pipeline.tally import Tally
from isekai_core.pipeline.work import Failure, dump_metadata
from isekai_core.plugins.contain import as_error
from isekai_core.types import Seed, Stage, State

_VERSION_LENGTH = 64


def seed(journal: Journal, tally: Tally) -> None:
    """Ask all seeders, in order. One that fails stops no other; its error is in the tally."""
    for position, processor in enumerate(journal.composed["seeder"]):
        stream = _Stream(processor, tally)
        with closing(Repeats()) as repeats:
            while batch := list(islice(stream, settings().batch_size)):
                with tally.timed("seed"):
                    _write(journal, tally, _first_of_each(journal, batch, repeats), position)
                journal.beat(())
            if repeats.error is not None:
                stream.keep(repeats.error)


class _Stream(Iterator["Given"]):
    """The seeds of one seeder, checked one by one; its exception ends it, and is kept."""

    def __init__(self, processor: Processor, tally: Tally) -> None:
        self._processor = processor
        self._cost = tally.cost(processor)
        self._tally = tally
        self._seeds: Iterator[Any] | None = None

    def __next__(self) -> "Given":
        while True:
            with self._tally.timed("seed"), self._cost:
                item = self._next()
            try:
                return Given(item)
            except BaseException as error:  # to look at a seed may run code of the plugin
                self.keep(as_error(error, "seeder"))

    def _next(self) -> Any:
        try:
            if self._seeds is None:
                self._seeds = iter(several(self._processor.object.seed(), "seed()", "Seed"))
            return next(self._seeds)
        except StopIteration:
            raise
        except BaseException as error:  # code of the plugin
            self.keep(as_error(error, "seeder"))
            raise StopIteration from None

    def keep(self, error: Exception) -> None:
        """Put `error` into what the run tells."""
        self._tally.seed_errors.append(Failure.of(error, "seed", self._processor.name))
        self._tally.count("seed", "failed")
        self._cost.errors += 1


class Given:
    """A seed that can be written: `SeedError`, or whatever is raised by looking at it, says why another cannot."""

    def __init__(self, item: Any) -> None:
        if not isinstance(item, Seed):
            msg = f"a seeder gives Seed objects, got {item!r}"[:500]
            raise SeedError(msg)
        try:
            check_key(item.key)
            check_version(item.version or "", _VERSION_LENGTH)
            self.payload = None if item.payload is None else kept_payload(item.payload)
        except (TypeError, ValueError, OSError) as error:
            msg = f"{item.key}: {error}"[:1000]
            raise SeedError(msg) from None
        self.key = item.key
        self.digest = item.key.digest
        self.metadata = dump_metadata(item.metadata, f"{item.key} metadata")
        self.version = item.version or ""


def _first_of_each(journal: Journal, batch: Sequence[Given], repeats: Repeats) -> dict[str, Given]:
    """Key hash to the first seed of it: it counts in a batch, between batches and between seeders."""
    given: dict[str, Given] = {}
    for item in batch:
        first = given.setdefault(item.digest, item)
        if first is not item and _sha256(first) != _sha256(item):
            repeats.lose(str(item.key))
    if again := repeats.before(given):
        rows = journal.resources.filter(key_hash__in=again)
        known = dict(rows.values_list("key_hash", "payload__sha256"))
        for item in (given.pop(digest) for digest in again):
            if item.payload is not None and item.payload.sha256 != known.get(item.digest):
                repeats.lose(str(item.key))
    return given


def _sha256(item: Given) -> str:
    return item.payload.sha256 if item.payload is not None else ""


def _write(journal: Journal, tally: Tally, given: Mapping[str, Given], position: int) -> None:
    step = journal.step("seed", journal.composed["seeder"][position])
    known_payloads = [item.payload for item in given.values() if item.payload]
    payloads.store_blobs(known_payloads)
    with transaction.atomic(using=journal.using):
        stored = payloads.store_rows(known_payloads)
        rows = journal.resources.filter(key_hash__in=list(given)).defer("written", "traceback")
        existing = {row.key_hash: row for row in rows}
        new = [_new(journal, item, step, stored) for digest, item in given.items() if digest not in existing]
        # Another worker may have mined one of them in between: then it is there, which is all that counts.
        add_resources(journal.connection, new)
        earlier = _earlier_steps(journal, position)
        mark = first_batch(journal.run.pk)
        again = [_again(row, given[digest], step, earlier, stored, mark) for digest, row in existing.items()]
    tally.cost(journal.composed["seeder"][position], resources=len(given))
    tally.count("seed", "done", len(new))
    tally.count("seed", "changed", sum(again))
    tally.count("seed", "unchanged", len(again) - sum(again))


def _new(journal: Journal, item: Given, step: int, stored: dict[Any, int]) -> NewResource:
    row = NewResource(
        journal.pipeline, str(item.key), item.digest, metadata=item.metadata, version=item.version, seed_step=step
    )
    if item.payload is not None:
        row.stage = Stage.EXTRACTED.value
        row.payload = stored[payloads.Identity.of(item.payload)]
    return row


def _earlier_steps(journal: Journal, position: int) -> set[int]:
    return {journal.step("seed", processor) for processor in journal.composed["seeder"][:position]}


def _again(row: Resource, item: Given, step: int, earlier: set[int], stored: dict[Any, int], mark: int) -> bool:
    """Take over what the seeder says now; whether there is something to do again.

    mark: this run's first batch number, for a payload that is another than before.
    """
    if row.seed_step_id in earlier:
        # Two seeders give it: the first of them is asked.
        return False
    changes: dict[str, Any] = {}
    payload = stored[payloads.Identity.of(item.payload)] if item.payload else None
    if item.version > row.version:
        changes |= {"version": item.version} | ({} if payload else {"stage": Stage.SEEDED.value})
    if item.metadata != row.metadata:
        changes |= {"metadata": item.metadata}
        if row.payload_id is not None and row.stage != Stage.SEEDED.value:
            # One that is to be fetched is transformed after that, with what is said of it now.
            changes.setdefault("stage", Stage.EXTRACTED.value)
    if payload is not None and payload != row.payload_id:
        changes |= {"payload_id": payload, "stage": Stage.EXTRACTED.value, "changed_in": mark}
    if row.state == State.SKIPPED.value and row.error_stage == "seed":
        changes |= {"depth": 0, "state": State.READY.value, "error_stage": "", "message": ""}
    work_to_do = "stage" in changes or "state" in changes
    if row.seed_step_id != step:
        changes |= {"seed_step_id": step}
    if changes:
        _save(row, changes)
    return work_to_do


def _save(row: Resource, changes: dict[str, Any]) -> None:
    if "stage" in changes:
        changes |= {"state": State.READY.value, "attempts": 0}
    Resource.objects.filter(pk=row.pk).exclude(state=State.RUNNING.value).update(**changes, updated_at=timezone.now())
