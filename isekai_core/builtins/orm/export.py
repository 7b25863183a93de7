"""Export by Django's ORM: every table of a plan as CSV, read in one transaction."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, connections, transaction
from django.db.migrations.recorder import MigrationRecorder

from isekai_core.builtins.orm.choice import Choice
from isekai_core.builtins.orm.queries import kinds_in
from isekai_core.builtins.orm.reasons import reasons
from isekai_core.builtins.orm.rows import TextReader, rows_of
from isekai_core.errors import ExportError
from isekai_core.slicing.circles import facts_of
from isekai_core.slicing.csvtext import write_rows
from isekai_core.slicing.generic import present
from isekai_core.types.estimates import Estimate
from isekai_core.types.slices import BundleWriter, SlicePlan, SliceProgress, TablePlan

_LOOKED_AT = 100
"""Rows from which the size of a table is guessed."""

# One snapshot for all queries: SQLite has no other way, these two have to be told. MySQL before the transaction.
_BEFORE = {"mysql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"}
_WITHIN = {"postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"}


@contextmanager
def reading(alias: str) -> Iterator[bool]:
    """One transaction in which all is read as it was at one moment; what the database refuses is an `ExportError`.

    Gives whether it is a transaction of its own; inside of another, that one's rules hold. A connection that was
    not open before is closed again.
    """
    connection = connections[alias]
    was_open, is_own = connection.connection is not None, not connection.in_atomic_block
    try:
        _tell(connection, _BEFORE if is_own else {})
        with transaction.atomic(using=alias):
            _tell(connection, _WITHIN if is_own else {})
            yield is_own
    except DatabaseError as error:
        msg = f"orm:{alias} cannot be read: {error}"
        raise ExportError(msg) from error
    finally:
        if not was_open and is_own:
            connection.close()


def _tell(connection: Any, statements: Mapping[str, str]) -> None:
    if connection.vendor in statements:
        with connection.cursor() as cursor:
            cursor.execute(statements[connection.vendor])


def export(alias: str, plan: SlicePlan, bundle: BundleWriter, progress: SliceProgress) -> Mapping[str, Any]:
    """Write every table of `plan` into `bundle`; facts for the manifest."""
    connection = connections[alias]
    with reading(alias) as is_own:
        choice = Choice(alias, present(plan, lambda key: kinds_in(alias, plan.table(key.model), key)))
        choice.make()
        for table in choice.tables():
            _export(choice, table, bundle, progress)
        applied = _applied(connection)
        return {
            "database": connection.vendor,
            "server": ".".join(map(str, connection.get_database_version())),
            "snapshot": "one transaction" if is_own else "within a transaction that had begun before",
            "migrations": applied,
            **facts_of(choice.plan, choice.left_out),
        }


def estimate(alias: str, plan: SlicePlan) -> Mapping[str, Estimate]:
    """Rows as they are, and bytes by the look of a few of them."""
    with reading(alias):
        choice = Choice(alias, present(plan, lambda key: kinds_in(alias, plan.table(key.model), key)))
        choice.make()
        return {table.model: _estimate(choice, table) for table in choice.tables()}


def _estimate(choice: Choice, table: TablePlan) -> Estimate:
    rows = choice.count(table)
    keys = choice.keys[table.model]
    if keys is None:
        some = rows_of(choice.alias, table.model_class).order_by("pk").values_list("pk", flat=True)
        keys = set(some[:_LOOKED_AT])
    looked = [row for _, row in _reader(choice, table).by_keys(sorted(keys)[:_LOOKED_AT])]
    header = sum(map(len, write_rows([[column.name for column in table.columns]])))
    size = sum(map(len, write_rows(looked)))
    size = header + (size * rows // len(looked) if looked else 0)
    return Estimate(rows, size, tuple(reasons(choice, table)))


def _export(choice: Choice, table: TablePlan, bundle: BundleWriter, progress: SliceProgress) -> None:
    progress.begin(table.model, choice.count(table))
    passed = _Counted(_texts(choice, table), table, progress)
    bundle.write(table, passed.chunks())
    bundle.count(table.model, passed.rows)
    progress.end(table.model)


def _reader(choice: Choice, table: TablePlan) -> TextReader:
    meta = table.model_class._meta
    return TextReader(choice.alias, table.model_class, [meta.get_field(column.field) for column in table.columns])


def _texts(choice: Choice, table: TablePlan) -> Iterator[list[str | None]]:
    reader = _reader(choice, table)
    keys = choice.keys[table.model]
    return reader.all() if keys is None else (row for _, row in reader.by_keys(sorted(keys)))


class _Counted:
    """Rows on their way into a bundle, counted as the database gave them."""

    def __init__(self, texts: Iterator[list[str | None]], table: TablePlan, progress: SliceProgress) -> None:
        self.texts = texts
        self.table = table
        self.progress = progress
        self.rows = 0

    def chunks(self) -> Iterator[bytes]:
        for header in write_rows([[column.name for column in self.table.columns]]):
            self.progress.advance(self.table.model, 0, len(header))
            yield header
        told = 0
        for block in write_rows(self._each()):
            self.progress.advance(self.table.model, self.rows - told, len(block))
            told = self.rows
            yield block

    def _each(self) -> Iterator[list[str | None]]:
        for row in self.texts:
            self.rows += 1
            yield row


def _applied(connection: Any) -> dict[str, list[str]]:
    """App to the last migration that is applied there; none where nobody migrates."""
    found: dict[str, list[str]] = {}
    for app, name in sorted(MigrationRecorder(connection).applied_migrations()):
        found[app] = [name]
    return found
