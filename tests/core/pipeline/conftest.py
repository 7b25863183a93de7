"""A small pipeline for each test, and settings under which nothing waits long."""

from types import SimpleNamespace

import pytest
from world import World


@pytest.fixture
def world(transactional_db):
    return World()


@pytest.fixture(autouse=True)
def configure(settings):
    """Nothing waits long; `configure(BATCH_SIZE=2)` changes more."""

    def configure(**names):
        settings.ISEKAI = {**settings.ISEKAI, **names}

    settings.ISEKAI = {"RETRY_BACKOFF": 0.001, "RETRY_MAX_WAIT": 0.05}
    return configure


@pytest.fixture
def said():
    """A progress that keeps what it is told."""
    lines = []
    return SimpleNamespace(lines=lines, say=lines.append, advance=lambda stage, done, total: None)
