"""The proxies of the environment: which is asked for whom, and what is said of those that cannot be one."""

import pytest
from isekai_http.proxies import Proxies, proxy_address
from isekai_http.seed import SitemapSeeder

from isekai_core.errors import SeedError


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://proxy.example.org:3128", "http://proxy.example.org:3128"),
        ("https://ada:pw@proxy.example.org", "https://ada:pw@proxy.example.org"),
        ("proxy.example.org:3128", "http://proxy.example.org:3128"),
        ("ada:pw@[::1]:3128/", "http://ada:pw@[::1]:3128/"),
    ],
)
def test_a_proxy_is_named_with_or_without_its_scheme(text, address):
    assert proxy_address(text) == address


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("socks5://ada:s3cr3t@127.0.0.1:1080", "'socks5://…@127.0.0.1:1080'"),
        ("ada:s3cr3t@127.0.0.1:99999", "'http://…@127.0.0.1:99999'"),
        ("http://ada:s3/cr@3t@127.0.0.1", "'http://…@127.0.0.1'"),
        ("http://ada:s3cr3t@[::1", "'http://…@[::1'"),
        ("no proxy at all", "'http://no proxy at all'"),
        ("http:///", "'http:///'"),
    ],
)
def test_what_cannot_be_a_proxy_is_shown_without_its_password(text, shown):
    with pytest.raises(ValueError, match="expected an http one such as http://proxy") as caught:
        proxy_address(text)
    assert str(caught.value).startswith(f"the environment names the proxy {shown}, ")
    assert caught.value.__suppress_context__


def test_the_proxy_of_the_scheme_goes_before_the_one_for_all(monkeypatch):
    monkeypatch.setenv("http_proxy", "one:1")
    monkeypatch.setenv("all_proxy", "two:2")
    monkeypatch.setenv("no_proxy", "exempt.example.org")
    proxies = Proxies()
    assert proxies
    assert proxies.for_host("http", "old.example.org") == "http://one:1"
    assert proxies.for_host("https", "old.example.org") == "http://two:2"
    assert proxies.for_host("http", "exempt.example.org") is None
    assert proxies.for_host("http", "localhost") is None


def test_without_any_there_is_none():
    assert not Proxies()
    assert Proxies().for_host("http", "old.example.org") is None


@pytest.mark.parametrize("proxy", ["socks5://ada:s3cr3t@127.0.0.1:1", "ftp://ada:s3cr3t@h:1", "http://ada:s3cr3t@[::1"])
def test_the_seeder_tells_of_a_proxy_that_cannot_be_one_without_its_password(monkeypatch, proxy):
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(SeedError, match=r"the environment names the proxy .*, expected an http one") as caught:
        list(SitemapSeeder(url="http://old.example.org/sitemap.xml").seed())
    assert "s3cr3t" not in str(caught.value)
