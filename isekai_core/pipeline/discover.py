"""Where pipelines are found: `pipelines.py` of every installed app, and `isekai.toml`."""

import importlib
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.apps import apps

from isekai_core.conf import project_file
from isekai_core.errors import ConfigurationError, PipelineNotFound, SettingError
from isekai_core.pipeline.definition import Pipeline, Use
from isekai_core.types import KINDS


@dataclass(frozen=True)
class Found:
    """A pipeline and where it was found: a module, or a file."""

    pipeline: Pipeline
    home: str


def discover() -> dict[str, Found]:
    """Name to pipeline, sorted by name.

    Raises `ConfigurationError` when two places define one name, naming both.
    """
    found: dict[str, Found] = {}
    for item in [*_of_apps(), *_of_file()]:
        name = item.pipeline.name
        if name in found and found[name].pipeline is not item.pipeline:
            msg = f"pipeline {name!r} is defined twice: in {found[name].home} and in {item.home}"
            raise ConfigurationError(msg)
        found.setdefault(name, item)
    return dict(sorted(found.items()))


def find(name: str) -> Pipeline:
    """The pipeline of that name; `PipelineNotFound` lists the names there are."""
    found = discover()
    if name not in found:
        near = get_close_matches(name, found, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        known = ", ".join(found) or "none; write one in the pipelines.py of an installed app, or in isekai.toml"
        msg = f"there is no pipeline {name!r}: {hint}pipelines found: {known}"
        raise PipelineNotFound(msg)
    return found[name].pipeline


def _of_apps() -> Iterator[Found]:
    for config in apps.get_app_configs():
        module_name = f"{config.name}.pipelines"
        if importlib.util.find_spec(module_name) is None:
            continue
        module = importlib.import_module(module_name)
        for value in vars(module).values():
            if isinstance(value, Pipeline):
                yield Found(value, module_name)


def _of_file() -> Iterator[Found]:
    file = project_file()
    for name, table in file.pipelines.items():
        yield Found(_from_table(name, table, str(file.path)), str(file.path))


def _from_table(name: str, table: Any, path: str) -> Pipeline:
    known = {*(f"{kind}s" for kind in KINDS), "max_depth"}
    if not isinstance(table, Mapping):
        msg = f"{path}: pipelines.{name} must be a table, got {table!r}"
        raise SettingError(msg)
    for entry in table:
        if entry not in known:
            near = get_close_matches(entry, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            msg = f"{path}: pipelines.{name}.{entry} is unknown: {hint}a pipeline has {', '.join(sorted(known))}"
            raise SettingError(msg)
    arguments: dict[str, Any] = {
        kind: [
            _use(item, f"{path}: pipelines.{name}.{kind}")
            for item in _items(table[kind], f"{path}: pipelines.{name}.{kind}")
        ]
        for kind in table
        if kind != "max_depth"
    }
    try:
        return Pipeline(name, max_depth=table.get("max_depth"), **arguments)
    except (TypeError, ValueError) as error:
        msg = f"{path}: {error}"
        raise SettingError(msg) from error


def _items(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        msg = f"{path}: expected a list of processors, got {value!r}"
        raise SettingError(msg)
    return value


def _use(item: Any, path: str) -> Use:
    if isinstance(item, str):
        return Use(item)
    if isinstance(item, Mapping) and isinstance(item.get("use"), str):
        return Use(item["use"], {name: value for name, value in item.items() if name != "use"})
    msg = f'{path}: expected a name or a table with use = "name", got {item!r}'
    raise SettingError(msg)
