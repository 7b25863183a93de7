"""The settings of both sides: the shop's models on the database that `slice.py` names."""

import os

from job.settings import database

SECRET_KEY = "for the benchmark only"
INSTALLED_APPS = os.environ.get("BENCH_APPS", "django.contrib.contenttypes,isekai_core,isekai_core.testing.shop").split(
    ","
)
DATABASES = {"default": database(os.environ["BENCH_DATABASE"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
