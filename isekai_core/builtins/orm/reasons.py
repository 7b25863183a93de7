"""Why there are so many rows: what each condition of a table leaves, and what each table that points to it brings."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import NamedTuple

from isekai_core.builtins.orm.choice import Accept, Choice, among
from isekai_core.builtins.orm.closure import Closure
from isekai_core.builtins.orm.queries import stream, told
from isekai_core.types.estimates import Reason, ReasonKind
from isekai_core.types.slices import TablePlan


class _Step(NamedTuple):
    """What leaves rows out, and the test for those that stay."""

    kind: ReasonKind
    of: str
    accept: Accept


def reasons(choice: Choice, table: TablePlan) -> Iterator[Reason]:
    """The reasons for the rows that `choice` made, in the order in which they act.

    Rows that are left out because tables need one another in a circle are not told.
    """
    own = list(_own(choice, table))
    # Only what is asked for, or followed, is there for its own sake.
    yield from (one for one in own if one.rows or not table.grows)
    for name, rows in Closure(choice.alias, choice.plan, choice.keys).alone(table):
        if rows or not table.is_optional:
            yield Reason("pointed", name, rows)


def _own(choice: Choice, table: TablePlan) -> Iterator[Reason]:
    with told(table):
        steps = list(_steps(choice, table))
        counts: Counter[int] = Counter()
        for key, row in stream(choice.alias, table, {column.name for column in choice.binding(table)}):
            for number, step in enumerate(steps):
                if not step.accept(key, row):
                    break
                counts[number] += 1
    yield from (Reason(step.kind, step.of, counts[number]) for number, step in enumerate(steps))
    if table.limit is not None:
        yield Reason("limit", str(table.limit), min(counts[len(steps) - 1], table.limit))


def _steps(choice: Choice, table: TablePlan) -> Iterator[_Step]:
    yield _Step("all" if table.queryset is None else "query", "", lambda _key, _row: True)
    binding = choice.binding(table)
    for column in binding:
        assert column.reference is not None
        values = choice.values(column.reference.model, column.reference.column)
        yield _Step("parent", column.reference.model, _pointing(column.name, values))
    if table.sample is not None:
        yield _Step("sample", f"{table.sample:g}", lambda key, _row: choice.is_in(table, key))
    for one in table.per:
        passed = choice.first_of_each(table, one, {column.name for column in binding}, choice.parents_test(table, ()))
        yield _Step("per", f"{one.limit} per {one.field}", among(passed))


def _pointing(name: str, values: Collection[object]) -> Accept:
    return lambda _key, row: row[name] is None or row[name] in values
