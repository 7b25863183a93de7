"""Chance under a seed: what Faker, or a function without arguments, makes of a value's hash."""

import functools
import inspect
import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from isekai_core.conf import did_you_mean
from isekai_core.errors import PlanError

_lock = threading.RLock()
"""Tables are masked in several threads, and a seed holds for one value only."""


@functools.cache
def _faker(locale: str) -> Any:
    try:
        from faker import Faker  # noqa: PLC0415 - an own dependency of those who use it
    except ImportError:
        msg = "masks made by fake(…) need Faker: pip install faker"
        raise PlanError(msg) from None
    try:
        return Faker(locale or None)
    except AttributeError as error:
        msg = f"Faker knows no locale {locale!r}"
        raise PlanError(msg) from error


def check_provider(provider: str, locale: str) -> None:
    """Raise `PlanError` where Faker is missing, or has no such provider."""
    with _lock:
        faker = _faker(locale)
    if provider.startswith(("_", "seed")) or not callable(getattr(faker, provider, None)):
        msg = f"Faker has no provider {provider!r}{did_you_mean(provider, dir(faker))}"
        raise PlanError(msg)


def faked(provider: str, locale: str, options: dict[str, Any], digest: bytes) -> Any:
    """What the provider makes under a seed."""
    with _lock:
        faker = _faker(locale)
        faker.seed_instance(_seed(digest))
        return getattr(faker, provider)(**options)


def called(function: Callable[[], Any], digest: bytes) -> Any:
    """What a function makes under a seed; the user's own chance goes on as if it had not been called."""
    method = _method(function)
    if method is None:
        with _lock, _seeded(_seed(digest)):
            return function()
    generator = _generator(method)
    with _lock:
        before = generator.random
        generator.random = random.Random(_seed(digest))  # noqa: S311 - nothing is kept secret by it
        try:
            return method()
        finally:
            generator.random = before


def takes_value(function: Callable[..., Any]) -> bool:
    """Whether a function that serves as a mask is given the value.

    Raises `PlanError` for a function that wants more than that.
    """
    if _method(function) is not None:
        return False
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    needed = [one for one in parameters if one.default is one.empty]
    positional = [one for one in needed if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    if len(positional) > 1 or any(one.kind is one.KEYWORD_ONLY for one in needed):
        msg = f"a mask takes the value, or nothing, and {function!r} needs {', '.join(one.name for one in needed)}"
        raise PlanError(msg)
    return bool(positional) or any(one.kind is one.VAR_POSITIONAL for one in needed)


def _method(function: Any) -> Any:
    """The method of one of Faker's providers that a function is, or stands for; None for other functions.

    Not through Faker's `unique`, which stands for one: what it gives depends on what it gave before.
    """
    seen = function
    while seen is not None and _generator(seen) is None:
        seen = getattr(seen, "__wrapped__", None)
    return seen


def _generator(function: Any) -> Any:
    """The generator of Faker that a method draws from; None for other functions."""
    while isinstance(function, functools.partial):
        function = function.func
    generator = getattr(getattr(function, "__self__", None), "generator", None)
    return generator if hasattr(generator, "seed_instance") else None


def _seed(digest: bytes) -> int:
    return int.from_bytes(digest[:8])


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    sources: list[Any] = [random]
    if "faker.generator" in sys.modules:
        # All instances of Faker that have no seed of their own share this one.
        sources.append(sys.modules["faker.generator"].random)
    before = [source.getstate() for source in sources]
    for source in sources:
        source.seed(seed)
    try:
        yield
    finally:
        for source, state in zip(sources, before, strict=True):
            source.setstate(state)
