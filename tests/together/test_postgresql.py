"""The test kit on PostgreSQL: together with isekai-postgres, because that brings the driver, which core does not."""

import subprocess
import sys
from textwrap import dedent

import pytest

SOURCE = """
    import os
    import pytest
    from django.db import connection

    @pytest.mark.django_db
    def test_the_tables_are_there():
        assert connection.vendor == "postgresql"
        assert "auth_user" in connection.introspection.table_names()

    def test_there_is_one_server_for_everybody(postgres_url):
        assert postgres_url == os.environ["ISEKAI_TEST_POSTGRES_URL"]
"""


@pytest.fixture
def run_pytest(tmp_path, project_environment):
    def run(**environment):
        (tmp_path / "test_it.py").write_text(dedent(SOURCE))
        (tmp_path / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = isekai_core.testing.settings\n")
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"],
            cwd=tmp_path,
            env=project_environment | {"ISEKAI_TEST_DATABASE": "postgresql"} | environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    return run


def test_a_server_is_started_where_none_is_given(run_pytest):
    done = run_pytest(ISEKAI_TEST_POSTGRES_URL="")
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_server_that_is_given_is_used(run_pytest, postgres_url):
    done = run_pytest(ISEKAI_TEST_POSTGRES_URL=postgres_url)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
