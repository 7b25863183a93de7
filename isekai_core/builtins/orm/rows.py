"""Rows of any Django database as texts, the same whichever database it is."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.db import connections
from django.db.models import F, TextField
from django.db.models.functions import Cast, Collate
from django.utils import timezone

from isekai_core.slicing.columns import base_field
from isekai_core.slicing.values import TEXTS, is_known, json_text, parsed_json, text_of

BATCH = 500
"""Keys that one query names: within what every database takes."""

_READ = 2_000
_Item = TypeVar("_Item")


def batches(items: Iterable[_Item], size: int = BATCH) -> Iterator[list[_Item]]:
    """The items in lists of at most `size`.

    >>> list(batches([1, 2, 3], 2))
    [[1, 2], [3]]
    """
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def kind_of(field: Any) -> str:
    """Django's name for the type of a column's values; of a foreign key, that of where it points."""
    return str(base_field(field).get_internal_type())


def rows_of(alias: str, model: Any) -> Any:
    """A queryset of all rows of the model's table, hidden by no manager."""
    return model._base_manager.using(alias).order_by()


class TextReader:
    """Reads columns of a model as texts.

    fields: model fields whose columns are read, in this order.
    """

    def __init__(self, alias: str, model: Any, fields: Sequence[Any]) -> None:
        self.alias = alias
        self.model = model
        self.writers = [_Writer(alias, field) for field in fields]
        # What Django would parse, and what it has no text for, is asked for as a text.
        raw = {
            f"isekai_text_{number}": Cast(F(writer.field.attname), TextField())
            for number, writer in enumerate(self.writers)
            if writer.is_raw
        }
        names = [f"isekai_text_{n}" if w.is_raw else w.field.attname for n, w in enumerate(self.writers)]
        self.queryset = rows_of(alias, model).annotate(**raw).values_list("pk", *names)

    def all(self) -> Iterator[list[str | None]]:
        """Every row of the table, by key."""
        for row in self.queryset.order_by(_by_key(self.alias, self.model)).iterator(chunk_size=_READ):
            yield self._texts(row)

    def by_keys(self, keys: Iterable[Any]) -> Iterator[tuple[Any, list[str | None]]]:
        """The rows with these keys, each with its key, in the order of the keys; those that are not there are not."""
        for batch in batches(keys):
            found = {row[0]: row for row in self.queryset.filter(pk__in=batch)}
            yield from ((key, self._texts(found[key])) for key in batch if key in found)

    def where(self, **conditions: Any) -> Iterator[list[str | None]]:
        """The rows for which all conditions hold."""
        yield from (self._texts(row) for row in self.queryset.filter(**conditions))

    def _texts(self, row: Sequence[Any]) -> list[str | None]:
        return [writer(value) for writer, value in zip(self.writers, row[1:], strict=True)]


def _by_key(alias: str, model: Any) -> Any:
    """The order of keys: of texts by their bytes, which a server's language does not change."""
    is_text = kind_of(model._meta.pk) in TEXTS
    return Collate(F("pk"), "C") if is_text and connections[alias].vendor == "postgresql" else "pk"


class _Writer:
    """The text of one column's values."""

    def __init__(self, alias: str, field: Any) -> None:
        self.field = field
        self.base = base_field(field)
        self.kind = kind_of(field)
        self.is_json = self.kind == "JSONField"
        # A JSON null and a NULL are both None to Django, and two things to a database.
        self.is_raw = self.is_json or not is_known(self.kind)
        self.is_own = not self.is_raw and hasattr(self.base, "from_db_value")
        self.zone = connections[alias].timezone or timezone.get_default_timezone()

    def __call__(self, value: Any) -> str | None:
        if value is None:
            return None
        if self.is_json:
            return json_text(parsed_json(value))
        if self.is_raw:
            return str(value)
        if self.is_own:
            # A field of the project's own: what lies in the database, and not what it makes of it.
            value = self.base.get_prep_value(value)
        if self.kind == "DateTimeField" and timezone.is_naive(value):
            value = timezone.make_aware(value, self.zone)
        return text_of(self.kind, value)
