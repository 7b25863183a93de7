"""Which addresses are wanted: hosts and glob patterns."""

import pytest
from isekai_html.links import base_of, locate
from isekai_html.match import Addresses, Globs

from isekai_core.types import Key


def wants(url, *, site="old.example.org", domains=None, include=None, exclude=None):
    return Addresses(domains, include, exclude).wants(locate(base_of(""), url), site)


def test_by_default_the_host_and_port_must_be_the_pages_own():
    assert wants("https://old.example.org/a")
    assert wants("http://old.example.org/a")
    assert not wants("https://www.old.example.org/a")
    assert not wants("https://old.example.org:8000/a")
    assert wants("http://localhost:8000/a", site="localhost:8000")
    assert not wants("http://localhost:8001/a", site="localhost:8000")


@pytest.mark.parametrize(
    ("entry", "fits", "does_not"),
    [
        ("example.org", ["http://example.org/", "https://example.org:8000/"], ["https://www.example.org/"]),
        ("Example.ORG.", ["http://example.org/"], ["http://notexample.org/"]),
        ("example.org:8000", ["http://example.org:8000/"], ["http://example.org/", "http://example.org:8001/"]),
        ("example.org:443", ["https://example.org/"], ["http://example.org/"]),
        ("example.org:80", ["http://example.org/"], ["https://example.org/"]),
        ("*.example.org", ["http://a.example.org/", "http://a.b.example.org:8/"], ["http://example.org/"]),
        ("*.example.org:8000", ["http://a.example.org:8000/"], ["http://a.example.org/"]),
        ("*", ["http://anything.test:1/"], []),
        ("[::1]", ["http://[::1]/", "http://[::1]:8000/"], ["http://[::2]/"]),
        ("[::1]:8000", ["http://[::1]:8000/"], ["http://[::1]/"]),
        ("bücher.example", ["http://bücher.example/", "http://xn--bcher-kva.example/"], ["http://bucher.example/"]),
    ],
)
def test_a_domain_entry_fits_its_hosts(entry, fits, does_not):
    assert all(wants(url, domains=[entry]) for url in fits)
    assert not any(wants(url, domains=[entry]) for url in does_not)


def test_with_domains_the_pages_own_host_is_wanted_only_when_it_is_named():
    assert not wants("https://old.example.org/a", domains=["cdn.example.org"])
    assert not wants("https://old.example.org/a", domains=[])


@pytest.mark.parametrize(
    "entry", ["https://example.org", "example.org/a", "", "a b", "*.", "example.org:port", "*x.org"]
)
def test_what_is_no_host_is_refused(entry):
    with pytest.raises(ValueError, match=r"domains: expected hosts such as 'example\.org'"):
        Addresses([entry], None, None)


def test_include_and_exclude_are_patterns_on_the_address():
    assert wants("https://old.example.org/blog/a?page=2", include=["*/blog/*"])
    assert wants("https://old.example.org/blog/a?page=2", include=["/blog/*"])
    assert wants("https://old.example.org/blog/a?page=2", include=["/nothing/*", "*page=[12]"])
    assert not wants("https://old.example.org/blog/a", include=["/about/*"])
    assert not wants("https://old.example.org/blog/a", include=[])
    assert not wants("https://old.example.org/blog/a", exclude=["/blog/*"])
    assert wants("https://old.example.org/blog/a", include=["/blog/*"], exclude=["/blog/b*"])


def test_a_pattern_is_compared_with_the_whole_of_what_it_is_compared_with():
    assert not Globs("pages", ["blog"])("https://old.example.org/blog")
    assert not Globs("pages", ["/blog"])("https://old.example.org/blog/a")
    assert Globs("pages", ["/"])("https://old.example.org/")
    assert Globs("pages", ["/Blog"])("https://old.example.org/Blog")
    assert not Globs("pages", ["/Blog"])("https://old.example.org/blog")


def test_keys_that_are_no_addresses_are_compared_as_they_are():
    assert Globs("pages", ["pages/*.html"])("pages/a.html")


def test_an_empty_pattern_is_refused():
    with pytest.raises(ValueError, match=r"pages: expected a glob pattern such as '/blog/\*', got an empty text"):
        Globs("pages", [""])


@pytest.mark.parametrize(
    "pattern", ["/über uns/*", "/%C3%BCber%20uns/*", "/%c3%bcber%20uns/*", "*/über*", "https://*/über uns/?"]
)
def test_letters_of_a_pattern_may_be_written_as_people_or_as_addresses_write_them(pattern):
    globs = Globs("include", [pattern])
    assert globs(Key("url", "https://old.example.org/über uns/a").value)
    assert not globs("https://old.example.org/uber-uns/a")


def test_a_pattern_fits_what_is_no_address_as_it_is_written():
    assert Globs("include", ["*/über*.png"])("images/über uns.png")
    assert Globs("include", ["*/[üö]ber.png"])("images/über.png")
    assert not Globs("include", ["*/[üö]ber.png"])("images/Cber.png")
