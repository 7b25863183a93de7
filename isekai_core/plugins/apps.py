"""The Django apps that plugins name: looked for without importing them, because settings are what asks.

One app that is not there would otherwise keep the whole project from starting.
"""

import re
import traceback
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import PurePath

from isekai_core.plugins.compatible import CORE
from isekai_core.plugins.scan import APPS_GROUP, Installed, scan

_FORM = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def problem_of(app: str) -> str:
    """Why `app` cannot stand in INSTALLED_APPS; "" when it can, as far as that is seen from outside."""
    if not _FORM.fullmatch(app):
        example = "acme_shop or acme_shop.apps.AcmeShopConfig"
        return f"the entry-point group {APPS_GROUP} names {app!r}, expected a module such as {example}"
    return "" if _is_there(app) else f"its Django app {app} is not there"


def _is_there(app: str) -> bool:
    names = app.split(".")
    try:
        spec = find_spec(names[0])
    except (ImportError, ValueError):
        return False
    for index in range(1, len(names)):
        if spec is None:
            break
        if spec.submodule_search_locations is None:
            return index == len(names) - 1  # A class in a module; which ones it has, only an import would tell.
        inside = PathFinder.find_spec(".".join(names[: index + 1]), list(spec.submodule_search_locations))
        if inside is None and index == len(names) - 1 and names[index][0].isupper():
            return True  # A class in a package.
        spec = inside
    return spec is not None


def owner_of(error: BaseException) -> str:
    """The plugin whose app raised `error` while Django was set up; "" when it is none of theirs."""
    for one in scan():
        if one.name != CORE and any(_is_named(top, error) for top in _tops(one)):
            return one.name
    return ""


def _tops(installed: Installed) -> list[str]:
    return sorted({app.partition(".")[0] for app in installed.apps} - {"django"})


def _is_named(top: str, error: BaseException) -> bool:
    """Whether `error` speaks of the module `top`, or was raised in it."""
    if re.search(rf"(?<!\w){re.escape(top)}(?!\w)", str(error)):
        return True
    frames = traceback.extract_tb(error.__traceback__)
    return any(top in (*PurePath(frame.filename).parts, PurePath(frame.filename).stem) for frame in frames)
