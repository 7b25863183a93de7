"""Claims and batched writes: the only place where the stages touch resource rows.

What a stage produced and the new state are written in one transaction, as a compare-and-set under a
lease: a row that another worker took over meanwhile is left alone.
"""

import datetime as dt
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from django.db import connections, models, router, transaction
from django.utils import timezone

from isekai_core.conf import settings
from isekai_core.errors import RunError
from isekai_core.models import Dependency, Resource, Run
from isekai_core.pipeline.composing.compose import Composed, Processor
from isekai_core.pipeline.store import payloads
from isekai_core.pipeline.store.family import Family
from isekai_core.pipeline.store.packing import Packer
from isekai_core.pipeline.store.provenance import TOGETHER, stale_steps, store_step
from isekai_core.pipeline.store.rows import one_of, update_rows
from isekai_core.pipeline.work import Claimed, Work, load_metadata, short_hash
from isekai_core.types import Key, Mined, Payload, ResourceView, Stage, State

_OUTCOME = (
    "error_stage",
    "error_processor",
    "error_class",
    "message",
    "traceback",
    "cause",
    "lease_owner",
    "lease_until",
    "updated_at",
)
_COLUMNS = (
    "stage",
    "state",
    "extracted",
    "lead",
    "payload",
    "spec",
    "spec_hash",
    "target_model",
    "alias_of",
    "changed_in",
    "blocked_by",
    "extract_step",
    "mine_step",
    "transform_step",
    "attempts",
    "next_attempt_at",
    *_OUTCOME,
)
_LOAD_COLUMNS = (
    "stage",
    "state",
    "target_pk",
    "loaded_hash",
    "written",
    "loaded_in",
    "changed_in",
    "blocked_by",
    "load_step",
    *_OUTCOME,
)


def first_batch(run: int) -> int:
    """The number of a run's first load batch: greater than all of the runs before."""
    return run << 24


def new_payloads(works: Iterable[Work]) -> list[Payload]:
    """What the stages made of `works` and is not stored yet: their own, and those of what they found."""
    own = [made for work in works for made in (work.payload, work.spec) if made is not None]
    return own + [item.payload for work in works for item in (work.mined or {}).values() if item.payload is not None]


class LeaseLost(Exception):
    """Some rows of a batch belong to somebody else by now."""


