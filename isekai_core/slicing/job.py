"""Jobs say which rows of a model are wanted: a queryset, and how much of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet

from isekai_core.conf import did_you_mean
from isekai_core.errors import PlanError
from isekai_core.slicing.given import is_number, named, names_of
from isekai_core.types.slices import Per


def per(parent: str, limit: int, *, order_by: str | Sequence[str] = ()) -> Per:
    """At most `limit` rows for each row that the foreign key `parent` points to.

    order_by: which come first; by primary key without it, and after it.

    >>> per("customer", 10, order_by="-created_at")
    Per(field='customer', limit=10, order_by=('-created_at',))

    Raises `PlanError` for a limit below 1, and for what is no name of a field.
    """
    what = f"per({named(parent)}, …)"
    if not isinstance(parent, str):
        msg = f"{what}: expected the name of a foreign key, got {named(parent)}"
        raise PlanError(msg)
    if not is_number(limit):
        msg = f"{what}: expected a number of at least 1, got {named(limit)}"
        raise PlanError(msg)
    return Per(parent, limit, names_of(f"{what} order_by", order_by))


@dataclass(frozen=True)
class ImportJob:
    """The rows of one model that belong to a slice.

    model: the Django model; it needs an importer.
    query: the rows to choose from; all of them without one. It is not evaluated here: only its conditions count,
        not its order, its columns or its annotations' values.
    limit: at most so many rows, or `per("customer", 10)`, or several of them.
    sample: the share of rows to take, 0.01 for one in a hundred; chosen by a hash, so that a smaller share is
        always part of a greater one, and the same as data grows.
    order_by: which rows come first under `limit`.
    exclude: fields that are left out; they must be able to do without a value.

    >>> from isekai_core.testing.shop.models import Order
    >>> ImportJob(model=Order, limit=per("customer", 10))
    ImportJob(shop.Order, all rows, 10 per customer)
    """

    model: type[Model]
    query: "QuerySet[Any] | None" = None
    limit: int | Per | Sequence[int | Per] | None = None
    sample: float | None = None
    order_by: str | Sequence[str] = ()
    exclude: Sequence[str] = field(default=())

    def __post_init__(self) -> None:
        if not (isinstance(self.model, type) and issubclass(self.model, Model)) or not hasattr(self.model, "_meta"):
            msg = f"ImportJob(model=…): expected a Django model, got {named(self.model)}"
            raise PlanError(msg)
        self._check_query()
        self._check_numbers()
        self._check_names()

    def __str__(self) -> str:
        """Never asks the database."""
        return f"ImportJob({self.label}{''.join(f', {part}' for part in self._parts())})"

    __repr__ = __str__

    @property
    def label(self) -> str:
        """The model's label, `shop.Order`."""
        return str(self.model._meta.label)

    @property
    def number(self) -> int | None:
        """The limit that counts rows."""
        numbers = [one for one in self._limits if isinstance(one, int)]
        return min(numbers) if numbers else None

    @property
    def pers(self) -> tuple[Per, ...]:
        """The limits that count children."""
        return tuple(one for one in self._limits if isinstance(one, Per))

    @property
    def orders(self) -> tuple[str, ...]:
        """`order_by` as a tuple."""
        return names_of(f"{self.label}: order_by", self.order_by)

    @property
    def _limits(self) -> tuple[int | Per, ...]:
        if self.limit is None:
            return ()
        return tuple(self.limit) if isinstance(self.limit, Sequence) else (self.limit,)

    def _parts(self) -> list[str]:
        parts = ["filtered"] if self.query is not None else ["all rows"]
        parts += [f"limit={self.number}"] if self.number is not None else []
        parts += [f"{one.limit} per {one.field}" for one in self.pers]
        parts += [f"sample={self.sample:g}"] if self.sample is not None else []
        parts += [f"without {', '.join(self.exclude)}"] if self.exclude else []
        return parts

    def _repr_html_(self) -> str:
        return f"<code>{escape(str(self))}</code>"

    def _check_query(self) -> None:
        if self.query is None:
            return
        if not isinstance(self.query, QuerySet):
            msg = f"{self.label}: query is a queryset, got {type(self.query).__name__}"
            raise PlanError(msg)
        if self.query.model._meta.concrete_model is not self.model._meta.concrete_model:
            msg = f"{self.label}: query is of {self.query.model._meta.label}"
            raise PlanError(msg)
        query: Any = self.query.query
        if query.combinator:
            msg = f"{self.label}: query is a {query.combinator}; join conditions by | and & in one filter instead"
            raise PlanError(msg)
        if query.is_sliced:
            msg = f"{self.label}: query is cut by [:n], which chooses anew each time; use limit= and order_by="
            raise PlanError(msg)
        if _is_grouped(query):
            what = "values(…).annotate(…) gives groups and no rows"
            msg = f"{self.label}: query groups: {what}; filter by a subquery of it, as in status__in=…"
            raise PlanError(msg)

    def _check_numbers(self) -> None:
        limits = self._limits
        if self.limit is not None and not (limits and all(isinstance(one, Per) or is_number(one) for one in limits)):
            msg = f"{self.label}: limit is a number of at least 1, per(…), or several of them, got {named(self.limit)}"
            raise PlanError(msg)
        is_share = isinstance(self.sample, int | float) and not isinstance(self.sample, bool) and 0 < self.sample <= 1
        if self.sample is not None and not is_share:
            msg = f"{self.label}: sample is a share above 0 and up to 1, got {named(self.sample)}"
            raise PlanError(msg)

    def _check_names(self) -> None:
        for name in self.orders:
            self._column(name.removeprefix("-"))
        for one in self.pers:
            if not self._column(one.field).is_relation:
                msg = f"{self.label}: per({one.field!r}, …) needs a foreign key, and {one.field!r} is none"
                raise PlanError(msg)
            for name in one.order_by:
                self._column(name.removeprefix("-"))
        # By the field's own name, whatever it was called: `customer_id` leaves out what `customer` does.
        left_out = tuple(self._column(name).name for name in names_of(f"{self.label}: exclude", self.exclude))
        object.__setattr__(self, "exclude", left_out)

    def _column(self, name: str) -> Any:
        field = self._field(name)
        if not field.concrete or field.many_to_many:
            msg = f"{self.label}: {name!r} is no column of its table, but a relation of another one to it"
            raise PlanError(msg)
        return field

    def _field(self, name: str) -> Any:
        try:
            return self.model._meta.get_field(name if name != "pk" else self.model._meta.pk.name)
        except FieldDoesNotExist:
            known = [one.name for one in self.model._meta.concrete_fields]
            msg = f"{self.label} has no field {name!r}{did_you_mean(name, known)}; it has {', '.join(known)}"
            raise PlanError(msg) from None


def _is_grouped(query: Any) -> bool:
    """Whether a query groups by other columns than its model's key; an aggregate for each row groups by that."""
    if not isinstance(query.group_by, tuple):
        return False
    return not any(getattr(one, "target", None) is query.model._meta.pk for one in query.group_by)
