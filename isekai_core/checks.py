"""System checks: what `manage.py check` tells of a project that would run, but not well."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register  # noqa: A004 - Django's own name for it


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
