"""Links: cheap joining gives what the standard library and the canonical key give."""

import string
from urllib.parse import urljoin

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from isekai_html import links
from isekai_html.links import base_of, locate, suffix_of, tidy

from isekai_core.types import Key

PAGE = "https://old.example.org/blog/2026/a.html?page=2"

# Without a `;` at its end, which urljoin loses.
segment = st.from_regex(r"[A-Za-z0-9_.~%;=:@!$&'()*+,é-]{0,7}[A-Za-z0-9_.~%=:@!$&'()*+,é-]", fullmatch=True)
path = st.lists(segment, max_size=5).map("/".join)
query = st.one_of(st.just(""), st.text(string.ascii_letters + "=&?/+%é", min_size=1, max_size=12).map("?{}".format))
fragment = st.one_of(st.just(""), st.just("#part"), st.just("#a/b?c"))
bases = st.builds(
    lambda scheme, host, way, rest: Key("url", f"{scheme}://{host}/{way}{rest}").value,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["old.example.org", "localhost:8000", "[::1]:8000", "OLD.example.org:443"]),
    path,
    query,
)
beginning = st.sampled_from(
    ["", "/", "./", "../", "../../", "../../../../", "//other.example.org/", "https://old.example.org/", "HTTP://x:80/"]
)
hrefs = st.builds("{}{}{}{}".format, beginning, path, query, fragment)


def leads_to(base, href):
    target = locate(base_of(base), href)
    return target.url if target else None


def by_the_standard_library(base, href):
    try:
        return Key("url", urljoin(base, href)).value
    except ValueError:
        return None


@given(bases, hrefs)
@example("https://old.example.org/a/b/c", "../../../x")
@example("https://old.example.org/a/b/c", "..")
@example("https://old.example.org/a/b/c", ".")
@example("https://old.example.org/a/b/c?x", "?y")
@example("https://old.example.org/a;p/b", ";q")
@example("https://old.example.org/a", "mailto:ada@example.org")
@example("https://old.example.org/a/b", "https:c")
@example("https://old.example.org/a/b", "http:c")
@example("https://old.example.org/a/b", "///c")
@example("https://old.example.org/a/b", "//[::1/")
@example("https://old.example.org/a/b", "https://x:port/")
def test_a_link_leads_where_the_standard_library_says(base, href):
    if href.startswith("#") or not href:
        assert leads_to(base, href) is None
    elif href.startswith("?") and not href.partition("#")[0][1:]:
        assert leads_to(base, href) == base.partition("?")[0]
    else:
        assert leads_to(base, href) == by_the_standard_library(base, href)


@given(bases, hrefs)
def test_what_is_remembered_of_a_link_is_what_was_found_at_first(base, href):
    assert leads_to(base, href) == leads_to(base, href)


def test_a_query_is_relative_to_the_page_and_not_remembered_for_its_directory():
    assert leads_to("https://old.example.org/a?page=1", "?page=2") == "https://old.example.org/a?page=2"
    assert leads_to("https://old.example.org/b?page=1", "?page=2") == "https://old.example.org/b?page=2"


@pytest.mark.parametrize(
    "href",
    [
        *("", " ", "#", "#top", "file:///etc/passwd", "FILE:///etc/passwd", "data:image/png;base64,AAAA"),
        *("javascript:void(0)", "java\nscript:alert(1)", " javascript:x", "mailto:ada@example.org", "tel:+49123"),
        *("ftp://old.example.org/a", "about:blank", "//", "http://", "https:///", "http://[", "\0"),
        *("/a\0b", "http://old.example.org:99999/", "blob:https://old.example.org/1", "http://\ud800/"),
    ],
)
def test_what_is_no_web_address_leads_nowhere(href):
    assert leads_to(PAGE, href) is None


@pytest.mark.parametrize(
    ("href", "url"),
    [
        (" img.png\n", "https://old.example.org/blog/2026/img.png"),
        ("img/\n  a.png", "https://old.example.org/blog/2026/img/%20%20a.png"),
        ("my file.pdf", "https://old.example.org/blog/2026/my%20file.pdf"),
        ("..\\img\\a.png", "https://old.example.org/blog/img/a.png"),
        ("a.html?x=\\y", "https://old.example.org/blog/2026/a.html?x=\\y"),
        ("/a//b", "https://old.example.org/a//b"),
        ("/\\other.example.org/a", "https://other.example.org/a"),
        ("https://OLD.example.org:443/%7eada/", "https://old.example.org/~ada/"),
        ("café.html", "https://old.example.org/blog/2026/caf%C3%A9.html"),
    ],
)
def test_a_link_is_read_as_browsers_read_it(href, url):
    assert leads_to(PAGE, href) == url


def test_a_byte_that_the_charset_does_not_know_is_sent_back_as_it_came():
    assert leads_to(PAGE, "caf\udce9.html") == "https://old.example.org/blog/2026/caf%E9.html"


def test_a_query_is_sent_in_the_charset_of_its_page_and_a_path_is_not():
    base = base_of(PAGE, "iso-8859-1")
    assert locate(base, "/café?q=café").url == "https://old.example.org/caf%C3%A9?q=caf%E9"
    assert locate(base, "/?q=€").url == "https://old.example.org/?q=%26%238364%3B"
    assert locate(base_of(PAGE), "/?q=café").url == "https://old.example.org/?q=caf%C3%A9"


def test_without_a_web_address_of_the_page_only_absolute_links_lead_anywhere():
    nowhere = base_of("")
    assert locate(nowhere, "https://old.example.org/a").url == "https://old.example.org/a"
    for href in ("a.html", "/a.html", "?page=2", "//old.example.org/a", "#top", "https:a"):
        assert locate(nowhere, href) is None


def test_a_target_knows_its_site_and_suffix():
    target = locate(base_of("http://localhost:8000/a"), "b/Report.PDF;jsessionid=1?x=y.html")
    assert (target.site, target.suffix) == ("localhost:8000", "pdf")
    assert target.mined.key == target.key
    assert [suffix_of(f"https://old.example.org/{name}") for name in ("", "a", ".htaccess", "a.b/c", "v1.2")] == [
        "",
        "",
        "",
        "",
        "2",
    ]


def test_a_link_that_holds_a_password_leads_nowhere():
    assert locate(base_of("https://old.example.org/a"), "https://ada:s3cr3t@old.example.org/b") is None


def test_a_link_of_five_thousand_characters_leads_there_and_is_not_remembered():
    href = "/" + "x" * 5000
    assert locate(base_of("https://long.example.org/"), href).url == f"https://long.example.org{href}"
    assert not any(len(url) > 4000 for url in links._targets)


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(links, "_REMEMBERED", 10)
    monkeypatch.setattr(links, "_targets", {})
    for number in range(100):
        base = base_of(f"https://old.example.org/{number % 7}/")
        assert locate(base, f"/{number}.html").url == f"https://old.example.org/{number}.html"
        assert len(links._targets) <= 10


@given(st.text())
def test_any_text_at_all_leads_somewhere_or_nowhere_without_an_exception(text):
    target = locate(base_of(PAGE), text)
    assert target is None or target.url.startswith(("http://", "https://"))
    assert tidy(tidy(text)) == tidy(text)
