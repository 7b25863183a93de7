"""isekai-django's side: its app, and the resource model that it asks every project to have."""

from job.settings import *  # noqa: F403
from job.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "isekai", "peer"]
