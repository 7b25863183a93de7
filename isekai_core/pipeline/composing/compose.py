"""Names and options become processors: everything that can be wrong with a pipeline is found here."""

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from isekai_core.conf import settings
from isekai_core.errors import ConfigurationError, OptionError, PipelineMisfit, PluginUnusable, ProcessorNotFound
from isekai_core.pipeline.composing.absent import advice
from isekai_core.pipeline.composing.fit import misfits
from isekai_core.pipeline.definition import FunctionProcessor, Pipeline, Use
from isekai_core.plugins.choice import is_strict
from isekai_core.plugins.contain import contained, in_words
from isekai_core.plugins.entry import ProcessorEntry
from isekai_core.plugins.hidden import hide
from isekai_core.plugins.options import build, options_of
from isekai_core.plugins.registry import registry
from isekai_core.types import KINDS, STAGES, Extractor, Loader, Miner, Seeder, Transformer
from isekai_core.types.protocols import accepts_name

_PROTOCOLS: dict[str, Any] = dict(zip(KINDS, (Seeder, Extractor, Miner, Transformer, Loader), strict=True))
_LONGEST_NAME, _LONGEST_VERSION = 255, 60


@dataclass(frozen=True)
class Processor:
    """A processor at work: the object, and where it came from.

    name: `plugin/name`, or the module and name of the user's own.
    fingerprint: changes when the output may change for the same input.
    """

    kind: str
    name: str
    plugin: str
    version: str
    fingerprint: str
    object: Any

    def accepts(self, name: str) -> bool:
        """Whether its declared media types or models include `name`."""
        return accepts_name(self.object.accepts, name)


@dataclass(frozen=True)
class Composed:
    """A pipeline whose processors are resolved, in order, ready to run."""

    name: str
    max_depth: int | None
    processors: Mapping[str, tuple[Processor, ...]] = field(repr=False)

    def __getitem__(self, kind: str) -> tuple[Processor, ...]:
        return self.processors[kind]

    @cached_property
    def chains(self) -> dict[str, str]:
        """Stage to fingerprint of all its processors, in order: 64 hexadecimal characters."""
        return {
            stage: _digest([processor.fingerprint for processor in self.processors[kind]])
            for stage, kind in zip(STAGES, KINDS, strict=True)
        }


def compose(pipeline: Pipeline) -> Composed:
    """The processors of `pipeline`, configured.

    Raises `ConfigurationError` (of one kind or another), naming the path of what is wrong; a wrong setting
    too, so that it is found before anything is done.
    """
    composed = assemble(pipeline)
    if misfit := next(misfits(composed.processors), ""):
        msg = f"pipelines.{pipeline.name}: {misfit}"
        raise PipelineMisfit(msg)
    return composed


def assemble(pipeline: Pipeline) -> Composed:
    """The same without asking whether the stages can meet: each processor by itself is right."""
    # What is wrong with the project is no processor's mistake.
    settings()
    registry()
    if pipeline.requires or is_strict():
        _check_plugins(pipeline)
    processors = {
        kind: tuple(
            _processor(kind, item, f"pipelines.{pipeline.name}.{kind}s[{index}]")
            for index, item in enumerate(getattr(pipeline, f"{kind}s"))
        )
        for kind in KINDS
    }
    return Composed(pipeline.name, pipeline.max_depth, processors)


def unmet(pipeline: Pipeline) -> list[str]:
    """The plugins that `pipeline` requires and that are not there, a line each."""
    reasons = [_unmet(wanted) for wanted in pipeline.requires]
    return [f"pipelines.{pipeline.name}.requires[{i}]: {reason}" for i, reason in enumerate(reasons) if reason]


def _unmet(wanted: str) -> str:
    try:
        return registry().unmet(wanted)
    except ConfigurationError as error:
        return str(error)


def _check_plugins(pipeline: Pipeline) -> None:
    registry().insist()
    if problems := unmet(pipeline):
        raise PluginUnusable("; ".join(problems))


def _processor(kind: str, item: Any, path: str) -> Processor:
    try:
        with contained(kind):
            return _registered(kind, item, path) if isinstance(item, Use) else _own(kind, item, path)
    except ConfigurationError as error:
        if str(error).startswith(path):
            raise
        msg = f"{path}: {error}"
        raise type(error)(msg) from error
    except Exception as error:  # to ask a class or an object what it is runs code of its author
        msg = f"{path}: {_label(item)} cannot be used: {in_words(error)}"
        raise OptionError(msg) from error


def _found(kind: str, name: str) -> ProcessorEntry:
    try:
        return registry().find(kind, name)
    except ProcessorNotFound as error:
        msg = f"{error}{advice(kind, name, str(error))}"
        raise ProcessorNotFound(msg) from None


