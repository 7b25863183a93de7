"""What the tests of runs in processes of their own share."""

import pytest
from killed_runs import reference, runs_in


@pytest.fixture
def command(tmp_path, transactional_db):
    """Runs the pipeline of `killing.py` in a process of its own."""
    return runs_in(tmp_path)


@pytest.fixture
def uninterrupted(command):
    """What one process leaves that nobody killed."""
    return reference(command)
