"""The Django app. Nothing is loaded in `ready()`: the plugin registry is built at first use."""

from django.apps import AppConfig


class IsekaiConfig(AppConfig):
    """`isekai_core` in INSTALLED_APPS; its tables begin with `isekai_`."""

    name = "isekai_core"
    label = "isekai"
    verbose_name = "ISEKAI"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from isekai_core import checks  # noqa: F401, PLC0415 - Django registers checks when they are imported
