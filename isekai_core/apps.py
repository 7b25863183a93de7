"""The Django app. Nothing is loaded in `ready()`: the plugin registry is built at first use."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class IsekaiConfig(AppConfig):
    """`isekai_core` in INSTALLED_APPS; its tables begin with `isekai_`."""

    name = "isekai_core"
    label = "isekai"
    verbose_name = "ISEKAI"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, and what has to be done after `manage.py flush`."""
        from isekai_core import checks  # noqa: F401, PLC0415 - Django registers checks when they are imported

        post_migrate.connect(_forget_flushed, sender=self)


def _forget_flushed(using: str, **_: Any) -> None:
    """A flush sends this signal, too: what slices remember of the rows is for other rows from now on."""
    from isekai_core.builtins.orm.ledger import forget_flushed  # noqa: PLC0415 - only when used

    forget_flushed(using)
