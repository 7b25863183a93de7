"""What the steps of one load share: its session, its parts, and where the maps of keys are."""

from dataclasses import dataclass, field
from functools import cached_property

from psycopg import sql

from isekai_core.types.slices import LoadChoice, Reference
from isekai_postgres.loading.drift import Part
from isekai_postgres.loading.session import Session

BY_NATURAL_KEY = frozenset({"contenttypes.ContentType", "auth.Permission"})
"""Their keys differ between databases that mean the same: they always go by their unique values."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the new value of a reference comes from.

    map: the map of keys to look it up in; None when the value stays as it is.
    part, column: the staged table that must hold the value, if it is no key.
    """

    map: sql.Identifier | None = None
    part: Part | None = None
    column: str = ""


@dataclass
class Work:
    """A load on its way.

    name: what its map is kept under.
    outside: maps of models that are not in the bundle, for which `choice.fixed` says keys.
    fresh: the labels of the parts that are fresh.
    """

    session: Session
    parts: tuple[Part, ...]
    choice: LoadChoice
    name: str
    outside: dict[str, sql.Identifier] = field(default_factory=dict)
    fresh: frozenset[str] = frozenset()

    @cached_property
    def by_model(self) -> dict[str, Part]:
        """The parts by the label of their model."""
        return {part.label: part for part in self.parts}

    def is_natural(self, part: Part) -> bool:
        """Whether rows with the same unique values come before keys of an earlier load."""
        return self.choice.ids == "natural" or part.label in BY_NATURAL_KEY

    def keeps(self, part: Part) -> bool:
        """Whether the keys of the bundle are to be kept."""
        return self.choice.ids == "keep" and part.label not in BY_NATURAL_KEY

    def is_empty(self, part: Part) -> bool:
        """Whether the target's table has no row, so that nothing needs to be looked for."""
        return not self.session.value(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(part.target.identifier))

    def source(self, reference: Reference) -> Source | None:
        """Where its new value comes from; None when the rows it points to are not in the bundle."""
        part = self.by_model.get(reference.model)
        if part is None:
            there = self.outside.get(reference.model)
            return Source(there) if there else None
        if reference.column == part.table.key:
            return Source(part.map)
        if not part.has(reference.column):
            return None
        column = next(one for one in part.table.columns if one.name == reference.column)
        return self.source(column.reference) if column.reference else Source(None, part, column.name)

    def root(self, part: Part) -> Part | None:
        """The part whose keys are made for this one, too: a multi-table child has its parent's."""
        while part.key_reference is not None:
            above = self.by_model.get(part.key_reference.model)
            if above is None or part.key_reference.column != above.table.key:
                return None
            part = above
        return part
