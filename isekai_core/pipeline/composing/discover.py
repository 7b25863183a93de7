"""Where pipelines are found: `pipelines.py` of every installed app, and `isekai.toml`."""

import importlib
import importlib.util
import traceback as tracebacks
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps

from isekai_core.conf import FILE_NAME, did_you_mean, project_file
from isekai_core.errors import ConfigurationError, PipelineNotFound, SettingError
from isekai_core.pipeline.definition import Pipeline, Use
from isekai_core.types import KINDS


@dataclass(frozen=True)
class Found:
    """A pipeline and where it was found: a module, or a file."""

    pipeline: Pipeline
    home: str


@dataclass(frozen=True)
class Broken:
    """A place whose pipelines cannot be had, and why; `name` where it is one pipeline of several there."""

    home: str
    error: BaseException
    name: str = ""

    def __str__(self) -> str:
        if isinstance(self.error, ConfigurationError):
            return str(self.error)
        raised = type(self.error).__name__
        place = _place(self.error)
        return f"{self.home} cannot be imported: {raised}: {self.error}" + (f" ({place})" if place else "")


@dataclass(frozen=True)
class Survey:
    """All pipelines, by name, and the places where they cannot be had."""

    found: Mapping[str, Found]
    broken: Sequence[Broken]


def survey() -> Survey:
    """What there is; a place that is broken hides no other."""
    found: dict[str, Found] = {}
    broken: list[Broken] = []
    for item in [*_of_apps(), *_of_file()]:
        if isinstance(item, Broken):
            broken.append(item)
            continue
        name = item.pipeline.name
        if name in found and found[name].pipeline is not item.pipeline:
            msg = f"pipeline {name!r} is defined twice: in {found[name].home} and in {item.home}"
            broken.append(Broken(item.home, ConfigurationError(msg), name))
        found.setdefault(name, item)
    return Survey(dict(sorted(found.items())), broken)


def find(name: str) -> Pipeline:
    """The pipeline of that name.

    Raises `PipelineNotFound`, which lists the names there are; and `ConfigurationError` when it is defined twice,
    or may be in a place that is broken. What is broken elsewhere is in nobody's way.
    """
    seen = survey()
    for broken in seen.broken:
        if broken.name == name:
            raise broken.error
    if name in seen.found:
        return seen.found[name].pipeline
    if seen.broken:
        first = seen.broken[0]
        msg = f"there is no pipeline {name!r} in what can be read ({', '.join(seen.found) or 'nothing'}); {first}"
        raise ConfigurationError(msg) from first.error
    raise unknown(name, seen.found)


def unknown(name: str, names: Iterable[str]) -> PipelineNotFound:
    """The error for a name that is none of `names`."""
    known = list(names)
    there_are = ", ".join(known) or f"none; {advice()}"
    return PipelineNotFound(f"there is no pipeline {name!r}{did_you_mean(name, known)}; pipelines found: {there_are}")


def advice() -> str:
    """What to do where no pipeline is found: a command may have been started where no isekai.toml is near."""
    written = "write one in the pipelines.py of an installed app, or in isekai.toml"
    try:
        is_read = project_file().path is not None
    except SettingError:
        is_read = True
    return written if is_read else f"{written}; there is no {FILE_NAME} in {Path.cwd()} or above it"


def _of_apps() -> Iterator[Found | Broken]:
    for config in apps.get_app_configs():
        module_name = f"{config.name}.pipelines"
        # An app may be a single module, which has nothing below it.
        if not hasattr(config.module, "__path__") or importlib.util.find_spec(module_name) is None:
            continue
        try:
            module = importlib.import_module(module_name)
        except (Exception, SystemExit) as error:
            yield Broken(module_name, error)
            continue
        for value in vars(module).values():
            if isinstance(value, Pipeline):
                yield Found(value, module_name)


def _place(error: BaseException) -> str:
    """The line of the project's that raised it: the last one that is not of the import machinery."""
    frames = [
        frame
        for frame in tracebacks.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen") and frame.filename not in (__file__, importlib.__file__)
    ]
    return f"{frames[0].filename}, line {frames[0].lineno}" if frames else ""


def _of_file() -> Iterator[Found | Broken]:
    try:
        file = project_file()
    except SettingError as error:
        yield Broken(FILE_NAME, error)
        return
    for name, table in file.pipelines.items():
        try:
            yield Found(_from_table(name, table, str(file.path)), str(file.path))
        except SettingError as error:
            yield Broken(str(file.path), error, name)


def _from_table(name: str, table: Any, path: str) -> Pipeline:
    known = sorted([*(f"{kind}s" for kind in KINDS), "max_depth", "requires"])
    if not isinstance(table, Mapping):
        msg = f"{path}: pipelines.{name} must be a table, got {table!r}"
        raise SettingError(msg)
    for entry in table:
        if entry not in known:
            hint = did_you_mean(entry, known)
            msg = f"{path}: pipelines.{name}.{entry} is unknown{hint}; a pipeline has {', '.join(known)}"
            raise SettingError(msg)
    arguments: dict[str, Any] = {
        kind: [
            _use(item, f"{path}: pipelines.{name}.{kind}")
            for item in _items(table[kind], f"{path}: pipelines.{name}.{kind}")
        ]
        for kind in table
        if kind not in ("max_depth", "requires")
    }
    try:
        return Pipeline(name, max_depth=table.get("max_depth"), requires=table.get("requires", ()), **arguments)
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
