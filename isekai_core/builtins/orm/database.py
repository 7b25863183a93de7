"""Slices of any database that Django knows: slower than a database's own ways, and the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections

from isekai_core.builtins.orm import export, load, unload
from isekai_core.conf import did_you_mean
from isekai_core.loops import outside_loops
from isekai_core.types.estimates import Estimate
from isekai_core.types.slices import BundleReader, BundleWriter, LoadChoice, SlicePlan, SliceProgress, TableReport


@dataclass(frozen=True)
class Orm:
    """A database of the project's DATABASES, as the source or the target of a slice.

    alias: which one.

    Everything is read or written through one connection, in one transaction; rows go through no `save()`, and no
    signals are sent. In memory are keys, and of rows only a few hundred. In a notebook's cell, where Django refuses its
    ORM, all of this is done in a thread.

    >>> Orm("default").name
    'orm:default'
    """

    alias: str = "default"

    def __post_init__(self) -> None:
        known = list(connections)
        if self.alias not in known:
            hint = did_you_mean(str(self.alias), known)
            msg = f"alias: expected one of DATABASES ({', '.join(known)}), got {self.alias!r}{hint}"
            raise ValueError(msg)

    @property
    def name(self) -> str:
        """What messages and manifests call it."""
        return f"orm:{self.alias}"

    def export(
        self,
        plan: SlicePlan,
        bundle: BundleWriter,
        progress: SliceProgress,
        workers: int = 1,  # noqa: ARG002 - there is one connection, and one transaction
    ) -> Mapping[str, Any]:
        """Write every table of `plan` into `bundle`; facts for the manifest. Raises `ExportError`."""
        return outside_loops(lambda: export.export(self.alias, plan, bundle, progress))

    def estimate(self, plan: SlicePlan) -> Mapping[str, Estimate]:
        """What each table would hold: the rows exactly, the bytes about so."""
        return outside_loops(lambda: export.estimate(self.alias, plan))

    def load(self, bundle: BundleReader, choice: LoadChoice, progress: SliceProgress) -> Sequence[TableReport]:
        """Load every table of `bundle`.

        Raises `StagingError` for what does not fit, before anything is changed, and `MergeError` for what the
        database refuses, with everything as it was.
        """
        return outside_loops(lambda: load.load(self.alias, bundle, choice, progress))

    def unload(self, name: str) -> Sequence[TableReport]:
        """Remove exactly the rows that loads under `name` created."""
        return outside_loops(lambda: unload.unload(self.alias, name))
