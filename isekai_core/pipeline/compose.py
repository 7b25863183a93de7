"""Names and options become processors: everything that can be wrong with a pipeline is found here."""

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from isekai_core.conf import settings
from isekai_core.errors import OptionError, PipelineMisfit, PluginUnusable
from isekai_core.pipeline.definition import FunctionProcessor, Pipeline, Use
from isekai_core.pipeline.fit import misfits
from isekai_core.plugins.choice import is_strict
from isekai_core.plugins.options import build, options_of
from isekai_core.plugins.registry import registry
from isekai_core.types import KINDS, STAGES, Extractor, Loader, Miner, Seeder, Transformer
from isekai_core.types.protocols import accepts_name

_PROTOCOLS: dict[str, Any] = dict(zip(KINDS, (Seeder, Extractor, Miner, Transformer, Loader), strict=True))


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
    settings()
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
    reasons = [registry().unmet(wanted) for wanted in pipeline.requires]
    return [f"pipelines.{pipeline.name}.requires[{i}]: {reason}" for i, reason in enumerate(reasons) if reason]


def _check_plugins(pipeline: Pipeline) -> None:
    registry().insist()
    if problems := unmet(pipeline):
        raise PluginUnusable("; ".join(problems))


def _processor(kind: str, item: Any, path: str) -> Processor:
    if isinstance(item, Use):
        return _registered(kind, item, path)
    return _own(kind, item, path)


def _registered(kind: str, item: Use, path: str) -> Processor:
    entry = registry().find(kind, item.name)
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
    return Processor(kind, entry.full_name, entry.plugin, entry.version, print_, built)


def _own(kind: str, item: Any, path: str) -> Processor:
    _check_protocol(kind, item, path)
    home = item.function if isinstance(item, FunctionProcessor) else type(item)
    name = f"{home.__module__}.{home.__qualname__}"
    version = getattr(item, "version", None)
    state = {} if isinstance(item, FunctionProcessor) else _plain(getattr(item, "__dict__", {}))
    return Processor(kind, name, "", str(version or ""), _digest([name, version or _source(home), state]), item)


def _check_protocol(kind: str, item: Any, path: str, owner: str = "") -> None:
    protocol = _PROTOCOLS[kind]
    if not isinstance(item, protocol):
        wanted = [
            name for name in ("accepts", *_methods(protocol)) if not hasattr(item, name) and hasattr(protocol, name)
        ]
        if kind != "seeder" and not hasattr(item, "accepts"):
            wanted.insert(0, "accepts")
        lacking = ", ".join(dict.fromkeys(wanted)) or "a method"
        msg = f"{path}: {type(item).__qualname__}{owner} is no {kind}: it lacks {lacking}"
        raise OptionError(msg)
    for name in ("accepts", "produces"):
        patterns = getattr(item, name, ())
        if isinstance(patterns, str) or not isinstance(patterns, Sequence):
            what = f"{name} of {type(item).__qualname__}{owner}"
            msg = f"{path}: {what} is a list of patterns such as ('text/html',), got {patterns!r}"
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
