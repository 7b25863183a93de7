"""Load: specs become rows, ordered by the graph of hard refs, in bulk per model and level.

A batch that fails is split until the culprit is alone; a group of resources that need one another is
written in one transaction. Soft refs to rows that came later are written again at the end.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice

from django.db import DatabaseError, InterfaceError, models, transaction
from django.utils import timezone

from isekai_core.conf import settings
from isekai_core.models import Dependency, Resource, Run
from isekai_core.pipeline.garbage import fewer_collections
from isekai_core.pipeline.journal import Journal, LeaseLost, first_batch
from isekai_core.pipeline.loading.aliases import aliases_of, ends
from isekai_core.pipeline.loading.cycles import write_group
from isekai_core.pipeline.loading.foretell import has_address
from isekai_core.pipeline.loading.writer import AHEAD, Writer, give_up
from isekai_core.pipeline.order import build_order
from isekai_core.pipeline.store.rows import chunks, one_of, update_rows
from isekai_core.pipeline.tally import Tally
from isekai_core.pipeline.work import Work
from isekai_core.types import Stage, State

_BATCH_BYTES = 16 * 1024 * 1024
_BLOCK_COLUMNS = (
    "state",
    "blocked_by",
    "error_stage",
    "message",
    "updated_at",
    "lease_owner",
    "lease_until",
    "error_processor",
    "error_class",
    "traceback",
    "cause",
)


class Load:
    """Writes the transformed resources of a pipeline into their models."""

    def __init__(self, journal: Journal, tally: Tally) -> None:
        self.journal = journal
        self.tally = tally
        self.writer = Writer(journal, tally)
        self.bad = self.writer.bad
        self._blocked: set[int] = set()

    def run(self) -> None:
        """Load all that can be, then write the texts again whose links lead to what came later."""
        with fewer_collections(), self.tally.timed("load"):
            self._pass()
            self.writer.is_relinking = True
            are_wrong = self._take_back()
            while self._find_relinks() or are_wrong:
                are_wrong = False
                self._pass()

    def _pass(self) -> None:
        ready = (State.READY.value, State.BLOCKED.value)
        rows = self.journal.resources.filter(stage=Stage.TRANSFORMED.value, state__in=ready)
        nodes = dict(rows.order_by("depth", "key_hash").values_list("pk", "target_model"))
        needs = self._needs(nodes)
        # One batch is written again faster than all specs are read twice.
        self.writer.resolver.foretold.is_on = len(nodes) > settings().batch_size and not self.writer.is_relinking
        for level in build_order(list(nodes), needs):
            self._level(level.singles, nodes, needs)
            for group in level.cycles:
                self._group(group, needs)

    def _needs(self, nodes: dict[int, str]) -> dict[int, list[int]]:
        """What each node needs among the nodes; those that need what will not come are bad from the start."""
        needs: dict[int, list[int]] = defaultdict(list)
        self.bad.clear()
        for parents in chunks(list(nodes)):
            edges = Dependency.objects.filter(one_of("parent_id", parents), ref=Dependency.Ref.HARD)
            pairs = list(edges.values_list("parent_id", "child_id"))
            true, missing = self._standing(sorted({child for _, child in pairs}))
            for parent, child in pairs:
                if (target := true.get(child, child)) in nodes:
                    needs[parent].append(target)
                elif target in missing:
                    self.bad[parent] = min(target, self.bad.get(parent, target))
        return needs

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
        # Models whose addresses cannot be told ahead (files have theirs once they are saved) come first.
        for label in sorted(by_model, key=lambda label: (has_address(label), label)):
            for batch in (part for ids in _batches(by_model[label]) for part in _parts(ids)):
                works = self.journal.claim_ids(batch)
                self.journal.beat(works)
                self.writer.attempt(works)

    def _culprit(self, node: int, needs: dict[int, list[int]]) -> int | None:
        """What keeps `node` from being loaded; known to those that need `node` from now on."""
        culprit = self.bad.get(node)
        if culprit is None:
            culprit = next((need for need in needs.get(node, ()) if need in self.bad and need != node), None)
        if culprit is not None:
            self.bad[node] = culprit
        return culprit

    def _block(self, ids: Sequence[int]) -> None:
        keys = dict(Resource.objects.filter(one_of("pk", {self.bad[pk] for pk in ids})).values_list("pk", "key"))
        now = timezone.now()
        for batch in _batches(ids):
            rows = []
            for pk in batch:
                culprit = self.bad[pk]
                message = f"needs {keys.get(culprit, culprit)}, which is not loaded"
                rows.append((pk, State.BLOCKED.value, culprit, "load", message, now, "", None, "", "", "", ""))
            update_rows(self.journal.connection, Resource, ("id",), _BLOCK_COLUMNS, rows)
        # Every pass looks at them again.
        if new := set(ids) - self._blocked:
            self._blocked |= new
            self.tally.count("load", "blocked", len(new))

    # Groups that need one another

    def _group(self, ids: Sequence[int], needs: dict[int, list[int]], tries: int = 1) -> None:
        """Write a cycle in one transaction; when one of it fails, the others are blocked by it."""
        culprits = [pk for pk in ids if self._culprit(pk, needs) is not None]
        if culprits:
            for pk in ids:
                self.bad.setdefault(pk, culprits[0])
            self._block(ids)
            return
        works = self.journal.claim_ids(ids)
        self.writer.begin(works)
        try:
            failed = write_group(self.writer, works)
        except LeaseLost:
            # Somebody else has one of them: the others come with it, in the next run.
            self.journal.release(works)
            return
        except (DatabaseError, InterfaceError) as error:
            give_up(error, tries)
            self.journal.release(works)
            self._group(ids, needs, tries + 1)
            return
        if failed is None:
            self.writer.count(works)
        else:
            self._group_failed(works, *failed)

    def _group_failed(self, works: Sequence[Work], culprit: Work, error: Exception) -> None:
        """One of a cycle failed, so the others are blocked by it: said in one transaction."""
        self.writer.undo(works)
        others = [work.row.pk for work in works if work is not culprit]
        with transaction.atomic(using=self.journal.using):
            self.writer.write_failure(culprit, error)
            self.bad |= dict.fromkeys(others, culprit.row.pk)
            self._block(others)

    # Soft refs

    def _take_back(self) -> bool:
        """Make ready again whose text shows an address that did not come true; whether there is any."""
        missing = self.writer.resolver.foretold.stop()
        ahead = first_batch(self.journal.run.pk) + AHEAD
        number = self._relink(self._reached(dict.fromkeys(missing, ahead)))
        # A run that came to no end did not look whether what it told came true.
        runs = Run.objects.filter(pipeline=self.journal.pipeline, pk__lt=self.journal.run.pk)
        unfinished = runs.filter(pk__gte=self.journal.run.link_mark // first_batch(1)).values_list("pk", flat=True)
        if numbers := [first_batch(run) + AHEAD for run in unfinished]:
            number += self._make_ready(self.journal.resources.filter(loaded_in__in=numbers))
        return number > 0

    def _find_relinks(self) -> bool:
        """Make ready again whose text links to a row that came or changed since; whether there is any."""
        changed = self.journal.resources.filter(changed_in__gte=max(self.journal.run.link_mark, 1))
        return self._relink(self._reached(dict(changed.values_list("pk", "changed_in")))) > 0

    @staticmethod
    def _reached(batch_of: dict[int, int]) -> dict[int, int]:
        """Who refers to one of `batch_of`, to the last batch of those."""
        reached: dict[int, int] = {}
        for targets in chunks(list(batch_of)):
            aliases = aliases_of(targets)
            # Hard ones, too: a text may link to what another field needs, or a field show an attribute of it.
            edges = Dependency.objects.filter(one_of("child_id", [*targets, *aliases])).exclude(ref=Dependency.Ref.NONE)
            for parent, child in edges.values_list("parent_id", "child_id"):
                reached[parent] = max(reached.get(parent, 0), batch_of[aliases.get(child, child)])
        return reached

    def _relink(self, reached: dict[int, int]) -> int:
        """Make those ready again that were loaded no later than the batch in which their links changed."""
        number = 0
        for parents in chunks(sorted(reached)):
            done = Resource.objects.filter(one_of("pk", parents), stage=Stage.LOADED.value, state=State.DONE.value)
            stale = [pk for pk, loaded_in in done.values_list("pk", "loaded_in") if reached[pk] >= loaded_in]
            number += self._make_ready(Resource.objects.filter(one_of("pk", stale)))
        return number

    @staticmethod
    def _make_ready(rows: "models.QuerySet[Resource]") -> int:
        return rows.filter(stage=Stage.LOADED.value, state=State.DONE.value).update(
            stage=Stage.TRANSFORMED.value, state=State.READY.value, updated_at=timezone.now()
        )


def _parts(ids: Sequence[int]) -> Iterable[list[int]]:
    """`ids` in lists whose specs are not too long to be in memory together, with what becomes of them."""
    sizes = dict(Resource.objects.filter(one_of("pk", ids)).values_list("pk", "spec__size"))
    part: list[int] = []
    size = 0
    for pk in ids:
        added = sizes.get(pk) or 0
        if part and size + added > _BATCH_BYTES:
            yield part
            part, size = [], 0
        part.append(pk)
        size += added
    if part:
        yield part


def _batches(ids: Iterable[int]) -> Iterable[list[int]]:
    rest = iter(ids)
    while batch := list(islice(rest, settings().batch_size)):
        yield batch
