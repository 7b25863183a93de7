"""From a bundle's texts to what Django writes: mapped references, values of fields, defaults of columns left out."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models import JSONField, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from isekai_core.builtins.orm.drift import Part
from isekai_core.builtins.orm.keys import Keys
from isekai_core.builtins.orm.rows import kind_of
from isekai_core.slicing.columns import base_field
from isekai_core.slicing.values import json_text, parsed_json, text_of, value_of


class Rows:
    """The rows of one part as the target gets them: texts in the order of the part's columns."""

    def __init__(self, keys: Keys, part: Part) -> None:
        self.keys = keys
        self.part = part
        staging = keys.staging
        self.dangling = staging.choice.dangling
        self.origins = {place: staging.origin(one) for place, one in part.references.items() if place != part.key}
        self.generics = staging.generics(part)
        self.json = [place for place, field in enumerate(part.fields) if kind_of(field) == "JSONField"]
        self.others = [
            (place, kind_of(field))
            for place, field in enumerate(part.fields)
            if kind_of(field) in {"DecimalField", "FloatField", "DateTimeField", "TimeField", "DurationField"}
        ]

    def __iter__(self) -> Iterator[tuple[str, list[str | None]]]:
        """Each row with its old key."""
        new_keys = self.keys.maps[self.part.label]
        for row in self.part.rows(self.keys.staging.bundle):
            old = str(row[self.part.key])
            mapped = list(row)
            mapped[self.part.key] = new_keys[old]
            for place in self.origins:
                mapped[place] = self.reference(row[place], place)
            for generic in self.generics:
                mapped[generic[1]] = self.generic(row, generic)
            for place in self.json:
                text = mapped[place]
                mapped[place] = None if text is None else json_text(parsed_json(text))
            for place, kind in self.others:
                # As they will be read again, so that what is the same compares so.
                mapped[place] = self._normal(value_of(kind, mapped[place]), place, kind)
            yield old, mapped

    def _normal(self, value: Any, place: int, kind: str) -> str | None:
        if isinstance(value, Decimal) and value.is_finite():
            return f"{value:.{base_field(self.part.fields[place]).decimal_places}f}"
        return text_of(kind, value)

    def reference(self, text: str | None, place: int) -> str | None:
        """The new value of a reference."""
        origin = self.origins[place]
        if text is None:
            return None
        if origin is None or text not in origin.known:
            return None if self.dangling == "null" else text
        return self.keys.maps[origin.label].get(text, text) if origin.label else text

    def generic(self, row: Sequence[str | None], generic: tuple[int, int]) -> str | None:
        """The new value of a generic foreign key's column."""
        kind, text = (row[place] for place in generic)
        if kind is None or text is None:
            return text
        label = self.keys.staging.generic_label(row, generic)
        if label is None:
            return None if self.dangling == "null" else text
        return self.keys.maps[label][text]


class Values:
    """What Django writes for the texts of a part."""

    def __init__(self, alias: str, part: Part, without: Sequence[int] = ()) -> None:
        self.part = part
        self.without = frozenset(without)
        self.zone = connections[alias].timezone or timezone.get_default_timezone()
        self.kinds = [kind_of(field) for field in part.fields]

    def of(self, row: Sequence[str | None], place: int) -> Any:
        """The value of one column."""
        text, kind, field = row[place], self.kinds[place], base_field(self.part.fields[place])
        if kind == "JSONField":
            return _json_null() if text == "null" else value_of(kind, text)
        value = value_of(kind, text)
        if kind == "DateTimeField" and value is not None and not settings.USE_TZ:
            return timezone.make_naive(value, self.zone)
        if hasattr(field, "from_db_value"):
            return field.from_db_value(value, None, None)
        return value

    def new(self, row: Sequence[str | None]) -> Any:
        """What an insert takes: an object with a value for each field; of columns left out, their default."""
        places = range(len(self.part.fields))
        values = {
            self.part.fields[place].attname: None if place in self.without else self.of(row, place) for place in places
        }
        return SimpleNamespace(**values, **{one.attname: one.get_default() for one in self.part.missing})

    def changed(self, row: Sequence[str | None], places: Sequence[int]) -> Any:
        """What an update takes: an instance with the key and these columns."""
        instance = self.part.model()
        for place in {self.part.key, *places}:
            setattr(instance, self.part.fields[place].attname, self.of(row, place))
        return instance


def _json_null() -> Any:
    """JSON's null, which is a value: None would be NULL."""
    return Cast(Value("null", TextField()), JSONField())
