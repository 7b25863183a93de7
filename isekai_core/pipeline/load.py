"""Load: specs become rows, ordered by the graph of hard refs, in bulk per model and level.

A batch that fails is split until the culprit is alone; a group of resources that need one another is
written in one transaction. Soft refs to rows that came later are written again at the end.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from isekai_core.conf import settings
from isekai_core.errors import LoadError, RunError, SkipResource
from isekai_core.models import Dependency, Resource
from isekai_core.pipeline.aliases import aliases_of, ends
from isekai_core.pipeline.compose import Processor
from isekai_core.pipeline.journal import Journal, LeaseLost, first_batch
from isekai_core.pipeline.match import match
from isekai_core.pipeline.order import build_order
from isekai_core.pipeline.resolve import Resolver
from isekai_core.pipeline.rows import chunks, update_rows
from isekai_core.pipeline.tally import Tally
from isekai_core.pipeline.transform import find_model
from isekai_core.pipeline.work import Work, read_spec
from isekai_core.types import LoadItem, Spec, Stage, State

_TRIES = 3


class Load:
    """Writes the transformed resources of a pipeline into their models."""

    def __init__(self, journal: Journal, tally: Tally) -> None:
        self.journal = journal
        self.tally = tally
        self.resolver = Resolver(journal.pipeline)
        self.bad: dict[int, int] = {}
        self._batch = first_batch(journal.run.pk)

    def run(self) -> None:
        """Load all that can be, then write the texts again whose links lead to what came later."""
        with self.tally.timed("load"):
            self._pass()
            while self._find_relinks():
                self._pass()

    def _pass(self) -> None:
        ready = (State.READY.value, State.BLOCKED.value)
        rows = self.journal.resources.filter(stage=Stage.TRANSFORMED.value, state__in=ready)
        nodes = dict(rows.order_by("depth", "key_hash").values_list("pk", "target_model"))
        needs, self.bad = self._needs(nodes)
        for level in build_order(list(nodes), needs):
            self._level(level.singles, nodes, needs)
            for group in level.cycles:
                self._group(group, needs)

    def _needs(self, nodes: dict[int, str]) -> tuple[dict[int, list[int]], dict[int, int]]:
        """What each node needs among the nodes; and those that need what will not come, with what that is."""
        needs: dict[int, list[int]] = defaultdict(list)
        bad: dict[int, int] = {}
        for parents in chunks(list(nodes)):
            edges = Dependency.objects.filter(parent__in=parents, ref=Dependency.Ref.HARD)
            pairs = list(edges.values_list("parent_id", "child_id"))
            true, missing = self._standing(sorted({child for _, child in pairs}))
            for parent, child in pairs:
                if (target := true.get(child, child)) in nodes:
                    needs[parent].append(target)
                elif target in missing:
                    bad[parent] = min(target, bad.get(parent, target))
        return needs, bad

    @staticmethod
    def _standing(children: Sequence[int]) -> tuple[dict[int, int], set[int]]:
        """Resource to what it is an alias of, where it is; and those, after that, which have no row."""
        true: dict[int, int] = {}
        missing: set[int] = set()
        for child, last in ends(children, ("pk", "target_pk", "alias_of_id")).items():
            true[child] = last["pk"]
            if not last["target_pk"]:
                missing.add(last["pk"])
        return true, missing

    def _level(self, singles: Sequence[int], nodes: dict[int, str], needs: dict[int, list[int]]) -> None:
        by_model: dict[str, list[int]] = defaultdict(list)
        blocked = []
        for node in singles:
            if self._culprit(node, needs) is None:
                by_model[nodes[node]].append(node)
            else:
                blocked.append(node)
        self._block(blocked)
        for _, ids in sorted(by_model.items()):
            for batch in _batches(ids):
                works = self.journal.claim_ids(batch)
                self.journal.beat(works)
                self._attempt(works)

    def _culprit(self, node: int, needs: dict[int, list[int]]) -> int | None:
        """What keeps `node` from being loaded; known to those that need `node` from now on."""
        culprit = self.bad.get(node)
        if culprit is None:
            culprit = next((need for need in needs.get(node, ()) if need in self.bad and need != node), None)
        if culprit is not None:
            self.bad[node] = culprit
        return culprit

    def _block(self, ids: Sequence[int]) -> None:
        keys = dict(Resource.objects.filter(pk__in={self.bad[pk] for pk in ids}).values_list("pk", "key"))
        now = timezone.now()
        for batch in _batches(ids):
            rows = []
            for pk in batch:
                culprit = self.bad[pk]
                message = f"needs {keys.get(culprit, culprit)}, which is not loaded"
                rows.append((pk, State.BLOCKED.value, culprit, "load", message, now))
            columns = ("state", "blocked_by", "error_stage", "message", "updated_at")
            update_rows(self.journal.connection, Resource, ("id",), columns, rows)
        if ids:
            self.tally.count("load", "blocked", len(ids))

    # Batches

    def _attempt(self, works: Sequence[Work], tries: int = 1) -> None:
        """Write `works` in one transaction; in halves when that fails; the last one left is the culprit."""
        if not works:
            return
        try:
            with transaction.atomic(using=self.journal.using):
                rest = self._write(works)
        except LeaseLost:
            self._attempt(self.journal.still_ours(works), tries)
            return
        except (OperationalError, InterfaceError) as error:
            if tries >= _TRIES:
                msg = f"the database cannot go on: {error}"
                raise RunError(msg) from error
            self._attempt(works, tries + 1)
            return
        except Exception as error:
            self._split(works, error)
            return
        self._count(works, rest)
        self._attempt(rest)

    def _split(self, works: Sequence[Work], error: Exception) -> None:
        if len(works) > 1:
            middle = len(works) // 2
            self._attempt(works[:middle])
            self._attempt(works[middle:])
            return
        self._fail(works[0], error)
        with transaction.atomic(using=self.journal.using):
            self.journal.write_loaded(works)
        self._count(works, [])

    def _write(self, works: Sequence[Work]) -> list[Work]:
        """One transaction's work; those that must wait for the next, because they mean one and the same row."""
        self._batch += 1
        items = self._items(works)
        later = match(items)
        rest = [work for work in works if work.item is not None and id(work.item) in later]
        now = [work for work in works if work not in rest] if rest else list(works)
        self.write_items([work for work in now if work.item is not None], alone=len(works) == 1)
        self.journal.write_loaded(now)
        return rest

    def _items(self, works: Sequence[Work]) -> list[LoadItem]:
        specs = {work.row.pk: read_spec(work.spec) for work in works}
        self.resolver.prepare(works, specs)
        items: list[LoadItem] = []
        for work in works:
            work.item = None
            try:
                resolved = self.resolver.resolve(work, specs[work.row.pk])
                work.item = item_of(work, specs[work.row.pk], resolved)
            except LoadError as error:
                self._fail(work, error)
                continue
            items.append(work.item)
        return items

    def write_items(self, works: Sequence[Work], *, alone: bool = False) -> None:
        by_model: dict[str, list[Work]] = defaultdict(list)
        for work in works:
            by_model[work.row.target_model].append(work)
        for label, same in by_model.items():
            processor = self._loader(label)
            if processor is None:
                for work in same:
                    self._fail(work, LoadError(f"no loader of this pipeline accepts {label}"))
                continue
            self._write_model(processor, same)
        # Found before the commit: PostgreSQL's deferred constraints always, SQLite's by reading the whole
        # table, so only for the one that is suspected.
        if self.journal.connection.vendor == "postgresql" or alone:
            tables = [work.item.row._meta.db_table for work in works if work.item and work.item.row is not None]
            self.journal.connection.check_constraints(table_names=sorted(set(tables)) or None)

    def _write_model(self, processor: Processor, works: Sequence[Work]) -> None:
        step = self.journal.step("load", processor)
        items = [work.item for work in works if work.item is not None]
        for work in works:
            work.row.load_step_id = step
        processor.object.plan(items)
        processor.object.write([item for item in items if item.action in ("create", "update")])
        self.resolver.forget(works[0].row.target_model, [item.pk for item in items if item.action == "update"])
        for work in works:
            assert work.item is not None
            if work.item.action == "error":
                self._fail(work, work.item.error or LoadError("the loader gave no reason"))
            else:
                self._loaded(work, work.item)

    def _loader(self, label: str) -> Processor | None:
        return next((p for p in self.journal.composed["loader"] if p.accepts(label)), None)

    def _loaded(self, work: Work, item: LoadItem) -> None:
        row = work.row
        again = row.loaded_hash == row.spec_hash and row.target_pk
        row.stage, row.state = Stage.LOADED.value, State.DONE.value
        row.target_pk, row.loaded_hash = str(item.pk), row.spec_hash
        row.written = json.dumps(item.written, separators=(",", ":"))
        row.blocked_by_id = None
        work.clear_error()
        row.loaded_in = self._batch
        if item.action != "unchanged" and not again:
            row.changed_in = self._batch
        outcome = {"create": "created", "update": "updated"}.get(item.action, "unchanged")
        work.events = [("load", "relinked" if again else outcome)]
        if again and item.action == "unchanged":
            work.events = []
        if item.kept:
            row.message = f"edited since it was loaded, and so left as they are: {', '.join(item.kept)}"

    def _fail(self, work: Work, error: Exception) -> None:
        loader = self._loader(work.row.target_model)
        work.item = None
        work.row.blocked_by_id = None
        work.row.load_step_id = self.journal.step("load", loader)
        work.events = []
        if isinstance(error, SkipResource):
            work.skip("load", str(error))
        else:
            work.fail(error, "load", loader.name if loader else "")
        self.bad[work.row.pk] = work.row.pk

    def _count(self, works: Sequence[Work], rest: Sequence[Work]) -> None:
        waiting = {id(work) for work in rest}
        for work in works:
            if id(work) in waiting:
                continue
            for stage, outcome in work.events:
                if outcome in ("failed", "skipped"):
                    self.tally.count(stage, outcome)
                    continue
                if outcome != "relinked":
                    self.tally.count(stage, "done")
                self.tally.models[work.row.target_model][outcome] += 1

    # Groups that need one another

    def _group(self, ids: Sequence[int], needs: dict[int, list[int]]) -> None:
        """Write a cycle in one transaction; when one of it fails, the others are blocked by it."""
        from isekai_core.pipeline.cycles import write_group  # noqa: PLC0415 - cycles needs Load

        culprits = [pk for pk in ids if self._culprit(pk, needs) is not None]
        if culprits:
            for pk in ids:
                self.bad.setdefault(pk, culprits[0])
            self._block(ids)
            return
        works = self.journal.claim_ids(ids)
        failed = write_group(self, works)
        if failed is None:
            self._count(works, [])
            return
        work, error = failed
        self._fail(work, error)
        with transaction.atomic(using=self.journal.using):
            self.journal.write_loaded([work])
        self._count([work], [])
        others = [other.row.pk for other in works if other is not work]
        self.bad |= dict.fromkeys(others, work.row.pk)
        Resource.objects.filter(pk__in=others).update(lease_owner="", lease_until=None)
        self._block(others)

    # Soft refs

    def _find_relinks(self) -> bool:
        """Make ready again whose text links to a row that came or changed since; whether there is any."""
        reached: dict[int, int] = {}
        changed = self.journal.resources.filter(changed_in__gte=max(self.journal.run.link_mark, 1))
        batch_of = dict(changed.values_list("pk", "changed_in"))
        for targets in chunks(list(batch_of)):
            aliases = aliases_of(targets)
            edges = Dependency.objects.filter(child__in=[*targets, *aliases], ref=Dependency.Ref.SOFT)
            for parent, child in edges.values_list("parent_id", "child_id"):
                reached[parent] = max(reached.get(parent, 0), batch_of[aliases.get(child, child)])
        return self._relink(reached) > 0

    def _relink(self, reached: dict[int, int]) -> int:
        """Make those ready again that were loaded no later than the batch in which their links changed."""
        number = 0
        for parents in chunks(sorted(reached)):
            done = Resource.objects.filter(pk__in=parents, stage=Stage.LOADED.value, state=State.DONE.value)
            stale = [pk for pk, loaded_in in done.values_list("pk", "loaded_in") if reached[pk] >= loaded_in]
            number += Resource.objects.filter(pk__in=stale, state=State.DONE.value).update(
                stage=Stage.TRANSFORMED.value, state=State.READY.value, updated_at=timezone.now()
            )
        return number


def item_of(work: Work, spec: Spec, values: dict[str, object]) -> LoadItem:
    """What a loader sees of `work`."""
    pk = None
    if work.row.target_pk and work.row.written:
        pk = find_model(spec.model)._meta.pk.to_python(work.row.target_pk)
    written = json.loads(work.row.written) if work.row.written else {}
    return LoadItem(work.key, spec.model, values, spec.match, pk, written=written)


def _batches(ids: Iterable[int]) -> Iterable[list[int]]:
    rest = iter(ids)
    while batch := list(islice(rest, settings().batch_size)):
        yield batch
