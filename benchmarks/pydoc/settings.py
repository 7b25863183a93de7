"""A small project that Python's documentation is moved into; `run.py` says where its data go."""

import os
from pathlib import Path

DATA_DIR = Path(os.environ.get("PYDOC_DATA", Path(__file__).resolve().parent.parent / "build" / "pydoc"))
DATA_DIR.mkdir(parents=True, exist_ok=True)

SITE = os.environ.get("PYDOC_SITE", "http://127.0.0.1:8790")

SECRET_KEY = "only for this migration, on this computer"
INSTALLED_APPS = ["django.contrib.contenttypes", "isekai_core", "docs"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "pydoc.sqlite3",
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 30},
    },
}
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
