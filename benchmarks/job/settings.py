"""The settings that both sides share, from the environment that `pipeline.py` sets up."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


def database(url: str) -> dict[str, Any]:
    """Django's settings for `sqlite:///path` or `postgresql://user:password@host:port/name`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        options = {"transaction_mode": "IMMEDIATE", "timeout": 30}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path, "OPTIONS": options}
    host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username or "",
        "PASSWORD": parts.password or "",
        "HOST": host,
        "PORT": str(parts.port or ""),
    }


SECRET_KEY = "for the benchmark only"
INSTALLED_APPS = ["django.contrib.contenttypes", "job"]
DATABASES = {"default": database(os.environ["BENCH_DATABASE"])}
MEDIA_ROOT = Path(os.environ["BENCH_FOLDER"]) / "media"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
SITE = os.environ["BENCH_SITE"]
