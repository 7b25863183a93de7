"""Staging: everything that a bundle holds is read and checked before a row of the target is changed.

Nothing is kept of it but keys, and the values of columns that foreign keys point to beside keys.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from isekai_core.builtins.orm.drift import Part
from isekai_core.builtins.orm.rows import kind_of
from isekai_core.errors import StagingError
from isekai_core.slicing.columns import base_field
from isekai_core.slicing.dangling import SHOWN, Dangling, refusal
from isekai_core.slicing.generic import CONTENT_TYPE, kinds_of
from isekai_core.slicing.values import TEXTS, text_of, value_of
from isekai_core.types.slices import BundleReader, LoadChoice, Reference

_SHOWN = 5


@dataclass(frozen=True)
class Origin:
    """Where the new value of a reference comes from.

    label: the model whose map of keys has it; "" when the value stays as it is.
    known: the values that are in the bundle.
    """

    label: str
    known: set[str]


@dataclass
class Staging:
    """A bundle that has been read.

    keys: label of a model to the keys of its rows.
    values: label and column to the values there, of columns that references need.
    fixed: label to old key to new key, as texts.
    kinds: old key of a content type to the label of the model it means, of models in the bundle.
    """

    bundle: BundleReader
    parts: list[Part]
    choice: LoadChoice
    keys: dict[str, set[str]] = field(default_factory=dict)
    values: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    fixed: dict[str, dict[str, str]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def read(self) -> None:
        """Read every row once; `StagingError` names model, column and row of a value that does not fit."""
        wanted = {(one.model, one.column) for part in self.parts for one in part.references.values()}
        for part in self.parts:
            self._read(part, [name for label, name in wanted if label == part.label and part.has(name)])
        self._fix()
        self._name_kinds()
        if found := [one for part in self.parts for one in self._dangling(part)]:
            raise StagingError(refusal(found, self.choice.dangling))

    @property
    def by_model(self) -> Mapping[str, Part]:
        """The parts by the label of their model."""
        return {part.label: part for part in self.parts}

    def origin(self, reference: Reference) -> Origin | None:
        """Where a reference's new value comes from; None when the rows it points to are not in the bundle."""
        part = self.by_model.get(reference.model)
        if part is None:
            fixed = self.fixed.get(reference.model)
            return Origin(reference.model, set(fixed)) if fixed else None
        if reference.column == part.table.key:
            return Origin(self.root(part), self.keys[part.label])
        if not part.has(reference.column):
            return None
        further = part.references.get(part.place(reference.column))
        above = self.origin(further) if further else None
        return Origin(above.label if above else "", self.values[part.label, reference.column])

    def generics(self, part: Part) -> Sequence[tuple[int, int]]:
        """The generic foreign keys of a part; none, if the bundle does not say what its content types mean."""
        return part.generics if CONTENT_TYPE in self.by_model else ()

    def generic_label(self, row: Sequence[str | None], generic: tuple[int, int]) -> str | None:
        """The model that a row's generic foreign key points to; None when the row it points to is not in the bundle."""
        kind, key = (row[place] for place in generic)
        label = self.kinds.get(kind or "")
        return label if label is not None and key in self.keys[label] else None

    def root(self, part: Part) -> str:
        """The model whose keys are made for this one, too: a multi-table child has its parent's."""
        while part.key_reference is not None and part.key_reference.model in self.by_model:
            part = self.by_model[part.key_reference.model]
        return part.label

    def _read(self, part: Part, wanted: list[str]) -> None:
        checks = [_Check(part, place) for place in range(len(part.fields))]
        values = {part.place(name): self.values.setdefault((part.label, name), set()) for name in wanted}
        keys = self.keys.setdefault(part.label, set())
        for number, row in enumerate(part.rows(self.bundle), start=1):
            key = row[part.key]
            if key is None or key in keys:
                what = "has no key" if key is None else f"has the key {key} again"
                msg = f"{part.label}: row {number} {what}"
                raise StagingError(msg)
            for check, text in zip(checks, row, strict=True):
                check(text, key)
            keys.add(key)
            for place, found in values.items():
                if (value := row[place]) is not None:
                    found.add(value)

    def _fix(self) -> None:
        pointed = {one.model: one for part in self.parts for one in part.references.values()}
        for label, keys in self.choice.fixed.items():
            part = self.by_model.get(label)
            if part is None and label not in pointed:
                known = ", ".join(self.by_model)
                msg = f"fixed: the bundle has no {label}, and nothing in it points to one; it has {known}"
                raise StagingError(msg)
            if part is not None and part.key_reference is not None:
                msg = f"fixed: the key of {label} is that of its parent {part.key_reference.model}; fix that one"
                raise StagingError(msg)
            self.fixed[label] = {str(old): _key_text(part, label, new) for old, new in keys.items()}
            lost = sorted(self.fixed[label].keys() - self.keys[label]) if part is not None else []
            if lost:
                msg = f"fixed: the bundle has no {label} with the key {', '.join(lost[:_SHOWN])}"
                raise StagingError(msg)

    def _name_kinds(self) -> None:
        part = self.by_model.get(CONTENT_TYPE)
        if part is None or not (part.has("app_label") and part.has("model")):
            return
        labels = {kind: one.label for one in self.parts for kind in kinds_of(one.model)}
        for row in part.rows(self.bundle):
            named = str(row[part.place("app_label")]), str(row[part.place("model")])
            if named in labels:
                self.kinds[str(row[part.key])] = labels[named]

    def _dangling(self, part: Part) -> Iterator[Dangling]:
        """Each column whose dangling references are refused: not those that may become NULL, or are to be kept."""
        counts = Counter(self._lost(part) if self.choice.dangling != "keep" else ())
        for place, one in enumerate(part.fields):
            # By what they mean: of numbers, 9 comes before 10.
            kind = kind_of(one)
            values = sorted((text for at, text in counts if at == place), key=lambda text: value_of(kind, text))
            if values and (self.choice.dangling == "error" or not one.null):
                reference = part.references.get(place)
                yield Dangling(
                    f"{part.label}.{one.column}",
                    reference.model if reference else "",
                    sum(counts[place, text] for text in values),
                    values[: SHOWN + 1],
                )

    def _lost(self, part: Part) -> Iterator[tuple[int, str]]:
        """The place and the value of each reference to a row that is not in the bundle."""
        origins = {place: self.origin(reference) for place, reference in part.references.items()}
        generics = self.generics(part)
        for row in part.rows(self.bundle) if origins or generics else ():
            for place, origin in origins.items():
                text = row[place]
                if text is not None and (origin is None or text not in origin.known):
                    yield place, text
            for generic in generics:
                # Without a content type it points nowhere, and is no reference.
                points = all(row[place] is not None for place in generic)
                if points and self.generic_label(row, generic) is None:
                    yield generic[1], str(row[generic[1]])


