"""Merge: the rows of a bundle go into the target, new ones inserted, those that are there compared first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models.sql import InsertQuery

from isekai_core.builtins.orm.drift import Part
from isekai_core.builtins.orm.keys import BY_NATURAL_KEY, Keys
from isekai_core.builtins.orm.rows import TextReader, batches, kind_of, rows_of
from isekai_core.builtins.orm.sequences import forward
from isekai_core.builtins.orm.values import Rows, Values
from isekai_core.errors import MergeError
from isekai_core.slicing.values import value_of
from isekai_core.types.slices import SliceProgress, TableReport

_SHOWN = 5
_Row = tuple[str, list[str | None]]


def refuse_existing(keys: Keys) -> None:
    """With `on_conflict="error"`: `MergeError` names rows that are there already."""
    if keys.staging.choice.on_conflict != "error":
        return
    for part in keys.staging.parts:
        found = sorted(keys.existed[part.label])
        if found and part.label not in BY_NATURAL_KEY:
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            msg = (
                f"{part.label}: rows of the bundle are there already: {', '.join(found[:_SHOWN])}{more}; load with"
                " on_conflict='update' or 'skip'"
            )
            raise MergeError(msg)


@dataclass
class Merge:
    """The writing of one part.

    later: the columns that point to rows which are written later: filled when all are there.
    """

    keys: Keys
    part: Part
    progress: SliceProgress
    created: int = 0
    updated: int = 0
    unchanged: int = 0

    def __post_init__(self) -> None:
        self.alias = self.keys.alias
        self.rows = Rows(self.keys, self.part)
        self.later = self._later()
        self.values = Values(self.alias, self.part, self.later)
        on_conflict = self.keys.staging.choice.on_conflict
        self.updates = on_conflict == "update" and self.part.label not in BY_NATURAL_KEY
        self.reader = TextReader(self.alias, self.part.model, self.part.fields)

    def _later(self) -> list[int]:
        # Where constraints wait for the end of the transaction, nothing needs to be NULL for a while.
        if connections[self.alias].features.can_defer_constraint_checks:
            return []
        labels = [part.label for part in self.keys.staging.parts]
        waiting = labels[labels.index(self.part.label) :]
        references = self.part.references.items()
        return [place for place, one in references if one.model in waiting and self.part.fields[place].null]

    def write(self) -> None:
        """Write all rows, except for what must wait."""
        label, existed = self.part.label, self.keys.existed[self.part.label]
        self.progress.begin(label, self.part.table.rows)
        for batch in batches(self.rows):
            new = [row for old, row in batch if old not in existed]
            self._insert(new)
            self.created += len(new)
            self._update([row for old, row in batch if old in existed])
            size = sum(len(text or "") + 1 for _, row in batch for text in row)
            self.progress.advance(label, len(batch), size)
        if self.created:
            forward(self.alias, self.part.model)
        self.progress.end(label)

    def fill(self) -> None:
        """Fill what had to wait."""
        if not self.later:
            return
        existed = self.keys.existed[self.part.label]
        for batch in batches(self.rows):
            waiting = [row for old, row in batch if old not in existed or self.updates]
            self._write_changes([row for row in waiting if any(row[place] is not None for place in self.later)],
                                self.later)  # fmt: skip

    def report(self) -> TableReport:
        """What became of the rows."""
        rows = self.created + self.updated + self.unchanged
        return TableReport(self.part.label, rows, self.created, self.updated, self.unchanged)

    def _insert(self, rows: Sequence[list[str | None]]) -> None:
        fields = [*self.part.fields, *self.part.missing]
        objects = [self.values.new(row) for row in rows]
        size = max(1, connections[self.alias].ops.bulk_batch_size(fields, objects)) if objects else 1
        for batch in batches(objects, size):
            # Raw: fields such as auto_now_add would put today in place of what the bundle says.
            query = InsertQuery(self.part.model)
            query.insert_values(fields, batch, raw=True)
            query.get_compiler(using=self.alias).execute_sql()

    def _update(self, rows: Sequence[list[str | None]]) -> None:
        if not self.updates:
            self.unchanged += len(rows)
            return
        by_key = {row[self.part.key]: row for row in rows}
        kind = kind_of(self.part.fields[self.part.key])
        changes, places = [], set()
        for _, there in self.reader.by_keys(value_of(kind, key) for key in by_key):
            row = by_key[there[self.part.key]]
            differing = {place for place, text in enumerate(there) if text != row[place]}
            if differing:
                changes.append(row)
                places |= differing
        self.updated += len(changes)
        self.unchanged += len(rows) - len(changes)
        self._write_changes(changes, sorted(places - set(self.later)))

    def _write_changes(self, rows: Sequence[list[str | None]], places: Sequence[int]) -> None:
        if not rows or not places:
            return
        fields = [self.part.fields[place].name for place in places]
        changed = [self.values.changed(row, places) for row in rows]
        manager: Any = rows_of(self.alias, self.part.model)
        manager.bulk_update(changed, fields)
