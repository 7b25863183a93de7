"""What a processor class declares about itself, checked without making one and without running it.

`isekai plugins check` asks this of everything that is installed, and the conformance suites of their own
processor, so it needs neither pytest nor a Django project.
"""

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from isekai_core.conf import did_you_mean
from isekai_core.pipeline.definition import FunctionProcessor
from isekai_core.plugins.options import Option, options_of, summary_of
from isekai_core.testing.patterns import problems_of_patterns

METHODS: dict[str, dict[str, tuple[str, ...]]] = {
    "seeder": {"seed": ()},
    "extractor": {"extract": ("resource",)},
    "miner": {"mine": ("resource",)},
    "transformer": {"transform": ("resource",)},
    "loader": {"plan": ("items",), "write": ("items",)},
    "slice_source": {"export": ("plan", "bundle", "progress", "workers"), "estimate": ("plan",)},
    "slice_target": {"load": ("bundle", "choice", "progress"), "unload": ("name",)},
}
"""Kind to the methods that a processor of it has, and what each is called with."""

# A place for bundles is registered as both, and has these instead.
_OF_A_PLACE = {"writer": ("plan",), "reader": ()}
_NAMING = ("neutral_options", "secret_options")
_LAZY = ("seed", "mine")
_SECRET = re.compile("token|password|secret|api_key", re.IGNORECASE)
_NUMBERS = (bool, int, float, types.NoneType)


def problems_of(kind: str, cls: type[Any]) -> list[str]:
    """What is wrong with what `cls`, a processor class of that kind, declares: one line each, none when all is well.

    >>> class Feed:
    ...     '''Reads a feed.'''
    ...     accepts = "url"
    ...     def extract(self, resource): ...
    >>> problems_of("extractor", Feed)
    ["accepts is the text 'url', expected several: write ('url',)"]
    """
    if kind not in METHODS:
        msg = f"kind is one of {', '.join(METHODS)}, got {kind!r}"
        raise ValueError(msg)
    if not isinstance(cls, type):
        return [f"{cls!r} is no class but a {type(cls).__qualname__}: register the class of the {kind}"]
    return list(_problems(kind, cls))


def problems_of_object(kind: str, processor: object) -> list[str]:
    """The same for a processor that is made: what only it has, and for a decorated function the function."""
    if isinstance(processor, FunctionProcessor):
        [(name, arguments)] = METHODS[kind].items()
        found = list(_problems_of_method(name, processor.function, arguments, arguments))
        return [*found, *problems_of_patterns(kind, processor)]
    return [*problems_of(kind, type(processor)), *problems_of_patterns(kind, processor)]


def _problems(kind: str, cls: type[Any]) -> Iterator[str]:
    if not isinstance(cls.__doc__, str | None):
        yield f"__doc__ is {cls.__doc__!r}, expected a text"
    elif not summary_of(cls):
        yield "it has no docstring: say in its first line what it does"
    for name, arguments in _methods(kind, cls).items():
        yield from _problems_of_own_method(cls, name, arguments)
    if not kind.startswith("slice_"):
        yield from _problems_of_context(kind, cls)
        yield from problems_of_patterns(kind, cls)
    named = [problem for name in _NAMING for problem in _problems_of_form(cls, name)]
    yield from named
    try:
        options = options_of(cls)
        parameters = inspect.signature(cls).parameters.values()
    except Exception as error:  # whatever a metaclass or a signature of somebody else's does
        if not named:
            yield f"its options cannot be read: {type(error).__name__}: {error}"
        return
    yield from _problems_of_version(cls, options)
    yield from _problems_of_parameters(parameters)
    if not named and not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        for name in _NAMING:
            yield from _problems_of_names(cls, name, [option.name for option in options])
    for option in options:
        yield from _problems_of_option(option)


# Methods


def _methods(kind: str, cls: type[Any]) -> dict[str, tuple[str, ...]]:
    """What `cls` must have, and what it may have."""
    if kind.startswith("slice_") and any(hasattr(cls, name) for name in _OF_A_PLACE):
        return _OF_A_PLACE
    is_picky = kind == "extractor" and hasattr(cls, "handles")
    return METHODS[kind] | ({"handles": ("key",)} if is_picky else {})


