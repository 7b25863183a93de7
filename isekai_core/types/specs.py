"""Specs: the model-shaped description that a transformer returns, with typed pointers inside."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from isekai_core.types.keys import Key


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """A pointer to another resource: to the row that it becomes.

    key: whose row.
    attr: what of the row: `pk` (for relations: the row itself), `url` (its `get_absolute_url()`, or the
        address of its file), or any attribute, dotted.
    soft: a hard ref orders the load and blocks when its target fails. A soft one takes `fallback` until
        its target is loaded, and is written again then.
    fallback: the value while a soft ref's target is not loaded.

    >>> ResourceRef(Key("url", "https://old.example.org/ada"))
    ResourceRef(key=Key(type='url', value='https://old.example.org/ada'), attr='pk', soft=False, fallback=None)
    """

    key: Key
    attr: str = "pk"
    soft: bool = False
    fallback: Any = None


@dataclass(frozen=True, slots=True, init=False)
class ModelRef:
    """A pointer to a row that exists already, looked up by field values.

    >>> ModelRef("auth.User", username="admin").lookup
    {'username': 'admin'}
    """

    model: str
    attr: str
    lookup: Mapping[str, Any]

    def __init__(self, model: str, /, attr: str = "pk", **lookup: Any) -> None:
        if not lookup:
            msg = f"a ModelRef needs a lookup such as ModelRef({model!r}, slug='about'), got none"
            raise ValueError(msg)
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "attr", attr)
        object.__setattr__(self, "lookup", lookup)


@dataclass(frozen=True, slots=True)
class BlobRef:
    """A pointer to a payload, for a file or image field: the resource's own, or that of `key`.

    name: the file's name; without one, the last part of the key.
    """

    key: Key | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, init=False)
class Text:
    """Text with refs inside: strings and soft `ResourceRef`s that are joined when they are resolved.

    Refs inside text are always soft: while the target is not loaded, the ref's fallback stands there.

    >>> link = ResourceRef(Key("url", "https://old.example.org/b"), "url", soft=True, fallback="/b")
    >>> Text('<a href="', link, '">b</a>').plain
    '<a href="/b">b</a>'
    """

    parts: tuple[str | ResourceRef, ...]

    def __init__(self, *parts: str | ResourceRef) -> None:
        for part in parts:
            if not isinstance(part, str) and not (isinstance(part, ResourceRef) and part.soft):
                msg = f"a Text is made of strings and soft refs, got {part!r}"
                raise TypeError(msg)
        object.__setattr__(self, "parts", parts)

    @property
    def plain(self) -> str:
        """The text with every ref's fallback in its place."""
        return "".join(part if isinstance(part, str) else str(part.fallback or "") for part in self.parts)


Ref = ResourceRef | ModelRef | BlobRef | Text


@dataclass(slots=True)
class Spec:
    """What a resource becomes: one row of one model.

    model: `app_label.ModelName`.
    values: field name to value; a value may be, or hold at any depth, a `ResourceRef`, `ModelRef`,
        `BlobRef` or `Text`. A many-to-many field takes a list.
    match: the fields that tell whether the row exists already; it is updated then.

    >>> Spec("blog.Article", {"slug": "a", "title": "A"}, match=["slug"]).model
    'blog.Article'
    """

    model: str
    values: dict[str, Any] = field(default_factory=dict)
    match: tuple[str, ...] = ()

    def __init__(
        self, model: str, values: Mapping[str, Any] | None = None, match: tuple[str, ...] | list[str] = ()
    ) -> None:
        if model.count(".") != 1:
            msg = f"a spec's model is written app_label.ModelName, got {model!r}"
            raise ValueError(msg)
        if isinstance(match, str):
            msg = f"match is a list of field names such as [{match!r}], got {match!r}"
            raise TypeError(msg)
        self.model = model
        self.values = dict(values or {})
        self.match = tuple(match)
        if missing := [name for name in self.match if name not in self.values]:
            msg = f"match names {missing[0]!r}, which the spec of {model} gives no value for"
            raise ValueError(msg)

    def refs(self) -> Iterator[ResourceRef | ModelRef | BlobRef]:
        """Every ref in the values, at any depth, in order."""
        for value in self.values.values():
            yield from walk_refs(value)


_POINTERS = (ResourceRef, ModelRef, BlobRef)


def walk_refs(value: Any) -> Iterator[ResourceRef | ModelRef | BlobRef]:
    """Every ref in `value`, at any depth, in order."""
    if isinstance(value, _POINTERS):
        yield value
    elif isinstance(value, str):
        return
    elif isinstance(value, Text):
        yield from (part for part in value.parts if not isinstance(part, str))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from walk_refs(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from walk_refs(item)
