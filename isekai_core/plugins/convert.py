"""A value against a type annotation: passed, brought into its form (a list for a tuple), or refused in words.

Options come from Python and from TOML, which has neither tuples nor sets, paths nor enums. What is
not known here passes: a class of the author's own is for its `__post_init__` to check.
"""

import datetime as dt
import types
import typing
from collections import abc
from dataclasses import InitVar
from enum import Enum
from inspect import Parameter
from pathlib import PurePath
from typing import Any, Literal, Union, get_args, get_origin

_SHOWN_LENGTH = 80
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)
_SETS = (set, frozenset, abc.Set, abc.MutableSet)
_LISTS = (list, tuple, abc.Sequence, abc.MutableSequence, abc.Collection, abc.Iterable)
_WORDS = {
    Any: "anything",
    Parameter.empty: "anything",
    abc.Callable: "callable",
    type: "class",
    types.NoneType: "None",
}
_EXACT = (str, bool, int, float, complex, bytes, dt.datetime, dt.date, dt.time, dt.timedelta)


class Mismatch(Exception):  # it never leaves this package
    """A value is not of the type that was declared.

    expected: the type, in words.
    place: where in the option's value it is: `[2]`, or nothing for the value itself.
    """

    def __init__(self, expected: str, value: Any, place: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.value = value
        self.place = place


def convert(value: Any, annotation: Any) -> Any:
    """`value` in the form that `annotation` asks for; `Mismatch` when it has none.

    >>> convert(["a", "b"], tuple[str, ...])
    ('a', 'b')
    """
    annotation = _bare(annotation)
    origin, args = get_origin(annotation) or annotation, get_args(annotation)
    if origin in (Union, types.UnionType):
        return _one_of(value, annotation, args)
    if origin in _MAPPINGS or typing.is_typeddict(annotation):
        return _mapping(value, annotation, args)
    if origin in _LISTS or origin in _SETS:
        return _items(value, annotation, origin, args)
    return _single(value, annotation, origin)


def describe(annotation: Any) -> str:
    """An annotation in words.

    >>> describe(list[str] | None)
    'list of str or None'
    """
    annotation = _bare(annotation)
    origin, args = get_origin(annotation) or annotation, get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(describe(one) for one in args)
    if origin is Literal:
        return " or ".join(repr(one) for one in args)
    if origin in _MAPPINGS or typing.is_typeddict(annotation):
        return f"mapping of {describe(args[0])} to {describe(args[1])}" if args else "mapping"
    if origin in _LISTS or origin in _SETS:
        return _describe_items(origin, args)
    return _describe_single(annotation, origin)


def shown(value: Any) -> str:
    """A value as a message shows it: its `repr`, cut."""
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"


def _bare(annotation: Any) -> Any:
    """The type behind an `InitVar`, a `NewType` and an alias made with `type`."""
    if isinstance(annotation, InitVar):
        return _bare(annotation.type)
    for attribute in ("__supertype__", "__value__"):
        if not isinstance(annotation, type) and hasattr(annotation, attribute):
            return _bare(getattr(annotation, attribute))
    return types.NoneType if annotation is None else annotation


def _one_of(value: Any, annotation: Any, args: tuple[Any, ...]) -> Any:
    made: list[Any] = []
    inner: list[Mismatch] = []
    for one in args:
        try:
            made.append(convert(value, one))
        except Mismatch as mismatch:
            inner.append(mismatch)
    if not made:
        deeper = [mismatch for mismatch in inner if mismatch.place]
        raise deeper[0] if len(deeper) == 1 else Mismatch(describe(annotation), value)
    # What needs no change is what was meant: "a" stays text where text or a path is asked for.
    return next((one for one in made if one is value), made[0])


def _mapping(value: Any, annotation: Any, args: tuple[Any, ...]) -> Any:
    if not isinstance(value, abc.Mapping):
        raise Mismatch(describe(annotation), value)
    if not args:
        return dict(value) if type(value) is dict else value  # The pipeline's own is not theirs to change.
    return {_at(f"[{name!r}]", name, args[0]): _at(f"[{name!r}]", item, args[1]) for name, item in value.items()}


def _items(value: Any, annotation: Any, origin: Any, args: tuple[Any, ...]) -> Any:
    if isinstance(value, str | bytes | abc.Mapping) or not isinstance(value, abc.Iterable):
        raise Mismatch(describe(annotation), value)
    if not isinstance(value, list | tuple | set | frozenset):
        if not (isinstance(origin, type) and isinstance(value, origin)):
            raise Mismatch(describe(annotation), value)
        return value  # A generator or a collection of their own: looking inside would use it up.
    fixed = origin is tuple and bool(args) and args[-1] is not Ellipsis
    if fixed and len(args) != len(value):
        raise Mismatch(describe(annotation), value)
    kinds = args if fixed else (args[0] if args else Any,) * len(value)
    made = [_at(f"[{index}]", item, kind) for index, (item, kind) in enumerate(zip(value, kinds, strict=True))]
    return _container(value, origin)(made)


def _container(value: Any, origin: Any) -> Any:
    if origin in (list, tuple, set, frozenset):
        return origin
    if origin in _SETS:
        return frozenset if isinstance(value, frozenset) else set
    return type(value)


def _at(place: str, value: Any, annotation: Any) -> Any:
    try:
        return convert(value, annotation)
    except Mismatch as mismatch:
        raise Mismatch(mismatch.expected, mismatch.value, place + mismatch.place) from None


def _single(value: Any, annotation: Any, origin: Any) -> Any:
    fits = True
    if origin is Literal:
        # 1 equals True, and is another option.
        fits = any(value == one and type(value) is type(one) for one in get_args(annotation))
    elif origin is abc.Callable:
        fits = callable(value)
    elif origin is type:
        fits = isinstance(value, type)
    elif annotation is types.NoneType:
        fits = value is None
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        return _member(value, annotation)
    elif isinstance(annotation, type) and issubclass(annotation, PurePath) and isinstance(value, str):
        return annotation(value)
    elif isinstance(annotation, type) and issubclass(annotation, PurePath):
        fits = isinstance(value, PurePath)
    elif annotation in _EXACT:
        fits = _is_exactly(value, annotation)
    if not fits:
        raise Mismatch(describe(annotation), value)
    return value


def _is_exactly(value: Any, annotation: Any) -> bool:
    if isinstance(value, bool):
        return annotation is bool
    return isinstance(value, annotation) or (annotation is float and isinstance(value, int))


def _member(value: Any, annotation: type[Enum]) -> Enum:
    try:
        return annotation(value)
    except ValueError:
        raise Mismatch(describe(annotation), value) from None


def _describe_items(origin: Any, args: tuple[Any, ...]) -> str:
    noun = "set" if origin in _SETS else "list"
    if origin is tuple and args and args[-1] is not Ellipsis:
        return f"list of {len(args)}: {', '.join(describe(one) for one in args)}"
    return f"{noun} of {describe(args[0])}" if args else noun


def _describe_single(annotation: Any, origin: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(repr(one.value) for one in annotation)
    if isinstance(annotation, type) and issubclass(annotation, PurePath):
        return "path"
    named = annotation.__qualname__ if isinstance(annotation, type) else str(annotation)
    return _WORDS.get(origin, named)
