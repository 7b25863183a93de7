"""The `http` extractor and redirects: followed to their end, never in circles, never out of HTTP."""

import pytest
from isekai_http.extract import HttpExtractor

from isekai_core.errors import SkipResource
from isekai_core.testing import Response, running_site
from isekai_core.types import Key

PAGE = "<!doctype html><title>été</title>"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_its_end_is_the_final_key(site, extract, status):
    site.pages["/a"] = Response.redirect("/b?x=1#part", status)
    site.pages["/b"] = PAGE
    got = extract(site.url("/a"))
    assert got.payload.text == PAGE
    assert got.final_key == Key("url", site.url("/b?x=1"))


def test_a_redirect_to_another_spelling_of_the_same_key_has_no_final_key(site, extract):
    site.pages["/~a"] = Response.redirect("/%7Ea")
    site.pages["/%7Ea"] = PAGE
    got = extract(site.url("/~a"))
    assert got.payload.text == PAGE
    assert got.final_key is None


def test_a_redirect_to_a_bare_host_asks_for_its_root(site, extract):
    site.pages["/a"] = Response.redirect(site.url("").rstrip("/") + "?x=/1")
    site.pages["/?x=/1"] = "root"
    assert extract(site.url("/a")).final_key == Key("url", site.url("/?x=/1"))


def test_redirects_in_a_circle_are_an_error(site, refused):
    site.pages["/a"] = Response.redirect("/b")
    site.pages["/b"] = Response.redirect("/a")
    message = refused(site.url("/a"))
    assert message == f"{site.url('/a')}: redirects in a circle, back to {site.url('/a')}"
    assert len(site.requests) == 2


def test_a_site_that_redirects_until_its_cookie_comes_back_is_told_as_such(site, refused, extract):
    def with_cookie(request):
        if request.headers.get("cookie") == "seen=1":
            return Response(PAGE)
        return Response(status=302, headers={"Location": "/a", "Set-Cookie": "seen=1"}, content_type="")

    site.pages["/a"] = with_cookie
    message = refused(site.url("/a"))
    assert message.endswith(
        "; it sets a cookie and gets none back: where it asks for one, give headers with that Cookie, and hosts"
    )
    assert extract(site.url("/a"), headers={"Cookie": "seen=1"}, hosts=["127.0.0.1"]).payload.text == PAGE


@pytest.mark.parametrize(("allowed", "works"), [(3, True), (2, False), (0, False)])
def test_redirects_are_bounded(site, extract, refused, allowed, works):
    site.pages |= {f"/{n}": Response.redirect(f"/{n + 1}") for n in range(3)}
    site.pages["/3"] = "end"
    if works:
        assert extract(site.url("/0"), max_redirects=allowed).payload.text == "end"
        return
    message = refused(site.url("/0"), max_redirects=allowed)
    assert f"more than {allowed} redirects (max_redirects), the last to " in message


@pytest.mark.parametrize(
    "target", ["ftp://127.0.0.1/a", "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x"]
)
def test_a_redirect_out_of_http_is_an_error(site, refused, target):
    site.pages["/a"] = Response.redirect(target)
    message = refused(site.url("/a"))
    assert message.endswith(f"redirects to {target!r}, expected an http or https address")


@pytest.mark.parametrize("target", ["http://[::1", "http://127.0.0.1:99999/", "http://127.0.0.1:x/"])
def test_a_redirect_to_what_is_no_address_is_an_error(site, refused, target):
    site.pages["/a"] = Response.redirect(target)
    message = refused(site.url("/a"))
    assert "redirects to " in message


def test_a_redirect_to_nowhere_is_an_error(site, refused):
    site.pages["/a"] = Response("", status=302, content_type="")
    message = refused(site.url("/a"))
    assert message == f"{site.url('/a')}: 302 Found without a Location"


def test_a_redirect_that_leads_to_a_404_names_where_it_led(site, refused):
    site.pages["/a"] = Response.redirect("/gone")
    message = refused(site.url("/a"))
    assert message == f"{site.url('/gone')}: 404 Not Found"


def test_a_redirect_out_of_encryption_takes_no_password_along(https_site, extract):
    with running_site() as plain:
        plain.pages["/b"] = PAGE
        https_site.pages["/a"] = Response.redirect(plain.url("/b"))
        url = https_site.url("/a").replace("http:", "https:")
        got = extract(url, verify=False, username="ada", password="pw", hosts=["127.0.0.1"])
        assert got.payload.text == PAGE
        assert "authorization" in https_site.requests[0].headers
        assert "authorization" not in plain.requests[0].headers


def test_a_page_that_was_mined_and_redirects_to_another_host_is_skipped(site, extract):
    with running_site() as other:
        other.pages["/b"] = PAGE
        site.pages["/a"] = Response.redirect(other.url("/b"))
        with pytest.raises(SkipResource) as caught:
            extract(site.url("/a"), depth=1)
        assert str(caught.value) == (
            f"redirects to a page of another host, {other.url('/b')}; redirect_hosts names those that are wanted"
        )
        # What was seeded, was asked for.
        assert extract(site.url("/a")).final_key == Key("url", other.url("/b"))
        for host in ("127.0.0.1", "*"):
            assert extract(site.url("/a"), depth=1, redirect_hosts=[host]).final_key == Key("url", other.url("/b"))


def test_a_file_that_was_mined_may_be_on_another_host(site, extract):
    with running_site() as other:
        other.pages["/b"] = Response(b"\x89PNG", content_type="image/png")
        site.pages["/a"] = Response.redirect(other.url("/b"))
        assert extract(site.url("/a"), depth=1).final_key == Key("url", other.url("/b"))


def test_a_page_that_was_mined_may_redirect_to_one_of_its_own_host(site, extract):
    site.pages["/a"] = Response.redirect("/b")
    site.pages["/b"] = PAGE
    assert extract(site.url("/a"), depth=1).final_key == Key("url", site.url("/b"))


@pytest.mark.parametrize(
    ("url", "target", "leaves"),
    [
        ("http://old.example.org/a", "https://www.old.example.org/a", False),
        ("https://www.old.example.org/a", "http://old.example.org:80/b", False),
        ("http://old.example.org:8000/a", "http://old.example.org:8001/a", True),
        ("http://old.example.org/a", "http://example.org/a", True),
        ("http://old.example.org/a", "http://new.example.org/a", False),
    ],
)
def test_www_and_encryption_make_no_other_host(url, target, leaves):
    assert HttpExtractor(redirect_hosts=["New.example.org"])._leaves(url, target) is leaves
