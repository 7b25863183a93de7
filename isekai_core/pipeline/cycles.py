"""Cycles: resources that need one another, written in one transaction and without invented values.

First what may be empty for a moment (nullable keys, many-to-many) is withheld and filled in a second
phase. Where that does not break the cycle, primary keys are taken in advance, from the database's own
sequence, and the rows go in together while the constraints are deferred.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import connections, models, router, transaction
from django.db.models import Model

from isekai_core.errors import LoadError
from isekai_core.pipeline.load import item_of
from isekai_core.pipeline.match import match
from isekai_core.pipeline.order import build_order
from isekai_core.pipeline.transform import fillable_fields, find_model
from isekai_core.pipeline.work import Work, read_spec
from isekai_core.types import Key, ResourceRef, Spec
from isekai_core.types.specs import walk_refs

if TYPE_CHECKING:
    from isekai_core.pipeline.load import Load


class _Culprit(Exception):
    def __init__(self, work: Work, error: Exception) -> None:
        self.work = work
        self.error = error


def write_group(load: "Load", works: Sequence[Work]) -> tuple[Work, Exception] | None:
    """Write all of `works` or none; None when all went well, else who failed and why."""
    group = _Group(load, works)
    try:
        with transaction.atomic(using=load.journal.using):
            group.write()
    except _Culprit as culprit:
        return culprit.work, culprit.error
    except Exception as error:
        return works[0], error
    return None


class _Group:
    """One cycle: who needs whom through which field."""

    def __init__(self, load: "Load", works: Sequence[Work]) -> None:
        self.load = load
        self.works = {work.key: work for work in works}
        self.specs: dict[int, Spec] = {work.row.pk: read_spec(work.spec) for work in works}
        self.withheld = {work.row.pk: self._nullable_inside(work) for work in works}

    def write(self) -> None:
        by_pk = {work.row.pk: work for work in self.works.values()}
        levels = build_order(list(by_pk), {pk: self._needs_inside(work) for pk, work in by_pk.items()})
        self.load.resolver.prepare(list(by_pk.values()), self.specs)
        if any(level.cycles for level in levels):
            self.withheld = dict.fromkeys(by_pk, frozenset())
            self._preallocate()
            self._phase(list(by_pk.values()))
        else:
            for level in levels:
                self._phase([by_pk[pk] for pk in level.singles])
        self._fill([work for work in self.works.values() if self.withheld[work.row.pk]])
        self._finish()

    def _phase(self, works: Sequence[Work]) -> None:
        items = []
        for work in works:
            spec = self.specs[work.row.pk]
            try:
                resolved = self.load.resolver.resolve(work, spec, self.withheld[work.row.pk])
            except LoadError as error:
                raise _Culprit(work, error) from error
            keep = work.item if work.item is not None and work.item.preallocated else None
            work.item = item_of(work, spec, resolved)
            if keep is not None and work.item.pk is None:
                work.item.pk, work.item.preallocated = keep.pk, True
            items.append(work.item)
        match(items)
        self.load.write_items(works)
        self._check(works)
        for work in works:
            self.load.resolver.assume(work.key, work.row.target_model, work.item.pk if work.item else None)

    def _fill(self, works: Sequence[Work]) -> None:
        """The second phase: only the withheld fields."""
        created = {work.row.pk: work.events for work in works}
        self.load.resolver.fetch_rows(self.specs.values())
        for work in works:
            first = work.item
            assert first is not None
            spec = self.specs[work.row.pk]
            only = frozenset(spec.values) - self.withheld[work.row.pk]
            try:
                resolved = self.load.resolver.resolve(work, spec, only)
            except LoadError as error:
                raise _Culprit(work, error) from error
            work.item = item_of(work, spec, resolved)
            work.item.match, work.item.pk, work.item.written = (), first.pk, first.written
        self.load.write_items(works)
        self._check(works)
        for work in works:
            work.events = created[work.row.pk]

    def _check(self, works: Sequence[Work]) -> None:
        for work in works:
            if work.item is None:
                raise _Culprit(work, LoadError(work.row.message))

    def _finish(self) -> None:
        works = list(self.works.values())
        self.load.journal.connection.check_constraints()
        self.load.journal.write_loaded(works)

    def _inside(self, value: Any) -> list[Key]:
        return [
            ref.key
            for ref in walk_refs(value)
            if isinstance(ref, ResourceRef) and not ref.soft and ref.key in self.works
        ]

    def _nullable_inside(self, work: Work) -> frozenset[str]:
        """The fields that need the group and may be empty for a moment."""
        spec = self.specs[work.row.pk]
        fields = fillable_fields(find_model(spec.model))
        return frozenset(
            name
            for name, value in spec.values.items()
            if self._inside(value) and (fields[name].many_to_many or fields[name].null) and name not in spec.match
        )

    def _needs_inside(self, work: Work) -> list[int]:
        spec = self.specs[work.row.pk]
        held = self.withheld[work.row.pk]
        keys = [key for name, value in spec.values.items() if name not in held for key in self._inside(value)]
        return [self.works[key].row.pk for key in keys]

    def _preallocate(self) -> None:
        by_model: dict[str, list[Work]] = defaultdict(list)
        for work in self.works.values():
            work.item = item_of(work, self.specs[work.row.pk], {})
            if work.item.pk is None:
                by_model[work.row.target_model].append(work)
        for label, same in by_model.items():
            for work, pk in zip(same, take_keys(find_model(label), len(same)), strict=True):
                assert work.item is not None
                work.item.pk, work.item.preallocated = pk, True
        for work in self.works.values():
            assert work.item is not None
            self.load.resolver.assume(work.key, work.row.target_model, work.item.pk)


def take_keys(model: type[Model], number: int) -> list[Any]:
    """`number` primary keys that nobody else will get; `LoadError` for a kind of key that cannot be taken.

    Must be called in the transaction that writes the rows: SQLite has no sequence to take them from, and
    hands them out under its write lock.
    """
    pk: Any = model._meta.pk
    if pk.has_default():
        return [pk.get_default() for _ in range(number)]
    connection = connections[router.db_for_write(model)]
    table, column = model._meta.db_table, pk.column
    if not isinstance(pk, models.AutoField | models.BigAutoField | models.SmallAutoField):
        msg = f"{model._meta.label} is in a cycle of required references, and its key {pk.name!r} cannot be taken"
        raise LoadError(msg)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            name = connection.ops.quote_name(table)
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)", [name, column, number]
            )
            return [row[0] for row in cursor.fetchall()]
        if connection.vendor == "sqlite":
            return _take_sqlite_keys(cursor, connection.ops.quote_name, table, column, number)
    msg = f"{model._meta.label} is in a cycle of required references, which {connection.vendor} cannot load"
    raise LoadError(msg)


def _take_sqlite_keys(cursor: Any, quote: Any, table: str, column: str, number: int) -> list[int]:
    # A write that changes nothing takes the lock, so that no other connection reads the same maximum.
    name, key = quote(table), quote(column)
    cursor.execute(f"UPDATE {name} SET {key} = NULL WHERE 0")  # noqa: S608 - quoted by the backend
    cursor.execute("SELECT MAX(seq) FROM sqlite_sequence WHERE name = %s", [table])
    given = cursor.fetchone()[0] or 0
    cursor.execute(f"SELECT MAX({key}) FROM {name}")  # noqa: S608 - quoted by the backend
    first = max(given, cursor.fetchone()[0] or 0) + 1
    return list(range(first, first + number))
