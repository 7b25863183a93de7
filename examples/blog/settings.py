"""The example's settings: what a new Django project has, plus `isekai_core` and where the old site is."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent

# Whatever a run writes is below this folder; git ignores it, and the demo starts from nothing.
DATA_DIR = Path(os.environ.get("BLOG_DATA", BASE_DIR / "build"))
DATA_DIR.mkdir(parents=True, exist_ok=True)

# A port is part of a key: another one would make other resources of the same pages.
LEGACY_SITE = os.environ.get("BLOG_LEGACY_SITE", "http://127.0.0.1:8765")

SECRET_KEY = "only for this example, which runs on this computer and nowhere else"
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "isekai_core",
    "blog",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "urls"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "blog.sqlite3",
        # Under SQLite, a transaction that reads first and writes later fails at once when another writes.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    },
}

MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"
STATIC_URL = "/static/"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
