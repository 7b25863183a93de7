"""Jobs by a file and a name in it, as `isekai slice` takes them: `slices.py:dev_org`."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from isekai_core.conf import did_you_mean
from isekai_core.errors import ConfigurationError, IsekaiError, PlanError
from isekai_core.slicing.job import ImportJob
from isekai_core.types.slices import SlicePlan


def jobs_of(text: str) -> SlicePlan | Sequence[ImportJob]:
    """What `slices.py:dev_org` names: jobs, a plan, or a function that returns one or the other."""
    path, colon, name = text.rpartition(":")
    file = Path(path)
    if not colon or not file.is_file() or file.suffix != ".py":
        gone = f"; there is no file {path}" if colon and file.suffix == ".py" and not file.exists() else ""
        msg = f"{text!r}: expected a Python file and a name in it, such as slices.py:dev_org{gone}"
        raise ConfigurationError(msg)
    module = _imported(file)
    if not hasattr(module, name):
        known = [one for one in vars(module) if not one.startswith("_")]
        msg = f"{file} has no {name!r}{did_you_mean(name, known)}"
        raise ConfigurationError(msg)
    found = _called(text, getattr(module, name))
    if not isinstance(found, SlicePlan | list | tuple):
        msg = f"{text}: expected a list of ImportJob, or DataSlicer.plan(…), got {type(found).__name__}"
        raise ConfigurationError(msg)
    return found


def _imported(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None, "a file that ends in .py has a loader"
    assert spec.loader is not None, "the same"
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except PlanError:
        raise
    except Exception as error:
        msg = f"{file} cannot be imported: {type(error).__name__}: {error}; --traceback shows where"
        raise ConfigurationError(msg) from error
    return module


def _called(text: str, found: Any) -> Any:
    """What a function gives, and anything else as it is; what it raises is the project's, and no defect of ours."""
    if isinstance(found, SlicePlan) or not callable(found):
        return found
    try:
        return found()
    except IsekaiError:
        raise
    except Exception as error:
        msg = f"{text} cannot be called: {type(error).__name__}: {error}; --traceback shows where"
        raise ConfigurationError(msg) from error