def _problems_of_own_method(cls: type[Any], name: str, arguments: Sequence[str]) -> Iterator[str]:
    raw = inspect.getattr_static(cls, name, None)
    if raw is None:
        yield f"it has no method {name}(): write def {name}({', '.join(('self', *arguments))})"
    elif isinstance(raw, staticmethod):
        yield from _problems_of_method(name, raw.__func__, arguments, arguments)
    elif isinstance(raw, classmethod):
        yield from _problems_of_method(name, raw.__func__, ("cls", *arguments), arguments)
    elif inspect.isfunction(raw):
        yield from _problems_of_method(name, raw, ("self", *arguments), arguments)
    elif not callable(raw) and not hasattr(type(raw), "__get__"):
        yield f"{name} is no method but a {type(raw).__qualname__}"


def _problems_of_method(
    name: str, function: Callable[..., Any], given: Sequence[str], arguments: Sequence[str]
) -> Iterator[str]:
    try:
        inspect.signature(function).bind(*given)
    except TypeError as error:
        wanted = f"with {', '.join(arguments)} alone" if arguments else "without arguments"
        yield f"{name}() cannot be called {wanted}: {error}"
    if inspect.isasyncgenfunction(function):
        yield f"{name}() is an asynchronous generator, which nobody iterates: {_instead(name)}"
    elif inspect.iscoroutinefunction(function) and name != "extract":
        yield f"{name}() is a coroutine function, and only extract() may be one: write def, not async def"
    elif inspect.isgeneratorfunction(function) and name not in _LAZY:
        yield f"{name}() is a generator: {_instead(name)}"


def _instead(name: str) -> str:
    return "write def with yield" if name in _LAZY else "use return, not yield"


def _problems_of_context(kind: str, cls: type[Any]) -> Iterator[str]:
    enters, leaves = hasattr(cls, "__aenter__"), hasattr(cls, "__aexit__")
    if enters != leaves:
        yield f"it has {'__aenter__' if enters else '__aexit__'} alone: an asynchronous context manager has both"
    elif enters and not inspect.iscoroutinefunction(getattr(cls, "extract", None)):
        where = "extract() is no coroutine function" if kind == "extractor" else f"it is a {kind}"
        yield f"it has __aenter__, and {where}: it would never be entered"


# Options


def _problems_of_version(cls: type[Any], options: Sequence[Option]) -> Iterator[str]:
    declared = inspect.getattr_static(cls, "version", None)
    # An option may be called so, and a property is only there on an instance.
    if declared is None or any(option.name == "version" for option in options) or hasattr(type(declared), "__get__"):
        return
    if not isinstance(declared, str):
        yield f"version is {declared!r}, expected a text: write {str(declared)!r}"


def _problems_of_parameters(parameters: Iterable[inspect.Parameter]) -> Iterator[str]:
    for parameter in parameters:
        if parameter.kind is parameter.POSITIONAL_ONLY:
            yield f"the argument {parameter.name!r} cannot be given by name, and options are: take the / away"
        elif parameter.kind is parameter.VAR_POSITIONAL:
            yield f"it takes *{parameter.name}, which no pipeline can give: name each option"


def _problems_of_form(cls: type[Any], name: str) -> Iterator[str]:
    given = inspect.getattr_static(cls, name, ())
    if isinstance(given, str):
        yield f"{name} is the text {given!r}, expected several: write ({given!r},)"
    elif not isinstance(given, Sequence | set | frozenset):
        yield f"{name} is {given!r}, expected the names of options, such as ('timeout',)"


def _problems_of_names(cls: type[Any], name: str, known: Sequence[str]) -> Iterator[str]:
    for one in sorted(str(item) for item in inspect.getattr_static(cls, name, ())):
        if one not in known:
            has = f"the options are {', '.join(known)}" if known else "it has no options"
            yield f"{name} names {one!r}, which is no option{did_you_mean(one, known)}; {has}"


def _problems_of_option(option: Option) -> Iterator[str]:
    if option.annotation is inspect.Parameter.empty:
        yield f"option {option.name!r} has no type: annotate it, for example {option.name}: str"
    elif isinstance(option.annotation, str):
        where = "import it outside of TYPE_CHECKING, and do without annotations as texts"
        yield f"option {option.name!r}: its type {option.annotation!r} is not there at run time: {where}"
    if not option.doc:
        yield f"option {option.name!r} is not in the docstring: add a line '{option.name}: …' that says what it is"
    if _SECRET.search(option.name) and not option.secret and not _is_number(option.annotation):
        yield f"option {option.name!r} looks like a secret, and would be shown: name it in secret_options"


def _is_number(annotation: Any) -> bool:
    """Whether the values are numbers or switches: `max_tokens` is no secret."""
    return all(part in _NUMBERS for part in typing.get_args(annotation) or (annotation,))
