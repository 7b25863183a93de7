"""`admin.py`: resources to be looked at, resources to be retried, and hostile content that stays text."""

import json
import re
from html import unescape

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from testapp.models import Article
from testapp.pipelines import Thing, article, author

from isekai_core import Key, Payload, Pipeline, Spec, run
from isekai_core.errors import TransformError
from isekai_core.models import Dependency, Resource, Run, Step
from isekai_core.models import Payload as PayloadRow

LIST = "/admin/isekai/resource/"
HOSTILE = "<script>alert('of a page')</script>"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def page(name):
    return f"{LIST}{Resource.objects.get(key=f'thing:{name}').pk}/change/"


def content(client, url, **parameters):
    response = client.get(url, parameters)
    assert response.status_code == 200
    return response.content.decode()


def keys(html):
    """The keys in the list."""
    return re.findall(r'<th class="field-short_key"><a [^>]*><span [^>]*>(.*?)</span></a>', html)


def queries(client, url):
    with CaptureQueriesContext(connection) as caught:
        content(client, url)
    return len(caught)


@pytest.fixture
def loaded(shelf):
    return run("shelf")


@pytest.fixture
def staff(client, django_user_model):
    """A client whose user is staff, with the permissions that a test names."""

    def log_in(*permissions):
        user = django_user_model.objects.create_user("clerk", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return log_in


# The list


def test_the_list_shows_where_each_resource_stands_and_why(admin_client, loaded):
    html = content(admin_client, LIST)
    assert sorted(keys(html)) == sorted(Resource.objects.values_list("key", flat=True))
    assert "the source has no &#x27;ghost&#x27;" in html
    assert "needs thing:ghost, which is not loaded" in html


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state__exact": "failed"}, ["thing:ghost", "thing:gone", "thing:wild"]),
        ({"stage__exact": "transformed"}, ["thing:c", "thing:d"]),
        ({"pipeline": "shelf", "state__exact": "skipped"}, ["thing:odd"]),
        ({"pipeline": "another"}, []),
    ],
)
def test_the_list_is_filtered_by_pipeline_stage_and_state(admin_client, loaded, query, expected):
    assert sorted(keys(content(admin_client, LIST, **query))) == expected


def test_a_whole_key_is_found_alone_and_a_part_finds_all_that_hold_it(admin_client, loaded):
    assert keys(content(admin_client, LIST, q="thing:a")) == ["thing:a"]
    assert sorted(keys(content(admin_client, LIST, q="g:G"))) == ["thing:ghost", "thing:gone"]


def test_an_address_is_found_as_it_is_pasted(admin_client, db):
    for address in ("https://old.example.org/a", "https://old.example.org/a/b"):
        key = Key("url", address)
        Resource.objects.create(pipeline="blog", key=str(key), key_hash=key.digest)
    assert keys(content(admin_client, LIST, q="HTTPS://old.example.org/a")) == ["url:https://old.example.org/a"]


def test_the_list_costs_as_many_queries_for_many_resources_as_for_few(admin_client, shelf):
    run("shelf")
    few = queries(admin_client, LIST)
    shelf.update({f"n{number}": Thing(article(f"n{number}")) for number in range(60)})
    run("shelf")
    assert queries(admin_client, LIST) == few
    assert few < 10


def test_the_list_reads_no_long_texts(admin_client, loaded):
    with CaptureQueriesContext(connection) as caught:
        content(admin_client, LIST)
    (listed,) = [query["sql"] for query in caught if '"isekai_resource"."message"' in query["sql"]]
    assert not any(f'"{column}"' in listed for column in ("traceback", "metadata", "extracted", "written", "spec_id"))


def test_what_is_of_others_runs_in_its_own_direction_in_a_page_from_right_to_left(admin_client, well, settings):
    settings.LANGUAGE_CODE = "ar"
    well["a"].text = Payload.from_record({"name": "Ada"})
    well["b"].spec = TransformError("the page has no title (yet)")
    run("shelf")
    listed = content(admin_client, LIST)
    assert 'dir="rtl"' in listed
    assert re.search(r'<span dir="auto" [^>]*>the page has no title \(yet\)</span>', listed)
    assert re.search(
        r'<pre dir="auto" [^>]*>\{\n  &quot;name&quot;: &quot;Ada&quot;\n\}</pre>', content(admin_client, page("a"))
    )
    assert re.search(r'<div dir="auto" [^>]*>the page has no title \(yet\)</div>', content(admin_client, page("b")))


# The page of a resource


def test_a_key_that_is_one_long_word_breaks_and_is_cut_in_titles(admin_client, db):
    key = Key("thing", "x" * 3000)
    row = Resource.objects.create(pipeline="blog", key=str(key), key_hash=key.digest, message="y" * 3000)
    listed = content(admin_client, LIST)
    assert len(re.findall(r'overflow-wrap: anywhere">(thing:x+|y+)…</span>', listed)) == 2
    html = content(admin_client, f"{LIST}{row.pk}/change/")
    assert re.search(r"<h2>thing:x{63}…</h2>", html)
    assert len(re.findall(r'overflow-wrap: anywhere">(thing:x{3000}|y{3000})</div>', html)) == 2


