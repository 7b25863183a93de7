"""Django settings for the tests of core and of plugins: `DJANGO_SETTINGS_MODULE=isekai_core.testing.settings`.

Four environment variables change them:

- `ISEKAI_TEST_DATABASE`: `sqlite` (the default) or `postgresql`.
- `ISEKAI_TEST_POSTGRES_URL`: the PostgreSQL server; under pytest one is started where none is given.
- `ISEKAI_TEST_DIR`: the folder of the media; the SQLite file is beside it, `<folder>.sqlite3`. Without it
  they are temporary and this process's own; processes that are given the same folder share the project.
- `ISEKAI_TEST_APPS`: further apps, separated by commas. An app `testapp` is there whenever it can be imported.
"""

import atexit
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any


def _folder() -> Path:
    if given := os.environ.get("ISEKAI_TEST_DIR"):
        return Path(given)
    # Only named here, and made by what is first written into it: type checkers import settings, too.
    named = Path(tempfile.gettempdir()) / f"isekai-test-{os.getpid()}"
    atexit.register(_remove, named)
    return named


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for path in folder.parent.glob(f"{folder.name}.*sqlite3*"):
        path.unlink(missing_ok=True)


def _database() -> dict[str, Any]:
    kind = os.environ.get("ISEKAI_TEST_DATABASE", "sqlite")
    if kind == "postgresql":
        return _postgresql()
    if kind != "sqlite":
        msg = f"ISEKAI_TEST_DATABASE is sqlite or postgresql, got {kind!r}"
        raise ValueError(msg)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(DATA_DIR.with_suffix(".sqlite3")),
        # A file, not memory: threads and other processes see the same locks as in production. It need
        # not outlive a power cut, so nothing is flushed.
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF",
        },
        "TEST": {"NAME": str(DATA_DIR.with_suffix(".test.sqlite3"))},
    }


def _postgresql() -> dict[str, Any]:
    # Imported here: with SQLite, the settings need nothing of the extra isekai-core[testing].
    from isekai_core.testing.postgres import database_settings  # noqa: PLC0415

    url = os.environ.get("ISEKAI_TEST_POSTGRES_URL")
    if not url:
        msg = "ISEKAI_TEST_DATABASE=postgresql needs a server in ISEKAI_TEST_POSTGRES_URL, unless pytest starts one"
        raise ValueError(msg)
    # The number of the process: two test runs may use one server at the same time.
    return {**database_settings(url), "TEST": {"NAME": f"test_isekai_{os.getpid()}"}}


DATA_DIR = _folder()
DATABASES = {"default": _database()}

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "isekai_core",
    "isekai_core.testing.shop",
    *(["testapp"] if importlib.util.find_spec("testapp") else []),
    *filter(None, os.environ.get("ISEKAI_TEST_APPS", "").split(",")),
]

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

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

MEDIA_ROOT = str(DATA_DIR / "media")
MEDIA_URL = "/media/"
STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

SECRET_KEY = "for tests only"  # noqa: S105 - nothing is signed with it outside of tests
ROOT_URLCONF = "isekai_core.testing.urls"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
# Fast, for test users; no password in tests is worth protecting.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
