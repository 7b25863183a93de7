"""`admin.py`: runs to be looked at."""

import re

import pytest

from isekai_core import run
from isekai_core.models import Run


def content(client, url):
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def loaded(shelf):
    return run("shelf")


def test_the_list_of_runs_tells_how_they_ended(admin_client, loaded):
    Run.objects.create(pipeline="other", host="elsewhere", pid=1, heartbeat_at="2020-01-01T00:00:00Z")
    html = content(admin_client, "/admin/isekai/run/")
    assert '<td class="field-standing">finished</td>' in html
    assert '<td class="field-standing">process gone</td>' in html
    assert "1 on elsewhere" in html


def test_the_page_of_a_run_tells_what_it_did(admin_client, loaded):
    html = content(admin_client, f"/admin/isekai/run/{loaded.run}/change/")
    assert "8 done, 2 failed; " in html
    assert "3 created, 2 relinked" in html


def test_the_page_of_a_run_tells_what_each_processor_cost(admin_client, loaded):
    html = content(admin_client, f"/admin/isekai/run/{loaded.run}/change/")
    assert re.search(r">load; isekai-core 0.1.0; 4 resources, 6 rows; \d+\.\d\d s<", html)
    assert re.search(r">extract; \(project\) 1; 10 resources, 2 errors; \d+\.\d\d s<", html)


def test_the_page_of_a_run_of_an_older_version_has_no_costs(admin_client, loaded):
    row = Run.objects.get(pk=loaded.run)
    del row.report["processors"]
    row.save()
    html = content(admin_client, f"/admin/isekai/run/{loaded.run}/change/")
    assert "resources, 6 rows" not in html
    assert "3 created, 2 relinked" in html


def test_the_page_of_a_run_that_is_under_way_has_no_report_yet(admin_client, db):
    row = Run.objects.create(pipeline="other", host="elsewhere", pid=1, heartbeat_at="2020-01-01T00:00:00Z")
    assert "process gone" in content(admin_client, f"/admin/isekai/run/{row.pk}/change/")


def test_what_a_seeder_says_of_its_failure_is_shown_as_text(admin_client, well):
    hostile = "<script>alert('of a seeder')</script>"
    well[hostile] = RuntimeError(hostile)
    result = run("shelf")
    html = content(admin_client, f"/admin/isekai/run/{result.run}/change/")
    assert "RuntimeError: &lt;script&gt;alert" in html
    assert "<script>alert" not in html
