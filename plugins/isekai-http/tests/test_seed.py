"""The `sitemap` seeder against a real server: every page, once read; what is broken is named, the rest is kept."""

import base64
import gzip
import logging

import pytest
from isekai_http.seed import SitemapSeeder

from isekai_core.errors import SeedError
from isekai_core.testing import Response
from isekai_core.types import Key, Seed, Seeder

XML = "application/xml"


def urlset(*urls: str) -> str:
    return f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{''.join(map(entry, urls))}</urlset>"


def entry(url: str) -> str:
    return f"<url><loc>{url}</loc></url>"


def index(*urls: str) -> str:
    return f"<sitemapindex>{''.join(f'<sitemap><loc>{url}</loc></sitemap>' for url in urls)}</sitemapindex>"


def seeds(url, **options) -> list[Seed]:
    return list(SitemapSeeder(url=url, wait=0, **options).seed())


def addresses(url, **options) -> list[str]:
    return [*map(address, seeds(url, **options))]


def address(seed: Seed) -> str:
    return seed.key.value


def until_the_error(url, **options) -> tuple[list[str], str]:
    """What was given, and the error after it."""
    given: list[str] = []
    seeder = SitemapSeeder(url=url, wait=0, **options).seed()
    with pytest.raises(SeedError) as caught:
        given.extend(map(address, seeder))
    return given, str(caught.value)


# What it gives


def test_is_a_seeder():
    assert isinstance(SitemapSeeder(url="https://old.example.org/sitemap.xml"), Seeder)


def test_gives_the_pages_of_a_urlset_with_version_and_metadata(site):
    site.pages["/sitemap.xml"] = Response(
        "<urlset>"
        "<url><loc>http://old.example.org/a</loc><lastmod>2026-03-04T05:06+02:00</lastmod>"
        "<changefreq>daily</changefreq><priority>0.8</priority></url>"
        "<url><loc>http://old.example.org/b</loc><changefreq/></url>"
        "</urlset>",
        content_type=XML,
    )
    assert seeds(site.url("/sitemap.xml")) == [
        Seed(
            Key("url", "http://old.example.org/a"),
            {"changefreq": "daily", "priority": "0.8"},
            version="2026-03-04T03:06:00Z",
        ),
        Seed(Key("url", "http://old.example.org/b")),
    ]


def test_gives_relative_padded_and_escaped_addresses_as_canonical_keys(site):
    site.pages["/maps/sitemap.xml"] = urlset("\n  a.html \n", "/b?x=1&amp;y=2", "HTTP://Old.Example.org:80/c d#e")
    assert addresses(site.url("/maps/sitemap.xml")) == [
        site.url("/maps/a.html"),
        site.url("/b?x=1&y=2"),
        "http://old.example.org/c%20d",
    ]


def test_relative_addresses_count_from_where_a_redirect_led(site):
    site.pages["/sitemap.xml"] = Response.redirect("/new/sitemap.xml")
    site.pages["/new/sitemap.xml"] = urlset("a")
    assert addresses(site.url("/sitemap.xml")) == [site.url("/new/a")]


def test_gives_an_address_of_5000_characters(site):
    url = "http://old.example.org/" + "a" * 5000
    site.pages["/sitemap.xml"] = urlset(url)
    assert addresses(site.url("/sitemap.xml")) == [url]


def test_reads_an_index_in_its_order_nested_ones_too(site):
    site.pages |= {
        "/index.xml": index("/one.xml", "/nested.xml", "/four.xml"),
        "/nested.xml": index("/two.xml", "/three.xml"),
        "/one.xml": urlset("/1"),
        "/two.xml": urlset("/2"),
        "/three.xml": urlset("/3"),
        "/four.xml": urlset("/4"),
    }
    assert addresses(site.url("/index.xml")) == [site.url(f"/{n}") for n in (1, 2, 3, 4)]


def test_reads_several_addresses_in_their_order(site):
    site.pages |= {"/one.xml": urlset("/1"), "/two.xml": urlset("/2")}
    assert addresses([site.url("/two.xml"), site.url("/one.xml")]) == [site.url("/2"), site.url("/1")]


def test_a_page_that_two_sitemaps_name_is_given_twice(site):
    site.pages |= {"/one.xml": urlset("/1"), "/two.xml": urlset("/1")}
    assert addresses([site.url("/one.xml"), site.url("/two.xml")]) == [site.url("/1")] * 2


