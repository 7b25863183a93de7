"""The transformer of pages: which pages it takes, and the links inside the HTML it keeps."""

import json
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st
from isekai_html.page import page_of
from isekai_html.transform import FieldsTransformer

from isekai_core.errors import TransformError
from isekai_core.testing.resources import make_resource
from isekai_core.types import Key, ResourceRef, Spec, Text, Transformer, decode, encode

SITE = "https://old.example.org"
URL = f"{SITE}/blog/a.html"


def page(html, mined=(), url=URL):
    keys = [f"url:{SITE}{path}" if path.startswith("/") else f"url:{path}" for path in mined]
    return make_resource(f"url:{url}", text=html, media_type="text/html", mined=keys)


def body(html, mined=(), expression="article@html", **options):
    fields = {"body": expression}
    return FieldsTransformer("blog.Article", fields, **options).transform(page(html, mined)).values["body"]


def ref(path, fallback):
    return ResourceRef(Key("url", f"{SITE}{path}"), "url", soft=True, fallback=fallback)


def test_the_example_of_the_interface_makes_a_row():
    transformer = FieldsTransformer(
        model="blog.Article",
        match=["slug"],
        fields={"title": "h1", "slug": "link[rel=canonical]@href | slug", "body": "article@html"},
    )
    html = "<link rel=canonical href='/blog/first.html'><h1> First </h1><article><p>Hello</p></article>"
    assert transformer.transform(page(html)) == Spec(
        "blog.Article", {"title": "First", "slug": "first", "body": "<p>Hello</p>"}, match=["slug"]
    )


def test_links_to_what_was_mined_become_refs_and_everything_else_stays():
    html = (
        '<article><p>See <a class="x" href="b.html?x=1&amp;y=2#part" title="B">b</a>, <a href="/c.html">c</a>, '
        '<a href="https://elsewhere.example/">e</a> and <a href="mailto:a@b.example">m</a>.</p></article>'
    )
    assert body(html, ["/blog/b.html?x=1&y=2"]) == Text(
        '<p>See <a class="x" href="',
        ref("/blog/b.html?x=1&y=2", "b.html?x=1&amp;y=2"),
        '#part" title="B">b</a>, <a href="/c.html">c</a>, '
        '<a href="https://elsewhere.example/">e</a> and <a href="mailto:a@b.example">m</a>.</p>',
    )


@pytest.mark.parametrize(
    ("html", "parts"),
    [
        ('<img src="/a.png" alt="A">', ['<img src="', "/a.png", '" alt="A">']),
        ('<img srcset="/a.png 1x, /x.png 2x">', ['<img srcset="', "/a.png", ' 1x, /x.png 2x">']),
        ('<img src="/a.png" srcset="/b.png 2x">', ['<img src="', "/a.png", '" srcset="', "/b.png", ' 2x">']),
        ('<img srcset="/a.png 1x,/b.png 2x">', ['<img srcset="', "/a.png", " 1x,", "/b.png", ' 2x">']),
        ('<source srcset="/a.png">', ['<source srcset="', "/a.png", '">']),
        ('<video poster="/a.png" src="/a.mp4"/>', ['<video poster="', "/a.png", '" src="', "/a.mp4", '"></video>']),
        ('<img data-src="/a.png">', ['<img data-src="', "/a.png", '">']),
        ('<img data-lazy-srcset="/a.png 2x">', ['<img data-lazy-srcset="', "/a.png", ' 2x">']),
        ("<p style=\"background: url('/a.png')\"></p>", ["<p style=\"background: url('", "/a.png", "')\"></p>"]),
        ('<p style="background: url( /a.png )">', ['<p style="background: url( &quot;', "/a.png", '&quot; )"></p>']),
        ('<svg><image xlink:href="/a.png"></image></svg>', ['<svg><image xlink:href="', "/a.png", '"></image></svg>']),
        ('<iframe src="/b.html"></iframe>', ['<iframe src="', "/b.html", '"></iframe>']),
    ],
)  # fmt: skip
def test_every_attribute_that_is_mined_is_rewritten(html, parts):
    mined = ["/a.png", "/b.png", "/b.html", "/a.mp4"]
    expected = [ref(part, part) if part in mined else part for part in parts]
    assert body(f"<article>{html}</article>", mined) == Text(*expected)


