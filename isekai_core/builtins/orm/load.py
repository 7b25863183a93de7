"""Load by Django's ORM: all of a bundle in one transaction, checked before anything is changed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import DatabaseError, connections, transaction

from isekai_core.builtins.orm import counters, ledger
from isekai_core.builtins.orm.drift import parts_of
from isekai_core.builtins.orm.keys import Keys, lock
from isekai_core.builtins.orm.merge import Merge, refuse_existing
from isekai_core.builtins.orm.staging import Staging
from isekai_core.errors import MergeError, SliceError, StagingError
from isekai_core.types.slices import BundleReader, LoadChoice, SliceProgress, TableReport


def load(alias: str, bundle: BundleReader, choice: LoadChoice, progress: SliceProgress) -> Sequence[TableReport]:
    """Load every table of `bundle`; `StagingError` and `MergeError` leave everything as it was."""
    if choice.constraints != "check":
        msg = (
            f"constraints={choice.constraints!r}: orm:{alias} leaves constraints and indexes on; leave it out, or load"
            " through a target that can, such as DataSlicer.Postgres"
        )
        raise StagingError(msg)
    with told(alias, StagingError, "the bundle cannot be compared with it"), transaction.atomic(using=alias):
        lock(alias)
        staging = Staging(bundle, parts_of(alias, bundle.tables), choice)
        staging.read()
        # Without a name, the same bundle still gets the same keys again.
        keys = Keys(alias, staging, choice.name or bundle.digest)
        ledger.forget_void(alias, keys.name, [part.model for part in staging.parts])
        keys.make()
        with told(alias, MergeError, "it refuses the rows"):
            return _merge(keys, progress)


def _merge(keys: Keys, progress: SliceProgress) -> list[TableReport]:
    refuse_existing(keys)
    ledger.make(keys.alias)
    merges = [Merge(keys, part, progress) for part in keys.staging.parts]
    for merge in merges:
        with told(keys.alias, MergeError, f"it refuses rows of {merge.part.label}"):
            merge.write()
    for merge in merges:
        with told(keys.alias, MergeError, f"it refuses rows of {merge.part.label}"):
            merge.fill()
    check(keys.alias, [part.model._meta.db_table for part in keys.staging.parts])
    for part in keys.staging.parts:
        ledger.keep(keys.alias, keys.name, part.label, keys.maps[part.label], keys.existed[part.label])
    counters.note(keys.alias, keys.name, [part.model for part in keys.staging.parts])
    return [merge.report() for merge in merges]


def check(alias: str, tables: Sequence[str]) -> None:
    """Check the foreign keys of tables now, and not when a transaction ends that may not be ours."""
    connections[alias].check_constraints(table_names=list(dict.fromkeys(tables)))


@contextmanager
def told(alias: str, kind: type[SliceError], what: str) -> Iterator[None]:
    """What the database or a field refuses is an error of this kind."""
    try:
        yield
    except (DatabaseError, ValidationError, OverflowError) as error:
        msg = f"orm:{alias}: {what}: {error}"
        raise kind(msg) from error