def test_reads_the_sitemaps_that_a_robots_txt_names(site):
    site.pages |= {
        "/robots.txt": Response(
            "User-agent: *\nSitemap: /one.xml\nsitemap: /two.xml # old\n", content_type="text/plain"
        ),
        "/one.xml": urlset("/1"),
        "/two.xml": index("/three.xml"),
        "/three.xml": urlset("/3"),
    }
    assert addresses(site.url("/robots.txt"), max_depth=1) == [site.url("/1"), site.url("/3")]


@pytest.mark.parametrize("path", ["/sitemap.xml.gz", "/sitemap.xml", "/sitemap.php?page=1"])
@pytest.mark.parametrize("content_type", ["application/gzip", "text/xml", ""])
def test_gzip_is_told_by_content_not_by_name_or_type(site, path, content_type):
    site.pages[path] = Response(gzip.compress(urlset("/1").encode()), content_type=content_type)
    assert addresses(site.url(path)) == [site.url("/1")]


def test_gzip_inside_a_gzip_content_encoding_is_read(site):
    twice = gzip.compress(gzip.compress(urlset("/1").encode()))
    site.pages["/a.xml.gz"] = Response(twice, headers={"Content-Encoding": "gzip"})
    assert addresses(site.url("/a.xml.gz")) == [site.url("/1")]


def test_a_name_that_ends_in_gz_need_not_be_gzip(site):
    site.pages["/a.xml.gz"] = urlset("/1")
    assert addresses(site.url("/a.xml.gz")) == [site.url("/1")]


def test_gives_the_first_page_before_it_asks_for_the_second_sitemap(site):
    site.pages |= {"/index.xml": index("/one.xml", "/two.xml"), "/one.xml": urlset("/1"), "/two.xml": urlset("/2")}
    seeder = SitemapSeeder(url=site.url("/index.xml")).seed()
    assert next(seeder).key.value == site.url("/1")
    assert site.count("/two.xml") == 0
    seeder.close()


def test_a_large_sitemap_is_given_whole(site):
    site.pages["/sitemap.xml"] = urlset(*(f"/page/{n}/{'x' * 80}" for n in range(20_000)))
    assert len(addresses(site.url("/sitemap.xml"))) == 20_000


# What is broken


@pytest.mark.parametrize(
    "loc", ["mailto:ada@example.org", "ftp://a.org/x", "http://", "http://a.org:99999/", "http://[x", "//[x"]
)
def test_a_bad_loc_is_left_out_and_named(site, caplog, loc):
    site.pages["/sitemap.xml"] = urlset("/1", loc, "/2")
    assert addresses(site.url("/sitemap.xml")) == [site.url("/1"), site.url("/2")]
    (record,) = [one for one in caplog.records if one.name.startswith("isekai_http")]
    assert record.levelno == logging.WARNING
    assert f"{site.url('/sitemap.xml')}, line 1: left out {loc!r}: " in record.getMessage()


@pytest.mark.parametrize("loc", ["", "<loc/>", "<loc> </loc>"])
def test_a_missing_loc_is_named(site, caplog, loc):
    site.pages["/sitemap.xml"] = f"<urlset>\n<url>{loc}<lastmod>2026</lastmod></url></urlset>"
    assert addresses(site.url("/sitemap.xml")) == []
    assert "line 2: left out, a <loc> is missing or empty" in caplog.text


def test_a_lastmod_that_is_no_date_is_named_and_the_page_given_without(site, caplog):
    site.pages["/sitemap.xml"] = "<urlset><url><loc>/1</loc><lastmod>yesterday</lastmod></url></urlset>"
    assert seeds(site.url("/sitemap.xml")) == [Seed(Key("url", site.url("/1")))]
    assert "not a lastmod: 'yesterday'" in caplog.text


def test_one_dead_sitemap_does_not_lose_the_others(site):
    site.pages |= {
        "/index.xml": index("/one.xml", "/dead.xml", "/two.xml"),
        "/one.xml": urlset("/1"),
        "/two.xml": urlset("/2"),
    }
    given, message = until_the_error(site.url("/index.xml"))
    assert given == [site.url("/1"), site.url("/2")]
    assert message == f"1 of 4 sitemaps could not be read: {site.url('/dead.xml')}: 404 Not Found"


