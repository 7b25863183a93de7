"""ISEKAI: brings any data, files included, into Django models.

The public names, imported at first use: `import isekai_core` costs nothing and needs no Django project.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isekai_core.hookspecs import Register, hookimpl
    from isekai_core.pipeline.definition import Pipeline, extractor, miner, seeder, transformer, use
    from isekai_core.pipeline.engine import RunResult as RunResult
    from isekai_core.pipeline.engine import run as run
    from isekai_core.plugins.registry import installed_apps
    from isekai_core.types import (
        BlobRef,
        Extraction,
        Key,
        Mined,
        ModelRef,
        Payload,
        ResourceRef,
        ResourceView,
        Seed,
        Spec,
        Text,
    )

_HOMES = {
    "isekai_core.hookspecs": ("Register", "hookimpl"),
    "isekai_core.pipeline.definition": ("Pipeline", "extractor", "miner", "seeder", "transformer", "use"),
    "isekai_core.pipeline.engine": ("RunResult", "run"),
    "isekai_core.plugins.registry": ("installed_apps",),
    "isekai_core.types": (
        "BlobRef",
        "Extraction",
        "Key",
        "Mined",
        "ModelRef",
        "Payload",
        "ResourceRef",
        "ResourceView",
        "Seed",
        "Spec",
        "Text",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

# Without `run` and `RunResult`, which need a Django project: a plugin's module may say `import *`.
__all__ = [
    "BlobRef",
    "Extraction",
    "Key",
    "Mined",
    "ModelRef",
    "Payload",
    "Pipeline",
    "Register",
    "ResourceRef",
    "ResourceView",
    "Seed",
    "Spec",
    "Text",
    "extractor",
    "hookimpl",
    "installed_apps",
    "miner",
    "seeder",
    "transformer",
    "use",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