def test_html_without_such_links_is_plain_text():
    assert body("<article><a href='/c.html'>c</a></article>") == '<a href="/c.html">c</a>'


def test_a_link_to_the_page_itself_becomes_a_ref_and_one_to_a_part_of_it_stays():
    html = f'<article><a href="{URL}#x">self</a><a href="#x">part</a></article>'
    assert body(html) == Text('<a href="', ref("/blog/a.html", URL), '#x">self</a><a href="#x">part</a>')


def test_rewriting_leaves_the_page_as_it_was():
    resource = page(
        '<article><a href="/b.html" title="t">b</a><img src="/a.png" srcset="/a.png 2x"></article>',
        ["/b.html", "/a.png"],
    )
    before = page_of(resource).tree.html
    transformer = FieldsTransformer("blog.Article", {"body": "article@html", "link": "a@href", "again": "article@html"})
    values = transformer.transform(resource).values
    assert page_of(resource).tree.html == before
    assert values["link"] == "/b.html"
    assert values["again"] == values["body"]


def test_a_ref_in_html_falls_back_to_what_the_page_had():
    html = '<article><a href="b.html?a=1&amp;b=&quot;2&nbsp;2&quot;">b</a></article>'
    text = body(html, ['/blog/b.html?a=1&b="2%C2%A02"'])
    assert isinstance(text, Text)
    assert text.plain == '<a href="b.html?a=1&amp;b=&quot;2&nbsp;2&quot;">b</a>'


def test_links_of_the_own_site_become_refs_when_that_is_asked_for():
    html = '<article><a href="/c.html">c</a><a href="https://elsewhere.example/">e</a></article>'
    assert body(html, links="site") == Text(
        '<a href="', ref("/c.html", "/c.html"), '">c</a><a href="https://elsewhere.example/">e</a>'
    )
    assert body(html, ["/c.html"], links="none") == '<a href="/c.html">c</a><a href="https://elsewhere.example/">e</a>'


def test_several_elements_are_joined_with_their_refs():
    html = "<article><a href='/b.html'>b</a></article><article>c</article>"
    assert body(html, ["/b.html"], "article@html | all | join:'<hr>'") == Text(
        '<a href="', ref("/b.html", "/b.html"), '">b</a>', "<hr>", "c"
    )
    assert body(html, ["/b.html"], "article@html | strip | default:none").plain == '<a href="/b.html">b</a>'


def test_the_link_that_an_element_is_itself_is_no_part_of_what_is_inside_it():
    assert body('<a class="x" href="/b.html"> </a>', ["/b.html"], "a.x@html | strip | default:none") == "none"
    assert body('<a href="/b.html" style="background:url(/b.html)">b</a>', ["/b.html"], "a@html") == "b"
    assert body('<a href="/b.html"><img src="/a.png"></a>', ["/b.html", "/a.png"], "a@html") == Text(
        '<img src="', ref("/a.png", "/a.png"), '">'
    )


@pytest.mark.parametrize(
    "html",
    [
        '<p style="background:url(&quot;/a.png&quot;)" background="https://elsewhere.example/">x</p>',
        '<a download="" style="background:url(&quot;/a.png&quot;)">x</a>',
    ],
)
def test_an_address_of_an_element_that_is_rare_in_two_ways_is_written_once(html):
    before, after = html.split("/a.png")
    assert body(f"<article>{html}</article>", ["/a.png"]) == Text(before, ref("/a.png", "/a.png"), after)


def test_both_links_of_an_svg_image_are_rewritten_in_whatever_order_they_come():
    html = '<svg><image xlink:href="/b.png" href="/a.png"></image></svg>'
    read = {"own": "image@href", "old": "image@xlink:href"}
    before = FieldsTransformer("blog.Article", {"body": "svg@html", **read}, links="none").transform(page(html)).values
    after = FieldsTransformer("blog.Article", {"body": "svg@html", **read}, links="site").transform(page(html)).values
    kept = "".join(part for part in after["body"].parts if isinstance(part, str))
    assert ".png" in before["body"]
    assert ".png" not in kept
    assert [after.get(name) for name in read] == [before.get(name) for name in read]


