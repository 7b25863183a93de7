"""What people write: a `Pipeline` of processors, each by name with `use` or as a function of their own.

Needs neither Django nor an installed plugin: names are looked up when the pipeline is composed.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from isekai_core.types import KINDS, Extraction, Mined, ResourceView, Seed, Spec

_NAME = re.compile(r"[a-z0-9][a-z0-9_:.-]{0,99}")

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Use:
    """A processor by its name, with options; written `use("http", concurrency=16)`."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


def use(name: str, /, **options: Any) -> Use:
    """A processor by the name under which a plugin registers it, short or in full, with its options.

    >>> use("http", concurrency=16)
    Use(name='http', options={'concurrency': 16})
    """
    return Use(name, options)


@dataclass(frozen=True)
class Pipeline:
    """A named composition of processors.

    name: a namespace in the database: lower-case letters, digits and `_ : . -`, 100 at most.
    seeders: all are asked, in order.
    extractors: the first that accepts the key brings it.
    miners: all that accept the payload are asked.
    transformers: the first that returns a spec wins.
    loaders: the first that accepts the spec's model writes it; the built-in `models` without any.
    max_depth: how many miners may stand between a seed and what is still brought; None for no limit.
    requires: the plugins that it needs, `["isekai-html>=0.1"]`: compared with what is installed first of all.

    Each processor is a `use(…)`, a decorated function, or an object of your own with the kind's method.

    >>> Pipeline("blog", seeders=[use("csv", path="keys.csv")], extractors=["http"]).extractors
    (Use(name='http', options={}),)

    Raises `ValueError` for another form of name or a `max_depth` that is no number of miners, and `TypeError` for
    what is no processor.
    """

    name: str
    seeders: Sequence[Any] = ()
    extractors: Sequence[Any] = ()
    miners: Sequence[Any] = ()
    transformers: Sequence[Any] = ()
    loaders: Sequence[Any] = ("models",)
    max_depth: int | None = None
    requires: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            msg = f"a pipeline's name is lower-case letters, digits and '_:.-', 100 at most, got {self.name!r}"
            raise ValueError(msg)
        for kind in KINDS:
            given = getattr(self, f"{kind}s")
            if isinstance(given, str | Use) or not isinstance(given, Iterable):
                msg = f"pipelines.{self.name}.{kind}s: expected a list of processors, got {given!r}"
                raise TypeError(msg)
            object.__setattr__(self, f"{kind}s", tuple(self._processor(kind, item) for item in given))
        object.__setattr__(self, "requires", self._requirements(self.requires))
        depth = self.max_depth
        if depth is not None and (not isinstance(depth, int) or isinstance(depth, bool) or depth < 0):
            msg = f"pipelines.{self.name}.max_depth: expected a whole number of at least 0, got {depth!r}"
            raise ValueError(msg)

    def _requirements(self, given: Any) -> tuple[str, ...]:
        path, expected = f"pipelines.{self.name}.requires", "expected a list such as ['isekai-html>=0.1']"
        if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
            msg = f"{path}: {expected}, got {given!r}"
            raise TypeError(msg)
        wanted = tuple(given)
        for index, one in enumerate(wanted):
            if not isinstance(one, str):
                msg = f"{path}[{index}]: {expected}, got {one!r}"
                raise TypeError(msg)
        return wanted

    def _processor(self, kind: str, item: Any) -> Any:
        if isinstance(item, str):
            return Use(item)
        method = _METHODS[kind]
        if isinstance(item, Use) or (not isinstance(item, type) and callable(getattr(item, method, None))):
            return item
        hint = (
            f"a decorated function: put @{kind} on it"
            if callable(item) and not isinstance(item, type)
            else f"use('…') or an object with {method}()"
        )
        msg = f"pipelines.{self.name}.{kind}s: {item!r} is no {kind}: expected {hint}"
        raise TypeError(msg)


_METHODS = {kind: kind.removesuffix("er").removesuffix("or") for kind in KINDS} | {
    "miner": "mine",
    "extractor": "extract",
    "loader": "write",
}


