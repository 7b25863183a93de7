"""The miners: images, documents and pages, found in one pass over a page that is parsed once."""

import pytest
from isekai_html.mine import DocumentMiner, ImageMiner, PageMiner
from isekai_html.page import page_of
from isekai_html.scan import srcset_urls

from isekai_core.testing.resources import make_resource
from isekai_core.types import Miner

SITE = "https://old.example.org"
MINERS = [ImageMiner, DocumentMiner, PageMiner]


def page(html, url=f"{SITE}/blog/a.html", media_type="text/html", **options):
    return make_resource(f"url:{url}", text=html, media_type=media_type, **options)


def mined(miner, html, **options):
    """Path (for the page's own site) to metadata, of what is mined."""
    return {item.key.value.removeprefix(SITE): dict(item.metadata) for item in miner.mine(page(html, **options))}


def images(html, **options):
    return mined(ImageMiner(**options), html)


def documents(html, **options):
    return mined(DocumentMiner(**options), html)


def pages(html, **options):
    return mined(PageMiner(**options), html)


@pytest.mark.parametrize(
    ("html", "paths"),
    [
        ('<img src="a.png">', ["/blog/a.png"]),
        ('<img src="/a" srcset="/b 1x, /c,d.png 2x,/e 3x">', ["/a", "/b", "/c,d.png", "/e"]),
        ('<picture><source srcset="/a.webp"><img src="/a.jpg"></picture>', ["/a.webp", "/a.jpg"]),
        ('<video poster="/a.jpg" src="/a.mp4"></video>', ["/a.jpg"]),
        ('<img src="data:image/gif;base64,R0lGOD" data-src="/a.jpg">', ["/a.jpg"]),
        ('<img data-original="/a"><img data-lazy-src="/b"><img data-srcset="/c 2x">', ["/a", "/b", "/c"]),
        ("""<p style="background: #fff url( '/a b.png' ) no-repeat, URL(/c.png)">""", ["/a%20b.png", "/c.png"]),
        ('<body background="/a"><table background="/b"><td background="/c">', ["/a", "/b", "/c"]),
        ('<meta property="og:image" content="/a"><meta name="twitter:image" content="/b">', ["/a", "/b"]),
        ('<input type="image" src="/go.gif"><input type="text" src="/no.gif">', ["/go.gif"]),
        ('<svg><image xlink:href="/a.png"/><image href="/b.png"/></svg>', ["/a.png", "/b.png"]),
        ('<a href="/large.JPG?x=1"><img src="/small.jpg"></a>', ["/small.jpg", "/large.JPG?x=1"]),
        ('<object data="/a.svg"></object><embed src="/b.svg">', ["/a.svg", "/b.svg"]),
        ('<noscript><img src="/a.png"></noscript>', ["/a.png"]),
        ('<link rel="image_src" href="/a.png">', ["/a.png"]),
        ('<img src="/a.png"><img src="/a.png#x"><img src="./../a.png">', ["/a.png"]),
    ],
)  # fmt: skip
def test_images_are_found_wherever_html_keeps_them(html, paths):
    assert list(images(html)) == paths


def test_icons_are_images_only_when_asked_for():
    html = '<link rel="shortcut icon" href="/favicon.ico"><link rel="apple-touch-icon" href="/touch.png">'
    assert images(html) == {}
    assert list(images(html, icons=True)) == ["/favicon.ico", "/touch.png"]


def test_linked_images_can_be_left_out():
    assert list(images('<a href="/large.jpg"><img src="/small.jpg"></a>', linked=False)) == ["/small.jpg"]


def test_no_image_is_made_of_styles_scripts_or_media():
    html = (
        '<link rel="stylesheet" href="/a.css"><script src="/a.js"></script><video src="/a.mp4"></video>'
        '<meta name="description" content="/a.png"><link rel="canonical" href="/a.png">'
    )
    assert images(html) == {}


def test_what_the_page_says_of_an_image_comes_with_it():
    html = '<img src="/a.png" alt=" A\n  quay " title="Harbour"><img src="/b.png" alt=""><img src="/c.png">'
    assert images(html) == {"/a.png": {"alt": "A quay", "title": "Harbour"}, "/b.png": {}, "/c.png": {}}


def test_of_an_image_shown_twice_the_first_text_is_kept():
    html = '<img src="/a.png"><img src="/a.png" alt="first"><img src="/a.png" alt="second">'
    assert images(html) == {"/a.png": {"alt": "first"}}


def test_every_source_of_a_picture_has_the_alt_of_its_image():
    html = '<picture><source srcset="/a.webp 1x, /b.webp 2x"><img src="/a.jpg" alt="A quay"></picture>'
    assert images(html) == {path: {"alt": "A quay"} for path in ("/a.webp", "/b.webp", "/a.jpg")}


