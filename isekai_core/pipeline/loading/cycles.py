"""Cycles: resources that need one another, written in one transaction and without invented values.

First what may be empty for a moment (nullable keys, many-to-many) is withheld and filled in a second
phase. Where that does not break the cycle, primary keys are taken in advance, from the database's own
sequence, and the rows go in together while the constraints are deferred.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import connections, models, router, transaction
from django.db.models import Model

from isekai_core.errors import LoadError
from isekai_core.pipeline.journal import LeaseLost
from isekai_core.pipeline.loading.match import forget_gone, match
from isekai_core.pipeline.loading.writer import Writer, is_outage, item_of
from isekai_core.pipeline.order import build_order
from isekai_core.pipeline.transform import fillable_fields, find_model
from isekai_core.pipeline.work import Work, read_spec
from isekai_core.types import LoadItem, ResourceRef, Spec
from isekai_core.types.specs import walk_refs


class _Culprit(Exception):
    def __init__(self, work: Work, error: Exception) -> None:
        self.work = work
        self.error = error


def write_group(writer: Writer, works: Sequence[Work]) -> tuple[Work, Exception] | None:
    """Write all of `works` or none; None when all went well, else who failed and why.

    Raises what the database says of itself, and `LeaseLost`.
    """
    try:
        _write(writer, works, apart=False)
    except _Culprit as culprit:
        return culprit.work, culprit.error
    except LeaseLost:
        raise
    except Exception as error:
        if is_outage(error):
            raise
        return _find_culprit(writer, works, error)
    return None


def _find_culprit(writer: Writer, works: Sequence[Work], error: Exception) -> tuple[Work, Exception] | None:
    """The database refused the group as a whole: written one by one, it tells whom it refuses."""
    try:
        _write(writer, works, apart=True)
    except _Culprit as culprit:
        return culprit.work, culprit.error
    except LeaseLost:
        raise
    except Exception as second:
        if is_outage(second):
            raise
        return works[0], error
    return None


def _write(writer: Writer, works: Sequence[Work], *, apart: bool) -> None:
    for work in works:
        work.rewind()
    writer.resolver.forget_all()
    with transaction.atomic(using=writer.journal.using):
        _Group(writer, works, apart=apart).write()


class _Group:
    """One cycle: who needs whom through which field."""

    def __init__(self, writer: Writer, works: Sequence[Work], *, apart: bool) -> None:
        self.writer = writer
        self.apart = apart
        self.works = {str(work.key): work for work in works}
        self.specs: dict[int, Spec] = {work.row.pk: read_spec(work.spec) for work in works}
        # Written in phases, a text would say in one what it does not know in the other.
        writer.resolver.prepare(works, self.specs, ahead=False)
        self.withheld = {work.row.pk: self._nullable_inside(work) for work in works}

    def write(self) -> None:
        by_pk = {work.row.pk: work for work in self.works.values()}
        levels = build_order(list(by_pk), {pk: self._needs_inside(work) for pk, work in by_pk.items()})
        if any(level.cycles for level in levels):
            self.withheld = dict.fromkeys(by_pk, frozenset())
            self._preallocate()
            self._phase(list(by_pk.values()))
        else:
            for level in levels:
                self._phase([by_pk[pk] for pk in level.singles])
                self._check_constraints([by_pk[pk] for pk in level.singles])
        self._fill([work for work in self.works.values() if self.withheld[work.row.pk]])
        works = list(self.works.values())
        self._check_constraints(works)
        self.writer.journal.write_loaded(works)

    def _phase(self, works: Sequence[Work]) -> None:
        self.writer.resolver.fetch_rows(self.specs[work.row.pk] for work in works)
        for work in works:
            known = work.item
            work.item = self._item(work, self.withheld[work.row.pk])
            if known is not None and known.pk is not None:
                work.item.pk, work.item.preallocated, work.item.written = known.pk, known.preallocated, known.written
        self._match(works)
        self._write_items(works)
        for work in works:
            self.writer.resolver.assume(work.key, work.row.target_model, work.item.pk if work.item else None)

    def _fill(self, works: Sequence[Work]) -> None:
        """The second phase: only the withheld fields."""
        before = {work.row.pk: work.events for work in works}
        self.writer.resolver.fetch_rows(self.specs[work.row.pk] for work in works)
        for work in works:
            first = work.item
            assert first is not None
            work.item = self._item(work, frozenset(self.specs[work.row.pk].values) - self.withheld[work.row.pk])
            work.item.match, work.item.pk, work.item.written = (), first.pk, first.written
            # What the first phase wrote is no reason to take the second for a relink.
            work.row.loaded_hash = work.kept["loaded_hash"]
        self._write_items(works)
        for work in works:
            if ("load", "unchanged") not in before[work.row.pk]:
                work.events = before[work.row.pk] or work.events

    def _item(self, work: Work, withheld: frozenset[str]) -> LoadItem:
        spec = self.specs[work.row.pk]
        try:
            return item_of(work, spec, self.writer.resolver.resolve(work, spec, withheld))
        except LoadError as error:
            raise _Culprit(work, error) from error

    def _match(self, works: Sequence[Work]) -> None:
        waiting = match([work.item for work in works if work.item is not None])
        for work in works:
            if id(work.item) in waiting:
                raise _Culprit(work, LoadError("it means the same row as another resource of its cycle"))

    def _write_items(self, works: Sequence[Work]) -> None:
        for batch in [[work] for work in works] if self.apart else [list(works)]:
            try:
                self.writer.write_items(batch)
            except Exception as error:
                if len(batch) == 1 and not is_outage(error):
                    raise _Culprit(batch[0], error) from error
                raise
            for work in batch:
                if work.item is None:
                    raise _Culprit(work, work.error or LoadError(work.row.message))

    def _check_constraints(self, works: Sequence[Work]) -> None:
        """Before the commit, and only of the tables concerned: an old orphan elsewhere is not ours."""
        try:
            self.writer.check_constraints(works)
        except Exception as error:
            if len(works) == 1 and not is_outage(error):
                raise _Culprit(works[0], error) from error
            raise

    def _inside(self, value: Any) -> list[Work]:
        refs = (ref for ref in walk_refs(value) if isinstance(ref, ResourceRef) and not ref.soft)
        keys = (self.writer.resolver.true_key(ref.key) for ref in refs)
        return [self.works[key] for key in keys if key in self.works]

    def _nullable_inside(self, work: Work) -> frozenset[str]:
        """The fields that need the group and may be empty for a moment; one that is gone is told later."""
        spec = self.specs[work.row.pk]
        fields = fillable_fields(find_model(spec.model)).items()
        may_be_empty = {name for name, field in fields if field.many_to_many or field.null}
        return frozenset(
            name
            for name, value in spec.values.items()
            if name in may_be_empty and name not in spec.match and self._inside(value)
        )

    def _needs_inside(self, work: Work) -> list[int]:
        spec = self.specs[work.row.pk]
        held = self.withheld[work.row.pk]
        return [one.row.pk for name, value in spec.values.items() if name not in held for one in self._inside(value)]

    def _preallocate(self) -> None:
        """A key for everyone: of the row that exists, as the spec gives it, or taken from the database."""
        items = {key: self._item_to_match(work) for key, work in self.works.items()}
        forget_gone(list(items.values()))
        self._match(list(self.works.values()))
        by_model: dict[str, list[LoadItem]] = defaultdict(list)
        for key, item in items.items():
            if item.pk is None and not self._take_given(self.works[key], item):
                by_model[item.model].append(item)
        for label, same in by_model.items():
            for item, pk in zip(same, take_keys(find_model(label), len(same)), strict=True):
                item.pk, item.preallocated = pk, True
        for key, item in items.items():
            self.writer.resolver.assume(self.works[key].key, item.model, item.pk)

    def _item_to_match(self, work: Work) -> LoadItem:
        """With its match fields only, and with none of them where one needs the group."""
        spec = self.specs[work.row.pk]
        names = () if any(self._inside(spec.values[name]) for name in spec.match) else spec.match
        work.item = self._item(work, frozenset(spec.values) - frozenset(names))
        work.item.match = names
        return work.item

    def _take_given(self, work: Work, item: LoadItem) -> bool:
        """Whether the spec gives the key itself, as plain data."""
        pk: Any = find_model(item.model)._meta.pk
        given = self.specs[work.row.pk].values.get(pk.name)
        if given is None or isinstance(given, ResourceRef) or pk.is_relation:
            return False
        item.pk, item.preallocated = pk.to_python(given), True
        return True


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
