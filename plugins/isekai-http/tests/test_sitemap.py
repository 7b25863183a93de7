import pytest
from isekai_http.sitemap import SitemapFault, read_entries, read_robots

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def entries(text: str | bytes, step: int = 10**9) -> list[tuple[str, dict[str, str]]]:
    data = text.encode() if isinstance(text, str) else text
    blocks = [data[at : at + step] for at in range(0, len(data), step)]
    return [(entry.kind, entry.fields) for entry in read_entries(blocks)]


def locs(text: str | bytes) -> list[str]:
    return [fields.get("loc", "") for _, fields in entries(text)]


@pytest.mark.parametrize("step", [1, 5, 10**9])
@pytest.mark.parametrize(
    "opening",
    [
        f'<urlset xmlns="{NAMESPACE}">',
        "<urlset>",
        '<urlset xmlns="https://www.google.com/schemas/sitemap/0.84">',
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by hand -->\n<urlset>',
        "\n\n  <?xml version='1.0'?><urlset>",
        f"<?xml version='1.0'?>{'<!-- one more -->' * 400}<urlset>",
        "\ufeff<?xml version='1.0'?><urlset>",
    ],
)
def test_reads_a_urlset_however_it_begins(opening, step):
    text = f"{opening}<url><loc>\n http://a.org/é?a=1&amp;b=2 \n</loc><priority> 0.5 </priority></url></urlset>"
    assert entries(text, step) == [("url", {"loc": "http://a.org/é?a=1&b=2", "priority": "0.5"})]


def test_reads_a_urlset_with_a_prefix():
    text = f'<s:urlset xmlns:s="{NAMESPACE}"><s:url><s:loc>http://a.org/</s:loc></s:url></s:urlset>'
    assert locs(text) == ["http://a.org/"]


def test_reads_an_index():
    text = "<sitemapindex><sitemap><loc>a.xml</loc><lastmod>2026</lastmod></sitemap></sitemapindex>"
    assert entries(text) == [("sitemap", {"loc": "a.xml", "lastmod": "2026"})]


@pytest.mark.parametrize(
    "text",
    [
        f'<urlset><url xmlns="{NAMESPACE}"><loc>http://a.org/</loc></url></urlset>',
        f'<urlset xmlns="{NAMESPACE}"><url xmlns=""><loc>http://a.org/</loc></url></urlset>',
        f'<s:urlset xmlns:s="{NAMESPACE}" xmlns="{NAMESPACE}4"><url><loc>http://a.org/</loc></url></s:urlset>',
        "<sitemapindex><url><loc>http://a.org/</loc></url></sitemapindex>",
    ],
)
def test_a_page_is_one_whatever_namespace_and_root_are_around_it(text):
    assert entries(text) == [("url", {"loc": "http://a.org/"})]


def test_a_sitemap_in_what_calls_itself_a_urlset_is_one():
    text = "<urlset><sitemap><loc>a.xml</loc></sitemap><other><loc>no</loc></other><url><loc>http://a.org/</loc></url></urlset>"
    assert entries(text) == [("sitemap", {"loc": "a.xml"}), ("url", {"loc": "http://a.org/"})]


@pytest.mark.parametrize("mark", ["", "\ufeff", "\n\n"])
def test_reads_a_sitemap_in_plain_text(mark):
    text = f"{mark}http://a.org/1?a&b\r\n  HTTPS://a.org/é \n\nhttp://a.org/3"
    assert entries(text) == [
        ("url", {"loc": "http://a.org/1?a&b"}),
        ("url", {"loc": "HTTPS://a.org/é"}),
        ("url", {"loc": "http://a.org/3"}),
    ]
    assert [entry.line for entry in read_entries([text.lstrip("\ufeff\n").encode()])] == [1, 2, 4]


def test_a_line_of_a_plain_text_that_is_no_address_is_told_once_the_others_are_given():
    reader = read_entries([b"http://a.org/1\n/2\nhttp://a.org/3\nnone\n"])
    assert [next(reader).fields["loc"], next(reader).fields["loc"]] == ["http://a.org/1", "http://a.org/3"]
    with pytest.raises(SitemapFault, match="expected an address in each line, got '/2' in line 2"):
        next(reader)


