"""The suite of extractors: run as the engine runs them, plain or as coroutines, opened and closed once."""

import asyncio
import inspect
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Any, ClassVar

from isekai_core.errors import ExtractError
from isekai_core.loops import concurrency_of, new_loop
from isekai_core.testing.conformance.base import Conformance
from isekai_core.testing.conformance.checks import (
    check_closes,
    check_kept_key,
    check_kept_metadata,
    check_kept_payload,
    check_produces,
    read,
    shown,
)
from isekai_core.testing.conformance.suite import Suite, fail, must
from isekai_core.types import Extraction, Key, ResourceView
from isekai_core.types.protocols import accepts_key

_KEYS = '[Key("acme", "1")]'
_MISSING = '[Key("acme", "nobody-has-this")]'

Look = Callable[[Key, Extraction], None]


class ExtractorConformance(Conformance):
    """Subclass it, and give it an extractor and keys that it can bring.

    class TestAcme(ExtractorConformance):
        processor = use("acme", token="t")
        keys = [Key("acme", "1")]

    keys: what it can bring.
    missing: keys that it accepts and cannot bring, if there can be any.
    """

    kind: ClassVar[str] = "extractor"

    def test_it_accepts_the_keys(self, suite: Suite) -> None:
        """By `accepts`, and by `handles()` where it has one."""
        extractor = suite.object
        for key in [*_keys(suite), *_missing(suite)]:
            asked = f"accepts is {shown(tuple(extractor.accepts))}"
            asked += ", and it has handles()" if hasattr(extractor, "handles") else ""
            must(accepts_key(extractor, key), f"it does not accept {key}: {asked}")

    def test_it_brings_the_keys(self, suite: Suite) -> None:
        """An Extraction, whose payload has bytes and can be opened twice."""
        extract(suite.object, _keys(suite), _check_payload)

    def test_what_it_says_of_them_can_be_kept(self, suite: Suite) -> None:
        """Metadata is of types that the journal knows; `final_key` is a key."""
        extract(suite.object, _keys(suite), _check_said)

    def test_it_brings_only_what_it_says_it_produces(self, suite: Suite) -> None:
        """`produces`, where it is declared, names the media types."""
        extractor = suite.object
        extract(
            extractor,
            _keys(suite),
            lambda key, it: check_produces(extractor, it.payload.media_type, str(key), "media type"),
        )

    def test_it_brings_the_same_bytes_twice(self, suite: Suite) -> None:
        """Nothing has changed at the source: `--refresh` finds nothing to do. Coroutines bring them at once, too."""
        keys, seen = _keys(suite), dict[Key, tuple[str, bytes]]()

        def compare(key: Key, extraction: Extraction) -> None:
            brought = extraction.payload.media_type, read(extraction.payload)
            before = seen.setdefault(key, brought)
            must(before == brought, f"{key}: asked twice, it brought {shown(before)} first, then {shown(brought)}")

        extract(suite.object, keys, compare)
        extract(suite.object, keys, compare, at_once=True)

    def test_what_is_missing_is_an_extract_error(self, suite: Suite) -> None:
        """`ExtractError`, or `TemporaryError` when it is worth trying again, and nothing else."""
        for key in _missing(suite):
            try:
                extract(suite.object, [key], _check_payload)
            except ExtractError as error:
                must(str(error), f"{key}: the {type(error).__name__} has no message: say what was asked for, and got")
            except Exception as error:
                fail(f"{key}: expected ExtractError, got {type(error).__name__}: {error}")
            else:
                fail(f"{key} is among {suite.name}.missing: expected ExtractError, and it brought something")

    def test_it_leaves_nothing_open(self, suite: Suite) -> None:
        """Files and connections are closed once the processor is left."""
        keys = _keys(suite)
        check_closes(lambda: extract(suite.object, keys, _check_payload), "after the run")


def _keys(suite: Suite) -> list[Key]:
    return suite.several("keys", Key, _KEYS)


def _missing(suite: Suite) -> list[Key]:
    return suite.several("missing", Key, _MISSING, may_lack=True)


def _check_payload(key: Key, extraction: Extraction) -> None:
    check_kept_payload(extraction.payload, str(key))
    must(extraction.payload.size, f"{key}: the payload is empty (0 bytes): raise ExtractError instead")


def _check_said(key: Key, extraction: Extraction) -> None:
    check_kept_metadata(extraction.metadata, str(key))
    if extraction.final_key is not None:
        check_kept_key(extraction.final_key, f"the final_key of {key}")


def extract(extractor: Any, keys: Iterable[Key], look: Look, *, at_once: bool = False) -> None:
    """Bring the keys as the engine does, and look at each while the processor is open.

    at_once: coroutines are under way side by side, as they are in a run; otherwise one after the other.
    """
    if inspect.iscoroutinefunction(extractor.extract):
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_extract_on_loop(extractor, list(keys), look, at_once))
        return
    for key in keys:
        _look(key, extractor.extract(ResourceView(key)), look)


async def _extract_on_loop(extractor: Any, keys: Sequence[Key], look: Look, at_once: bool) -> None:
    side_by_side = asyncio.Semaphore(concurrency_of(extractor) if at_once else 1)

    async def brought(key: Key) -> Any:
        async with side_by_side:
            return await extractor.extract(ResourceView(key))

    async with AsyncExitStack() as stack:
        if hasattr(extractor, "__aenter__"):
            await stack.enter_async_context(extractor)
        for key, extraction in zip(keys, await asyncio.gather(*map(brought, keys)), strict=True):
            _look(key, extraction, look)


def _look(key: Key, extraction: Any, look: Look) -> None:
    if inspect.iscoroutine(extraction):
        extraction.close()
        fail(f"{key}: extract() returned a coroutine without being a coroutine function: write async def extract")
    must(isinstance(extraction, Extraction), f"{key}: an extractor returns an Extraction, got {shown(extraction)}")
    look(key, extraction)
