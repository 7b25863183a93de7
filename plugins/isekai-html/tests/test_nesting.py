"""No page can make the parser work for minutes or take gigabytes."""

import random

import pytest
from isekai_html import nesting
from isekai_html.nesting import MAX_DEPTH, MAX_REOPENED, bounded
from selectolax.lexbor import LexborHTMLParser

SIZE = 300_000


def repeated(piece, size=SIZE):
    return piece * (size // len(piece))


def numbered(piece, count):
    return b"".join(piece % number for number in range(count))


def measure(html):
    """The number of elements that `html` becomes, and how deep the deepest is."""
    count = deepest = 0
    waiting = [(LexborHTMLParser(html).root, 1)]
    while waiting:
        node, level = waiting.pop()
        count, deepest = count + 1, max(deepest, level)
        waiting += [(child, level + 1) for child in node.iter()]
    return count, deepest


HOSTILE = {
    "divs": repeated(b"<div>"),
    "closed divs": b"<div>" * 30_000 + b"</div>" * 30_000,
    "lists": repeated(b"<ul><li>"),
    "definition lists": repeated(b"<dl><dd>"),
    "bold": repeated(b"<b>"),
    "bold that a paragraph ends": repeated(b"<b></p>"),
    "bold around divs": repeated(b"<div></b>"),
    "links around divs": repeated(b"<a><div></a>"),
    "italic around bold": repeated(b"<i><b></i>"),
    "paragraphs around bold and italic": repeated(b"<p><b><i></p>"),
    "bold in tables": repeated(b"<table><b>x"),
    "cells without a table": numbered(b"<td><b id=%d>x", 20_000),
    "formatting that is opened again": b"<p>" + numbered(b"<b id=%d>", 2000) + b"</p>" + b"<p>x</p>" * 20_000,
    "formatting that adds up": numbered(b"<p><b id=%d>x</p>", 20_000),
    "attributes": b"<a " + numbered(b"a%d=1 ", 100_000) + b">",
    "attributes without an end": b"<a " + numbered(b"a%d=1 ", 100_000),
    "quotes without an end": repeated(b'<a href="'),
    "quotes in the wrong place": repeated(b'<div =">'),
    "comments without an end": repeated(b"<!--"),
    "sections of XML": repeated(b"<![CDATA["),
    "scripts without an end": repeated(b"<script>"),
    "less than": repeated(b"<"),
    "names without an end": repeated(b"<a"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_becomes_a_tree_of_bounded_size_and_depth(name):
    """Without the bound, the parser takes minutes for some of these, and gigabytes for others."""
    count, deepest = measure(bounded(HOSTILE[name]))
    assert count < 2 * MAX_REOPENED
    assert deepest < 3 * MAX_DEPTH


def test_what_is_within_is_kept_as_siblings():
    html = bounded(b"<div>" * 20_000 + b'<a href="/deep">deep</a>' + b"</div>" * 20_000)
    link = LexborHTMLParser(html).css_first("a")
    assert (link.attributes["href"], link.text()) == ("/deep", "deep")


def test_links_are_never_left_out():
    html = bounded(numbered(b'<div><b><a href="/%d">', 20_000))
    assert len(LexborHTMLParser(html).css("a[href]")) >= 20_000


def ordinary_page(rng, tags):
    """Untidy, as people write: paragraphs, list items, cells and fonts without their ends."""
    pieces = (
        rng.choice(
            [
                b"<p>text <font size=2>more",
                b"<p>a <b>bold</b> word</p>",
                b"<ul><li>one<li>two<div>three</ul>",
                b"<tr><td>cell<td><font color=red>red</font><p>x<p>y",
                b"<dl><dt>a<dd>b<dd>c</dl>",
                b"<div class='a>b'><a href=/%d>link</a></div>" % number,
                b"<select><option>1<option>2</select>",
                b"<script>if (a<b) document.write('<div><div>')</script>",
                b"<!-- <div><div> -->",
                b"<a title='</div><div>' href=x><img src=y></a><br><hr>",
                b"<textarea><b><b></textarea>",
            ]
        )
        for number in range(tags)
    )
    return b"<table>" + b"".join(pieces)


@pytest.mark.parametrize("seed", range(5))
def test_an_ordinary_page_is_read_whole_and_left_as_it_is(seed, monkeypatch):
    monkeypatch.setattr(nesting, "_is_harmless", lambda html: False)
    html = ordinary_page(random.Random(seed), 3000)
    assert bounded(html) is html


def test_a_page_of_ordinary_size_is_not_even_read():
    html = b"<div><p>x</p></div>" * 2000
    assert nesting._is_harmless(html)
    assert bounded(html) is html


def test_a_long_attribute_is_no_crowd_of_attributes():
    html = b'<img alt="x" src="data:image/png;base64,' + b"A" * 200_000 + b'"><p>y'
    assert bounded(html) is html


def test_of_a_crowd_of_attributes_the_first_are_kept():
    html = bounded(b'<a href="/a" ' + numbered(b"a%d=1 ", 20_000) + b">x</a>")
    attributes = LexborHTMLParser(html).css_first("a").attributes
    assert attributes["href"] == "/a"
    assert 400 < len(attributes) <= 500


@pytest.mark.parametrize("seed", range(8))
def test_random_tags_stay_within_the_bounds(seed):
    rng = random.Random(seed)
    tags = b"div p b i a ul li table tr td font section dl dd option select svg button h1 object".split()
    chosen = rng.sample(tags, 4)
    html = b"".join(
        b"<%s%s id=%d>x" % (rng.choice([b"", b"", b"/"]), rng.choice(chosen), number) for number in range(12_000)
    )
    count, deepest = measure(bounded(html))
    assert count < 2 * MAX_REOPENED
    assert deepest < 3 * MAX_DEPTH
