"""The app is called `shop`, so that its tables are the same."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "gyro_shop"
    label = "shop"
