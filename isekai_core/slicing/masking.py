"""Masking: a table's CSV on its way into a bundle, with what its importer says standing for what was there."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.db.models import F

from isekai_core.errors import ExportError
from isekai_core.slicing.allowed import is_text
from isekai_core.slicing.columns import base_field, is_unique_alone
from isekai_core.slicing.csvtext import read_rows, write_rows
from isekai_core.slicing.decided import check_masks, planned_masks
from isekai_core.slicing.masks import Mask
from isekai_core.slicing.masktexts import PIECE, fitted, is_mail, woven
from isekai_core.slicing.secret import Secret, secret_of
from isekai_core.slicing.values import is_known, made_text, value_of
from isekai_core.types.slices import Column, SlicePlan, TablePlan

_REMEMBERED = 10_000
"""Masks that are kept for the next row with the same value."""


class Masker:
    """The mask of one column."""

    def __init__(self, table: TablePlan, column: Column, mask: Mask, secret: Secret) -> None:
        self.table = table
        self.column = column
        self.mask = mask
        self.secret = secret
        field = table.model_class._meta.get_field(column.field)
        # Of a foreign key all is as where it points to, so that both become the same.
        self.base = base_field(field)
        self.kind = self.base.get_internal_type()
        self.is_unique = _is_unique(self.base)
        self.masks_null = mask.masks_null and not self.is_unique and field is self.base
        self.is_text = is_text(self.base)
        self.limit = self.base.max_length if self.is_text else None
        # Where the hash is cut short, two values can get the same one: seen here rather than by a database.
        is_short = self.limit is not None and self.limit <= PIECE
        self.seen: set[str] | None = set() if is_short and field is self.base and is_unique_alone(field) else None
        self.known: dict[str | None, str | None] = {}

    def __call__(self, text: str | None) -> str | None:
        """What stands for `text`; raises whatever the mask raises."""
        if text is None and not self.masks_null:
            return None
        if text not in self.known:
            if len(self.known) >= _REMEMBERED:
                self.known.clear()
            self.known[text] = self._made(text)
        return self.known[text]

    def _made(self, text: str | None) -> str | None:
        digest = self.secret.digest(text)
        made = self._written(self.mask.make(self._value(text), digest, self.kind))
        if made is None:
            if not self.column.null:
                msg = "gave NULL, which the column does not take"
                raise _Refused(msg)
            return None
        # An empty text that stays empty has nothing that could be unique.
        return self._fitting(made, digest) if self.is_text and (made or text) else made

    def _value(self, text: str | None) -> Any:
        """What the mask is given: the value where it looks at that, for there are texts of which Python has none."""
        if not (is_known(self.kind) and self.mask.reads(self.kind)):
            return text
        try:
            return value_of(self.kind, text)
        except (ValueError, RecursionError):
            pass
        # Outside of the handler, so that no cause tells the text.
        odd = f"a {self.kind} like this one{_UNREAD.get(self.kind, '')}"
        msg = f"is given a value, and Python has none of {odd}; {_INSTEAD}"
        raise _Refused(msg)

    def _written(self, made: Any) -> str | None:
        try:
            return made_text(self.kind, made)
        except ValueError as error:
            if is_known(self.kind):
                raise
            # Of such a type the message tells no value, and what to do.
            msg = f"gave a {type(made).__name__}: {error}"
        raise _Refused(msg)

    def _fitting(self, made: str, digest: bytes) -> str:
        # An address is always made unique: else it would be another one in a column that is.
        may_meet = self.is_unique and not self.mask.keeps_apart(self.kind)
        is_woven = may_meet or (self.mask.is_generated and is_mail(made))
        made = woven(made, digest, self.limit) if is_woven else fitted(made, self.limit)
        if self.seen is not None:
            if made in self.seen:
                msg = f"cannot stay unique in {self.limit} characters; keep it, or use a function of your own"
                raise _Refused(msg)
            self.seen.add(made)
        return made


_ENDLESS = ", such as infinity or a year before 1 or after 9999"
_UNREAD = {"DateField": _ENDLESS, "DateTimeField": _ENDLESS, "DurationField": ", such as one of months"}
_INSTEAD = "null, constant(…) and fake(…) need none"


class _Refused(Exception):
    """What a mask made cannot stand in its column."""


def maskers_of(table: TablePlan, secret: Secret) -> dict[str, Masker]:
    """Column name to its masker; only of columns that are masked."""
    masks = planned_masks(table.model_class, table.columns)
    return {column.name: Masker(table, column, masks[column.name], secret) for column in table.columns
            if column.name in masks}  # fmt: skip


def masking(table: TablePlan, maskers: Mapping[str, Masker]) -> Callable[[Iterable[bytes]], Iterator[bytes]]:
    """The function that changes the CSV of `table` on the way."""

    def changed(chunks: Iterable[bytes]) -> Iterator[bytes]:
        return write_rows(_masked(table, maskers, read_rows(chunks)))

    return changed


def _masked(
    table: TablePlan, maskers: Mapping[str, Masker], rows: Iterator[list[str | None]]
) -> Iterator[list[str | None]]:
    header = next(rows, None)
    if header is None:
        return
    yield header
    at = [(place, maskers[name]) for place, name in enumerate(header) if name is not None and name in maskers]
    for masker in maskers.values():
        if masker.seen is not None:
            masker.seen.clear()
            masker.known.clear()
    key = header.index(table.key) if table.key in header and table.key not in maskers else None
    for number, row in enumerate(rows, start=1):
        name = f"row {number}" if key is None else f"the row with the key {row[key]}"
        for place, masker in at:
            row[place] = _one(masker, row[place], name)
        yield row


def _one(masker: Masker, text: str | None, row: str) -> str | None:
    place = f"{masker.table.model}.{masker.column.field}: {row}: the mask {masker.mask}"
    try:
        return masker(text)
    except _Refused as error:
        msg = f"{place} {error}"
    except Exception as error:
        # Its message may tell the value.
        msg = f"{place} raised {type(error).__name__}"
    # Outside of the handler, so that no cause tells the value.
    raise ExportError(msg)


def _is_unique(field: Any) -> bool:
    """Whether a column is unique, alone or with others."""
    meta = field.model._meta
    if field.unique or any(field.name in names for names in meta.unique_together):
        return True
    constraints = [one for one in meta.constraints if hasattr(one, "nulls_distinct")]
    return any(field.name in one.fields or field.name in _names_in(one.expressions) for one in constraints)


def _names_in(expressions: Iterable[Any]) -> set[str]:
    """The fields that expressions such as Lower("email") use."""
    found: set[str] = set()
    for one in expressions:
        if isinstance(one, F):
            found.add(str(vars(one)["name"]).partition("__")[0])
        else:
            found |= _names_in(filter(None, one.get_source_expressions()))
    return found


Change = Callable[[Iterable[bytes]], Iterator[bytes]]


def guarded(plan: SlicePlan, masks: Mapping[str, Change]) -> Mapping[str, Change]:
    """`masks`; once a table that may stay empty does not, somebody has to have said what becomes of its texts."""

    def checked(table: TablePlan, change: Change) -> Change:
        def check_first(chunks: Iterable[bytes]) -> Iterator[bytes]:
            check_masks([table])
            return change(chunks)

        return check_first

    optional = [table for table in plan.tables if table.is_optional]
    return {**masks, **{table.model: checked(table, masks.get(table.model, iter)) for table in optional}}


def masks_for(plan: SlicePlan, secret: str | bytes | Secret | None = None) -> Mapping[str, Change]:
    """Label of a model to the function that masks its CSV on the way; only of tables that have masks.

    Foreign keys that point to a masked column have its mask.

    Raises `PlanError`, naming the column, for masks that cannot be had.
    """
    known = secret_of(secret)
    found = {table.model: maskers_of(table, known) for table in plan.tables}
    return {label: masking(plan.table(label), maskers) for label, maskers in found.items() if maskers}