class Journal:
    """What one run reads and writes of its pipeline's resources.

    number, processes: which process of how many that do the run together; 0 is the one that was asked for it.
    """

    def __init__(self, composed: Composed, run: Run, *, number: int = 0, processes: int = 1) -> None:
        self.composed = composed
        self.pipeline = composed.name
        self.run = run
        self.number = number
        self.processes = processes
        self.using = router.db_for_write(Resource)
        self.family = Family(self.connection, composed.name, composed.max_depth, first_batch(run.pk))
        self.packer = Packer(is_on=self.connection.vendor != "sqlite")
        self._claims = 0
        self._beat = time.monotonic()
        self._beat_seconds = settings().lease_seconds / 4
        self._steps: dict[tuple[str, str], int] = {}

    @property
    def resources(self) -> models.QuerySet[Resource]:
        """The resources of this pipeline, and of no other."""
        return Resource.objects.filter(pipeline=self.pipeline)

    @cached_property
    def connection(self) -> Any:
        """The database of the journal."""
        return connections[self.using]

    def step(self, stage: str, processor: Processor | None) -> int:
        """The row that stands for `processor` (None: all of the stage's together) as it is configured now."""
        # Not by its name: a pipeline may have two of one name, such as a seeder for each of two files.
        which = (stage, processor.fingerprint if processor else TOGETHER)
        if which not in self._steps:
            self._steps[which] = store_step(self.composed, stage, processor)
        return self._steps[which]

    def stale_steps(self, stage: str) -> list[int]:
        """The steps of `stage` that belong to another composition than today's."""
        return stale_steps(self.composed, stage)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction, one at a time among the processes of the run.

        So that no two wait for each other, and none misses what another is about to write. `RunError` when the run
        was given to somebody else, who took this one for dead.
        """
        with transaction.atomic(using=self.using):
            if self.processes > 1 and not self._lock():
                msg = f"run {self.run.pk} of {self.pipeline} is over, or another process took it over"
                raise RunError(msg)
            yield

    def _lock(self) -> bool:
        # On SQLite, the transaction itself is the lock.
        run = Run.objects.select_for_update().filter(pk=self.run.pk, finished_at=None)
        return bool(run.values_list("pk", flat=True))

    # Claims

    def claim(self, stages: Sequence[Stage], limit: int) -> list[Work]:
        """At most `limit` ready resources whose last stage is one of `stages`, under lease."""
        token = self._new_token()
        ready = self.resources.filter(state=State.READY.value, stage__in=[stage.value for stage in stages])
        chosen = ready.order_by("pk")[:limit]
        lease = {"state": State.RUNNING.value, "lease_owner": token, "lease_until": self._lease_end()}
        with self.transaction():
            if self.connection.features.has_select_for_update_skip_locked:
                ids = list(chosen.select_for_update(skip_locked=True).values_list("pk", flat=True))
                claimed = Resource.objects.filter(one_of("pk", ids))
                rows = Claimed.all_of(claimed.order_by("pk")) if ids and claimed.update(**lease) else []
            elif ready.filter(pk__in=chosen.values("pk")).update(**lease):
                rows = Claimed.all_of(Resource.objects.filter(lease_owner=token).order_by("pk"))
            else:
                rows = []
        return self._works(rows, token)

    def claim_ids(self, ids: Sequence[int]) -> list[Work]:
        """Those of `ids` that are ready to be loaded, under lease, in the order of `ids`."""
        token = self._new_token()
        lease = {"state": State.RUNNING.value, "lease_owner": token, "lease_until": self._lease_end()}
        ready = Resource.objects.filter(
            one_of("pk", ids), state__in=(State.READY.value, State.BLOCKED.value), stage=Stage.TRANSFORMED.value
        )
        if not ready.update(**lease):
            return []
        rows = {row.pk: row for row in Claimed.all_of(Resource.objects.filter(lease_owner=token))}
        specs = payloads.fetch(row.spec_id for row in rows.values() if row.spec_id)
        works = [self._work_for_load(rows[pk], token) for pk in ids if pk in rows]
        for work in works:
            work.spec = payloads.view_of(specs[work.row.spec_id]) if work.row.spec_id else None
            work.keep()
        return works

    @staticmethod
    def _work_for_load(row: Claimed, token: str) -> Work:
        """Nobody is shown the resource again: what is known of it is not read."""
        row.lease_owner = token
        key = Key.parse(row.key)
        return Work(row, key, ResourceView(key), token)

    def _new_token(self) -> str:
        self._claims += 1
        return f"{self._owner(self.number)}{self._claims}"

    def _owner(self, number: int) -> str:
        """How the tokens of a process of this run begin."""
        return f"{self.run.pk}:{number}:"

    def _lease_end(self) -> dt.datetime:
        return timezone.now() + dt.timedelta(seconds=settings().lease_seconds)

    def _works(self, rows: list[Claimed], token: str) -> list[Work]:
        if not rows:
            return []
        ids = [row.pk for row in rows]
        stored = payloads.fetch(row.payload_id for row in rows if row.payload_id)
        mined = self._mined([row.pk for row in rows if row.mine_step_id])
        leads = self.family.leads(ids)
        return [self._work(row, token, stored, leads, mined) for row in rows]

    def _work(
        self,
        row: Claimed,
        token: str,
        stored: dict[int, Any],
        leads: dict[int, str],
        mined: dict[int, dict[Key, Mined]],
    ) -> Work:
        lead = leads.get(row.pk, "")
        payload = stored.get(row.payload_id or 0)
        key = Key.parse(row.key)
        found = mined.get(row.pk) if row.stage not in (Stage.SEEDED.value, Stage.EXTRACTED.value) else None
        view = ResourceView(
            key,
            metadata={**load_metadata(lead), **load_metadata(row.metadata), **load_metadata(row.extracted)},
            payload=payloads.view_of(payload) if payload else None,
            depth=row.depth,
            mined=frozenset(found or ()),
        )
        row.lease_owner = token
        known = mined.get(row.pk)
        work = Work(row, key, view, token, mined=found, lead=short_hash(lead), known_edges=known)
        if payload:
            work.stored, work.stored_blob = payloads.Identity.of_row(payload), payload.blob
        return work

    def _mined(self, ids: list[int]) -> dict[int, dict[Key, Mined]]:
        found: dict[int, dict[Key, Mined]] = {pk: {} for pk in ids}
        edges = Dependency.objects.filter(one_of("parent_id", ids), found=True) if ids else Dependency.objects.none()
        for parent, key, metadata in edges.values_list("parent_id", "child__key", "metadata"):
            parsed = Key.parse(key)
            found[parent][parsed] = Mined(parsed, load_metadata(metadata))
        return found

    # Writes

    def write(self, works: Sequence[Work]) -> list[Work]:
        """Write what the stages made of `works`; those that were still ours."""
        payloads.store_blobs(new_payloads(works))
        try:
            with self.transaction():
                self._write(works)
        except LeaseLost:
            self.family.forget()
            with self.transaction():
                # Asked in there: another process of the run, which gives one of them a new payload, waits meanwhile.
                works = self.still_ours(works)
                self._write(works)
        return list(works)

    def _write(self, works: Sequence[Work]) -> None:
        stored = payloads.store_rows(new_payloads(works), self.packer)
        for work in works:
            if work.payload is not None and work.alias is None:
                work.row.payload_id = stored[payloads.Identity.of(work.payload)]
                if work.stored is not None:
                    # Files that other rows have of it are others now.
                    work.row.changed_in = first_batch(self.run.pk)
            if work.spec is not None:
                work.row.spec_id = stored[payloads.Identity.of(work.spec)]
            if work.alias is not None:
                # Texts that link to it lead elsewhere now.
                work.row.changed_in = first_batch(self.run.pk)
        self.family.write(works, stored)
        self._hear_leads(works)
        self._update(works, _COLUMNS)

    def _hear_leads(self, works: Sequence[Work]) -> None:
        """What a page said, or said no longer, while one of `works` was under way: that is transformed again."""
        made = {work.row.pk: work for work in works if work.has_heard}
        leads = self.family.leads(list(made)) if made else {}
        for pk, work in made.items():
            if short_hash(leads.get(pk, "")) != work.row.lead:
                work.row.stage, work.row.state = Stage.MINED.value, State.READY.value
                work.events = [event for event in work.events if event[0] != "load"]

    def write_loaded(self, works: Sequence[Work]) -> None:
        """Write what load made of `works`, inside the caller's transaction; `LeaseLost` undoes it."""
        self._update(works, _LOAD_COLUMNS)

    def _update(self, works: Sequence[Work], columns: Sequence[str]) -> None:
        now = timezone.now()
        for work in works:
            work.row.lease_owner, work.row.lease_until, work.row.updated_at = "", None, now
        names = [f"{name}_id" if Resource._meta.get_field(name).is_relation else name for name in columns]
        rows = [(work.row.pk, work.token, *(getattr(work.row, name) for name in names)) for work in works]
        if update_rows(self.connection, Resource, ("id", "lease_owner"), columns, rows) != len(rows):
            raise LeaseLost

    def still_ours(self, works: Sequence[Work]) -> list[Work]:
        rows = Resource.objects.filter(one_of("pk", (work.row.pk for work in works)))
        owners = dict(rows.values_list("pk", "lease_owner"))
        return [work for work in works if owners.get(work.row.pk) == work.token]

    # Life signs and what wakes up

    def beat(self, *live: Iterable[Work]) -> None:
        """Say that this run lives, and hold the leases of `live`; at most every quarter of a lease."""
        # Asked after every resource: a clock that costs nothing.
        if time.monotonic() - self._beat < self._beat_seconds:
            return
        self._beat, now = time.monotonic(), timezone.now()
        tokens = {work.token for works in live for work in works}
        with self.transaction():
            Run.objects.filter(pk=self.run.pk).update(heartbeat_at=now)
            Resource.objects.filter(lease_owner__in=tokens).update(lease_until=self._lease_end())

    def wake(self) -> dt.datetime | None:
        """Make ready what waited long enough, or whose worker is lost; when the next one is due, if any."""
        now = timezone.now()
        waiting = self.resources.filter(state=State.RETRY_WAIT.value)
        with self.transaction():
            waiting.filter(next_attempt_at__lte=now).update(state=State.READY.value, updated_at=now)
            lost = self.resources.filter(state=State.RUNNING.value, lease_until__lt=now)
            lost.update(state=State.READY.value, lease_owner="", lease_until=None, updated_at=now)
        due: dt.datetime | None = waiting.aggregate(due=models.Min("next_attempt_at"))["due"]
        return due

    # What is given back

    def release(self, works: Sequence[Work]) -> None:
        """Give back those of `works` that are still ours."""
        held = Resource.objects.filter(lease_owner__in={work.token for work in works})
        held = held.filter(pk__in=[work.row.pk for work in works])
        held.update(state=State.READY.value, lease_owner="", lease_until=None, updated_at=timezone.now())

    def others_hold(self) -> bool:
        """Whether another process of the run is at work on something."""
        if self.processes == 1:
            return False
        running = self.resources.filter(state=State.RUNNING.value, lease_owner__startswith=f"{self.run.pk}:")
        return running.exclude(lease_owner__startswith=self._owner(self.number)).exists()

    def release_of(self, number: int) -> None:
        """Give back what a process of the run still holds, which is at an end."""
        held = self.resources.filter(lease_owner__startswith=self._owner(number))
        with self.transaction():
            held.update(state=State.READY.value, lease_owner="", lease_until=None, updated_at=timezone.now())

    def release_all(self) -> None:
        """Give back what this run still holds, when it stops early."""
        held = self.resources.filter(lease_owner__startswith=f"{self.run.pk}:")
        held.update(state=State.READY.value, lease_owner="", lease_until=None, updated_at=timezone.now())

    def counts(self) -> dict[tuple[str, str], int]:
        """Stage and state to number of resources."""
        rows = self.resources.values_list("stage", "state").annotate(number=models.Count("pk")).order_by()
        return {(stage, state): number for stage, state, number in rows}
