"""What all tests of the repository share. The fixtures that plugins use, too, are in `isekai_core.testing`."""

import hypothesis
import pytest

# A slow machine is no bug, and a run must not depend on the one before it.
hypothesis.settings.register_profile("isekai", deadline=None, database=None)
hypothesis.settings.load_profile("isekai")


@pytest.fixture(autouse=True)
def own_media(settings, tmp_path):
    """Every test has a folder of its own for files, so that none finds the files of another."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
