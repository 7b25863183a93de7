"""The app `shop`, which exists for tests only."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """`isekai_core.testing.shop` in INSTALLED_APPS."""

    name = "isekai_core.testing.shop"
    label = "shop"
    default_auto_field = "django.db.models.BigAutoField"
