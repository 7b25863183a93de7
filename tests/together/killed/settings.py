"""Settings of the processes that `test_kill.py` and `test_helpers.py` start, on the database of their test."""

import os

from isekai_core.testing.settings import *  # noqa: F403
from isekai_core.testing.settings import DATABASES, INSTALLED_APPS, STORAGES

DATABASES = {"default": DATABASES["default"] | {"NAME": os.environ["KILL_DATABASE"]}}
INSTALLED_APPS = [*INSTALLED_APPS, "killed"]
MEDIA_ROOT = os.environ["KILL_MEDIA"]
STORAGES = STORAGES | {"default": {"BACKEND": "killing.DyingStorage"}}
# Nobody waits that long: what is taken over at once is taken over because the process is gone.
ISEKAI = {"BATCH_SIZE": 5, "LEASE_SECONDS": 100_000, "INLINE_BLOB_LIMIT": 0}
