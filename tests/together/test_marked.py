"""`@pytest.mark.isekai_slice` on PostgreSQL: isekai-postgres loads within the transaction of the test."""

import os
import subprocess
import sys
from textwrap import dedent

from bundles import write

from isekai_core.builtins.slice_file import File

SOURCE = """
    import pytest
    from django.db import connection
    from isekai_core.testing.shop.models import Category

    @pytest.mark.isekai_slice("bug")
    def test_a(isekai_slices):
        assert connection.vendor == "postgresql"
        assert isekai_slices[0].target.startswith("default (postgresql://")
        assert sorted(Category.objects.values_list("pk", flat=True)) == [1, 2, 3]
        assert Category.objects.create(slug="more").pk == 4

    @pytest.mark.isekai_slice("bug", ids="remap", name="dev")
    def test_b(transactional_db):
        assert Category.objects.count() == 3

    @pytest.mark.isekai_slice("bug", name="dev")
    def test_c(transactional_db):
        assert sorted(Category.objects.values_list("pk", flat=True)) == [1, 2, 3]

    @pytest.mark.django_db
    def test_d():
        assert not Category.objects.exists()
"""


def test_rows_are_there_for_the_test_and_gone_after_it(tmp_path, postgres_url):
    (tmp_path / "test_it.py").write_text(dedent(SOURCE))
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    write(File(tmp_path / "bug"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"],
        cwd=tmp_path,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "isekai_core.testing.settings",
            "ISEKAI_TEST_DIR": str(tmp_path / "project"),
            "ISEKAI_TEST_DATABASE": "postgresql",
            "ISEKAI_TEST_POSTGRES_URL": postgres_url,
            "PYTHONSAFEPATH": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert "4 passed" in done.stdout, done.stdout