piece = st.sampled_from(
    [
        *(
            "text",
            "&amp;",
            "&nbsp;",
            "&lt;b&gt;",
            "<",
            "\0",
            "0-0-",
            "<!-- c -->",
            "<![CDATA[x]]>",
            "</p>",
            "</a>",
            "</td>",
        ),
        *(
            "<p>",
            "<td>",
            "<table>",
            "<svg>",
            "<math>",
            "<select>",
            "<script>",
            "<template>",
            "<noscript>",
            "<pre>",
            "<a/>",
        ),
    ]
)
address = st.sampled_from(
    [
        *("/b.html", "b.html#x", "#t", "", "?q", "/a b", " /c ", "/é?é=ü&amp;x", "//old.example.org/z", "mailto:x"),
        *(
            "https://elsewhere.example/",
            "/q&quot;uote",
            "/a&lt;b",
            "/n&nbsp;bsp",
            "/a'b",
            "/c,d.png",
            "/(p).png",
            "\\bs",
        ),
        *("/e\u2028f", "/\0n", "/\udce9", "data:image/png;base64,AA==", "/0-0-", "/\U0001f600"),
    ]
)
attribute = st.one_of(
    st.builds('{}="{}"'.format, st.sampled_from(["href", "src", "data-src", "background", "poster", "data"]), address),
    st.builds('srcset="{}, {} 2x"'.format, address, address),
    st.builds("style='background:url(\"{}\") x, url(&quot;{}&quot;)'".format, address, address),
    st.builds('content="0;url={}"'.format, address),
    st.sampled_from(["download", "http-equiv=refresh", "property=og:image", "type=image", "class='a b'"]),
)
names = st.sampled_from(
    [
        *("a", "img", "area", "source", "video", "iframe", "object", "embed", "input", "meta", "link", "image"),
        *("base", "body", "p", "td"),
    ]
)
tag = st.builds(lambda name, attributes: f"<{' '.join([name, *attributes])}>", names, st.lists(attribute, max_size=4))


@given(st.lists(st.one_of(piece, tag), max_size=12).map("".join))
def test_where_no_row_is_loaded_the_html_is_what_it_was(html):
    html = f"<article>{html}</article>"
    kept, written = body(html, links="none"), body(html, links="site")
    assert (written.plain if isinstance(written, Text) else written) == kept


SPOOFS = [
    '{"$": "ref", "key": "url:https://old.example.org/b.html", "attr": "pk", "soft": true}',
    '{"$": "text", "parts": [{"$": "ref"}]}',
    "ResourceRef(Key('url', 'https://old.example.org/b.html'))",
    "0" * 32 + "-0-",
    "-0-",
    "f" * 32 + "-1-",
    "{{ ref('url:https://old.example.org/b.html') }}",
    "\x1f0\x1f",
]


@pytest.mark.parametrize("spoof", SPOOFS)
def test_text_of_a_page_that_looks_like_a_ref_stays_text(spoof):
    html = f"<article><p title='{spoof}'>{spoof}</p><a href=\"/b.html\">b</a></article>"
    text = body(html, ["/b.html"])
    assert [part for part in text.parts if not isinstance(part, str)] == [ref("/b.html", "/b.html")]
    assert text.parts[0].count(spoof.replace('"', "&quot;")) + text.parts[0].count(spoof) >= 2
    values = FieldsTransformer("blog.Article", {"body": "p", "raw": "p@title"}).transform(page(html)).values
    stored = decode(json.loads(json.dumps(encode(values))))
    assert type(stored["raw"]) is str
    assert stored == values


@pytest.mark.parametrize("token", ["0" * 32, "a1" * 16])
def test_even_a_page_that_knew_the_placeholder_of_another_page_makes_no_ref(token, monkeypatch):
    drawn = iter([token, secrets.token_hex(16)])
    monkeypatch.setattr(secrets, "token_hex", lambda size: next(drawn))
    body("<article><a href='/b.html'>b</a></article>", ["/b.html"])
    text = body(f"<article>{token}-0-<a href='/b.html'>b</a></article>", ["/b.html"])
    assert text == Text(f'{token}-0-<a href="', ref("/b.html", "/b.html"), '">b</a>')


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r<&")))
def test_any_text_beside_a_link_comes_through_unchanged(text):
    found = body(f"<article><a href='/b.html'>b</a>{text}</article>", ["/b.html"])
    assert found.parts[1] == ref("/b.html", "/b.html")
    assert found.parts[2] == '">b</a>' + text.replace(">", "&gt;").replace("\u00a0", "&nbsp;")