def test_reads_cdata_and_the_declared_encoding():
    text = (
        '<?xml version="1.0" encoding="iso-8859-1"?><urlset><url><loc><![CDATA[http://a.org/é&b]]></loc></url></urlset>'
    )
    assert locs(text.encode("latin-1")) == ["http://a.org/é&b"]


def test_the_loc_of_an_image_is_not_the_loc_of_the_page():
    text = (
        f'<urlset xmlns="{NAMESPACE}" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url>'
        "<image:image><image:loc>http://a.org/i.png</image:loc></image:image>"
        '<xhtml:link xmlns:xhtml="http://www.w3.org/1999/xhtml" href="http://a.org/de"/>'
        "<loc>http://a.org/</loc></url></urlset>"
    )
    assert locs(text) == ["http://a.org/"]


def test_an_entry_knows_its_line():
    (entry,) = read_entries([b"<urlset>\n<url>\n<loc>a</loc>\n</url>\n</urlset>"])
    assert entry.line == 4


def test_entries_are_given_as_the_bytes_arrive():
    def blocks():
        yield b"<urlset><url><loc>http://a.org/1</loc></url>"
        msg = "nobody asked for this block yet"
        raise AssertionError(msg)

    assert next(read_entries(blocks())).fields == {"loc": "http://a.org/1"}


@pytest.mark.parametrize(
    "entity",
    [
        '<!ENTITY a "aaaaaaaaaa">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://127.0.0.1:1/a.dtd"> %a;',
    ],
)
def test_a_declared_entity_is_refused(entity):
    text = f"<!DOCTYPE urlset [{entity}]><urlset><url><loc>http://a.org/&a;</loc></url></urlset>"
    with pytest.raises(SitemapFault, match=r"declares the entity 'a', which .* refused as unsafe"):
        entries(text)


def test_a_document_type_from_elsewhere_is_not_fetched():
    text = '<!DOCTYPE urlset SYSTEM "http://127.0.0.1:1/a.dtd"><urlset><url><loc>http://a.org/</loc></url></urlset>'
    assert locs(text) == ["http://a.org/"]


@pytest.mark.parametrize("page", ["<!doctype html><p>hi", "<html><urlset/></html>", "\n<!-- x --><!DOCTYPE HTML>"])
def test_html_instead_of_xml_is_called_so(page):
    with pytest.raises(SitemapFault, match="an HTML page came instead of a sitemap"):
        entries(page)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<rss/>", "expected <urlset> or <sitemapindex>, got <rss>"),
        ("", "not well-formed XML in line 1, column 0: no element found"),
        ("{}", "not well-formed XML in line 1"),
        ("<urlset>\n<url>", "not well-formed XML in line 2, column 5: no element found"),
        ("<?xml version='1.0' encoding='no-such'?><urlset/>", "not readable as XML: unknown encoding: no-such"),
    ],
)
def test_what_is_no_sitemap_is_named(text, message):
    with pytest.raises(SitemapFault) as caught:
        entries(text)
    assert message in str(caught.value)


def test_what_comes_before_a_fault_is_given():
    reader = read_entries(
        [b"<urlset><url><loc>http://a.org/1</loc></url><url><loc>http://a.org/?a&b</loc></url></urlset>"]
    )
    assert next(reader).fields == {"loc": "http://a.org/1"}
    with pytest.raises(SitemapFault, match="line 1, column"):
        next(reader)


def test_reads_the_sitemap_lines_of_a_robots_txt():
    text = "\ufeffSitemap: https://a.org/1.xml # first\nUser-agent: *\r\n  SITEMAP :/2.xml\n# Sitemap: /3.xml\n"
    assert [(entry.kind, entry.line, entry.fields["loc"]) for entry in read_robots(text.encode())] == [
        ("sitemap", 1, "https://a.org/1.xml"),
        ("sitemap", 3, "/2.xml"),
    ]


def test_a_robots_txt_without_a_sitemap_is_a_fault():
    with pytest.raises(SitemapFault, match="names no sitemap: expected a line such as 'Sitemap: https://"):
        list(read_robots(b"User-agent: *\nDisallow:\n\xff"))
