"""What several suites look at: whether what a processor gives can be kept, and whether it leaves things open."""

import gc
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isekai_core.pipeline.given import check_key, check_payload
from isekai_core.testing.conformance.suite import fail, must
from isekai_core.testing.patterns import problem_of_media_type
from isekai_core.types import Key, Payload, accepts_name, decode, encode

_SHOWN = 200


def shown(value: object) -> str:
    """`value` for a message, not longer than a line or two."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def check_kept_key(key: Any, where: str) -> None:
    """A key that the database keeps, and that is the same when it is read again."""
    try:
        check_key(key)
        again = Key.parse(str(key))
    except (TypeError, ValueError) as error:
        fail(f"{where}: {error}")
    must(again == key, f"{where}: {key} is not canonical: it is read again as {again}; make keys by Key(type, value)")


def kept_text(value: Any, where: str) -> str:
    """`value` as it is stored; the test fails when it cannot be, or comes back as something else."""
    try:
        text = json.dumps(encode(value, where), sort_keys=True)
    except (TypeError, ValueError) as error:
        fail(str(error))
    again = json.dumps(encode(decode(json.loads(text)), where), sort_keys=True)
    must(again == text, f"{where}: stored and read again it is another: {shown(again)} instead of {shown(text)}")
    return text


def check_kept_metadata(metadata: Any, where: str) -> str:
    """Metadata as it is stored."""
    must(isinstance(metadata, Mapping), f"{where}: metadata is a mapping, got {shown(metadata)}")
    return kept_text(dict(metadata), f"{where} metadata")


def check_kept_payload(payload: Any, where: str) -> None:
    """A payload that is described as the contract has it, and gives the same bytes twice."""
    try:
        check_payload(payload)
    except (TypeError, ValueError) as error:
        fail(f"{where}: {error}")
    if problem := problem_of_media_type(payload.media_type):
        fail(f"{where}: the media type of the payload is {payload.media_type!r}: {problem}")
    first, second = read(payload), read(payload)
    must(first == second, f"{where}: a payload can be opened twice: {len(first)} bytes first, then {len(second)}")
    must(payload.size == len(first), f"{where}: the payload says {payload.size} bytes, and gives {len(first)}")


def read(payload: Payload) -> bytes:
    """The bytes of a new reader."""
    with payload.open() as file:
        return file.read()


def check_produces(processor: Any, name: str, where: str, what: str) -> None:
    """`name`, of a key type, media type or model, is among what the processor says that it produces.

    what: `/` for a media type and so on: names of the other sort in `produces` are none of our business.
    """
    produces: Sequence[str] | None = getattr(processor, "produces", None)
    same_sort = [one for one in produces or () if one == "*" or ("/" in one) == (what == "media type")]
    if not produces or accepts_name(same_sort, name):
        return
    fail(f"{where}: the {what} {name!r} is not in produces, which is {shown(tuple(produces))}: add it there")


def left_open(action: Callable[[], object]) -> list[str]:
    """What `action` opened and did not close, as Python's ResourceWarnings name it."""
    # What was there before is left alone: it is none of the action's, and to go through it takes longer than the rest.
    gc.freeze()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ResourceWarning)
            action()
            gc.collect()
    finally:
        gc.unfreeze()
    return [str(warning.message) for warning in caught if issubclass(warning.category, ResourceWarning)]


def check_closes(action: Callable[[], object], when: str) -> None:
    """Whatever `action` opens is closed at its end."""
    if found := left_open(action):
        fail("\n    ".join([f"{when}, something is still open:", *found]))