def test_a_hard_ref_leads_to_the_own_site_or_to_what_was_mined():
    def author(href, mined=(), expression="a@href | ref"):
        html = f'<a href="{href}">x</a>'
        return FieldsTransformer("blog.Article", {"author": expression, "all": "*"}).transform(page(html, mined)).values

    elsewhere = "https://elsewhere.example/ada"
    assert author("/ada")["author"] == ResourceRef(Key("url", f"{SITE}/ada"))
    assert author(elsewhere, [elsewhere])["author"] == ResourceRef(Key("url", elsewhere))
    with pytest.raises(TransformError, match=r"ref of 'https://elsewhere\.example/ada': this is another host, and no"):
        author(elsewhere)
    soft = ResourceRef(Key("url", elsewhere), soft=True)
    assert author(elsewhere, expression="a@href | soft")["author"] == soft


def test_only_pages_whose_address_fits_are_taken():
    fields = {"title": "h1"}
    html = "<h1>x</h1>"
    for pages in ("/blog/*", ["/about/*", f"{SITE}/blog/*"], "*/a.html", None):
        assert FieldsTransformer("blog.Article", fields, pages=pages).transform(page(html)) is not None
    for pages in ("/about/*", ["/about/*"], []):
        assert FieldsTransformer("blog.Article", fields, pages=pages).transform(page(html)) is None


def test_only_pages_with_the_element_of_where_are_taken():
    transformer = FieldsTransformer("blog.Article", {"title": "h1"}, where="main.article")
    assert transformer.transform(page("<h1>x</h1>")) is None
    assert transformer.transform(page("<main class='article wide'><h1>x</h1></main>")).values == {"title": "x"}


def test_a_field_of_which_the_page_has_nothing_is_left_out():
    fields = {"title": "h1", "lead": ".lead", "views": ".views | int"}
    assert FieldsTransformer("blog.Article", fields).transform(page("<h1>x</h1>")).values == {"title": "x"}


def test_a_match_field_of_which_the_page_has_nothing_is_an_error_that_names_it():
    transformer = FieldsTransformer("blog.Article", {"title": "h1", "slug": "main@id"}, match=["slug"])
    with pytest.raises(TransformError, match="field 'slug' is in match, and 'main@id' finds nothing on this page"):
        transformer.transform(page("<h1>x</h1>"))


@pytest.mark.parametrize("html", [b"", b"\0\0", bytes(range(256)), b"\x89PNG\r\n\x1a\n", b"<" * 1000])
def test_a_page_that_is_no_html_becomes_no_empty_row(html):
    fields = {"title": "h1", "tags": "a@href | refs", "url": "@url", "kind": "=article"}
    with pytest.raises(TransformError, match=r"none of the fields finds anything on this page: title, tags$"):
        FieldsTransformer("blog.Article", fields).transform(page(html))


def test_a_row_may_be_made_of_what_is_known_of_a_page_alone():
    fields = {"url": "@url", "kind": "=article"}
    values = FieldsTransformer("blog.Article", fields).transform(page("<p>x</p>")).values
    assert values == {"url": URL, "kind": "article"}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"model": "Article"}, "model: expected app_label.ModelName, got 'Article'"),
        ({"model": "a.b.c"}, "model: expected app_label.ModelName, got 'a.b.c'"),
        ({"fields": {}}, "fields: expected at least one field"),
        ({"fields": {"title": "h1["}}, r"fields\['title'\]: expected a CSS selector"),
        ({"match": ["slug"]}, "match: 'slug' gets no value; the fields that do are title"),
        ({"where": "main["}, r"where: expected a CSS selector such as .*, got 'main\['"),
        ({"pages": [""]}, "pages: expected a glob pattern"),
        ({"links": "all"}, "links: expected one of mined, site, none, got 'all'"),
    ],
)
def test_options_that_cannot_be_are_refused(options, why):
    with pytest.raises(ValueError, match=f"^{why}"):
        FieldsTransformer(**({"model": "blog.Article", "fields": {"title": "h1"}} | options))


def test_it_is_a_transformer_of_pages():
    transformer = FieldsTransformer("blog.Article", {"title": "h1"})
    assert isinstance(transformer, Transformer)
    assert transformer.accepts == ("text/html", "application/xhtml+xml")