def test_a_large_image_has_the_alt_of_its_thumbnail():
    html = '<a href="/large.jpg" title="Enlarge"><img src="/small.jpg" alt="A quay"></a><a href="/b.png">A plan</a>'
    found = images(html)
    assert found["/large.jpg"] == {"alt": "A quay", "title": "Enlarge"}
    assert found["/b.png"] == {"title": "A plan"}


def test_metadata_stays_small_and_holds_nothing_that_a_database_refuses():
    html = b'<img src="/a.png" alt="' + b"long " * 1000 + b'"><img src="/b.png" alt="nul \0 and byte \xe9">'
    found = images(html)
    assert len(found["/a.png"]["alt"]) == 500
    assert found["/b.png"] == {"alt": "nul \ufffd and byte \ufffd"}


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("a.png", ["a.png"]),
        ("a.png 1x, b.png 2x", ["a.png", "b.png"]),
        ("a.png 1x,b.png 2x", ["a.png", "b.png"]),
        ("a.png, b.png", ["a.png", "b.png"]),
        ("a.png,b.png", ["a.png,b.png"]),
        ("/w_400,h_300/a.png 400w, /w_800,h_600/a.png 800w", ["/w_400,h_300/a.png", "/w_800,h_600/a.png"]),
        (" ,, a.png 1x ,\n\t b.png ", ["a.png", "b.png"]),
        ("a.png calc(1x, 2x), b.png", ["a.png", "b.png"]),
        ("a.png (unclosed, b.png", ["a.png"]),
        ("data:image/png;base64,AA== 1x, b.png 2x", ["data:image/png;base64,AA==", "b.png"]),
        ("", []),
        (" , ,, ", []),
    ],
)
def test_srcset_is_read_as_the_html_standard_says(text, addresses):
    assert [text[start:end] for start, end in srcset_urls(text)] == addresses


@pytest.mark.parametrize(
    "suffix", ["pdf", "doc", "docx", "odt", "xlsx", "ods", "pptx", "csv", "zip", "txt", "epub", "mp3"]
)
def test_common_documents_are_found_by_their_suffix(suffix):
    assert documents(f'<a href="/a.{suffix}">A file</a>') == {f"/a.{suffix}": {"title": "A file"}}


def test_a_document_is_told_by_its_path_and_not_by_its_query_or_host():
    html = '<a href="/Report.PDF?download=1">A</a><a href="/get?file=a.pdf">B</a><a href="/a.pdf/">C</a>'
    assert list(documents(html)) == ["/Report.PDF?download=1"]
    assert list(documents('<a href="https://old.example.pdf">x</a>', domains=["*"])) == []


def test_a_link_that_says_download_leads_to_a_document_unless_it_is_an_image():
    html = '<a href="/get/17" download>Minutes</a><a href="/photo.jpg" download>Photo</a>'
    assert documents(html) == {"/get/17": {"title": "Minutes"}}
    assert pages(html) == {}
    assert "/photo.jpg" not in documents(html)


def test_documents_that_are_embedded_are_found():
    html = (
        '<iframe src="/a.pdf" title="Plan"></iframe><embed src="/b.pdf"><object data="/c.pdf"></object>'
        '<audio src="/d.mp3">'
    )
    assert documents(html) == {"/a.pdf": {"title": "Plan"}, "/b.pdf": {}, "/c.pdf": {}, "/d.mp3": {}}
    assert pages(html) == {}


def test_the_suffixes_of_documents_can_be_chosen():
    html = '<a href="/a.dwg">plan</a><a href="/a.pdf">text</a>'
    assert list(documents(html, suffixes=[".DWG"])) == ["/a.dwg"]


def test_the_title_of_a_document_is_the_text_of_its_link_as_it_is_read():
    html = """<a href="/a.pdf"><script>x()</script><div>Annual</div><div>re<b>port</b></div></a>
        <a href="/b.pdf">Tide<br>tables</a>"""
    assert documents(html) == {"/a.pdf": {"title": "Annual report"}, "/b.pdf": {"title": "Tide tables"}}
    assert images('<a href="/c.png">A<br>plan</a>') == {"/c.png": {"title": "A plan"}}


def test_the_first_text_of_a_link_is_the_title_of_a_document():
    html = (
        '<a href="/a.pdf"><img src="/icon.png"></a><a href="/a.pdf" title="x"> Tide\n tables </a>'
        '<a href="/a.pdf">more</a>'
    )
    assert documents(html) == {"/a.pdf": {"title": "Tide tables"}}