def test_many_dead_sitemaps_are_counted(site):
    site.pages["/index.xml"] = index(*(f"/{n}.xml" for n in range(8)))
    message = until_the_error(site.url("/index.xml"))[1]
    assert message.startswith("8 of 9 sitemaps could not be read: ")
    assert message.endswith("/4.xml: 404 Not Found; and 3 more")


def test_a_sitemap_that_breaks_off_gives_what_came_before(site):
    site.pages["/sitemap.xml"] = f"<urlset>{entry('/1')}{entry('/?a&b')}"
    given, message = until_the_error(site.url("/sitemap.xml"))
    assert given == [site.url("/1")]
    assert "not well-formed XML in line 1, column " in message


def test_a_sitemap_that_is_not_there_tells_where_to_look(site):
    given, message = until_the_error(site.url("/sitemap.xml"))
    assert given == []
    assert message == (
        f"{site.url('/sitemap.xml')}: 404 Not Found; "
        "check the address, or give that of the site's robots.txt, which names its sitemaps"
    )


def test_a_page_instead_of_a_sitemap_is_called_so(site):
    site.pages["/sitemap.xml"] = "<!doctype html><h1>Welcome</h1>"
    assert (
        "/sitemap.xml: an HTML page came instead of a sitemap; check the address"
        in until_the_error(site.url("/sitemap.xml"))[1]
    )


def test_another_kind_of_xml_is_named(site):
    site.pages["/feed.xml"] = "<rss/>"
    assert "/feed.xml: expected <urlset> or <sitemapindex>, got <rss>" in until_the_error(site.url("/feed.xml"))[1]


def test_a_robots_txt_without_sitemaps_is_named(site):
    site.pages["/robots.txt"] = "User-agent: *"
    message = until_the_error(site.url("/robots.txt"))[1]
    assert message.startswith(
        f"{site.url('/robots.txt')}: names no sitemap: expected a line such as 'Sitemap: https://"
    )
    assert "check the address" not in message


def test_a_server_that_fails_is_asked_again_and_then_named(site):
    site.pages["/sitemap.xml"] = Response("", status=503)
    message = until_the_error(site.url("/sitemap.xml"))[1]
    assert message == f"{site.url('/sitemap.xml')}: 503 Service Unavailable; tried 3 times, run again later"
    assert site.count("/sitemap.xml") == 3


def test_a_server_that_recovers_loses_nothing(site):
    whole = urlset("/1", "/2")
    site.pages["/sitemap.xml"] = [Response("", status=500), Response(whole, broken="in the body"), Response(whole)]
    assert addresses(site.url("/sitemap.xml")) == [site.url("/1"), site.url("/2")]


def test_a_silent_server_is_named(site):
    site.pages["/sitemap.xml"] = Response("x", stall="at once")
    assert (
        "the server sent nothing for 0.1 s (timeout)"
        in until_the_error(site.url("/sitemap.xml"), timeout=0.1, tries=1)[1]
    )


# What is dangerous


def test_a_gzip_bomb_stops_at_the_limit(site):
    bomb = gzip.compress(b"<urlset>" + b" " * 20_000_000)
    site.pages["/sitemap.xml.gz"] = Response(bomb, content_type="application/gzip")
    message = until_the_error(site.url("/sitemap.xml.gz"), max_bytes=1_000_000)[1]
    assert "/sitemap.xml.gz: expected at most 1000000 bytes decompressed (max_bytes), got more" in message


def test_gzip_that_ends_too_early_gives_what_came_before(site):
    site.pages["/a.xml.gz"] = gzip.compress(urlset("/1").encode())[:-4]
    given, message = until_the_error(site.url("/a.xml.gz"))
    assert given == [site.url("/1")]
    assert "/a.xml.gz: the gzip data ends too early" in message


def test_an_entity_bomb_is_refused(site):
    site.pages["/sitemap.xml"] = (
        '<!DOCTYPE urlset [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        "<urlset><url><loc>http://a.org/&b;</loc></url></urlset>"
    )
    given, message = until_the_error(site.url("/sitemap.xml"))
    assert given == []
    assert "declares the entity 'a', which a sitemap has no use for" in message


