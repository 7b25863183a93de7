"""Slices: a consistent, sampled, masked subset of a database, cut out and loaded elsewhere."""

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
