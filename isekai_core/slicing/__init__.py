"""Slices: a consistent, sampled, masked subset of a database, cut out and loaded elsewhere.

slicer.py       DataSlicer: from a source through a bundle to a target; progress.py shows how far it is

importer.py     what people declare of a model; columns.py: what is exported of it; generic.py: its generic keys
job.py          what they want of it; given.py refuses what would mean nothing
plan.py         jobs become tables in an order, which order.py finds; derive.py: from a few rows instead of jobs
circles.py      rows that a limit leaves without those they need
budget.py       limits that make it as large as asked for; estimates.py: as a notebook shows them

masks.py        what stands for what a person wrote: masktexts.py fits it into its column, seeded.py makes it by chance,
                allowed.py says where, decided.py for which columns, secret.py by which secret
masking.py      does it, on the way into a bundle

bundle.py       writes a folder: aside.py until all is there, disk.py until it is on the disk
manifest.py     what is in it, and manifest_reading.py reads that; tablefile.py: one of its files
reading.py      reads it; tablerows.py: its rows; csvtext.py: PostgreSQL's CSV; values.py: what is in it
place.py        a bundle in a storage
verify.py       whether a bundle is what it was, and how two differ; rowdiff.py: in which rows

files.py        files of file fields into a bundle, or placeholders.py for them; storing.py: into the target's storages
dangling.py     what is said of references to rows that are not in a bundle
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isekai_core.slicing.importer import Importer
    from isekai_core.slicing.job import ImportJob, per
    from isekai_core.slicing.masks import constant, fake, hashed, keep, null
    from isekai_core.slicing.slicer import DataSlicer

_HOME_OF = {
    "DataSlicer": "isekai_core.slicing.slicer",
    "ImportJob": "isekai_core.slicing.job",
    "Importer": "isekai_core.slicing.importer",
    "constant": "isekai_core.slicing.masks",
    "fake": "isekai_core.slicing.masks",
    "hashed": "isekai_core.slicing.masks",
    "keep": "isekai_core.slicing.masks",
    "null": "isekai_core.slicing.masks",
    "per": "isekai_core.slicing.job",
}

__all__ = ["DataSlicer", "ImportJob", "Importer", "constant", "fake", "hashed", "keep", "null", "per"]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
