"""Who found whom and who refers to whom: new resources that stages bring up, and the edges to them."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import models
from django.utils import timezone

from isekai_core.models import Dependency, Resource
from isekai_core.pipeline.store import payloads
from isekai_core.pipeline.store.rows import chunks, insert_rows, one_of
from isekai_core.pipeline.work import Work, dump_metadata, short_hash
from isekai_core.types import Key, Payload, Stage, State

_CACHED_KEYS = 20_000
_REFERRED = "only referred to: no seeder and no miner gave it"


HEARD = models.Q(
    stage__in=(Stage.TRANSFORMED.value, Stage.LOADED.value),
    state__in=(State.READY.value, State.DONE.value, State.BLOCKED.value, State.FAILED.value),
) | models.Q(stage=Stage.MINED.value, state__in=(State.FAILED.value, State.SKIPPED.value), error_stage="transform")
"""Of what transform made something, or could make nothing: by what pages said of it until then."""

_EDGE_COLUMNS = ("parent", "child", "found", "metadata", "ref")
_EXISTING = (
    "pk",
    "key_hash",
    "depth",
    "stage",
    "state",
    "error_stage",
    "payload_id",
    "extract_step_id",
    "seed_step_id",
)


@dataclass
class NewResource:
    """What is known of a resource when it is found: the columns of its first insert."""

    pipeline: str
    key: str
    key_hash: str
    depth: int = 0
    stage: str = Stage.SEEDED.value
    state: str = State.READY.value
    metadata: str = ""
    version: str = ""
    payload: int | None = None
    seed_step: int | None = None
    error_stage: str = ""
    message: str = ""


_NEW_COLUMNS = tuple(field.name for field in fields(NewResource))


def add_resources(connection: Any, rows: Sequence[NewResource]) -> None:
    """Insert `rows`; those that are there already are left as they are."""
    now = timezone.now()
    values = [(*(getattr(row, name) for name in _NEW_COLUMNS), now, now) for row in rows]
    insert_rows(connection, Resource, (*_NEW_COLUMNS, "created_at", "updated_at"), values)


@dataclass
class Wanted:
    """A resource that must exist: how it was come by, the best of all who want it."""

    key: Key
    depth: int
    found: bool
    payload: Payload | None = None


class Family:
    """The resources that works bring up, and the dependencies of works on them.

    mark: the run's first batch number, for those whose payload is another than before.
    """

    def __init__(self, connection: Any, pipeline: str, max_depth: int | None, mark: int = 0) -> None:
        self.connection = connection
        self.pipeline = pipeline
        self.max_depth = max_depth
        self.mark = mark
        # Most pages link to the same pages: what is known to be there needs no query.
        self._known: OrderedDict[Key, tuple[int, int]] = OrderedDict()
        self._writing: dict[int, Work] = {}

    def leads(self, ids: Sequence[int]) -> dict[int, str]:
        """Resource to what its smallest parent key says of it, as stored: results do not depend on timing."""
        edges = Dependency.objects.filter(one_of("child_id", ids)).exclude(metadata="")
        smallest: dict[int, tuple[str, str]] = {}
        # A site's logo is on all of its pages.
        for child, key, metadata in edges.values_list("child_id", "parent__key", "metadata").iterator():
            smallest[child] = min(smallest.get(child, (key, metadata)), (key, metadata))
        return {child: metadata for child, (_, metadata) in smallest.items()}

    def write(self, works: Sequence[Work], stored: dict[Any, int]) -> None:
        """Make the resources that `works` found or refer to, and replace their edges."""
        self._writing = {work.row.pk: work for work in works}
        if self.max_depth is not None:
            self._refresh_depths(works)
        ids = self._ensure(self._wanted(works), stored)
        while self.max_depth is not None and self._refresh_depths(works):
            # One of them found another closer to a seed: what that one found is closer, too.
            ids |= self._ensure(self._wanted(works), stored)
        for work in works:
            if work.alias is not None:
                work.row.alias_of_id = ids[work.alias]
        self._replace_edges([work for work in works if work.touched_edges], ids)

    @staticmethod
    def _refresh_depths(works: Sequence[Work]) -> bool:
        """Take over the depths of the database; whether one of them is another than was thought."""
        depths = dict(Resource.objects.filter(one_of("pk", (work.row.pk for work in works))).values_list("pk", "depth"))
        changed = [work for work in works if depths.get(work.row.pk, work.row.depth) != work.row.depth]
        for work in changed:
            work.row.depth = depths[work.row.pk]
        return bool(changed)

    def forget(self) -> None:
        """What was made in a transaction that was undone is not known to be there."""
        self._known.clear()

    def open_depths(self) -> None:
        """Make ready what an earlier, smaller max_depth left out."""
        waiting = Resource.objects.filter(pipeline=self.pipeline, state=State.SKIPPED.value, error_stage="seed")
        too_deep = waiting.exclude(message=_REFERRED)
        if self.max_depth is not None:
            too_deep = too_deep.filter(depth__lte=self.max_depth)
        too_deep.update(state=State.READY.value, error_stage="", message="")

    def _wanted(self, works: Sequence[Work]) -> dict[Key, Wanted]:
        wanted: dict[Key, Wanted] = {}

        def want(key: Key, depth: int, *, found: bool, payload: Payload | None = None) -> None:
            if (best := wanted.get(key)) is None:
                wanted[key] = Wanted(key, depth, found, payload)
                return
            best.depth, best.found = min(best.depth, depth), best.found or found
            best.payload = best.payload or payload

        for work in works:
            below = work.row.depth + 1
            for item in (work.mined or {}).values():
                want(item.key, below, found=True, payload=item.payload)
            for key, hard in (work.refs or {}).items():
                # A hard ref says that its target is needed, so it is brought like a mined one.
                want(key, below, found=hard)
            if work.alias is not None:
                want(work.alias, work.row.depth, found=True, payload=work.payload)
        return wanted

    def _ensure(self, wanted: dict[Key, Wanted], stored: dict[Any, int]) -> dict[Key, int]:
        ids: dict[Key, int] = {}
        unknown: dict[str, Wanted] = {}
        for key, item in wanted.items():
            known = self._known.get(key)
            if known is not None and known[1] <= item.depth and item.payload is None:
                ids[key] = known[0]
                self._known.move_to_end(key)
            else:
                unknown[key.digest] = item
        if unknown:
            ids |= self._look_up(unknown, stored)
        return ids

    def _look_up(self, unknown: dict[str, Wanted], stored: dict[Any, int]) -> dict[Key, int]:
        ids = self._existing(unknown, stored)
        new = {digest: item for digest, item in unknown.items() if item.key not in ids}
        if new:
            # One that another worker found in between is left as it is; either way it is there now.
            add_resources(self.connection, [self._new(digest, item, stored) for digest, item in new.items()])
            ids |= self._existing(new, stored)
        return ids

    def _existing(self, unknown: dict[str, Wanted], stored: dict[Any, int]) -> dict[Key, int]:
        ids: dict[Key, int] = {}
        rows = Resource.objects.filter(one_of("key_hash", unknown), pipeline=self.pipeline)
        for row in rows.values_list(*_EXISTING, named=True):
            item = unknown[row.key_hash]
            ids[item.key] = row.pk
            waiting = row.state == State.SKIPPED.value and row.error_stage == "seed"
            if item.depth < row.depth or (waiting and item.found):
                self._found_again(row, item, waiting=waiting)
            if item.payload is not None:
                too_deep = waiting and self._too_deep(min(row.depth, item.depth))
                self._given_again(row, stored[payloads.Identity.of(item.payload)], too_deep=too_deep)
            if not waiting or item.found:
                self._remember(item.key, row.pk, min(row.depth, item.depth))
        return ids

    def _found_again(self, row: Any, item: Wanted, *, waiting: bool) -> None:
        """It was found closer to a seed, or at all: what was left out for that reason is done now."""
        depth = min(row.depth, item.depth)
        changes: dict[str, Any] = {"depth": depth}
        if waiting and item.found and not self._too_deep(depth):
            changes |= {"state": State.READY.value, "error_stage": "", "message": ""}
        elif self.max_depth is not None and row.stage not in (Stage.SEEDED.value, Stage.EXTRACTED.value):
            # Its own finds may have been too deep before.
            changes |= {"stage": Stage.EXTRACTED.value, "state": State.READY.value}
        rows = Resource.objects.filter(pk=row.pk)
        if row.state == State.RUNNING.value:
            # What it found follows when it is written: its depth is read again then.
            changes = {"depth": depth}
        elif "state" in changes:
            rows = rows.exclude(state=State.RUNNING.value)
        rows.update(**changes)

    def _given_again(self, row: Any, payload: int, *, too_deep: bool) -> None:
        """A page gives other data than before with the key of what it gave: the newer word counts.

        What an extractor brought, or a seeder gave, is not the page's to change. Who works on the old data
        loses the lease, and what was made of it is not written.
        """
        if payload == row.payload_id or row.extract_step_id is not None or row.seed_step_id is not None:
            return
        if (work := self._writing.get(row.pk)) is not None:
            work.row.payload_id, work.row.changed_in = payload, self.mark
            work.row.stage, work.row.state = Stage.EXTRACTED.value, State.READY.value
            return
        state = State.SKIPPED if too_deep else State.READY
        Resource.objects.filter(pk=row.pk).update(
            payload=payload,
            stage=Stage.EXTRACTED.value,
            state=state.value,
            changed_in=self.mark,
            lease_owner="",
            lease_until=None,
        )

    def _too_deep(self, depth: int) -> bool:
        return self.max_depth is not None and depth > self.max_depth

    def _new(self, digest: str, item: Wanted, stored: dict[Any, int]) -> NewResource:
        row = NewResource(self.pipeline, str(item.key), digest, item.depth)
        if not item.found:
            row.state, row.error_stage, row.message = State.SKIPPED.value, "seed", _REFERRED
        elif self._too_deep(item.depth):
            row.state, row.error_stage = State.SKIPPED.value, "seed"
            row.message = f"depth {item.depth} is more than the pipeline's max_depth {self.max_depth}"
        if item.payload is not None:
            row.stage = Stage.EXTRACTED.value
            row.payload = stored[payloads.Identity.of(item.payload)]
        return row

    def _remember(self, key: Key, pk: int, depth: int) -> None:
        self._known[key] = (pk, depth)
        if len(self._known) > _CACHED_KEYS:
            self._known.popitem(last=False)

    def _replace_edges(self, works: Sequence[Work], ids: dict[Key, int]) -> None:
        before = [work for work in works if work.known_edges is not None]
        if before:
            self._forget(before)
        edges = [edge for work in works for edge in self._edges(work, ids)]
        insert_rows(self.connection, Dependency, _EDGE_COLUMNS, edges)

    def _forget(self, works: Sequence[Work]) -> None:
        """Drop the edges of `works`, which were mined before."""
        edges = Dependency.objects.filter(one_of("parent_id", (work.row.pk for work in works)))
        told = {(parent, key) for parent, key in edges.exclude(metadata="").values_list("parent_id", "child__key")}
        mined = ((work, item) for work in works for item in (work.mined or {}).values())
        gone = told - {(work.row.pk, str(item.key)) for work, item in mined if item.metadata}
        if gone:
            # What the page said of them is no longer said: whatever was made of it is made again.
            hashes = {Key.parse(key).digest for _, key in gone}
            heard = Resource.objects.filter(HEARD, pipeline=self.pipeline, key_hash__in=hashes)
            heard.update(stage=Stage.MINED.value, state=State.READY.value)
        edges.delete()

    @staticmethod
    def _edges(work: Work, ids: dict[Key, int]) -> Iterable[tuple[Any, ...]]:
        mined = work.mined or {}
        refs = work.refs or {}
        for key in {**mined, **refs}:
            item, hard = mined.get(key), refs.get(key)
            ref = Dependency.Ref.NONE if hard is None else Dependency.Ref.HARD if hard else Dependency.Ref.SOFT
            said = dump_metadata(item.metadata) if item else ""
            yield (work.row.pk, ids[key], item is not None, said, ref.value)

    def stale_leads(self, mark: int) -> tuple[list[int], int]:
        """Resources that transform saw, of which a smaller parent key spoke since edge `mark`; and the new mark.

        Asked in lists of ids, not in one join: right after it was filled, a table has no statistics, and
        the planner takes minutes for what is milliseconds.
        """
        edges = Dependency.objects.filter(pk__gt=mark)
        last = edges.aggregate(last=models.Max("pk"))["last"] or mark
        told = edges.filter(pk__lte=last).exclude(metadata="").values_list("child_id", flat=True)
        stale: list[int] = []
        for children in chunks(sorted(set(told.iterator()))):
            rows = Resource.objects.filter(HEARD, one_of("pk", children), pipeline=self.pipeline)
            used = dict(rows.values_list("pk", "lead"))
            now = self.leads(list(used))
            stale += [child for child, lead in used.items() if short_hash(now.get(child, "")) != lead]
        return stale, last
