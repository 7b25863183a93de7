"""Values to JSON and back, equal: dates, decimals, refs and the like become tagged nodes `{"$": …}`.

A mapping of the user's that holds `$` is tagged too, so nothing that came from a page can be
mistaken for a ref.
"""

import base64
import datetime as dt
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from isekai_core.types.keys import Key
from isekai_core.types.specs import BlobRef, ModelRef, ResourceRef, Text

TAG = "$"
_PLAIN = frozenset((str, bool, int, type(None)))
_REFS = (ResourceRef, ModelRef, BlobRef, Text)
_KNOWN = (
    "text, numbers, booleans, None, dates, times, durations, Decimal, UUID, bytes, keys, refs,"
    " lists and mappings of those"
)


def encode(value: Any, path: str = "value") -> Any:
    """`value` as what `json.dumps` takes; `TypeError` names the path of a value that is not known.

    >>> encode({"on": dt.date(2026, 1, 31)})
    {'on': {'$': 'date', 'v': '2026-01-31'}}
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, _REFS):
        return _encode_ref(value, path)
    if isinstance(value, Mapping):
        return _encode_mapping(value, path)
    if isinstance(value, list | tuple):
        return _encode_items(value, path)
    for kind, tag, write, _ in _SCALARS:
        if isinstance(value, kind):
            return write(value) if tag is None else {TAG: tag, "v": write(value)}
    msg = f"{path}: cannot keep a value of type {type(value).__qualname__}; expected {_KNOWN}"
    raise TypeError(msg)


def decode(node: Any) -> Any:
    """What `encode` was given.

    >>> decode({"$": "date", "v": "2026-01-31"})
    datetime.date(2026, 1, 31)
    """
    if isinstance(node, list):
        return [decode(item) for item in node]
    if not isinstance(node, dict):
        return node
    tag = node.get(TAG)
    if tag is None:
        return {name: decode(item) for name, item in node.items()}
    return _READERS[tag](node)


def _encode_items(items: Sequence[Any], path: str) -> list[Any]:
    # A page is hundreds of plain pieces: a path is made for what may have something wrong inside.
    return [item if type(item) in _PLAIN else encode(item, f"{path}[{index}]") for index, item in enumerate(items)]


def _encode_mapping(value: Mapping[Any, Any], path: str) -> Any:
    if TAG in value or not all(type(name) is str for name in value):
        if unusable := [name for name in value if isinstance(name, tuple | Text)]:
            msg = f"{path}: cannot keep a mapping with the key {unusable[0]!r}; expected text, a number or a date"
            raise TypeError(msg)
        pairs = [[encode(name, f"{path} key"), encode(item, f"{path}[{name!r}]")] for name, item in value.items()]
        return {TAG: "map", "items": pairs}
    return {name: encode(item, f"{path}.{name}") for name, item in value.items()}


def _encode_ref(value: ResourceRef | ModelRef | BlobRef | Text, path: str) -> dict[str, Any]:
    match value:
        case ResourceRef():
            node = {TAG: "ref", "key": str(value.key), "attr": value.attr, "soft": value.soft}
            return node if value.fallback is None else node | {"fallback": encode(value.fallback, path)}
        case ModelRef():
            return {TAG: "model", "model": value.model, "attr": value.attr, "lookup": encode(value.lookup, path)}
        case BlobRef():
            return {TAG: "blob", "key": None if value.key is None else str(value.key), "name": value.name}
        case Text():
            return {TAG: "text", "parts": _encode_items(value.parts, path)}


def _read_float(text: str) -> float:
    return float(text)


def _write_float(value: float) -> Any:
    return value if math.isfinite(value) else {TAG: "float", "v": str(value)}


def _read_duration(parts: list[int]) -> dt.timedelta:
    return dt.timedelta(*parts)


# Order matters: a datetime is a date, and subclasses of the plain types are told here.
_SCALARS: tuple[tuple[Any, str | None, Callable[[Any], Any], Callable[[Any], Any]], ...] = (
    (str, None, str, str),
    (int, None, int, int),
    (float, None, _write_float, _read_float),
    (dt.datetime, "datetime", dt.datetime.isoformat, dt.datetime.fromisoformat),
    (dt.date, "date", dt.date.isoformat, dt.date.fromisoformat),
    (dt.time, "time", dt.time.isoformat, dt.time.fromisoformat),
    (dt.timedelta, "duration", lambda value: [value.days, value.seconds, value.microseconds], _read_duration),
    (Decimal, "decimal", str, Decimal),
    (uuid.UUID, "uuid", str, uuid.UUID),
    (bytes, "bytes", lambda value: base64.b64encode(value).decode(), base64.b64decode),
    (Key, "key", str, Key.parse),
)


def _scalar_reader(read: Callable[[Any], Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda node: read(node["v"])


def _read_model(node: dict[str, Any]) -> ModelRef:
    return ModelRef(node["model"], node["attr"], **decode(node["lookup"]))


def _read_ref(node: dict[str, Any]) -> ResourceRef:
    return ResourceRef(Key.parse(node["key"]), node["attr"], soft=node["soft"], fallback=decode(node.get("fallback")))


def _read_blob(node: dict[str, Any]) -> BlobRef:
    return BlobRef(None if node["key"] is None else Key.parse(node["key"]), node["name"])


_READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    **{tag: _scalar_reader(read) for _, tag, _, read in _SCALARS if tag is not None},
    "float": _scalar_reader(_read_float),
    "map": lambda node: {decode(name): decode(item) for name, item in node["items"]},
    "ref": _read_ref,
    "model": _read_model,
    "blob": _read_blob,
    "text": lambda node: Text(*(part if type(part) is str else decode(part) for part in node["parts"])),
}
