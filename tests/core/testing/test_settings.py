"""The settings of the kit in a fresh interpreter, where nobody has set anything up."""

import os
import subprocess
import sys
from pathlib import Path

SHOW = "from isekai_core.testing.settings import *; print(DATABASES['default']['ENGINE'], MEDIA_ROOT, INSTALLED_APPS)"


def settings_with(**environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ISEKAI_")}
    return subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", SHOW],
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_sqlite_is_the_default_and_importing_leaves_nothing_behind(tmp_path):
    done = settings_with(TMPDIR=str(tmp_path))
    assert done.stdout.startswith("django.db.backends.sqlite3")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_the_data_can_be_given(tmp_path):
    assert str(Path(tmp_path, "here", "media")) in settings_with(ISEKAI_TEST_DIR=str(tmp_path / "here")).stdout


def test_further_apps_can_be_given():
    assert "'django.contrib.sites', 'django.contrib.flatpages'" in settings_with(
        ISEKAI_TEST_APPS="django.contrib.sites,django.contrib.flatpages"
    ).stdout  # fmt: skip


def test_another_database_is_refused_with_those_that_there_are():
    assert (
        "ISEKAI_TEST_DATABASE is sqlite or postgresql, got 'oracle'"
        in settings_with(ISEKAI_TEST_DATABASE="oracle").stderr
    )


def test_postgresql_without_a_server_says_what_is_missing():
    assert "needs a server in ISEKAI_TEST_POSTGRES_URL" in settings_with(ISEKAI_TEST_DATABASE="postgresql").stderr
