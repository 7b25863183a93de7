"""The five protocols: what a processor is. One method each, plus what it declares about itself.

A processor is a class. Its keyword arguments are its options: their types, defaults and docstring are
what `isekai plugins show` prints and what a pipeline is checked against. Class attributes that every
kind may declare, all optional:

version: `str`. Raise it when the output changes for the same input; the plugin's version without it.
produces: what it gives, `Sequence[str]`, so that a pipeline whose stages cannot meet is refused: a seeder and a
    miner key types (`"url"`), an extractor media types, a transformer models. A name with `/` in it is a media type:
    seeders and miners that give the payload with the key name its type, too. Anything may come without.
neutral_options: names of options that cannot change the output (`concurrency`).
secret_options: names of options that must never be shown or stored.
"""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Protocol, runtime_checkable

from isekai_core.types.keys import Key
from isekai_core.types.load import LoadItem
from isekai_core.types.resources import Extraction, Mined, ResourceView, Seed
from isekai_core.types.specs import Spec


@runtime_checkable
class Seeder(Protocol):
    """Gives the keys to start from. All seeders of a pipeline are asked, in order.

    >>> class Numbers:
    ...     def seed(self):
    ...         yield Seed(Key("row", "1"))
    >>> isinstance(Numbers(), Seeder)
    True
    """

    def seed(self) -> Iterable[Seed]:
        """The seeds, lazily: they are written in batches, so millions are fine.

        An exception ends this seeder; what it gave before is kept.
        """
        ...


@runtime_checkable
class Extractor(Protocol):
    """Brings the bytes of a key. Of a pipeline's extractors, the first that accepts the key does it.

    accepts: the key types it can bring, `("url",)`. It may also have `handles(key) -> bool`, for a closer look.

    `extract` may be a coroutine: it runs then on an event loop in a helper thread, many at once (at most
    the processor's `concurrency`, 16 without one), and must not touch the ORM. The processor may be an
    asynchronous context manager (`__aenter__`, `__aexit__`): entered once per run, on that loop.
    """

    @property
    def accepts(self) -> Sequence[str]:
        """Its patterns; an attribute of the class, of the object, or a property."""
        ...

    def extract(self, resource: ResourceView) -> Extraction | Awaitable[Extraction]:
        """The payload of `resource.key`.

        Raise `ExtractError` when it cannot be had, `TemporaryError` when it is worth trying again.
        """
        ...


@runtime_checkable
class Miner(Protocol):
    """Finds further keys inside a payload. All miners of a pipeline that accept it are asked.

    accepts: the media types it reads, with wildcards: `("text/html", "image/*")`.
    """

    @property
    def accepts(self) -> Sequence[str]:
        """Its patterns; an attribute of the class, of the object, or a property."""
        ...

    def mine(self, resource: ResourceView) -> Iterable[Mined]:
        """What is found in `resource.payload`; duplicates and the resource's own key do no harm."""
        ...


@runtime_checkable
class Transformer(Protocol):
    """Turns a payload into a spec. Of a pipeline's transformers, the first that returns one wins.

    accepts: the media types it reads, with wildcards: `("text/html", "image/*")`.
    """

    @property
    def accepts(self) -> Sequence[str]:
        """Its patterns; an attribute of the class, of the object, or a property."""
        ...

    def transform(self, resource: ResourceView) -> Spec | None:
        """The spec of the row, or None: not mine, ask the next one."""
        ...


@runtime_checkable
class Loader(Protocol):
    """Writes rows. Core orders, resolves, matches and owns the transaction; the first that accepts writes.

    accepts: the models it writes, with wildcards: `("*",)`, `("blog.*",)`.
    """

    @property
    def accepts(self) -> Sequence[str]:
        """Its patterns; an attribute of the class, of the object, or a property."""
        ...

    def plan(self, items: Sequence[LoadItem]) -> None:
        """Decide each item's action: all of one model. Writes nothing."""
        ...

    def write(self, items: Sequence[LoadItem]) -> None:
        """Write the items whose action is create or update, and set their `pk` and `written`.

        Any exception rolls the batch back; core then splits it until the culprit is alone.
        """
        ...


def accepts_key(extractor: Extractor, key: Key) -> bool:
    """Whether `extractor` can bring `key`: by its declared types, then by its `handles`, if it has one."""
    if key.type not in extractor.accepts and "*" not in extractor.accepts:
        return False
    handles = getattr(extractor, "handles", None)
    return True if handles is None else bool(handles(key))


def accepts_name(patterns: Sequence[str], name: str) -> bool:
    """Whether `name` (a media type or a model) fits one of `patterns`, where `*` stands for anything.

    >>> accepts_name(("text/html", "image/*"), "image/png")
    True
    """
    lowered = name.lower()
    for pattern in patterns:
        prefix, star, _ = pattern.lower().partition("*")
        if (star and lowered.startswith(prefix)) or pattern.lower() == lowered:
            return True
    return False


def may_meet(one: str, other: str) -> bool:
    """Whether some name fits both patterns, where `*` at the end stands for anything.

    >>> may_meet("image/*", "image/png"), may_meet("*/*", "text/html"), may_meet("text/html", "text/plain")
    (True, True, False)
    """
    if "*/*" in (one, other):
        return True
    first, any_first, _ = one.lower().partition("*")
    second, any_second, _ = other.lower().partition("*")
    if any_first and any_second:
        return first.startswith(second) or second.startswith(first)
    if any_first or any_second:
        return second.startswith(first) if any_first else first.startswith(second)
    return first == second