def test_a_file_of_this_machine_is_not_read(site, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cr3t")
    site.pages["/sitemap.xml"] = (
        f'<!DOCTYPE urlset [<!ENTITY a SYSTEM "{secret.as_uri()}">]><urlset><url><loc>http://a.org/&a;</loc></url></urlset>'
    )
    given, message = until_the_error(site.url("/sitemap.xml"))
    assert given == []
    assert "s3cr3t" not in message


def test_an_index_that_lists_itself_is_read_once(site, caplog):
    site.pages |= {
        "/index.xml": index("/index.xml", "/other.xml"),
        "/other.xml": index("/index.xml", "/one.xml"),
        "/one.xml": urlset("/1"),
    }
    assert addresses(site.url("/index.xml")) == [site.url("/1")]
    assert site.count("/index.xml") == 1
    assert f"{site.url('/index.xml')} is listed more than once, it is read once" in caplog.text


def test_indexes_inside_indexes_are_bounded(site):
    site.pages |= {f"/{n}.xml": index(f"/{n + 1}.xml") for n in range(10)}
    message = until_the_error(site.url("/0.xml"), max_depth=2)[1]
    assert message.startswith(f"1 of 4 sitemaps could not be read: {site.url('/3.xml')}: not read, ")
    assert message.endswith("more than 2 indexes lead to it (max_depth)")
    assert len(site.requests) == 3


def test_the_number_of_sitemaps_is_bounded(site):
    site.pages["/index.xml"] = index(*(f"/{n}.xml" for n in range(10)))
    site.pages |= {f"/{n}.xml": urlset(f"/{n}") for n in range(10)}
    given, message = until_the_error(site.url("/index.xml"), max_sitemaps=4)
    assert given == [site.url(f"/{n}") for n in range(3)]
    assert message == "4 sitemaps were read, 7 more were not (max_sitemaps)"


# Options


def test_headers_and_password_go_to_the_hosts_of_url_only(site):
    site.pages |= {
        "/index.xml": index(site.url("/one.xml").replace("127.0.0.1", "localhost")),
        "/one.xml": urlset("/1"),
    }
    assert len(addresses(site.url("/index.xml"), headers={"X-Key": "k"}, username="ada", password="pw")) == 1
    first, second = site.requests
    assert (first.headers["x-key"], first.headers["authorization"]) == (
        "k",
        "Basic " + base64.b64encode(b"ada:pw").decode(),
    )
    assert {"x-key", "authorization"}.isdisjoint(second.headers)


def test_says_who_it_is(site):
    site.pages["/sitemap.xml"] = urlset("/1")
    addresses(site.url("/sitemap.xml"))
    addresses(site.url("/sitemap.xml"), user_agent="mover/1")
    assert site.requests[0].headers["user-agent"].startswith("isekai-http/")
    assert site.requests[1].headers["user-agent"] == "mover/1"


def test_no_proxy_is_used_for_this_machine(site, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    site.pages["/sitemap.xml"] = urlset("/1")
    assert addresses(site.url("/sitemap.xml")) == [site.url("/1")]


def test_an_untrusted_certificate_can_be_accepted(https_site):
    https_site.pages["/sitemap.xml"] = urlset("/1")
    url = https_site.url("/sitemap.xml").replace("http:", "https:")
    assert "verify=False accepts it" in until_the_error(url)[1]
    assert addresses(url, verify=False) == [https_site.url("/1").replace("http:", "https:")]


@pytest.mark.parametrize("name", ["timeout", "connect_timeout", "deadline", "max_bytes", "max_sitemaps", "tries"])
def test_an_option_that_must_be_positive_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be greater than 0, got 0"):
        SitemapSeeder(url="https://old.example.org/sitemap.xml", **{name: 0})


@pytest.mark.parametrize("name", ["max_depth", "wait"])
def test_an_option_that_must_not_be_negative_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} must not be negative, got -1"):
        SitemapSeeder(url="https://old.example.org/sitemap.xml", **{name: -1})


@pytest.mark.parametrize(
    ("url", "message"),
    [([], "needs at least one address"), ("sitemap.xml", "absolute http or https"), ("", "needs a value")],
)
def test_an_address_that_is_none_is_refused(url, message):
    with pytest.raises(ValueError, match=message):
        SitemapSeeder(url=url)


def test_secrets_are_declared_and_not_in_the_repr():
    seeder = SitemapSeeder(
        url="https://old.example.org/sitemap.xml", headers={"X-Key": "s3cr3t"}, username="ada", password="s3cr3t"
    )
    assert "s3cr3t" not in repr(seeder)
    assert set(SitemapSeeder.secret_options) == {"headers", "username", "password"}
