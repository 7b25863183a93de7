"""The conformance suites: pytest classes that say, in an author's own test run, whether a processor keeps the contract.

base.py     what all kinds have in common; suite.py reads what the author's class gives
seed.py     one suite per kind; extract.py, mine.py, transform.py, load.py
checks.py   what several of them look at; hostile.py makes the payloads that nobody wants
"""

from isekai_core.testing.conformance.extract import ExtractorConformance
from isekai_core.testing.conformance.load import LoaderConformance
from isekai_core.testing.conformance.mine import MinerConformance
from isekai_core.testing.conformance.seed import SeederConformance
from isekai_core.testing.conformance.slices import SliceSourceConformance, SliceTargetConformance
from isekai_core.testing.conformance.transform import TransformerConformance

__all__ = [
    "ExtractorConformance",
    "LoaderConformance",
    "MinerConformance",
    "SeederConformance",
    "SliceSourceConformance",
    "SliceTargetConformance",
    "TransformerConformance",
]