class FunctionProcessor:
    """A function of the user's as a processor: what the decorators make. Calling it calls the function."""

    def __init__(
        self,
        kind: str,
        function: Callable[..., Any],
        accepts: Sequence[str],
        produces: Sequence[str],
        version: str | None,
    ) -> None:
        self.kind = kind
        self.function = function
        self.accepts = accepts
        self.produces = produces
        if version is not None:
            self.version = version
        self.__doc__ = function.__doc__
        setattr(self, _METHODS[kind], function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.function.__module__}.{self.function.__qualname__}>"


def _names(given: Any) -> Any:
    # What is no list of names is told when the pipeline is composed: then there is a path to tell with it.
    return (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Iterable) else given


def _decorator(
    kind: str, function: Any, accepts: str | Sequence[str], produces: str | Sequence[str], version: str | None
) -> Any:
    taken, given = _names(accepts), _names(produces)
    if function is None:
        return lambda decorated: FunctionProcessor(kind, decorated, taken, given, version)
    return FunctionProcessor(kind, function, taken, given, version)


@overload
def seeder(function: Callable[[], Iterable[Seed]], /) -> FunctionProcessor: ...
@overload
def seeder(
    *, produces: str | Sequence[str] = (), version: str | None = None
) -> Callable[[Callable[[], Iterable[Seed]]], FunctionProcessor]: ...
def seeder(function: Any = None, /, *, produces: str | Sequence[str] = (), version: str | None = None) -> Any:
    """A function without arguments that gives seeds, as a seeder.

    produces: the types of its keys; anything may come without.

    >>> @seeder
    ... def pages():
    ...     yield Seed(Key("url", "https://old.example.org/"))
    """
    return _decorator("seeder", function, (), produces, version)


def extractor(
    *, accepts: str | Sequence[str], produces: str | Sequence[str] = (), version: str | None = None
) -> Callable[[Callable[[ResourceView], Extraction | Awaitable[Extraction]]], FunctionProcessor]:
    """A function (or a coroutine function) of a resource that brings its payload, as an extractor.

    accepts: the key types it can bring.
    produces: the media types of what it brings; anything may come without.
    """
    made: Callable[..., FunctionProcessor] = _decorator("extractor", None, accepts, produces, version)
    return made


@overload
def miner(function: Callable[[ResourceView], Iterable[Mined]], /) -> FunctionProcessor: ...
@overload
def miner(
    *, accepts: str | Sequence[str] = "*", produces: str | Sequence[str] = (), version: str | None = None
) -> Callable[[Callable[[ResourceView], Iterable[Mined]]], FunctionProcessor]: ...
def miner(
    function: Any = None,
    /,
    *,
    accepts: str | Sequence[str] = "*",
    produces: str | Sequence[str] = (),
    version: str | None = None,
) -> Any:
    """A function of a resource that gives what it found there, as a miner.

    accepts: media types, with wildcards.
    produces: the types of the keys it finds; anything may come without.
    """
    return _decorator("miner", function, accepts, produces, version)


@overload
def transformer(function: Callable[[ResourceView], Spec | None], /) -> FunctionProcessor: ...
@overload
def transformer(
    *, accepts: str | Sequence[str] = "*", produces: str | Sequence[str] = (), version: str | None = None
) -> Callable[[Callable[[ResourceView], Spec | None]], FunctionProcessor]: ...
def transformer(
    function: Any = None,
    /,
    *,
    accepts: str | Sequence[str] = "*",
    produces: str | Sequence[str] = (),
    version: str | None = None,
) -> Any:
    """A function of a resource that returns its spec, or None, as a transformer.

    accepts: media types, with wildcards.
    produces: the models of its specs, such as `"blog.Article"`; any may come without.
    version: stands for the function's source when a plain run asks whether its output may have changed.

    >>> @transformer(accepts="text/html")
    ... def article(resource):
    ...     return Spec("blog.Article", {"title": resource.payload.text})
    """
    return _decorator("transformer", function, accepts, produces, version)
