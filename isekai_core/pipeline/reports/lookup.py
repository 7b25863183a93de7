"""Resources by what somebody types: a key, an address, or a part of one."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from django.db.models import QuerySet

from isekai_core.errors import ConfigurationError
from isekai_core.models import Resource
from isekai_core.types.keys import key_of

_SUGGESTED = 5
_COMPARED = 200
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def with_key(text: str, rows: "QuerySet[Resource]") -> "QuerySet[Resource]":
    """Those of `rows` that have exactly the key that `text` means: by the index, not by reading them all."""
    key = key_of(text)
    return rows.filter(key_hash=key.digest) if key else rows.none()


def find_resource(text: str, pipeline: str | None = None) -> Resource:
    """The resource that `text` means.

    Raises `ConfigurationError`: with keys that are like it when there is none, with the pipelines when it is in
    more than one.
    """
    everything = Resource.objects.all()
    rows = everything.filter(pipeline=pipeline) if pipeline else everything
    found = list(with_key(text, rows).select_related("alias_of", "blocked_by").order_by("pipeline"))
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(row.pipeline for row in found)
        msg = f"{found[0].key} is in more than one pipeline: {names}; choose with --pipeline"
        raise ConfigurationError(msg)
    raise ConfigurationError(_not_found(text, pipeline, rows))


def _not_found(text: str, pipeline: str | None, rows: "QuerySet[Resource]") -> str:
    where = f" in {pipeline}" if pipeline else ""
    near = near_keys(text, rows)
    if near:
        return f"there is no resource {text[:200]!r}{where}; there are:" + "".join(f"\n  {key}" for key in near)
    if not rows.exists():
        return f"there is no resource {text[:200]!r}{where}: nothing has been seeded yet"
    return f"there is no resource {text[:200]!r}{where}, nor one that is like it"


def near_keys(text: str, rows: "QuerySet[Resource]") -> list[str]:
    """Keys that are like `text`: that hold it, or the end of it, or begin like it; the likest first."""
    for needle in _needles(text):
        keys = list(rows.filter(key__icontains=needle).order_by("pk").values_list("key", flat=True)[:_COMPARED])
        if keys:
            return sorted(keys, key=lambda key: (-SequenceMatcher(None, text, key).ratio(), key))[:_SUGGESTED]
    return []


def _needles(text: str) -> Iterator[str]:
    """What to look for, the longest first: all of it, its last part, and less and less of its beginning."""
    bare = _ADDRESS.sub("", text.strip()[:500].removeprefix("url:")).strip("/")
    if not bare:
        return
    yield bare
    *folders, last = bare.split("/")
    if folders and last:
        yield f"/{last}"
        yield from (stem for stem in (last.partition("?")[0].rpartition(".")[0],) if len(stem) > 2)  # noqa: PLR2004
    while folders:
        yield "/".join(folders) + "/"
        folders.pop()
