"""Everything that is wrong with a pipeline, found before anything is fetched: one message each, with its path."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from isekai_core.conf import settings
from isekai_core.errors import ConfigurationError, SettingError, TransformError
from isekai_core.pipeline.composing.compose import Processor, assemble, unmet
from isekai_core.pipeline.composing.fit import misfits
from isekai_core.pipeline.definition import Pipeline, Use
from isekai_core.pipeline.transform import check_model, find_field, find_model
from isekai_core.plugins.registry import registry
from isekai_core.types import KINDS


class _Any:
    """Stands for the processors before the one that is looked at, so that its path is right."""

    accepts = ()

    def seed(self) -> Sequence[Any]:
        return ()

    extract = mine = transform = plan = write = seed


def problems_of(pipeline: Pipeline) -> list[str]:
    """What is wrong with `pipeline`: plugins, options, the models and fields they name, and stages that cannot meet."""
    try:
        settings()
        registry()
    except SettingError as error:
        return [str(error)]
    found = [
        *unmet(pipeline),
        *(
            problem
            for kind in KINDS
            for index, item in enumerate(getattr(pipeline, f"{kind}s"))
            for problem in _problems(pipeline.name, kind, index, item)
        ),
    ]
    # Where a processor is wrong by itself, nobody knows yet what it would give.
    return found or [f"pipelines.{pipeline.name}: {misfit}" for misfit in misfits(assemble(pipeline).processors)]


def _problems(name: str, kind: str, index: int, item: Any) -> Iterator[str]:
    path = f"pipelines.{name}.{kind}s[{index}]"
    alone: dict[str, Any] = {"loaders": ()} | {f"{kind}s": [*[_Any()] * index, item]}
    try:
        composed = assemble(Pipeline(name, **alone))
    except ConfigurationError as error:
        yield str(error) if path in str(error) else f"{path}: {error}"
        return
    if isinstance(item, Use):
        yield from (f"{path}.{problem}" for problem in _misnamed(composed[kind][index], item.options))


def _misnamed(processor: Processor, options: Mapping[str, Any]) -> Iterator[str]:
    """Options called `model`, `fields` and `match` that name no model, or no field of it."""
    label = options.get("model")
    if processor.kind != "transformer" or not isinstance(label, str):
        return
    if label.count(".") != 1:
        yield f"model: expected app_label.ModelName, got {label!r}"
        return
    try:
        model = find_model(label)
        check_model(model)
    except TransformError as error:
        yield f"model: {error}"
        return
    for option in ("fields", "match"):
        given = options.get(option)
        names = given if isinstance(given, Mapping | list | tuple) else ()
        for name in (name for name in names if isinstance(name, str)):
            try:
                find_field(model, name)
            except TransformError as error:
                yield f"{option}: {error}"
