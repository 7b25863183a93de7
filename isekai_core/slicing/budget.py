"""Budget: limits that make a slice about as large as asked for, from what a database believes; nothing is read.

All large tables that hang on no other large one get the same share of their rows; what hangs on them gets less by
itself. How far the estimates can be believed, the page on slices says.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Literal

from isekai_core.errors import PlanError
from isekai_core.slicing.given import named
from isekai_core.slicing.job import ImportJob, per
from isekai_core.slicing.plan import plan_of
from isekai_core.types.estimates import Estimate
from isekai_core.types.slices import Per, SlicePlan, SliceSource, TablePlan

_WRITTEN = re.compile(r"\s*(\d[\d,_]*(?:\.\d+)?)\s*([kKMG]?)i?\s*(B|bytes|rows?)?\s*")
_POWERS = {"": 0, "k": 1, "M": 2, "G": 3}
_SMALL = (0.25, 0.05, 0.0)
"""The share of the budget up to which a table is left whole: the first with which all of these leave half of it."""
_ROUNDS = 6
_NEAR = 0.85
_EACH = 4
"""As few rows for each parent as a limit may allow: with fewer, a whole number would be too coarse."""
_BACK = 0.95
"""What is aimed at is taken back a little further than it was too much, so that it comes to lie below."""


@dataclass(frozen=True)
class Budget:
    """So many bytes, or so many rows, of all tables together."""

    amount: int
    unit: Literal["bytes", "rows"]

    def of(self, one: Estimate) -> int:
        """What a table takes of it."""
        return one.bytes if self.unit == "bytes" else one.rows

    def all(self, estimates: Mapping[str, Estimate]) -> int:
        """What all tables take."""
        return sum(map(self.of, estimates.values()))


def budget_of(given: str | int) -> Budget:
    """A budget as people write it; a bare number is bytes.

    >>> budget_of("50MB"), budget_of("100k rows")
    (Budget(amount=52428800, unit='bytes'), Budget(amount=100000, unit='rows'))

    k, M and G are 1,024 times of bytes, as sizes are shown, and 1,000 times of rows.

    Raises `PlanError` for anything else.
    """
    is_size = isinstance(given, str | int) and not isinstance(given, bool)
    found = _WRITTEN.fullmatch(str(given)) if is_size else None
    if found is None:
        msg = f"budget: expected a size such as '50MB', or '100k rows', got {named(given)}"
        raise PlanError(msg)
    number, power, unit = found.groups()
    is_rows = bool(unit) and unit.startswith("row")
    times = (1000 if is_rows else 1024) ** _POWERS[power.replace("K", "k")]
    amount = int(float(re.sub("[,_]", "", number)) * times)
    if amount < 1:
        msg = f"budget: expected more than nothing, got {given!r}"
        raise PlanError(msg)
    return Budget(amount, "rows" if is_rows else "bytes")


@dataclass(frozen=True)
class Proposal:
    """Limits for jobs.

    budget: as it was asked for.
    jobs: the jobs with the limits, to be run as they are.
    limits: label of a model to the new limit of its job, as it is written: `per("shop", 40)`; only where there is one.
    before, estimates: what the source believes of the jobs without the limits, and with them.
    """

    budget: str
    jobs: tuple[ImportJob, ...]
    limits: Mapping[str, str]
    before: Mapping[str, Estimate]
    estimates: Mapping[str, Estimate]

    def __str__(self) -> str:
        """What can be pasted into the jobs: a line for each."""
        lines = [
            f"limit={limit},  # {label}: {self.before[label].rows:,} → {self.estimates[label].rows:,} rows"
            for label, limit in self.limits.items()
        ]
        return "\n".join(lines) or f"# no limits are needed for {self.budget}"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def propose(source: SliceSource, jobs: Sequence[ImportJob] | SlicePlan, budget: str | int) -> Proposal:
    """Limits for `jobs`, with which they come to about `budget`, and to no more as far as the source knows.

    Raises `PlanError` where no limits do.
    """
    if isinstance(jobs, SlicePlan):
        msg = "budget: limits are for jobs, and a plan made of rows has none; give jobs=[ImportJob(…), …]"
        raise PlanError(msg)
    wanted = budget_of(budget)
    plan = plan_of(jobs)
    before = source.estimate(plan)
    if wanted.all(before) <= wanted.amount:
        return Proposal(str(budget), tuple(jobs), {}, before, before)
    best: Proposal | None = None
    aim = float(wanted.amount)
    for _ in range(_ROUNDS):
        limits = _limits(plan, before, wanted, aim)
        limited = tuple(_with_limit(job, limits.get(job.label)) for job in jobs)
        found = source.estimate(plan_of(limited))
        size = wanted.all(found)
        if size <= wanted.amount and (best is None or size > wanted.all(best.estimates)):
            best = Proposal(str(budget), limited, {m: _written(one) for m, one in limits.items()}, before, found)
        if _NEAR * wanted.amount <= size <= wanted.amount:
            break
        # What the source believes of the limits themselves corrects what was worked out from it.
        aim *= wanted.amount / max(size, 1) * (1 if size <= wanted.amount else _BACK)
    if best is None:
        msg = f"budget: no limits bring these jobs down to {budget}; filter their queries, or leave some of them out"
        raise PlanError(msg)
    return best


def _limits(plan: SlicePlan, before: Mapping[str, Estimate], budget: Budget, aim: float) -> dict[str, int | Per]:
    """The limits of the greatest share with which the slice is no larger than `aim`; the smallest, where none is."""
    for small in _SMALL:
        if _Shape(plan, before, budget, 0, small).size <= budget.amount / 2:
            break
    low, high = 0.0, 1.0
    for _ in range(40):
        share = (low + high) / 2
        fits = _Shape(plan, before, budget, share, small).size <= aim
        low, high = (share, high) if fits else (low, share)
    return _Shape(plan, before, budget, low, small).limits


class _Shape:
    """What is left of every table when the large ones get a share.

    ratios: of a limited table, the part of its rows that is left.
    cut: label to the limited tables on which its rows hang, itself included.
    """

    def __init__(
        self, plan: SlicePlan, before: Mapping[str, Estimate], budget: Budget, share: float, small: float
    ) -> None:
        self.plan, self.before = plan, before
        self.limits: dict[str, int | Per] = {}
        self.ratios: dict[str, float] = {}
        self.cut: dict[str, frozenset[str]] = {}
        self.size = 0.0
        for table in plan.tables:
            above = frozenset[str]().union(*(self.cut.get(label, ()) for label in _parents(table).values()))
            if not above and budget.of(before[table.model]) > small * budget.amount:
                self._limit(table, share)
                above = frozenset([table.model])
            self.cut[table.model] = above
            self.size += budget.of(before[table.model]) * self._left(table)

    def _left(self, table: TablePlan) -> float:
        # Once for each table that is limited, by however many ways a row hangs on it.
        left = 1.0
        for label in self.cut[table.model]:
            left *= self.ratios[label]
        return left

    def _limit(self, table: TablePlan, share: float) -> None:
        rows = max(self.before[table.model].rows, 1)
        target = max(int(rows * share), 1)
        parents = {name: self.before[label].rows for name, label in _parents(table).items() if label in self.before}
        # Some of each parent's, where there are several: else all would be those of the first ones.
        fitting = {name: number for name, number in parents.items() if 1 < number <= target // _EACH}
        if fitting:
            name = max(fitting, key=lambda one: (fitting[one], one))
            each = _rounded(target // fitting[name])
            self.limits[table.model], left = per(name, each), each * fitting[name]
        else:
            self.limits[table.model] = left = _rounded(target)
        self.ratios[table.model] = min(left / rows, 1.0)


def _parents(table: TablePlan) -> dict[str, str]:
    """Field to model of the foreign keys that bind, but for those to the table itself."""
    return {
        column.field: column.reference.model
        for column in table.parents
        if column.reference and column.reference.model != table.model
    }


def _rounded(number: int) -> int:
    """Down to two digits that count.

    >>> _rounded(12_345), _rounded(99)
    (12000, 99)
    """
    zeros = int(f"1{'0' * max(len(str(number)) - 2, 0)}")
    return number // zeros * zeros


def _with_limit(job: ImportJob, limit: int | Per | None) -> ImportJob:
    if limit is None:
        return job
    kept: list[int | Per] = [*job.pers, *([job.number] if job.number is not None else [])]
    kept = [one for one in kept if not _is_looser(one, limit)]
    return replace(job, limit=[*kept, limit] if kept else limit)


def _is_looser(old: int | Per, new: int | Per) -> bool:
    if isinstance(old, Per) and isinstance(new, Per):
        return old.field == new.field and old.limit >= new.limit and not old.order_by
    return isinstance(old, int) and isinstance(new, int)


def _written(limit: int | Per) -> str:
    return str(limit) if isinstance(limit, int) else f'per("{limit.field}", {limit.limit})'
