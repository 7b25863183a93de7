"""Text of others as people read it: specs with their refs as arrows, and nothing that steers a terminal."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from isekai_core.types.codec import TAG

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LONGEST = 1_000


def spec_lines(spec: Any, longest: int = 200) -> Iterator[tuple[str, str]]:
    """The fields of a stored spec and their values, each in at most some `longest` characters.

    >>> list(spec_lines({"model": "blog.Tag", "values": {"name": "Fog", "of": {"$": "ref", "key": "row:1"}}}))
    [('name', '"Fog"'), ('of', '→ row:1')]
    """
    for name, node in spec["values"].items():
        yield name, readable(node, longest)


def readable(node: Any, longest: int = 200) -> str:
    """Tagged JSON on one line; what is longer than `longest` is cut.

    >>> readable({"on": {"$": "date", "v": "2026-01-31"}, "tags": ["a"]})
    '{on: 2026-01-31, tags: ["a"]}'
    """
    text = _written(node, longest)
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters)"


def _written(node: Any, longest: int) -> str:
    if isinstance(node, list):
        return f"[{', '.join(_written(item, longest) for item in node)}]"
    if not isinstance(node, Mapping):
        return json.dumps(node, ensure_ascii=False)
    tag = node.get(TAG)
    if tag is None:
        return f"{{{', '.join(f'{name}: {_written(item, longest)}' for name, item in node.items())}}}"
    return _REFS[tag](node) if tag in _REFS else _scalar(node, longest)


def _scalar(node: Mapping[str, Any], longest: int) -> str:
    if "items" in node:
        pairs = (f"{_written(name, longest)}: {_written(item, longest)}" for name, item in node["items"])
        return f"{{{', '.join(pairs)}}}"
    return str(node.get("v", ""))


def _resource_ref(node: Mapping[str, Any]) -> str:
    attr = node.get("attr", "pk")
    return f"→ {node['key']}" + (f" ({attr})" if attr != "pk" else "")


def _model_ref(node: Mapping[str, Any]) -> str:
    return f"→ {node['model']} with {readable(node['lookup'])[1:-1]}"


def _blob_ref(node: Mapping[str, Any]) -> str:
    return f"the bytes of {node['key'] or 'this resource'}" + (f" as {node['name']}" if node.get("name") else "")


def _text(node: Mapping[str, Any]) -> str:
    parts = (part if isinstance(part, str) else f"[{readable(part)}]" for part in node["parts"])
    return json.dumps("".join(parts), ensure_ascii=False)


_REFS = {"ref": _resource_ref, "model": _model_ref, "blob": _blob_ref, "text": _text}


def printable(text: str, longest: int = _LONGEST) -> str:
    r"""Text of others, so that it cannot steer the terminal: cut, and control characters shown as escapes.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    if len(text) > longest:
        text = text[:longest] + "…"
    return _CONTROL.sub(lambda found: repr(found.group())[1:-1], text)
