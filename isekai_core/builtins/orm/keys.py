"""Id maps: which key each row of a bundle gets in the target, all of them known before the first row is written."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connections
from django.db.models import AutoField, BigAutoField, SmallAutoField

from isekai_core.builtins.orm import ledger
from isekai_core.builtins.orm.drift import Part
from isekai_core.builtins.orm.rows import TextReader, batches, kind_of, rows_of
from isekai_core.builtins.orm.sequences import new_keys
from isekai_core.builtins.orm.staging import Origin, Staging
from isekai_core.errors import StagingError
from isekai_core.slicing.values import text_of, value_of

BY_NATURAL_KEY = frozenset({"contenttypes.ContentType", "auth.Permission"})
"""Their keys differ between databases that mean the same: they always go by their unique values."""

_COMPARED = 900
"""Values that one query names: within what every database takes."""
_SHOWN = 5


@dataclass
class Keys:
    """The maps of a load.

    maps: label of a model to old key to new key, as texts.
    existed: label to the old keys whose rows are there already.
    """

    alias: str
    staging: Staging
    name: str
    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    existed: dict[str, set[str]] = field(default_factory=dict)

    def make(self) -> None:
        """Fill the maps; `StagingError` when several rows would become one."""
        own = [part for part in self.staging.parts if self.staging.root(part) == part.label]
        for part in own:
            self.maps[part.label] = dict(self.staging.fixed.get(part.label, {}))
            if not self._is_natural(part):
                self._find_given(part)
        for label, fixed in self.staging.fixed.items():
            self.maps.setdefault(label, dict(fixed))
        self._find_natural(own)
        for part in own:
            if self._is_natural(part):
                self._add(part, ledger.known(self.alias, self.name, part.label))
            self._finish(part)
        for part in self.staging.parts:
            if part not in own:
                self._derive(part)

    def _is_natural(self, part: Part) -> bool:
        return self.staging.choice.ids == "natural" or part.label in BY_NATURAL_KEY

    def _keeps(self, part: Part) -> bool:
        return self.staging.choice.ids == "keep" and part.label not in BY_NATURAL_KEY

    def _add(self, part: Part, found: Mapping[str, str]) -> None:
        keys, known = self.staging.keys[part.label], self.maps[part.label]
        known.update({old: new for old, new in found.items() if old in keys and old not in known})

    def _find_given(self, part: Part) -> None:
        if not self._keeps(part):
            self._add(part, ledger.known(self.alias, self.name, part.label))
        if self._keeps(part) or not _can_be_made(part):
            # A row with this key is there, and keeps it; where no key can be made, it is the same row.
            rest = self.staging.keys[part.label] - self.maps[part.label].keys()
            self._add(part, {key: key for key in self._there(part, rest)})

    def _there(self, part: Part, keys: set[str]) -> set[str]:
        """Those of the keys that the target has."""
        kind = kind_of(part.fields[part.key])
        found: set[str] = set()
        for batch in batches(keys):
            values = [value_of(kind, key) for key in batch]
            rows = rows_of(self.alias, part.model).filter(pk__in=values).values_list("pk", flat=True)
            found.update(str(text_of(kind, key)) for key in rows)
        return found

    # Rows with the same unique values

    def _find_natural(self, parts: Sequence[Part]) -> None:
        """References are compared by the keys found so far, until no more come."""
        skips = self.staging.choice.on_conflict == "skip"
        wanted = [part for part in parts if (not self._keeps(part) or skips) and self._has_rows(part)]
        searches = [_Search(self, part, places) for part in wanted for places in _unique_places(part)]
        before = -1
        while before < (before := sum(len(self.maps[part.label]) for part in wanted)):
            for search in searches:
                search.run()
            if not any(search.origins or search.generics for search in searches):
                return

    def _has_rows(self, part: Part) -> bool:
        return bool(rows_of(self.alias, part.model).exists())

    # New keys

    def _finish(self, part: Part) -> None:
        known = self.maps[part.label]
        rest = sorted(self.staging.keys[part.label] - known.keys(), key=lambda key: (len(key), key))
        given = set(known)
        if self._keeps(part) or not _can_be_made(part):
            known.update({key: key for key in rest})
        elif kind_of(part.fields[part.key]) == "UUIDField":
            taken = self._there(part, set(rest))
            known.update({key: str(uuid.uuid4()) if key in taken else key for key in rest})
        elif rest:
            known.update(zip(rest, new_keys(self.alias, part.model, len(rest), set(known.values())), strict=True))
        there = self._there(part, {known[old] for old in given})
        self.existed[part.label] = {old for old in given if known[old] in there}
        self._refuse_joined(part)

    def _refuse_joined(self, part: Part) -> None:
        olds: dict[str, list[str]] = {}
        for old, new in self.maps[part.label].items():
            olds.setdefault(new, []).append(old)
        twice = [f"{', '.join(some[:_SHOWN])} would all become {new}" for new, some in olds.items() if len(some) > 1]
        if twice:
            msg = f"{part.label}: several rows of the bundle would become one: {'; '.join(twice[:_SHOWN])}"
            raise StagingError(msg)

    def _derive(self, part: Part) -> None:
        above = self.maps.get(self.staging.root(part), {})
        self.maps[part.label] = {key: above.get(key, key) for key in self.staging.keys[part.label]}
        there = self._there(part, set(self.maps[part.label].values()))
        self.existed[part.label] = {old for old, new in self.maps[part.label].items() if new in there}


@dataclass
class _Search:
    """Looks for the rows of one part that are there already, by columns that are unique together."""

    keys: Keys
    part: Part
    places: tuple[int, ...]

    @property
    def origins(self) -> dict[int, Origin | None]:
        """Those of the columns that are references."""
        there = [place for place in self.places if place in self.part.references]
        return {place: self.keys.staging.origin(self.part.references[place]) for place in there}

    @property
    def generics(self) -> dict[int, tuple[int, int]]:
        """Those of the columns that are generic foreign keys."""
        found = self.keys.staging.generics(self.part)
        return {generic[1]: generic for generic in found if generic[1] in self.places}

    def run(self) -> None:
        """Add what is found to the map."""
        known = self.keys.maps[self.part.label]
        for batch in batches(self._wanted(known), _COMPARED // len(self.places)):
            wanted: dict[tuple[str, ...], str] = {values: key for key, values in batch}
            for values, new in self._found(list(wanted)):
                if values in wanted:
                    known.setdefault(wanted[values], new)

    def _wanted(self, known: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
        origins, generics = self.origins, self.generics
        for row in self.part.rows(self.keys.staging.bundle):
            key = row[self.part.key]
            values = [
                self._pointed(row, generics[place]) if place in generics else self._mapped(row[place], place, origins)
                for place in self.places
            ]
            if key is not None and key not in known and None not in values:
                yield key, tuple(str(value) for value in values)

    def _mapped(self, text: str | None, place: int, origins: Mapping[int, Origin | None]) -> str | None:
        origin = origins.get(place)
        if text is None or origin is None or not origin.label:
            return text
        return self.keys.maps.get(origin.label, {}).get(text)

    def _pointed(self, row: Sequence[str | None], generic: tuple[int, int]) -> str | None:
        label = self.keys.staging.generic_label(row, generic)
        text = row[generic[1]]
        return None if label is None or text is None else self.keys.maps.get(label, {}).get(text)

    def _found(self, wanted: Sequence[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], str]]:
        fields = [self.part.fields[place] for place in self.places]
        # More than is wanted, and one short condition: which rows they are is seen by all their values.
        columns = zip(fields, zip(*wanted, strict=True), strict=True)
        named = {
            f"{one.attname}__in": [value_of(kind_of(one), text) for text in dict.fromkeys(texts)]
            for one, texts in columns
        }
        reader = TextReader(self.keys.alias, self.part.model, [self.part.fields[self.part.key], *fields])
        for row in reader.where(**named):
            yield tuple(str(text) for text in row[1:]), str(row[0])


def _can_be_made(part: Part) -> bool:
    """Whether rows can get a key that is not their own."""
    key = part.fields[part.key]
    return isinstance(key, AutoField | BigAutoField | SmallAutoField) or kind_of(key) == "UUIDField"


def _unique_places(part: Part) -> list[tuple[int, ...]]:
    """The columns that are unique in the target, alone or together, without a condition; all of them in the bundle."""
    meta = part.model._meta
    own = {one.name: one.column for one in meta.local_concrete_fields}
    alone = [(one.name,) for one in meta.local_concrete_fields if one.unique and not one.primary_key]
    together = [tuple(names) for names in meta.unique_together]
    named = dict.fromkeys([*alone, *together, *(tuple(one.fields) for one in meta.total_unique_constraints)])
    fitting = [names for names in named if all(name in own and part.has(own[name]) for name in names)]
    return [tuple(part.place(own[name]) for name in names) for names in fitting]


def lock(alias: str) -> None:
    """One load at a time, where a database can be told so: the number is that of the plugin for PostgreSQL."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(b"isekai", "big")])
        if not cursor.fetchone()[0]:
            msg = f"another load or unload works on orm:{alias}; try again when it is done"
            raise StagingError(msg)
