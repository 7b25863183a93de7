"""System checks: what `manage.py check` tells of a project that would run, but not well."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Warning, register  # noqa: A004 - Django's own name for it

from isekai_core.errors import ConfigurationError
from isekai_core.plugins.entry import Plugin
from isekai_core.plugins.registry import installed_apps, registry


@register("isekai")
def plugins_can_be_used(**_: Any) -> list[CheckMessage]:
    """W001: a plugin is in quarantine. W002: its names are ambiguous. W003: isekai.toml chooses what is not there."""
    try:
        found = registry()
    except ConfigurationError as error:
        return [Warning(str(error), id="isekai.W003")]
    apps = installed_apps()
    return [
        *(_of(plugin, [app for app in plugin.installed.apps if app not in apps]) for plugin in found.unsound),
        *(Warning(problem, id="isekai.W003") for problem in found.problems),
    ]


def _of(plugin: Plugin, left_out: list[str]) -> CheckMessage:
    number = "W002" if plugin.state.usable else "W001"
    apps = f"; left out of installed_apps() is {', '.join(left_out)}" if left_out else ""
    return Warning(
        f"the plugin {plugin.name} {plugin.version} ({plugin.state}): {plugin.reason}{apps}",
        hint=plugin.fix or f"isekai plugins show {plugin.name}",
        id=f"isekai.{number}",
    )


@register("isekai")
def plugins_apps_are_installed(**_: Any) -> list[CheckMessage]:
    """W004: a plugin is a Django app, too, and not in INSTALLED_APPS."""
    try:
        wanted = installed_apps()
    except ConfigurationError:
        return []  # W003 says it.
    known = {*settings.INSTALLED_APPS, *(config.name for config in apps.get_app_configs())}
    return [
        Warning(
            f"the app {app!r} of an installed plugin is not in INSTALLED_APPS",
            hint="add *isekai_core.installed_apps() to it",
            id="isekai.W004",
        )
        for app in wanted
        if app not in known
    ]


@register("isekai")
def sqlite_takes_its_lock_at_once(**_: Any) -> list[CheckMessage]:
    """W010: SQLite should begin transactions with the write lock, or concurrent ones fail instead of waiting."""
    return [
        Warning(
            f"the SQLite database {alias!r} does not begin its transactions with the write lock",
            hint='add "OPTIONS": {"transaction_mode": "IMMEDIATE"} to it: a read followed by a write fails'
            " at once when another connection writes in between",
            id="isekai.W010",
        )
        for alias, database in settings.DATABASES.items()
        if database.get("ENGINE", "").endswith("sqlite3")
        and str(database.get("OPTIONS", {}).get("transaction_mode", "")).upper() not in ("IMMEDIATE", "EXCLUSIVE")
    ]
