"""The suite of miners: what they find can be kept, and no payload in the world makes them fall over."""

from typing import Any, ClassVar

from isekai_core.errors import MineError, SkipResource
from isekai_core.testing.conformance.base import Conformance
from isekai_core.testing.conformance.checks import (
    check_kept_key,
    check_kept_metadata,
    check_kept_payload,
    check_produces,
    shown,
)
from isekai_core.testing.conformance.hostile import check_bears
from isekai_core.testing.conformance.suite import Suite, fresh, must, resources
from isekai_core.types import Mined, ResourceView, accepts_name


class MinerConformance(Conformance):
    """Subclass it, and give it a miner and resources in which it finds something.

    class TestLinks(MinerConformance):
        processor = use("links")
        resources = [make_resource("url:https://old.example.org/", text="<a href=/b>", media_type="text/html")]

    resources: with payloads that it reads; it finds something in one of them at least.
    """

    kind: ClassVar[str] = "miner"

    def test_it_accepts_the_resources(self, suite: Suite) -> None:
        """By their media types."""
        check_accepts(suite)

    def test_it_finds_something(self, suite: Suite) -> None:
        """`mine()` is iterated, every item is a Mined, and there is one at least."""
        miner = suite.object
        found = [item for view in resources(suite) for item in _mined(miner, view)]
        must(found, f"it found nothing in any of {suite.name}.resources: give one in which there is something to find")

    def test_what_it_finds_can_be_kept(self, suite: Suite) -> None:
        """Keys are canonical; metadata is of types that the journal knows."""
        miner = suite.object
        for view in resources(suite):
            for item in _mined(miner, view):
                where = f"found in {view.key}"
                check_kept_key(item.key, where)
                check_kept_metadata(item.metadata, f"{where}: {item.key}")
                if item.payload is not None:
                    check_kept_payload(item.payload, f"{where}: {item.key}")

    def test_it_finds_only_what_it_says_it_produces(self, suite: Suite) -> None:
        """`produces`, where it is declared, names the key types, and the media types of the payloads."""
        miner = suite.object
        for view in resources(suite):
            for item in _mined(miner, view):
                check_produces(miner, item.key.type, str(item.key), "key type")
                if item.payload is not None:
                    check_produces(miner, item.payload.media_type, str(item.key), "media type")

    def test_it_finds_the_same_twice(self, suite: Suite) -> None:
        """In the same payload: asked again, and asked by another process."""
        for view in resources(suite):
            first, second = (_told(suite.object, view) for _ in range(2))
            must(first == second, f"{view.key}: asked twice, it found {shown(first)} first, then {shown(second)}")

    def test_no_payload_makes_it_fall_over(self, suite: Suite) -> None:
        """Whatever is in it: something, nothing, `MineError` or `SkipResource`."""
        miner = suite.object
        for view in resources(suite):
            check_bears(view, lambda broken: _mined(miner, broken), (MineError, SkipResource))


def check_accepts(suite: Suite) -> None:
    """The processor accepts the media types of all resources."""
    processor = suite.object
    for view in resources(suite):
        accepted = accepts_name(processor.accepts, view.media_type)
        must(accepted, f"it does not accept {view.media_type} of {view.key}: accepts is {shown(processor.accepts)}")


def _mined(miner: Any, view: ResourceView) -> list[Mined]:
    given = miner.mine(fresh(view))
    must(hasattr(given, "__iter__"), f"{view.key}: mine() gives an iterable of Mined objects, got {shown(given)}")
    found = list(given)
    for item in found:
        must(isinstance(item, Mined), f"{view.key}: a miner gives Mined objects, got {shown(item)}")
    return found


def _told(miner: Any, view: ResourceView) -> list[tuple[str, str]]:
    found = _mined(miner, view)
    return [(str(item.key), check_kept_metadata(item.metadata, str(item.key))) for item in found]
