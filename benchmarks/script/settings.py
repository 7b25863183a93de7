"""The script's side: the models to fill, and nothing else."""

from job.settings import *  # noqa: F403
