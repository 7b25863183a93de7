"""Which rows belong to a slice: sets of keys, chosen table by table as the plan says, on any Django database.

Conditions are the database's work; what binds tables to one another, limits and samples are worked out here, so that
they are the same everywhere. In memory are the keys of the rows that are taken, and of whole tables nothing.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from isekai_core.builtins.orm.closure import Closure
from isekai_core.builtins.orm.queries import distinct, stream, told
from isekai_core.builtins.orm.rows import BATCH, kind_of, rows_of
from isekai_core.slicing.columns import is_enforced
from isekai_core.slicing.order import groups_of
from isekai_core.slicing.values import text_of
from isekai_core.types.slices import Column, Per, SlicePlan, TablePlan

Accept = Callable[[Any, Mapping[str, Any]], bool]


def is_sampled(key: str, seed: str, share: float) -> bool:
    """Whether the row with this key is in the sample: always the same, and in every greater one, too.

    >>> is_sampled("1", "7", 1.0), is_sampled("1", "7", 0.0)
    (True, False)
    """
    digest = hashlib.md5(f"{key}:{seed}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16) < share * 2**32


@dataclass
class Choice:
    """The keys of the rows of a plan.

    keys: label of a model to the keys of its rows; None for all of them.
    left_out: label to the number of rows that are within their limits, but need rows that are not.
    """

    alias: str
    plan: SlicePlan
    keys: dict[str, set[Any] | None] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    def make(self) -> None:
        """Choose the rows; `ExportError` names the model whose rows cannot be asked for."""
        needs = {table.model: [_target(column) for column in self.binding(table)] for table in self.plan.tables}
        for group in groups_of(needs):
            self._choose_group([self.plan.table(label) for label in group])
        # Rows are added only now, and bring no children with them: a limit would mean nothing otherwise.
        Closure(self.alias, self.plan, self.keys).close()

    def count(self, table: TablePlan) -> int:
        """The number of rows of `table`."""
        keys = self.keys[table.model]
        return rows_of(self.alias, table.model_class).count() if keys is None else len(keys)

    def tables(self) -> Iterator[TablePlan]:
        """The tables of the slice: not the optional ones of which there is no row."""
        yield from (table for table in self.plan.tables if not table.is_optional or self.keys[table.model])

    # Choosing

    def _choose_group(self, tables: Sequence[TablePlan]) -> None:
        labels = {table.model for table in tables}
        bound = {table.model: [one for one in self.binding(table) if _target(one) in labels] for table in tables}
        if any(bound.values()):
            self._choose_together(tables, bound)
            return
        for table in tables:
            self.keys[table.model] = self._chosen(table, self.parents_test(table, labels))

    def _choose_together(self, tables: Sequence[TablePlan], bound: Mapping[str, Sequence[Column]]) -> None:
        """Rows that need one another stay while all that they need stays: before limits, and after them."""
        found = {}
        for table in tables:
            accept = self.parents_test(table, set(bound))
            with told(table):
                found[table.model] = self._candidates(table, bound[table.model], accept)
        self._prune(tables, bound, found)
        for table in tables:
            if table.is_limited:
                taken = self._chosen(table, among(found[table.model])) or set()
                found[table.model] = {key: row for key, row in found[table.model].items() if key in taken}
        limited = {label: len(rows) for label, rows in found.items()}
        self._prune(tables, bound, found)
        for table in tables:
            self.left_out[table.model] = limited[table.model] - len(found[table.model])
            self.keys[table.model] = set(found[table.model])

    def _candidates(self, table: TablePlan, columns: Sequence[Column], accept: Accept) -> dict[Any, dict[str, Any]]:
        """Key to the values by which rows of a group are bound: those that point, and those that are pointed to."""
        pointed = {
            column.reference.column
            for other in self.plan.tables
            for column in self.binding(other)
            if column.reference and column.reference.model == table.model
        }
        names = {column.name for column in columns} | pointed | {one.name for one in self.binding(table)}
        rows = self._stream(table, names)
        return {key: row for key, row in rows if accept(key, row) and self.is_in(table, key)}

    def _prune(
        self,
        tables: Sequence[TablePlan],
        bound: Mapping[str, Sequence[Column]],
        found: dict[str, dict[Any, dict[str, Any]]],
    ) -> None:
        changed = True
        while changed:
            changed = False
            for table in tables:
                for column in bound[table.model]:
                    assert column.reference is not None
                    there = {row[column.reference.column] for row in found[column.reference.model].values()}
                    rows = found[table.model]
                    kept = {k: row for k, row in rows.items() if row[column.name] in there or row[column.name] is None}
                    changed = changed or len(kept) < len(rows)
                    found[table.model] = kept

    def _chosen(self, table: TablePlan, accept: Accept) -> set[Any] | None:
        """The keys that a table's own conditions and limits leave."""
        if table.is_whole:
            return None
        names = {column.name for column in self.binding(table)}
        with told(table):
            passed = [self.first_of_each(table, one, names, accept) for one in table.per]
            chosen = set()
            for key, row in self._stream(table, names, table.order_by):
                if accept(key, row) and self.is_in(table, key) and all(key in one for one in passed):
                    chosen.add(key)
                    if len(chosen) == table.limit:
                        break
            return chosen

    def first_of_each(self, table: TablePlan, per: Per, names: Collection[str], accept: Accept) -> set[Any]:
        """The keys of those that are among the first of their parent; what has no parent is not counted."""
        parent = table.model_class._meta.get_field(per.field).column
        seen: Counter[Any] = Counter()
        passed = set()
        for key, row in self._stream(table, {*names, parent}, per.order_by):
            if not accept(key, row) or not self.is_in(table, key):
                continue
            if row[parent] is not None:
                seen[row[parent]] += 1
            if row[parent] is None or seen[row[parent]] <= per.limit:
                passed.add(key)
        return passed

    def is_in(self, table: TablePlan, key: Any) -> bool:
        if table.sample is None:
            return True
        kind = kind_of(table.model_class._meta.pk)
        return is_sampled(str(text_of(kind, key)), self.plan.seed, table.sample)

    # Parents

    def binding(self, table: TablePlan) -> list[Column]:
        """The declared foreign keys that leave rows out: not those that bring the rows they point to with them."""
        parents = [(column, self.plan.table(_target(column))) for column in table.parents]
        # Of a whole table every row is there: the database's own constraint has seen to it.
        return [
            column
            for column, parent in parents
            if not (parent.is_whole and is_enforced(table.model_class._meta.get_field(column.field)))
            and (table.model, column.name) not in parent.closure
        ]

    def parents_test(self, table: TablePlan, inside: Collection[str]) -> Accept:
        """Whether the parents of a row are there, except for those in its own group."""
        allowed = {}
        for column in self.binding(table):
            assert column.reference is not None
            if column.reference.model in inside:
                continue
            allowed[column.name] = self.values(column.reference.model, column.reference.column)
        return lambda _key, row: all(row[name] is None or row[name] in values for name, values in allowed.items())

    def values(self, label: str, column: str) -> set[Any]:
        """The values of a column of the rows that are taken."""
        table = self.plan.table(label)
        keys = self.keys[label]
        if keys is not None and column == table.key:
            return keys
        return set(distinct(self.alias, table, column, keys))

    def _stream(
        self, table: TablePlan, columns: Iterable[str], order_by: Sequence[str] = ()
    ) -> Iterator[tuple[Any, dict[str, Any]]]:
        return stream(self.alias, table, columns, order_by, self._few_parents(table))

    def _few_parents(self, table: TablePlan) -> dict[str, set[Any]]:
        """Where few parents are there, the database leaves out the children of others."""
        found = {}
        for column in self.binding(table):
            keys = self.keys.get(_target(column))
            is_key = column.reference and column.reference.column == self.plan.table(_target(column)).key
            # Those of its own group are not known yet.
            if keys is not None and is_key and len(keys) <= BATCH:
                found[column.name] = keys
        return found


def _target(column: Column) -> str:
    assert column.reference is not None
    return column.reference.model


def among(keys: Collection[Any]) -> Accept:
    return lambda key, _row: key in keys
