"""The options of a processor are the arguments of its class: listed, checked with their path, and passed."""

import dataclasses
import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from isekai_core.conf import did_you_mean
from isekai_core.errors import IsekaiError, OptionError
from isekai_core.plugins.contain import in_words
from isekai_core.plugins.convert import Mismatch, convert, describe, shown
from isekai_core.plugins.hidden import hide, without_secrets

Processor = TypeVar("Processor")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a processor.

    annotation: its type, as the class declares it.
    default: its value when it is not given; None for one that is required, and for one that a factory makes.
    doc: what the docstring of the class says after `name:`.
    secret: its value is never shown.
    factory: what makes its value anew each time. It is code of the plugin, and is only asked for what is shown.
    """

    name: str
    annotation: Any
    default: Any
    required: bool
    doc: str = ""
    secret: bool = False
    factory: Callable[[], Any] | None = None

    def shown_default(self) -> Any:
        """Its default as a listing shows it; in words, where what makes it fails here."""
        if self.factory is None:
            return self.default
        try:
            return self.factory()
        except KeyboardInterrupt:  # the user's
            raise
        except BaseException as error:  # of the plugin: a variable of the environment that is not set here, say
            return f"made when it is needed ({in_words(error)})"

    @property
    def type(self) -> str:
        """Its type in words: `list of str`, `str or None`."""
        return describe(self.annotation)


def options_of(cls: type[Any]) -> list[Option]:
    """The options of a processor class, in the order of its arguments.

    >>> class Feed:
    ...     '''Reads a feed.
    ...
    ...     url: where it is.
    ...     '''
    ...     def __init__(self, url: str, limit: int = 10) -> None: ...
    >>> [(option.name, option.type, option.default, option.doc) for option in options_of(Feed)]
    [('url', 'str', None, 'where it is.'), ('limit', 'int', 10, '')]
    """
    hints, docs, secrets = _hints(cls), _docs(cls), getattr(cls, "secret_options", ())
    factories = _factories(cls)
    return [
        Option(
            name=parameter.name,
            annotation=hints.get(parameter.name, parameter.annotation),
            default=None if parameter.name in factories or parameter.default is parameter.empty else parameter.default,
            required=parameter.default is parameter.empty,
            doc=docs.get(parameter.name, ""),
            secret=parameter.name in secrets,
            factory=factories.get(parameter.name),
        )
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]


def check_options(cls: type[Any], given: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The options in the form that the class takes: a list for a tuple becomes one, a text for a `Path` too.

    Raises `OptionError` for an unknown option, a missing one, and a value of another type; the message
    begins with the path: `pipelines.blog.miners[0].domains: expected list of str, got 'x'`.
    """
    known = {option.name: option for option in options_of(cls)}
    open_ended = any(one.kind is one.VAR_KEYWORD for one in inspect.signature(cls).parameters.values())
    for name in given:
        if name not in known and not open_ended:
            msg = f"{path}.{name}: unknown option{did_you_mean(name, known)}; {_known(cls, known)}"
            raise OptionError(msg)
    if missing := [name for name, option in known.items() if option.required and name not in given]:
        msg = f"{path}.{missing[0]}: this option is required{_expected(known[missing[0]])}"
        raise OptionError(msg)
    return {name: _checked(known.get(name), value, f"{path}.{name}") for name, value in given.items()}


def build(cls: type[Processor], given: Mapping[str, Any], path: str) -> Processor:
    """A processor of `cls` with these options; whatever it refuses is an `OptionError` that begins with the path."""
    options = check_options(cls, given, path)
    secrets = [name for name in getattr(cls, "secret_options", ()) if isinstance(name, str)]
    hide([options.get(name) for name in secrets])
    try:
        built = cls(**options)
        # Also those that the class had from elsewhere, such as a variable of the environment.
        hide([getattr(built, name, None) for name in secrets])
    except (TypeError, ValueError) as error:
        msg = f"{path}: {without_secrets(str(error))}"
        raise OptionError(msg) from error
    except (IsekaiError, KeyboardInterrupt):
        raise
    except BaseException as error:  # of the plugin: nothing is composed with a processor that cannot be made
        msg = f"{path}: {cls.__module__}.{cls.__qualname__} raised {without_secrets(in_words(error))}"
        raise OptionError(msg) from error
    return built


def doc_of(cls: type[Any]) -> str:
    """Its docstring; "" for one that is no text."""
    return cls.__doc__ if isinstance(cls.__doc__, str) else ""


def summary_of(cls: type[Any]) -> str:
    """The first paragraph of its docstring, on one line."""
    # A dataclass without a docstring is given its signature for one.
    doc = doc_of(cls)
    text = "" if doc.startswith(f"{cls.__name__}(") else inspect.cleandoc(doc)
    return " ".join(text.partition("\n\n")[0].split())


def _checked(option: Option | None, value: Any, path: str) -> Any:
    if option is None:
        return value
    try:
        return convert(value, option.annotation)
    except Mismatch as mismatch:
        got = f"a value of type {type(mismatch.value).__name__}" if option.secret else shown(mismatch.value)
        msg = f"{path}{mismatch.place}: expected {mismatch.expected}, got {got}"
        raise OptionError(msg) from None


def _known(cls: type[Any], known: Mapping[str, Option]) -> str:
    return f"{cls.__name__} knows {', '.join(known)}" if known else f"{cls.__name__} has no options"


def _expected(option: Option) -> str:
    return "" if option.annotation is inspect.Parameter.empty else f", a value of type {option.type}"


def _hints(cls: type[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for source in (cls, cls.__init__):
        try:
            found |= typing.get_type_hints(source)
        except Exception:  # noqa: S112 - names that only a type checker imports: those options pass unchecked
            continue
    return found


def _factories(cls: type[Any]) -> dict[str, Callable[[], Any]]:
    """What makes the defaults of a dataclass: its signature only shows that there is something."""
    if not dataclasses.is_dataclass(cls):
        return {}
    made = ((field.name, field.default_factory) for field in dataclasses.fields(cls))
    return {name: factory for name, factory in made if factory is not dataclasses.MISSING}


def _docs(cls: type[Any]) -> dict[str, str]:
    """What the docstrings say of each option: a line `name: text` and the indented lines below it."""
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        current = ""
        for line in inspect.cleandoc(doc_of(base)).splitlines():
            if match := re.match(r"(\w+): (.+)", line):
                current = match.group(1)
                docs[current] = match.group(2).strip()
            elif current and line.startswith(" ") and line.strip():
                docs[current] += " " + line.strip()
            else:
                current = ""
    return docs