def test_every_resource_has_a_page(admin_client, loaded):
    for name in ("ada", "a", "c", "e", "ghost", "odd", "wild"):
        assert f"thing:{name}" in content(admin_client, page(name))


def test_the_page_tells_what_was_extracted_what_it_becomes_and_who_did_it(admin_client, loaded):
    html = content(admin_client, page("e"))
    assert "text, text/plain, utf-8, 6 bytes" in html
    assert "a text" in html
    assert "testapp.Article" in html
    assert "→ thing:ada" in html
    assert "isekai-core/models isekai-core 0.1.0" in html
    assert re.search(r"<th>mine</th><td><pre[^>]*>testapp.pipelines.links  1</pre>", html)
    assert "{shelf: &quot;upper&quot;}" in html


def test_the_page_links_to_the_row_in_the_site_and_to_the_resources_beside_it(admin_client, loaded):
    html = content(admin_client, page("e"))
    assert '<a href="/articles/e/" rel="noopener noreferrer">/articles/e/</a>' in html
    assert f'<a href="{page("gone")}">thing:gone</a> (soft, failed)' in html
    assert f'<a href="{page("gone")}">thing:gone</a> (failed) {{found: &quot;here&quot;}}' in html


def test_the_page_links_to_the_row_in_the_admin_where_its_model_is_there(admin_client, loaded, monkeypatch):
    row = Article.objects.get(slug="e")
    asked = []

    def known(name, args, **_):
        asked.append((name, args))
        return f"/somewhere/{args[0]}/"

    monkeypatch.setattr("isekai_core.admin.reverse", known)
    html = content(admin_client, page("e"))
    assert ("admin:testapp_article_change", [str(row.pk)]) in asked
    assert f'<a href="/somewhere/{row.pk}/" rel="noopener noreferrer">testapp.Article {row.pk}</a>' in html


def test_the_page_tells_what_failed_and_where(admin_client, loaded):
    html = content(admin_client, page("wild"))
    assert "in transform, testapp.pipelines.become, ZeroDivisionError, cause " in html
    assert "ZeroDivisionError: one by nought" in html


def test_the_page_of_a_blocked_resource_links_to_what_blocks_it(admin_client, loaded):
    assert f'blocked by <a href="{page("ghost")}">thing:ghost</a>' in content(admin_client, page("c"))


def test_of_many_links_the_page_shows_some_and_says_how_many_there_are(admin_client, well):
    names = [f"n{number:02}" for number in range(50)]
    well["a"].links = tuple(names)
    well.update({name: Thing(author(name), is_seed=False) for name in names})
    run("shelf")
    with CaptureQueriesContext(connection) as caught:
        html = content(admin_client, page("a"))
    assert html.count(">thing:n") == 20
    assert "… and 30 more" in html
    assert len(caught) < 25


