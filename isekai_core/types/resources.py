"""Resources as processors give and see them: what a seeder and a miner give, what everyone reads."""

from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, dataclass, field
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

from isekai_core.types.keys import Key
from isekai_core.types.payloads import Payload

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Seed:
    """What a seeder gives: a key, and what the source says of it.

    key: what to bring.
    metadata: anything `encode` takes; processors find it in `ResourceView.metadata`.
    payload: given when the seeder has the data already (a CSV row): that completes extract.
    version: a text that grows when the source changes (a sitemap's lastmod in ISO format, UTC): a
        plain run looks at the resource again only when it is greater than the stored one.

    >>> Seed(Key("url", "https://old.example.org/a"), version="2026-01-31T00:00:00Z").version
    '2026-01-31T00:00:00Z'
    """

    key: Key
    metadata: Mapping[str, Any] = field(default_factory=dict)
    payload: Payload | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Mined:
    """What a miner found inside a resource: another key, and what was said of it there (an `alt`)."""

    key: Key
    metadata: Mapping[str, Any] = field(default_factory=dict)
    payload: Payload | None = None


@dataclass(frozen=True, slots=True)
class Extraction:
    """What an extractor brought.

    payload: the bytes.
    metadata: what the source said with them (a file name, an ETag); never cookies or secrets.
    final_key: where a redirect led, when that is not the key that was asked for.
    """

    payload: Payload
    metadata: Mapping[str, Any] = field(default_factory=dict)
    final_key: Key | None = None


_set = object.__setattr__


class ResourceView:
    """A resource as a processor sees it: read-only, with what the stages before it found.

    key: what identifies it.
    metadata: the seeder's, the extractor's and, of those who found it, the smallest parent key's.
    depth: 0 for what a seeder gave, one more for each miner between.
    mined: the keys that miners found in it; filled before a transformer sees it.

    >>> page = ResourceView(Key("url", "https://old.example.org/a"), payload=Payload.from_text("<p>hi"))
    >>> page.payload.text
    '<p>hi'
    """

    __slots__ = ("_once", "_payload", "depth", "key", "metadata", "mined")

    key: Key
    metadata: Mapping[str, Any]
    depth: int
    mined: frozenset[Key]
    _payload: Payload | None
    _once: dict[str, Any]

    def __init__(
        self,
        key: Key,
        *,
        metadata: Mapping[str, Any] | None = None,
        payload: Payload | None = None,
        depth: int = 0,
        mined: frozenset[Key] = frozenset(),
    ) -> None:
        # What one processor changed, the next would find changed, in this run and not in a later one.
        _set(self, "key", key)
        _set(self, "metadata", MappingProxyType(dict(metadata or {})))
        _set(self, "depth", depth)
        _set(self, "mined", mined)
        _set(self, "_payload", payload)
        _set(self, "_once", {})

    def __setattr__(self, name: str, value: object) -> NoReturn:
        msg = f"a resource is read-only: {name!r} of {self.key} cannot be set"
        raise FrozenInstanceError(msg)

    def __delattr__(self, name: str) -> NoReturn:
        self.__setattr__(name, None)

    @property
    def payload(self) -> Payload:
        """What was extracted; `LookupError` before that stage."""
        if self._payload is None:
            msg = f"{self.key} has no payload: it is not extracted yet"
            raise LookupError(msg)
        return self._payload

    @property
    def media_type(self) -> str:
        """The payload's media type, for example `text/html`."""
        return self.payload.media_type

    def once(self, name: str, make: Callable[["ResourceView"], Made]) -> Made:
        """`make(self)`, made once and kept while the resource is in memory.

        For work that several processors of a resource share, such as a parsed page. Prefix `name` with
        your plugin's: it is one namespace for all.

        >>> page = ResourceView(Key("row", "1"), payload=Payload.from_text("a b"))
        >>> page.once("acme/words", lambda resource: resource.payload.text.split())
        ['a', 'b']
        """
        if name not in self._once:
            self._once[name] = make(self)
        made: Made = self._once[name]
        return made

    def __repr__(self) -> str:
        return f"<ResourceView {self.key}>"


def tell_mined(view: ResourceView, mined: frozenset[Key]) -> None:
    """For the engine: what miners found in it is known now."""
    _set(view, "mined", mined)
