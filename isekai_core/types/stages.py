"""The five stages and the seven states: the words of the pipeline, in their order."""

from enum import StrEnum

STAGES = ("seed", "extract", "mine", "transform", "load")
"""The verbs of the pipeline, in order. Modules, hooks, errors, protocols and tests carry these names."""

KINDS = ("seeder", "extractor", "miner", "transformer", "loader")
"""What a plugin can register, in the order of the stages they serve."""


class Stage(StrEnum):
    """The last stage that a resource completed.

    >>> Stage.SEEDED < Stage.LOADED
    True
    >>> Stage.after("mine")
    <Stage.MINED: 'mined'>
    """

    SEEDED = "seeded"
    EXTRACTED = "extracted"
    MINED = "mined"
    TRANSFORMED = "transformed"
    LOADED = "loaded"

    @property
    def position(self) -> int:
        """0 for seeded to 4 for loaded."""
        return _POSITIONS[self]

    @classmethod
    def after(cls, verb: str) -> "Stage":
        """The stage that a resource has completed once `verb` (one of `STAGES`) was done to it."""
        return _ORDER[STAGES.index(verb)]

    # A StrEnum compares as text, where "extracted" < "seeded": the order must be the pipeline's.
    def __lt__(self, other: str) -> bool:
        return self.position < _POSITIONS[other]

    def __le__(self, other: str) -> bool:
        return self.position <= _POSITIONS[other]

    def __gt__(self, other: str) -> bool:
        return self.position > _POSITIONS[other]

    def __ge__(self, other: str) -> bool:
        return self.position >= _POSITIONS[other]


# Compared several times for every resource; a text finds its stage here, too, as it has the same hash.
_POSITIONS: dict[str, int] = {stage: position for position, stage in enumerate(Stage)}
_ORDER = tuple(Stage)


class State(StrEnum):
    """What may happen to a resource next."""

    READY = "ready"
    RUNNING = "running"
    RETRY_WAIT = "retry_wait"
    BLOCKED = "blocked"
    FAILED = "failed"
    SKIPPED = "skipped"
    DONE = "done"
