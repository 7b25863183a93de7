"""The writing of rows: a batch in one transaction, split when it fails until the culprit is alone."""

import json
from collections import defaultdict
from collections.abc import Sequence

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.models import Model

from isekai_core.errors import LoadError, RunError, SkipResource
from isekai_core.pipeline.composing.compose import Processor
from isekai_core.pipeline.given import check_item, reason_of
from isekai_core.pipeline.journal import Journal, LeaseLost, first_batch
from isekai_core.pipeline.loading.match import forget_gone, match
from isekai_core.pipeline.resolve import Resolver
from isekai_core.pipeline.store.rows import one_of
from isekai_core.pipeline.tally import Tally
from isekai_core.pipeline.transform import find_model
from isekai_core.pipeline.work import Work, read_spec
from isekai_core.plugins.contain import contained
from isekai_core.types import LoadItem, ResourceRef, Spec, Stage, State
from isekai_core.types.specs import walk_refs

AHEAD = 1
"""What is added to a run's first batch number for texts that show addresses of rows that come later."""

_TRIES = 3
_TOO_MUCH = "54"  # the class of SQLSTATE for what exceeds a limit of the server
_OUTCOMES = {"create": "created", "update": "updated"}


class Writer:
    """Resolves, matches, plans and writes works, and puts what became of them into the journal.

    is_relinking: whether works come only to have their links written again.
    bad: the resources that have no row and will not get one in this pass, to what keeps them from it.
    """

    def __init__(self, journal: Journal, tally: Tally) -> None:
        self.journal = journal
        self.tally = tally
        self.resolver = Resolver(journal.pipeline)
        self.bad: dict[int, int] = {}
        self.is_relinking = False
        self._first = first_batch(journal.run.pk)
        # One number is left out: that of the texts which show addresses of rows that come later.
        self._batch = self._first + AHEAD

    def attempt(self, works: Sequence[Work], tries: int = 1) -> None:
        """Write `works` in one transaction; in halves when that fails; the last one left is the culprit.

        Those that mean one and the same row take turns, and each turn is a transaction of its own.
        """
        if not works:
            return
        self.begin(works)
        try:
            with transaction.atomic(using=self.journal.using):
                turns = self._write(works)
        except LeaseLost:
            self.undo(works)
            self.attempt(self.journal.still_ours(works), tries)
            return
        except Exception as error:
            self.undo(works)
            if is_outage(error):
                give_up(error, tries)
                self.attempt(works, tries + 1)
            else:
                self._split(works, error)
            return
        self.count(works, [work for turn in turns for work in turn])
        for turn in turns:
            self.attempt(turn)

    def begin(self, works: Sequence[Work]) -> None:
        """A new batch: its number, and who loads it, written before the transaction, which may be undone."""
        self._batch += 1
        for label in sorted({work.row.target_model for work in works}):
            self.journal.step("load", self._loader(label))

    def undo(self, works: Sequence[Work]) -> None:
        """The transaction that wrote `works` was undone."""
        for work in works:
            work.rewind()
        self.resolver.forget_all()

    def _split(self, works: Sequence[Work], error: Exception) -> None:
        if len(works) > 1:
            middle = len(works) // 2
            self.attempt(works[:middle])
            self.attempt(works[middle:])
        else:
            self.write_failure(works[0], error)

    def write_failure(self, work: Work, error: Exception) -> None:
        """Put into the journal that `work` failed, and count it."""
        self.fail(work, error)
        with transaction.atomic(using=self.journal.using):
            self.journal.write_loaded([work])
        self.count([work])

    def _write(self, works: Sequence[Work]) -> list[list[Work]]:
        """One transaction's work; those that must wait for others that mean the same row, by the turn they take."""
        items = self._items(works)
        forget_gone([item for item in items if item.match])
        waiting = match(items)
        turns: dict[int, list[Work]] = defaultdict(list)
        for work in works:
            turns[waiting.get(id(work.item), 0)].append(work)
        now = turns.pop(0, [])
        written = [work for work in now if work.item is not None]
        self.write_items(written)
        # PostgreSQL's deferred constraints always, SQLite's by reading the whole table, so only for the one
        # that is suspected.
        if self.journal.connection.vendor == "postgresql" or len(works) == 1:
            self.check_constraints(written)
        self._tell_twins(written)
        self.journal.write_loaded(now)
        return [turns[number] for number in sorted(turns)]

    def _tell_twins(self, works: Sequence[Work]) -> None:
        """Of those that changed a row which another resource became: links to that one are looked at, too."""
        for label in {work.row.target_model for work in works if ("load", "updated") in work.events}:
            # Those that had a row before had it for themselves.
            new = [work for work in works if work.row.target_model == label and not work.kept["target_pk"]]
            pks = [work.row.target_pk for work in new if ("load", "updated") in work.events]
            twins = self.journal.resources.filter(one_of("target_pk", pks), target_model=label)
            twins.exclude(pk__in=[work.row.pk for work in new]).update(changed_in=self._batch)

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
                self.fail(work, error)
                continue
            items.append(work.item)
        return items

    def write_items(self, works: Sequence[Work]) -> None:
        """Let the loaders write the items of `works`, in the caller's transaction."""
        by_model: dict[str, list[Work]] = defaultdict(list)
        for work in works:
            by_model[work.row.target_model].append(work)
        for label, same in by_model.items():
            processor = self._loader(label)
            if processor is None:
                for work in same:
                    self.fail(work, LoadError(f"no loader of this pipeline accepts {label}"))
                continue
            self._write_model(processor, same)

    def check_constraints(self, works: Sequence[Work]) -> None:
        """Find before the commit what the database would refuse at it, in the tables of `works` and no others."""
        models = {find_model(work.row.target_model) for work in works}
        tables = sorted({table for model in models for table in _tables(model)})
        if tables:
            self.journal.connection.check_constraints(table_names=tables)

    def _write_model(self, processor: Processor, works: Sequence[Work]) -> None:
        step = self.journal.step("load", processor)
        items = [work.item for work in works if work.item is not None]
        for work in works:
            work.row.load_step_id = step
        with self.tally.cost(processor), contained("loader"):
            processor.object.plan(items)
            changed = [item for item in items if item.action in ("create", "update")]
            processor.object.write(changed)
            self._check(works)
        self.resolver.forget(changed)
        self.resolver.fetch_foretold(
            {work.row.pk: work.item for work in works if work.item is not None and work.item.action != "error"}
        )
        for work in works:
            assert work.item is not None
            if work.item.action == "error":
                self.fail(work, reason_of(work.item))
            else:
                self._loaded(work, work.item)

    @staticmethod
    def _check(works: Sequence[Work]) -> None:
        """`LoadError` when the loader left one of them without a row, and without a reason."""
        pk = find_model(works[0].row.target_model)._meta.pk
        for work in works:
            if work.item is not None and work.item.action != "error":
                check_item(work.item, pk)

    def _loader(self, label: str) -> Processor | None:
        return next((p for p in self.journal.composed["loader"] if p.accepts(label)), None)

    def _loaded(self, work: Work, item: LoadItem) -> None:
        row = work.row
        again = bool(row.loaded_hash == row.spec_hash and row.target_pk)
        row.stage, row.state = Stage.LOADED.value, State.DONE.value
        row.target_pk, row.loaded_hash = str(item.pk), row.spec_hash
        row.written = json.dumps(item.written, separators=(",", ":"))
        row.blocked_by_id = None
        work.clear_error()
        outcome = _OUTCOMES.get(item.action, "unchanged")
        if again and item.action == "update" and work.links.issuperset(item.changed):
            outcome = "relinked"
        row.loaded_in = self._first + AHEAD if work.is_ahead else self._batch
        work.is_as_foretold = self.resolver.is_as_foretold(row.pk, item)
        is_first = not work.kept["target_pk"]
        # A row that was there already, with these very values, is new to whoever links to it.
        if is_first or outcome in ("created", "updated"):
            is_known = work.is_as_foretold or (is_first and self.resolver.foretold.is_unasked(row.pk))
            # For the texts of this run, it is nothing new then.
            row.changed_in = self._first if is_known else self._batch
        # Looked at for its links alone, it was counted when it was loaded.
        work.events = [] if self.is_relinking and outcome == "unchanged" else [("load", outcome)]
        if item.kept:
            row.message = f"edited since it was loaded, and so left as they are: {', '.join(item.kept)}"

    def fail(self, work: Work, error: Exception) -> None:
        """It did not become a row, and what needs it will not either."""
        loader = self._loader(work.row.target_model)
        work.item, work.error = None, error
        work.row.blocked_by_id = None
        work.row.load_step_id = self.journal.step("load", loader)
        work.events = []
        if isinstance(error, SkipResource):
            work.skip("load", error)
        else:
            work.fail(error, "load", loader.name if loader else "")
        self.bad[work.row.pk] = work.row.pk

    def count(self, works: Sequence[Work], rest: Sequence[Work] = ()) -> None:
        """Count what became of `works`, but for those of `rest`, which are not done yet."""
        waiting = {id(work) for work in rest}
        for work in works:
            if id(work) in waiting:
                continue
            if work.is_as_foretold:
                self.resolver.foretold.confirm(work.row.pk)
            for stage, outcome in work.events:
                self.tally.count_load(self._loader(work.row.target_model), outcome)
                if outcome in ("failed", "skipped"):
                    self.tally.count(stage, outcome)
                    continue
                if outcome != "relinked":
                    self.tally.count(stage, "done")
                self.tally.models[work.row.target_model][outcome] += 1


