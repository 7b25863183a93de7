"""The ledger: the id map that stays in the target, so that a slice gets the same keys again and can be taken away."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from django.apps import apps
from django.apps.registry import Apps
from django.db import DatabaseError, connections, models, transaction
from django.db.models.functions import Cast

from isekai_core.builtins.orm import counters
from isekai_core.builtins.orm.rows import batches, rows_of
from isekai_core.errors import MergeError

TABLE = "isekai_slice_map"
_INDEXED = 150
"""Characters that every database takes into a primary key of three columns."""


class _Text(models.TextField):  # type: ignore[type-arg]
    """A text that can be part of a key everywhere."""

    def db_type(self, connection: Any) -> str | None:
        if connection.vendor in ("mysql", "oracle"):
            return f"varchar({_INDEXED})"
        return super().db_type(connection)


@cache
def _model() -> Any:
    # As Django's own table of migrations: in no app, so that nobody migrates it.
    class Entry(models.Model):
        """One row that a slice brought."""

        pk = models.CompositePrimaryKey("slice", "model", "old")
        slice = _Text()
        model = _Text()
        old = _Text()
        new = _Text()
        created = models.BooleanField()

        class Meta:
            apps = Apps()
            app_label = "isekai_core"
            db_table = TABLE

        def __str__(self) -> str:
            return f"{self.slice}: {self.model} {self.old} is {self.new}"

    return Entry


def _entries(alias: str) -> Any:
    return _model()._base_manager.using(alias)


def exists(alias: str) -> bool:
    """Whether the target has a ledger."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        return TABLE in connection.introspection.table_names(cursor)


def make(alias: str) -> None:
    """Make the table if it is missing."""
    if exists(alias):
        return
    connection = connections[alias]
    # The statement only: on SQLite, the editor itself would not work within a transaction.
    statement, params = connection.schema_editor(collect_sql=True).table_sql(_model())
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)


def known(alias: str, name: str, label: str) -> dict[str, str]:
    """The keys of an earlier load of the same name: old to new."""
    if not exists(alias):
        return {}
    return dict(_entries(alias).filter(slice=name, model=label).values_list("old", "new"))


def greatest(alias: str, label: str) -> int:
    """The greatest key that a load gave to a row of this model; 0 for none."""
    if not exists(alias):
        return 0
    news = _entries(alias).filter(model=label).values_list("new", flat=True)
    return max((int(new) for new in news.iterator(chunk_size=2_000) if new.isdecimal()), default=0)


def forget_void(alias: str, name: str, models: Iterable[Any]) -> set[str]:
    """Forget the keys of tables whose counter was set back since they were given: other rows may have them by now.

    The labels of those of `models` of which something was forgotten.
    """
    found = {model._meta.label: model for model in models} if exists(alias) else {}
    void = {label for label, model in found.items() if _is_void(alias, name, model)}
    _delete(alias, name, void)
    return void


def _delete(alias: str, name: str, labels: Collection[str]) -> None:
    if labels:
        # One statement: there is nothing that hangs on these rows.
        _entries(alias).filter(slice=name, model__in=labels)._raw_delete(alias)  # noqa: SLF001


def _is_void(alias: str, name: str, model: Any) -> bool:
    entries = _entries(alias).filter(slice=name, model=model._meta.label)
    if not counters.is_numbered(model) or not entries.exists():
        return False
    greatest = entries.aggregate(greatest=models.Max(Cast("new", models.BigIntegerField())))["greatest"]
    return counters.was_set_back(alias, name, model, greatest)


def _forget_flushed(alias: str, name: str, label: str) -> None:
    with suppress(LookupError):
        model = apps.get_model(label)
        is_flushed = not rows_of(alias, model).exists() and (
            not counters.is_numbered(model) or _is_void(alias, name, model)
        )
        if is_flushed:
            _delete(alias, name, [label])


def forget_flushed(alias: str) -> None:
    """Forget the keys of tables that have just been emptied, and their counters set back.

    After a flush, that is certain; later, a counter may have come as far again. A load looks, too, so that nobody is to
    be stopped by what cannot be read here.
    """
    with suppress(DatabaseError), transaction.atomic(using=alias):
        if exists(alias):
            for name, label in _entries(alias).values_list("slice", "model").distinct():
                _forget_flushed(alias, name, label)


def keep(alias: str, name: str, label: str, keys: Mapping[str, str], existed: Iterable[str]) -> None:
    """Keep a map; `MergeError` when a row that an earlier load created has another key now."""
    old_rows = set(existed)
    before = {
        old: (new, created)
        for old, new, created in _entries(alias).filter(slice=name, model=label).values_list("old", "new", "created")
    }
    for old, new in keys.items():
        there, created = before.get(old, (new, False))
        if created and there != new:
            msg = (
                f"an earlier load of {name!r} made {label} {old} the row {there}, and this one would make it {new};"
                f" unload {name!r} first, or give this load another name"
            )
            raise MergeError(msg)
    entry = _model()
    rows = [
        entry(slice=name, model=label, old=old, new=new, created=old not in old_rows or before.get(old, ("", False))[1])
        for old, new in keys.items()
    ]
    for batch in batches(rows):
        _entries(alias).filter(slice=name, model=label, old__in=[row.old for row in batch]).delete()
        _entries(alias).bulk_create(batch)


def names(alias: str) -> list[str]:
    """What slices were loaded under."""
    return sorted(set(_entries(alias).values_list("slice", flat=True))) if exists(alias) else []


def created(alias: str, name: str) -> dict[str, list[str]]:
    """Label of a model to the keys of the rows that loads under `name` created."""
    found: dict[str, list[str]] = {}
    if not exists(alias):
        return found
    rows = _entries(alias).filter(slice=name).values_list("model", "new", "created")
    for label, new, is_created in rows.iterator(chunk_size=2_000):
        found.setdefault(label, []).extend([new] if is_created else [])
    return found


def forget(alias: str, name: str) -> None:
    """Forget a slice."""
    entries = _entries(alias).filter(slice=name)
    # One statement: there is nothing that hangs on these rows.
    entries._raw_delete(alias)  # noqa: SLF001
    counters.forget(alias, name)