def test_of_a_long_text_the_page_shows_the_beginning(admin_client, well):
    well["a"].text = "é" * 100_000
    run("shelf")
    html = content(admin_client, page("a"))
    assert "200,000 bytes" in html
    assert "é" * (10 * 1024 // 2) + "…" in html
    assert "é" * (10 * 1024 // 2 + 1) not in html


def test_a_row_that_was_deleted_since_is_told(admin_client, loaded):
    Article.objects.get(slug="e").delete()
    assert "the row is not there any more" in content(admin_client, page("e"))


def test_an_address_that_could_run_a_script_is_no_link(admin_client, loaded, monkeypatch):
    monkeypatch.setattr(Article, "get_absolute_url", lambda self: "javascript:alert(1)")
    html = content(admin_client, page("e"))
    assert "javascript:alert(1)" in html
    assert 'href="javascript:' not in html


# Content of others


def test_what_a_page_holds_is_shown_as_text_wherever_it_appears(admin_client, well):
    well["a"].text = Payload.from_text(HOSTILE, f"text/html{HOSTILE}")
    well["a"].spec = Spec("testapp.Article", {**article("a").values, "title": HOSTILE}, match=["slug"])
    well["b"].spec = ValueError(HOSTILE)
    well[HOSTILE] = Thing(author("x"), is_seed=False)
    well["a"].links = (HOSTILE,)
    run("shelf")
    hostile = Resource.objects.get(key=f"thing:{HOSTILE}")
    for url in (LIST, page("a"), page("b"), f"{LIST}{hostile.pk}/change/", f"{LIST}?q={HOSTILE}"):
        html = content(admin_client, url)
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html


def test_bytes_that_are_not_of_their_charset_are_shown_as_escapes(admin_client, well):
    broken = Payload.from_text(b"caf\xe9").text
    well["a"].text = Payload.from_record({"name": "\ud83d"})
    well["a"].spec = Spec("testapp.Article", {**article("a").values, "title": broken}, match=["slug"])
    well["a"].links = ("b",)
    run("shelf")
    Dependency.objects.filter(parent__key="thing:a", found=True).update(metadata=json.dumps({"said": broken}))
    html = content(admin_client, page("a"))
    assert "&quot;name&quot;: &quot;\\ud83d&quot;" in html
    assert "&quot;caf\\udce9&quot;" in html
    assert "{said: &quot;caf\\udce9&quot;}" in html


def image(well, media_type, content=PNG):
    well["a"].text = Payload.from_blob(content, media_type)
    run("shelf")


def test_a_small_image_is_shown(admin_client, well):
    image(well, "image/png")
    assert '<img src="data:image/png;base64,iVBORw0KGgo' in content(admin_client, page("a"))


@pytest.mark.parametrize(
    ("media_type", "bytes_"),
    [
        ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("application/pdf", PNG),
        ('image/png" onerror="alert(1)', PNG),
        ("image/png", PNG + bytes(1024 * 1024)),
    ],
)
def test_what_is_no_small_picture_is_not_shown(admin_client, well, media_type, bytes_):
    image(well, media_type, bytes_)
    assert "<img" not in content(admin_client, page("a")).partition('<div id="content"')[2]


def test_a_payload_whose_file_was_lost_is_told(admin_client, well, settings, tmp_path):
    settings.ISEKAI = {"INLINE_BLOB_LIMIT": 0}
    image(well, "image/png")
    (stored,) = (path for path in (tmp_path / "media").rglob("*") if path.is_file())
    stored.unlink()
    assert "cannot be read: " in content(admin_client, page("a"))


# Who may what


def test_without_permission_there_is_nothing_to_see(staff, loaded):
    client = staff()
    for url in (LIST, page("e"), "/admin/isekai/run/"):
        assert client.get(url).status_code == 403


def test_nobody_may_add_change_or_delete(admin_client, loaded):
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(page("e"), {"message": "mine"}).status_code == 403
    assert admin_client.post(page("e").replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert not Resource.objects.filter(message="mine").exists()


def retry(client, *rows):
    data = {"action": "retry_chosen", "_selected_action": [row.pk for row in rows]}
    return client.post(LIST, data, follow=True)


def test_who_may_change_resources_may_retry_them(staff, loaded):
    client = staff("view_resource", "change_resource")
    failed = Resource.objects.get(key="thing:ghost")
    html = retry(client, failed).content.decode()
    assert "1 resource is ready: isekai run shelf" in html
    failed.refresh_from_db()
    assert (failed.state, failed.attempts, failed.cause) == ("ready", 0, "")


def test_who_may_only_look_may_not_retry(staff, loaded):
    client = staff("view_resource")
    failed = Resource.objects.get(key="thing:ghost")
    assert "retry_chosen" not in content(client, LIST)
    retry(client, failed)
    failed.refresh_from_db()
    assert failed.state == "failed"


def test_the_cause_leads_to_all_that_failed_by_it_to_be_retried_together(admin_client, well):
    well["a"].spec = TransformError("page 1 has no title")
    well["b"].spec = TransformError("page 2 has no title")
    well["ada"].spec = TransformError("something else")
    run("shelf")
    (query,) = re.findall(rf'href="{LIST}(\?pipeline=shelf[^"]*)">[0-9a-f]{{8}}</a>', content(admin_client, page("a")))
    same = LIST + unescape(query)
    assert sorted(keys(content(admin_client, same))) == ["thing:a", "thing:b"]
    chosen = {"action": "retry_chosen", "select_across": "1", "_selected_action": [1]}
    assert "2 resources are ready: isekai run shelf" in admin_client.post(same, chosen, follow=True).content.decode()
    assert Resource.objects.get(key="thing:ada").state == "failed"


def test_to_retry_what_is_done_changes_nothing_and_says_so(admin_client, loaded):
    done = Resource.objects.get(key="thing:a")
    assert "None of them is failed" in retry(admin_client, done).content.decode()
    done.refresh_from_db()
    assert (done.stage, done.state) == ("loaded", "done")


def test_resources_and_runs_are_in_the_menu_and_nothing_else_of_isekai(admin_client, db):
    registered = {model for model in admin.site._registry if model._meta.app_label == "isekai"}
    assert registered == {Resource, Run}
    assert not registered & {Dependency, PayloadRow, Step}
    assert reverse("admin:isekai_resource_changelist") in content(admin_client, "/admin/")


def test_the_filter_offers_the_pipelines_that_were_run(admin_client, loaded):
    run(Pipeline("second"))
    html = content(admin_client, LIST)
    assert "?pipeline=shelf" in html
    assert "?pipeline=second" in html
    assert "?pipeline=third" not in html
