"""The field language: sources, and filters behind them."""

from decimal import Decimal

import pytest
from isekai_html.fields import Field
from isekai_html.page import page_of
from isekai_html.transform import FieldsTransformer

from isekai_core.errors import TransformError
from isekai_core.testing.resources import make_resource
from isekai_core.types import Key, ResourceRef

URL = "https://old.example.org/blog/a.html"
PAGE = """
<link rel="canonical" href="https://old.example.org/blog/my-post.html">
<h1 id=""> My
    <b>f</b>irst<br>post </h1>
<p class="a | b">pipe</p><p title='x@y'>at</p>
<ul><li><a href="/tags/a" rel="tag">A</a><li><a href="/tags/b" rel="tag">B</a></ul>
<div class="price">1,234.50</div><div class="empty"></div>
<article><p>one</p><p>two</p><script>var x = "<b>";</script><style>p {}</style></article>
<pre>  a
   b  </pre>
<script type="application/json">{"a": 1}</script>
"""


def value(expression, html=PAGE, **options):
    """The value of a field, or None when it is left out."""
    metadata = {"title": "From the link", "n": 3, "deep": {"list": ["x", "y"]}}
    resource = make_resource(f"url:{URL}", text=html, media_type="text/html", metadata=metadata)
    fields = {"field": expression, "all": "*"}
    return FieldsTransformer("blog.Article", fields, **options).transform(resource).values.get("field")


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("h1", "My first post"),
        ("h1@id", ""),
        ("h1@class", None),
        ("h2", None),
        ("h2@id", None),
        ("h2@html", None),
        ("h1, h2", "My first post"),
        ("article", "one two"),
        ("article@html", '<p>one</p><p>two</p><script>var x = "<b>";</script><style>p {}</style>'),
        ("pre", "a\n   b"),
        ("script[type='application/json']", '{"a": 1}'),
        ("a[rel=tag]@href", "/tags/a"),
        ("a[rel=tag] @href", "/tags/a"),
        ("p[class='a | b']", "pipe"),
        ('p[title="x@y"]', "at"),
        ('p[title="x@y"]@title', "x@y"),
        ("=blog", "blog"),
        ("=", ""),
        ("= two words ", "two words"),
        ("=it's | upper", "IT'S"),
        ("@url", URL),
        ("@metadata.title", "From the link"),
        ("@metadata.n | int", 3),
        ("@metadata.deep.list | all", ["x", "y"]),
        ("@metadata.deep.none", None),
        ("@metadata.title.none", None),
        ("link[rel=canonical]@href | slug", "my-post"),
        (".price | decimal | default:0", Decimal("1234.50")),
        (".none | default:0 | decimal", Decimal(0)),
        (".empty", ""),
        (".empty | int", None),
        (".empty | default:none", "none"),
        ("a[rel=tag] | all", ["A", "B"]),
        ("a[rel=tag] | all | lower | join", "a, b"),
        ("a[rel=tag] | all | last", "B"),
        (".none | all", []),
        (".none | all | join", None),
        ("a[rel=tag]@href | url", "https://old.example.org/tags/a"),
        ("a[rel=tag]@href | ref", ResourceRef(Key("url", "https://old.example.org/tags/a"))),
        (
            "a[rel=tag]@href | refs",
            [ResourceRef(Key("url", f"https://old.example.org/tags/{name}")) for name in ("a", "b")],
        ),
        (".none@href | refs", []),
        (".none@href | ref", None),
        ("p | all | join:' | '", "pipe | at | one | two"),
        (r"h1 | regex:(\w+) post | upper", "FIRST"),
    ],
)
def test_an_expression_finds(expression, found):
    assert value(expression) == found


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "expected a CSS selector such as 'h1' or 'article > p.lead', got ''"),
        ("h1[", r"expected a CSS selector .*, got 'h1\['"),
        ("div::text", "expected a CSS selector"),
        ("h1:first", "expected a CSS selector"),
        ("@html", "expected @url or @metadata.name, or a selector before @attribute, got '@html'"),
        ("@metadata", "expected @url or @metadata.name"),
        ("@metadata.", "expected @url or @metadata.name"),
        ("h1 | slugg", "there is no filter 'slugg': did you mean slug"),
        ("h1 | ", "there is no filter ''"),
        ("h1 | int | upper", "the filter 'upper' takes text, which there is none after int; put it before"),
        ("h1 | date | date", "the filter 'date' takes text, which there is none after date"),
        ("article@html | slug", "the filter 'slug' takes text, which there is none after @html; select the text"),
        ("h1 | upper | all", "all stands right after the source"),
        ("h1@id | strip | refs", "refs stands right after the source; refs is short for all . ref"),
        ("h1 | regex:(", "the filter 'regex' takes a regular expression"),
        ("h1|slug", r"expected a source, and filters with spaces around the \| before each, got 'h1\|slug'"),
        ("a[href]@href|slug", "expected a source, and filters with spaces around"),
        ("h1 || slug", "expected a source, and filters with spaces around"),
    ],
)
def test_an_expression_that_cannot_be_is_refused_with_the_fields_name(expression, why):
    with pytest.raises(ValueError, match=rf"^fields\['title'\]: {why}"):
        Field.parse("title", expression)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("h1 | int", "field 'field', from 'h1 | int': int of 'My first post': expected a whole number such as 1234"),
        ("li | all | date", "field 'field', from 'li | all | date': date of ['A', 'B']: expected a date such as"),
        (
            "=mailto:x | ref",
            "field 'field', from '=mailto:x | ref': ref of 'mailto:x': expected an http or https address",
        ),
    ],
)
def test_a_value_that_cannot_be_read_names_field_expression_and_value(expression, message):
    with pytest.raises(TransformError) as caught:
        value(expression)
    assert str(caught.value).startswith(message)