def is_outage(error: Exception) -> bool:
    """Whether the database itself cannot go on, rather than refusing what it was given: a lock, a full disk.

    psycopg calls it operational, too, when a value is too long for an index.
    """
    refused = str(getattr(error.__cause__, "sqlstate", None) or "").startswith(_TOO_MUCH)
    # What a driver says of a damaged file is of the base class itself; so is what Django says of a save of no row.
    is_broken = type(error) is DatabaseError and error.__cause__ is not None
    return is_broken or (isinstance(error, OperationalError | InterfaceError) and not refused)


def give_up(error: Exception, tries: int) -> None:
    """`RunError` when the database has failed so often that it is no accident."""
    if tries >= _TRIES:
        msg = f"the database cannot go on: {error}"
        raise RunError(msg) from error


def _tables(model: type[Model]) -> list[str]:
    return [model._meta.db_table, *(parent._meta.db_table for parent in model._meta.all_parents)]


def item_of(work: Work, spec: Spec, values: dict[str, object]) -> LoadItem:
    """What a loader sees of `work`."""
    work.links = frozenset(name for name, value in spec.values.items() if _has_link(value))
    pk = None
    if work.row.target_pk and work.row.written:
        pk = find_model(spec.model)._meta.pk.to_python(work.row.target_pk)
    written = json.loads(work.row.written) if work.row.written else {}
    return LoadItem(work.key, spec.model, values, spec.match, pk, written=written)


def _has_link(value: object) -> bool:
    return any(isinstance(ref, ResourceRef) and ref.soft for ref in walk_refs(value))
