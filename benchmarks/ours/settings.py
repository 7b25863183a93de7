"""ISEKAI's side: its app, and the one that holds the pipeline."""

from job.settings import *  # noqa: F403
from job.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "isekai_core", "ours"]