def test_pages_are_what_is_neither_image_nor_document():
    html = (
        '<a href="/">home</a><a href="b.html">b</a><a href="/c.php">c</a><a href="/d">d</a><area href="/e.aspx">'
        '<a href="/a.pdf">x</a><a href="/a.png">x</a><a href="/a.css">x</a><a href="/feed.xml">x</a>'
        '<a href="/v1.2">v</a>'
    )
    assert set(pages(html)) == {"/", "/blog/b.html", "/c.php", "/d", "/e.aspx", "/v1.2"}


def test_the_query_makes_another_page_and_the_fragment_does_not():
    html = (
        '<a href="?page=2">2</a><a href="?page=3">3</a><a href="b.html#x">x</a><a href="b.html#y">y</a>'
        '<a href="#top">top</a>'
    )
    assert list(pages(html)) == ["/blog/a.html?page=2", "/blog/a.html?page=3", "/blog/b.html"]


def test_frames_and_refreshes_lead_to_pages():
    assert list(pages("<frameset><frame src='/menu.html'><frame src='/main.html'></frameset>")) == [
        "/menu.html",
        "/main.html",
    ]
    assert list(pages("<iframe src='/map.html'></iframe>")) == ["/map.html"]
    assert list(pages("<meta http-equiv='Refresh' content=\"0; URL='/new/'\">")) == ["/new/"]


def test_links_for_machines_are_no_pages():
    html = (
        '<link rel="canonical" href="/a"><link rel="next" href="/b"><link rel="alternate" href="/c"><form action="/d">'
    )
    assert pages(html) == {}


def test_what_no_page_ends_with_can_be_chosen():
    html = '<a href="/a.pdf">x</a><a href="/a.html">y</a>'
    assert list(pages(html, skip_suffixes=["html"])) == ["/a.pdf"]


@pytest.mark.parametrize("miner", MINERS)
@pytest.mark.parametrize("suffixes", [["a/b"], [""], ["a b"], ["tar.gz"]])
def test_what_is_no_suffix_is_refused(miner, suffixes):
    option = {DocumentMiner: "suffixes", PageMiner: "skip_suffixes"}.get(miner)
    if option is None:
        with pytest.raises(TypeError, match="suffixes"):
            miner(suffixes=suffixes)
    else:
        with pytest.raises(ValueError, match=rf"{option}: expected suffixes such as 'pdf', got {suffixes[0]!r}"):
            miner(**{option: suffixes})


def test_every_miner_stays_on_the_pages_host_unless_it_is_told_others():
    html = (
        '<img src="https://cdn.example.org/a.png"><a href="https://cdn.example.org/a.pdf">x</a>'
        '<a href="https://cdn.example.org/a.html">x</a><a href="https://old.example.org:8000/b">x</a>'
    )
    assert images(html) == documents(html) == pages(html) == {}
    found = [list(find(html, domains=["cdn.example.org"])) for find in (images, documents, pages)]
    assert found == [[f"https://cdn.example.org/a.{suffix}"] for suffix in ("png", "pdf", "html")]


def test_every_miner_takes_include_and_exclude():
    html = "".join(
        f'<img src="/{x}.png"><a href="/{x}.pdf">x</a><a href="/{x}.html">x</a>' for x in ("a/1", "a/2", "b/1")
    )
    for find, suffix in ((images, "png"), (documents, "pdf"), (pages, "html")):
        assert list(find(html, include=["/a/*"], exclude=["*/2.*"])) == [f"/a/1.{suffix}"]


@pytest.mark.parametrize("miner", MINERS)
def test_wrong_domains_are_refused_when_the_pipeline_is_composed(miner):
    with pytest.raises(ValueError, match=r"domains: expected hosts such as 'example\.org'"):
        miner(domains=["https://old.example.org"])


def test_base_href_is_what_links_are_relative_to_and_the_site_stays_the_pages_own():
    html = (
        '<head><base target="x"><base href="/other/"><base href="/second/"></head>'
        '<a href="b.html">b</a><img src="a.png">'
    )
    assert list(pages(html)) == ["/other/b.html"]
    assert list(images(html)) == ["/other/a.png"]
    assert pages('<base href="https://cdn.example.org/"><a href="b.html">b</a>') == {}
    assert list(pages('<base href="javascript:x"><a href="b.html">b</a>')) == ["/blog/b.html"]


def test_addresses_that_no_web_server_answers_are_passed_over():
    html = "".join(
        f'<img src="{bad}"><a href="{bad}">x</a><img srcset="{bad}" style="background:url({bad})">'
        for bad in (
            *("file:///etc/passwd", "data:image/png;base64,AAAA", "javascript:alert(1)", "mailto:a@b.example", "tel:1"),
            *("http://", "http://[", "//", "http://x:99999/", "", " ", "about:blank", "cid:1", "C:\\pics\\a.png"),
        )
    )
    assert mined(ImageMiner(domains=["*"]), html) == {}
    assert mined(PageMiner(domains=["*"]), html) == {}
    assert mined(DocumentMiner(domains=["*"]), html) == {}


