"""What all tests of the repository share. The fixtures that plugins use, too, are in `isekai_core.testing`."""

import hypothesis
import pytest
from django.db import connection

# A slow machine is no bug, and a run must not depend on the one before it.
hypothesis.settings.register_profile("isekai", deadline=None, database=None)
hypothesis.settings.load_profile("isekai")


@pytest.fixture(autouse=True)
def own_media(settings, tmp_path):
    """Every test has a folder of its own for files, so that none finds the files of another."""
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture(autouse=True, scope="session")
def emptied_by_delete():
    """On PostgreSQL, TRUNCATE makes new files for every table and index: a quarter of the time of most tests."""
    operations = type(connection.ops)
    own = operations.sql_flush

    def sql_flush(self, style, tables, *, reset_sequences=False, allow_cascade=False):
        if reset_sequences or connection.vendor != "postgresql":
            return own(self, style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade)
        return [f"DELETE FROM {self.quote_name(table)}" for table in tables]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(operations, "sql_flush", sql_flush)
        yield