def _registered(kind: str, item: Use, path: str) -> Processor:
    entry = _found(kind, item.name)
    cls = entry.load()
    built = build(cls, item.options, path)
    _check_protocol(kind, built, path, f" of {entry.plugin}")
    declared = getattr(cls, "version", None)
    # An option may be called so, too, whose default stands on the class.
    is_option = any(option.name == "version" for option in options_of(cls))
    version = declared if isinstance(declared, str) and not is_option else entry.version
    neutral = {*getattr(cls, "neutral_options", ()), *getattr(cls, "secret_options", ())}
    options = {name: value for name, value in item.options.items() if name not in neutral}
    print_ = _digest([entry.full_name, version, _plain(options)])
    version = _bounded(entry.version, _LONGEST_VERSION)
    return Processor(kind, entry.full_name, entry.plugin, version, print_, built)


def _own(kind: str, item: Any, path: str) -> Processor:
    _check_protocol(kind, item, path)
    hide([getattr(item, str(name), None) for name in getattr(item, "secret_options", ())])
    home = item.function if isinstance(item, FunctionProcessor) else type(item)
    name = _bounded(f"{home.__module__}.{home.__qualname__}", _LONGEST_NAME)
    version = getattr(item, "version", None)
    state = {} if isinstance(item, FunctionProcessor) else _plain(getattr(item, "__dict__", {}))
    shown = _bounded(str(version or ""), _LONGEST_VERSION)
    return Processor(kind, name, "", shown, _digest([name, _plain(version) or _source(home), state]), item)


def _bounded(text: str, longest: int) -> str:
    """`text` as every database keeps it: what is too long is cut, and told from others by a hash."""
    text = text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= longest else f"{text[: longest - 9]}…{_digest([text])[:8]}"


def _label(item: Any) -> str:
    if isinstance(item, Use):
        return item.name
    home = item.function if isinstance(item, FunctionProcessor) else type(item)
    return str(home.__qualname__)


def _check_protocol(kind: str, item: Any, path: str, owner: str = "") -> None:
    protocol = _PROTOCOLS[kind]
    for name in ("accepts", "produces"):
        _check_names(item, name, path, owner)
    if not isinstance(item, protocol):
        wanted = [
            name for name in ("accepts", *_methods(protocol)) if not hasattr(item, name) and hasattr(protocol, name)
        ]
        if kind != "seeder" and not hasattr(item, "accepts"):
            wanted.insert(0, "accepts")
        lacking = ", ".join(dict.fromkeys(wanted)) or "a method"
        msg = f"{path}: {type(item).__qualname__}{owner} is no {kind}: it lacks {lacking}"
        raise OptionError(msg)
    for name in (*_methods(protocol), *(("handles",) if kind == "extractor" else ())):
        _check_method(item, name, path, owner)
    if kind == "extractor" and inspect.iscoroutinefunction(item.extract):
        _check_concurrency(item, path, owner)


def _check_method(item: Any, name: str, path: str, owner: str) -> None:
    """A coroutine function that nobody awaits would do nothing, and nobody would be told."""
    method = getattr(item, name, None)
    is_coroutine = inspect.iscoroutinefunction(method) and name != "extract"
    if is_coroutine or inspect.isasyncgenfunction(method):
        instead = "return, not yield" if name == "extract" else "def, not async def"
        msg = f"{path}: {name}() of {_label(item)}{owner} is asynchronous, and nobody awaits it: write {instead}"
        raise OptionError(msg)


def _check_concurrency(item: Any, path: str, owner: str) -> None:
    given = getattr(item, "concurrency", None)
    if given is not None and (isinstance(given, bool) or not isinstance(given, int)):
        msg = f"{path}: concurrency of {_label(item)}{owner} is how many at once, a number, got {given!r}"
        raise OptionError(msg)


def _check_names(item: Any, name: str, path: str, owner: str) -> None:
    """Whether `accepts` or `produces` can be read, and holds texts."""
    what = f"{path}: {name} of {_label(item)}{owner}"
    try:
        with contained("processor"):
            patterns = getattr(item, name, ())
    except Exception as error:  # a property of its author's
        msg = f"{what} raises {in_words(error)}"
        raise OptionError(msg) from error
    if isinstance(patterns, str) or not isinstance(patterns, Sequence):
        msg = f"{what} is a list of patterns such as ('text/html',), got {patterns!r}"
        raise OptionError(msg)
    for pattern in patterns:
        if not isinstance(pattern, str):
            msg = f"{what} holds {pattern!r}, expected texts"
            raise OptionError(msg)


def _methods(protocol: Any) -> list[str]:
    return [name for name, member in vars(protocol).items() if inspect.isfunction(member) and not name.startswith("_")]


def _source(home: Any) -> str:
    try:
        return inspect.getsource(home)
    except (OSError, TypeError):
        # Typed at a prompt: there is no source to compare, so nothing is ever taken for unchanged code.
        return repr(home)


def _plain(value: Any) -> Any:
    """`value` as JSON that is the same in every process; what has no such form is named by its type."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in sorted(value.items(), key=str)}
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=str)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str | int | float | bool | type(None)):
        return value
    text = repr(value)
    return type(value).__qualname__ if " at 0x" in text else text


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