@pytest.mark.parametrize("miner", MINERS)
@pytest.mark.parametrize(
    "html",
    [
        b"",
        b" ",
        b"\0",
        bytes(range(256)) * 100,
        b"\x89PNG\r\n\x1a\n" + bytes(500),
        b"%PDF-1.4 <a href",
        b"<",
        b"{}",
        b"\xff\xfe",
    ],
)
def test_a_page_that_is_no_html_mines_nothing(miner, html):
    assert list(miner(domains=["*"]).mine(page(html))) == []


@pytest.mark.parametrize("miner", MINERS)
def test_a_page_in_an_unknown_charset_is_read_as_utf_8(miner):
    html = "<a href='/é'>x</a><a href='/é.pdf'>x</a><img src='/é.png'>".encode()
    resource = page(html, charset="klingon")
    assert next(iter(miner().mine(resource))).key.value.startswith(f"{SITE}/%C3%A9")


@pytest.mark.parametrize("charset", ["klingon", "undefined", "idna", "punycode", "base64"])
def test_a_query_on_a_page_in_an_unknown_charset_is_sent_in_utf_8(charset):
    html = "<a href='/é?é'>x</a>".encode()
    assert list(mined(PageMiner(), html, charset=charset)) == ["/%C3%A9?%C3%A9"]


def test_a_megabyte_of_nested_elements_is_mined_like_any_other_page():
    html = b"<div>" * 200_000 + b"<a href='/deep.html'>x</a>"
    assert list(mined(PageMiner(), html)) == ["/deep.html"]


@pytest.mark.parametrize(
    "html",
    [
        "<p style='" + "url(" * 200_000 + "'>",
        "<p style='" + 'url("' * 200_000 + "'>",
        "<img srcset='" + "," * 500_000 + "'>",
        "<img srcset='" + "a (" * 200_000 + "'>",
        "<img srcset='" + "a, " * 1000 + "'>",
        "<a href='" + "../" * 200_000 + "'>x</a>",
        "<a href='" + " " * 500_000 + "'>x</a>",
        "<meta http-equiv=refresh content='" + "0" * 500_000 + "'>",
    ],
)
def test_attributes_of_a_megabyte_are_read_in_one_go(html):
    """Were one of these read in quadratic time, the test would not end."""
    found = {**mined(ImageMiner(), html), **mined(PageMiner(), html)}
    assert len(found) <= 1


def test_bytes_of_another_charset_in_a_link_are_sent_as_they_are():
    assert list(mined(PageMiner(), b"<a href='/caf\xe9.html'>x</a>")) == ["/caf%E9.html"]
    html = "<a href='/café.html?q=é'>x</a>".encode("latin-1")
    assert list(mined(PageMiner(), html, charset="latin-1")) == ["/caf%C3%A9.html?q=%E9"]


def test_xhtml_with_empty_elements_is_read_whole():
    html = """<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><script src="/a.js"/><title/></head>
        <body><a name="top"/><div class="a"/><a href="/b.html">b</a><br/><img src="/a.png" alt="A"/></body></html>"""
    resource = page(html, media_type="application/xhtml+xml")
    assert [item.key.value for item in PageMiner().mine(resource)] == [f"{SITE}/b.html"]
    assert [item.metadata for item in ImageMiner().mine(resource)] == [{"alt": "A"}]


def test_a_base_within_svg_is_none():
    html = '<svg><base xlink:href="/sub/"></base></svg><base><base href="/real/"><a href="b.html">b</a>'
    assert list(mined(PageMiner(), html)) == ["/real/b.html"]


def test_without_a_web_address_of_its_own_a_page_has_only_absolute_links():
    resource = make_resource(
        "file:pages/a.html",
        text='<a href="b.html">b</a><a href="https://old.example.org/c">c</a>',
        media_type="text/html",
    )
    assert list(PageMiner().mine(resource)) == []
    assert [item.key.value for item in PageMiner(domains=["*"]).mine(resource)] == [f"{SITE}/c"]


def test_a_page_is_parsed_once_for_all_its_miners():
    resource = page('<a href="/b.html">b</a>')
    before = page_of(resource)
    for miner in MINERS:
        list(miner().mine(resource))
    assert page_of(resource) is before


@pytest.mark.parametrize("miner", MINERS)
def test_miners_read_html_and_xhtml(miner):
    assert isinstance(miner(), Miner)
    assert miner.accepts == ("text/html", "application/xhtml+xml")


@pytest.mark.parametrize("miner", MINERS)
def test_what_is_mined_does_not_depend_on_what_was_mined_before(miner):
    html = '<a href="/b.html">b</a><a href="/b.pdf">b</a><img src="/b.png" alt="B">'
    assert list(miner().mine(page(html))) == list(miner().mine(page(html)))
