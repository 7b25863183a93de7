"""Closure: rows are added because rows that are taken point to them, by a foreign key or a generic one, to the last."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from isekai_core.builtins.orm.queries import distinct, field_of, pointed_generically, told
from isekai_core.builtins.orm.rows import batches, rows_of
from isekai_core.types.slices import SlicePlan, TablePlan

_Keys = set[Any] | None


@dataclass
class Closure:
    """What the rows of a choice point to.

    keys: label of a model to the keys of its rows, None for all of them; rows are added here.
    """

    alias: str
    plan: SlicePlan
    keys: dict[str, _Keys]

    def close(self) -> None:
        """Add what rows point to, to the last."""
        waiting: dict[str, _Keys] = dict(self.keys)
        while waiting:
            label, fresh = waiting.popitem()
            for table in self.plan.tables:
                if self.keys[table.model] is None:
                    continue
                for _, values in self._pointing(table, label, fresh):
                    with told(table):
                        new = self._rows_with(table, *values, without=self.keys[table.model] or ())
                    if new:
                        self._add(table.model, new, waiting)

    def alone(self, table: TablePlan) -> Iterator[tuple[str, int]]:
        """Each column that brings rows of `table`, `shop.Order.customer_id`, and how many it brings alone."""
        for label in dict.fromkeys([*(model for model, _ in table.closure), *(key.model for key in table.generic)]):
            for name, values in self._pointing(table, label, self.keys[label]):
                with told(table):
                    yield f"{label}.{name}", len(self._rows_with(table, *values))

    def _pointing(self, table: TablePlan, label: str, keys: _Keys) -> Iterator[tuple[str, tuple[str, Iterable[Any]]]]:
        """The columns of a model that point to `table`: the column, that which it points to, and the values there."""
        for model, name in table.closure:
            if model == label:
                child = self.plan.table(label)
                reference = child.column(name).reference
                assert reference is not None
                yield name, (reference.column, distinct(self.alias, child, name, keys))
        for key in table.generic:
            if key.model == label:
                child = self.plan.table(label)
                yield key.key, (table.key, pointed_generically(self.alias, table, child, key, keys))

    def _add(self, label: str, new: set[Any], waiting: dict[str, _Keys]) -> None:
        keys = self.keys[label]
        assert keys is not None
        keys |= new
        there = waiting.setdefault(label, set())
        if there is not None:
            there |= new

    def _rows_with(
        self, table: TablePlan, column: str, values: Iterable[Any], without: Collection[Any] = ()
    ) -> set[Any]:
        """The keys of the rows of `table` that have one of these values in the column."""
        name = field_of(table, column).attname
        found: set[Any] = set()
        for batch in batches(values):
            wanted = [value for value in batch if name != table.model_class._meta.pk.attname or value not in without]
            rows = rows_of(self.alias, table.model_class).filter(**{f"{name}__in": wanted})
            found.update(rows.values_list("pk", flat=True))
        return found.difference(without)