def _key_text(part: Part | None, label: str, key: object) -> str:
    if part is None:
        return str(key)
    kind = kind_of(part.fields[part.key])
    try:
        return str(text_of(kind, key if not isinstance(key, str) else value_of(kind, key)))
    except (ValueError, TypeError):
        msg = f"fixed: {key!r} is no key of {label}, which is a {kind}"
        raise StagingError(msg) from None


class _Check:
    """Whether texts fit one column of the target."""

    def __init__(self, part: Part, place: int) -> None:
        self.part = part
        self.field = part.fields[place]
        self.kind = kind_of(self.field)
        self.limit = getattr(base_field(self.field), "max_length", None) if self.kind in TEXTS else None
        # Nothing to find out of most texts.
        self.is_free = self.kind in TEXTS and self.limit is None and self.field.null

    def __call__(self, text: str | None, key: str) -> None:
        if self.is_free:
            return
        if text is None:
            if not self.field.null:
                self._refuse(key, "is NULL, which the target does not take")
            return
        if self.limit is not None and len(text) > self.limit:
            self._refuse(key, f"has {len(text)} characters, {self.limit} are taken at most")
        try:
            value_of(self.kind, text)
        except ValueError as error:
            self._refuse(key, str(error))

    def _refuse(self, key: str, why: str) -> None:
        msg = f"{self.part.label}.{self.field.name}: the row with the key {key}: {why}"
        raise StagingError(msg) from None
