"""The kit for the tests of plugins and of projects: a web site, a PostgreSQL, settings, resources, plugins.

For each kind of processor there is a suite that says whether one keeps the contract.

Install it with `pip install 'isekai-core[testing]'`; its fixtures come with a pytest plugin. The names
here are imported at first use, because pytest imports this package at every start.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isekai_core.testing.conformance import (
        ExtractorConformance,
        LoaderConformance,
        MinerConformance,
        SeederConformance,
        SliceSourceConformance,
        SliceTargetConformance,
        TransformerConformance,
    )
    from isekai_core.testing.declared import problems_of
    from isekai_core.testing.postgres import database_settings, embedded_postgres, own_database
    from isekai_core.testing.resources import make_resource
    from isekai_core.testing.web import Request, Response, Site, running_site

_HOME_OF = {
    "ExtractorConformance": "isekai_core.testing.conformance",
    "LoaderConformance": "isekai_core.testing.conformance",
    "MinerConformance": "isekai_core.testing.conformance",
    "Request": "isekai_core.testing.web",
    "Response": "isekai_core.testing.web",
    "SeederConformance": "isekai_core.testing.conformance",
    "Site": "isekai_core.testing.web",
    "SliceSourceConformance": "isekai_core.testing.conformance",
    "SliceTargetConformance": "isekai_core.testing.conformance",
    "TransformerConformance": "isekai_core.testing.conformance",
    "database_settings": "isekai_core.testing.postgres",
    "embedded_postgres": "isekai_core.testing.postgres",
    "make_resource": "isekai_core.testing.resources",
    "own_database": "isekai_core.testing.postgres",
    "problems_of": "isekai_core.testing.declared",
    "running_site": "isekai_core.testing.web",
}

__all__ = [
    "ExtractorConformance",
    "LoaderConformance",
    "MinerConformance",
    "Request",
    "Response",
    "SeederConformance",
    "Site",
    "SliceSourceConformance",
    "SliceTargetConformance",
    "TransformerConformance",
    "database_settings",
    "embedded_postgres",
    "make_resource",
    "own_database",
    "problems_of",
    "running_site",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
