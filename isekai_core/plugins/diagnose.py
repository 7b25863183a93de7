"""An exception from a plugin becomes a state, a reason in one line, and a command to type."""

import importlib.util
import re
import traceback
from dataclasses import dataclass
from pathlib import PurePath

from isekai_core.plugins.compatible import CORE
from isekai_core.plugins.scan import Installed, normal_name
from isekai_core.plugins.states import InvalidHooksError, PluginState

_REASON_LENGTH = 300
_DISTRIBUTIONS = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "PIL": "Pillow",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
"""Modules that are not called as the distribution that holds them."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a plugin cannot be used, and what to do."""

    state: PluginState
    reason: str
    fix: str = ""


def diagnose(error: BaseException, installed: Installed) -> Diagnosis:
    """What `error`, raised while `installed` was imported or registered, means for its user."""
    try:
        return _diagnosis(error, installed)
    except Exception:  # to ask an error what it says runs code of the plugin, once more
        reason = f"raised {type(error).__qualname__}, whose message cannot be had{_place(error, installed)}"
        return Diagnosis(PluginState.FAILED_IMPORT, reason, f"isekai plugins show {installed.name}")


def _diagnosis(error: BaseException, installed: Installed) -> Diagnosis:
    if isinstance(error, InvalidHooksError):
        return Diagnosis(PluginState.INVALID_HOOKS, _one_line(str(error)), error.fix)
    if isinstance(error, ImportError) and _top(error.name) == "isekai_core" and installed.name != CORE:
        fix = f"pip install --upgrade {CORE} {installed.name}"
        return Diagnosis(PluginState.INCOMPATIBLE, f"written for another isekai-core: {_one_line(str(error))}", fix)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _missing(error.name, installed)
    return Diagnosis(PluginState.FAILED_IMPORT, _raised(error, installed), f"isekai plugins show {installed.name}")


def _missing(module: str, installed: Installed) -> Diagnosis:
    own = {_top(reference) for reference in installed.modules}
    if _top(module) in own:
        reason = f"its own module {module} is missing"
        return Diagnosis(PluginState.FAILED_IMPORT, reason, f"pip install --force-reinstall {installed.name}")
    if _is_there(_top(module)):
        reason = f"needs {module}, which the installed {_top(module)} does not have"
        return Diagnosis(PluginState.MISSING_DEPENDENCY, reason, f"pip install --upgrade {_distribution(module)}")
    reason = f"needs {module}, which is not installed"
    return Diagnosis(PluginState.MISSING_DEPENDENCY, reason, f"pip install {_requirement(module, installed)}")


def _requirement(module: str, installed: Installed) -> str:
    """What to install for `module`: through an extra of the plugin, if one of them brings it."""
    wanted = normal_name(_distribution(module))
    for requirement in installed.requires:
        name = re.match(r"[\w.-]+", requirement)
        if name and normal_name(name.group()) == wanted:
            extra = re.search(r"\bextra\s*==\s*['\"]([^'\"]+)", requirement)
            wish = requirement.partition(";")[0].replace(" ", "")
            return f"'{installed.name}[{extra.group(1)}]'" if extra else f"'{wish}'"
    return _distribution(module)


def _distribution(module: str) -> str:
    return _DISTRIBUTIONS.get(_top(module), _top(module))


def _top(module: str | None) -> str:
    return (module or "").partition(":")[0].partition(".")[0]


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _raised(error: BaseException, installed: Installed) -> str:
    place = _place(error, installed)
    kind, text = type(error).__qualname__, _one_line(str(error))
    if isinstance(error, SystemExit):
        return f"calls sys.exit({error.code!r}) while it is imported{place}"
    if needs_project(error):
        text = f"{text}; Django models and settings are imported inside functions"
    elif isinstance(error, RuntimeError) and "INSTALLED_APPS" in text and installed.apps:
        text = f"{text}; its app {installed.apps[0]} is not there: add *installed_apps() to INSTALLED_APPS"
    elif isinstance(error, RuntimeError) and "INSTALLED_APPS" in text:
        text = f"{text}; models belong into an app of their own module, which the entry-point group isekai.apps names"
    return f"raised {kind}: {text}{place}" if text else f"raised {kind}{place}"


def needs_project(error: BaseException) -> bool:
    """Whether it is Django's complaint that it is not set up."""
    kind = type(error)
    return kind.__module__.startswith("django.") and kind.__name__ in ("AppRegistryNotReady", "ImproperlyConfigured")


def _place(error: BaseException, installed: Installed) -> str:
    """The last line of the plugin's own that led to the error."""
    if isinstance(error, SyntaxError):
        return ""  # Its text names file and line already.
    own = {_top(reference) for reference in installed.modules}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if own & _parts(frame.filename)]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""


def _parts(filename: str) -> set[str]:
    path = PurePath(filename)
    return {*path.parts, path.stem}


def _one_line(text: str) -> str:
    # Control characters are for terminals, and who writes a message is not who owns the terminal.
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())
    return line if len(line) <= _REASON_LENGTH else line[: _REASON_LENGTH - 1] + "…"
