"""Finds the Django project of a command, and sets Django up."""

import argparse
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from isekai_core.errors import ConfigurationError

_VARIABLE = "DJANGO_SETTINGS_MODULE"
_NAMED = re.compile(rf"""["']{_VARIABLE}["']\s*(?:,|\]\s*=)\s*["']([\w.]+)["']""")
"""As `setdefault` takes it, or as it is set in `os.environ`."""


def setup_django(options: argparse.Namespace) -> None:
    """Set Django up: settings by `--settings`, by DJANGO_SETTINGS_MODULE, or as the manage.py beside says.

    Raises `ConfigurationError`, saying what to do, when there is no project or it cannot be loaded.
    """
    from django.apps import apps  # noqa: PLC0415 - commands without a project never come here

    if not apps.ready:
        module = _settings_module(options)
        if not module:
            msg = (
                "no Django project found: start this beside its manage.py, or name its settings with"
                f" --settings mysite.settings or {_VARIABLE}"
            )
            raise ConfigurationError(msg)
        os.environ[_VARIABLE] = module
        _extend_path(options.pythonpath)
        _setup(module)
    if not apps.is_installed("isekai_core"):
        place = os.environ.get(_VARIABLE, "the settings")
        msg = f"'isekai_core' is not in INSTALLED_APPS of {place}; add it, then python manage.py migrate"
        raise ConfigurationError(msg)


def has_project(options: argparse.Namespace) -> bool:
    """Whether there is a project to set up, or one that is set up already."""
    from django.apps import apps  # noqa: PLC0415 - see above

    return apps.ready or bool(_settings_module(options))


def _settings_module(options: argparse.Namespace) -> str | None:
    return options.settings or os.environ.get(_VARIABLE) or _of_manage_py(Path.cwd())


def setup_bare(apps: Iterable[str] = ()) -> None:
    """Set Django up without a project: with a database in memory and no apps but ISEKAI, and `apps`."""
    from django.conf import settings  # noqa: PLC0415 - see above

    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
    # What models of plugins most often point to is there, too.
    ours = ["django.contrib.contenttypes", "django.contrib.auth", "isekai_core"]
    settings.configure(INSTALLED_APPS=list(dict.fromkeys([*ours, *apps])), DATABASES={"default": database}, USE_TZ=True)
    _setup("the installed plugins alone")


def _of_manage_py(folder: Path) -> str | None:
    try:
        text = (folder / "manage.py").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    match = _NAMED.search(text)
    return match.group(1) if match else None


def _extend_path(pythonpath: str | None) -> None:
    for folder in filter(None, (str(Path.cwd()), pythonpath)):
        if folder not in sys.path:
            sys.path.insert(0, folder)


def _setup(module: str) -> None:
    import django  # noqa: PLC0415 - see above

    try:
        django.setup()
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(error.name + ".")):
            msg = f"there is no settings module {module!r} here; see --settings and --pythonpath"
        else:
            owner = _owner(error)
            what = owner or "; pip install it"
            msg = f"the Django project cannot be loaded: {error}, which {module} needs{what}"
        raise ConfigurationError(msg) from error
    except ConfigurationError:
        raise
    except (Exception, SystemExit) as error:
        raised = f"{type(error).__name__}: {error}"
        msg = f"the Django project cannot be loaded from {module}: {raised}{_owner(error)}; --traceback shows where"
        raise ConfigurationError(msg) from error


def _owner(error: BaseException) -> str:
    """Which plugin's app it is that cannot be loaded, and how to go on without it; "" for none."""
    from isekai_core.plugins.apps import owner_of  # noqa: PLC0415 - only after an error

    plugin = owner_of(error)
    return f"; it is of the app of the plugin {plugin}, and --no-plugins={plugin} goes on without it" if plugin else ""