def test_a_bar_that_is_css_s_own_stays_one():
    html = "<h1 lang=de-AT data-a='x|y'>t</h1><svg><a>in</a></svg>"
    for expression in ("h1[lang|=de]", "h1[data-a='x|y']", 'h1:lexbor-contains("t|u" i), h1', "*|h1"):
        assert value(expression, html) == "t"
    assert value("svg|a", html) == "in"


def test_the_name_of_an_attribute_may_be_written_in_capitals():
    html = "<img SRC=/a.png><svg viewBox='0 0 1 1'></svg><p>t</p>"
    assert [value("img@Src", html), value("svg@viewBox", html), value("body@HTML", html)[-8:]] == [
        "/a.png",
        "0 0 1 1",
        "<p>t</p>",
    ]


def test_text_that_xhtml_has_in_cdata_sections_is_text():
    html = """<html xmlns="http://www.w3.org/1999/xhtml"><title/><style>/*<![CDATA[*/ a > b {} /*]]>*/</style>
        <body><!-- <![CDATA[ no <i/> ]]> --><h1><![CDATA[Fish & chips <b/>]]></h1><script>//<![CDATA[
        if (a && b) x("<em/>") //]]></script><p/></body></html>"""
    resource = make_resource("url:https://old.example.org/a", text=html, media_type="application/xhtml+xml")
    assert page_of(resource).text(page_of(resource).tree.css_first("h1")) == "Fish & chips <b/>"
    kept = page_of(resource).tree.html
    for part in (
        "<!-- <![CDATA[ no <i/> ]]> -->",
        "/*<![CDATA[*/ a > b {} /*]]>*/</style>",
        'x("<em/>") //]]></script><p></p>',
    ):
        assert part in kept


@pytest.mark.parametrize("part", ["<![CDATA[", "<!--", "<script>", "<a ", "<a/", "<style "])
def test_xhtml_that_ends_within_something_is_read_once(part):
    html = "<h1>t</h1>" + part * 200_000
    resource = make_resource("url:https://old.example.org/a", text=html, media_type="application/xhtml+xml")
    assert page_of(resource).tree.css_first("h1").text() == "t"


def test_a_long_value_is_shortened_in_the_message():
    with pytest.raises(TransformError) as caught:
        value("h1 | int", f"<h1>{'x' * 10_000}</h1>")
    assert len(str(caught.value)) < 250


def test_metadata_of_another_type_is_no_text_for_filters():
    with pytest.raises(TransformError, match=r"upper of {'list'.*: expected text, got a dict"):
        value("@metadata.deep | upper")


def test_nul_characters_and_undecodable_bytes_are_kept_for_the_loader_to_name():
    html = b"<h1 title='a\0b'>nul \0 and byte \xe9 and \xc3\xa9</h1>"
    assert value("h1", html) == "nul \0 and byte \udce9 and é"
    assert value("h1@title", html) == "a\0b"
    assert value("h1@html", html) == "nul \0 and byte \udce9 and é"


def test_every_byte_that_is_no_utf_8_comes_back_as_it_was():
    every = bytes(range(0x80, 0x100))
    assert value("h1", b"<h1>a" + every + b"</h1>").encode("utf-8", "surrogateescape") == b"a" + every


def test_a_page_that_is_sound_goes_through_as_it_is():
    assert value("h1", "<h1>\U0010ff00 \ufffd é</h1>") == "\U0010ff00 \ufffd é"
    assert value("h1", "\ufeff<h1>é</h1>".encode()) == "é"


def test_what_is_not_shown_is_no_text():
    html = """<h1><svg><title>An icon</title><desc>of a house</desc></svg>Home</h1><title>Page</title>
        <p>A film<video src="/a.mp4">is not shown</video> and<iframe src="/b">no frames</iframe> a map</p>"""
    assert value("h1", html) == "Home"
    assert value("p", html) == "A film and a map"
    assert value("title", "<title>Page</title>") == "Page"


def test_words_of_two_blocks_stay_two_words_and_parts_of_one_stay_one():
    assert value("div", "<div>a<p>b</p>c<br>d <b>e</b>f<ul><li>g<li>h</ul></div>") == "a b c d ef g h"
    assert value("td", "<table><tr><td>a<!-- no -->\u00a0b</table>") == "a\u00a0b"
