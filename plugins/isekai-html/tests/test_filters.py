"""The filters, one by one."""

import datetime as dt
from decimal import Decimal

import pytest
from isekai_html.filters import FILTERS, Filter

from isekai_core.types import Key, ResourceRef, Text

SITE = "https://old.example.org"
LINK = ResourceRef(Key("url", f"{SITE}/b"), "url", soft=True, fallback="/b")


class Page:
    """A page whose links lead below its own address, and whose mail links lead nowhere."""

    def absolute(self, link):
        return f"{SITE}/{link.strip().lstrip('/')}" if self.key(link) else None

    def belongs(self, key):
        return key.value.startswith(SITE)

    def key(self, link):
        return None if link.startswith("mailto:") else Key("url", f"{SITE}/{link.strip().lstrip('/')}")


def filtered(text, value):
    return Filter.parse(text)(value, Page())


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("strip", "  a b \n", "a b"),
        ("strip", Text(" <a href='", LINK, "'> "), Text("<a href='", LINK, "'>")),
        ("strip", Text(LINK, " x "), Text(LINK, " x")),
        ("lower", "ÀB", "àb"),
        ("upper", "àb", "ÀB"),
        ("text", "<p>Fish &amp;\n <b>chips</b></p><p>too", "Fish & chips too"),
        ("text", "<b>f</b>irst<p>se<i>cond</i><script>no()</script>", "first second"),
        ("text", "<b><p>" * 20_000 + "deep", "deep"),
        ("text", "", ""),
        ("slug", "Über uns & mehr", "uber-uns-mehr"),
        ("slug", "AC/DC live", "acdc-live"),
        ("slug:unicode", "Über uns", "über-uns"),
        ("slug", f"{SITE}/blog/My%20Post.html?page=2#x", "my-post"),
        ("slug", "/blog/my-post/", "my-post"),
        ("slug", "/blog/my-post/index.html", "my-post"),
        ("slug", "../blog/v1.2", "v12"),
        ("slug", "//old.example.org/a.php", "a"),
        ("slug", "/index.html", "index"),
        ("slug", f"{SITE}/", None),
        ("slug", "!!!", None),
        (r"regex:\d+", "page 12 of 30", "12"),
        (r"regex:by (\w+)", "by Ada, 1843", "Ada"),
        (r"regex:(a|b)c", "xbc", "b"),
        (r"regex:\d+", "none", None),
        (r"regex:(a)?b", "b", None),
        ("int", "42", 42),
        ("int", " 1,234,567 ", 1234567),
        ("int", "1 234\u00a0567", 1234567),
        ("int", "-3", -3),
        ("int", "\u22123", -3),
        ("int", "", None),
        ("decimal", "1,234.50", Decimal("1234.50")),
        ("decimal", "12", Decimal(12)),
        ("decimal:,", "1.234,50", Decimal("1234.50")),
        ("decimal:,", "1'234,50", Decimal("1234.50")),
        ("int", "- 5", -5),
        ("int", "\u2212 1\u202f234", -1234),
        ("int", "1\u2019234\u2019567", 1234567),
        ("decimal", "1,234.567", Decimal("1234.567")),
        ("decimal", "1 234.5", Decimal("1234.5")),
        ("decimal:,", "12 345,50", Decimal("12345.50")),
        ("decimal", " ", None),
        ("float", "1e3", 1000.0),
        ("float", ".5", 0.5),
        ("bool", "Yes", True),
        ("bool", "off", False),
        ("bool", "", None),
        ("date", "2026-01-31", dt.date(2026, 1, 31)),
        ("date", " ", None),
        ("date:%d/%m/%Y", "31/01/2026", dt.date(2026, 1, 31)),
        ("datetime:%d/%m/%Y %H:%M", "31/01/2026 10:30", dt.datetime(2026, 1, 31, 10, 30, tzinfo=dt.UTC)),
        ("url", " /a#part", f"{SITE}/a#part"),
        ("url", "mailto:ada@example.org", "mailto:ada@example.org"),
        ("url", " ", f"{SITE}/"),
        ("ref", "/a", ResourceRef(Key("url", f"{SITE}/a"))),
        ("ref:slug", "/a", ResourceRef(Key("url", f"{SITE}/a"), "slug")),
        ("soft", "/a", ResourceRef(Key("url", f"{SITE}/a"), soft=True)),
        ("soft:url", "/a", ResourceRef(Key("url", f"{SITE}/a"), "url", soft=True, fallback=f"{SITE}/a")),
        ("soft", "mailto:ada@example.org", None),
        ("refs", ["/a", "/b"], [ResourceRef(Key("url", f"{SITE}/a")), ResourceRef(Key("url", f"{SITE}/b"))]),
        ("split", "a, b,,c ", ["a", "b", "c"]),
        ("split:;", ["a;b", "c"], ["a", "b", "c"]),
        ("split:' '", "a b", ["a", "b"]),
        ("split", None, []),
        ("join", ["a", "b"], "a, b"),
        ('join:" | "', ["a", "b"], "a | b"),
        ("join:''", ["a", "b"], "ab"),
        ("join", [], None),
        ("join", "a", "a"),
        ("join:-", [Text("a", LINK), "b"], Text("a", LINK, "-", "b")),
        ("first", ["a", "b"], "a"),
        ("last", ["a", "b"], "b"),
        ("first", [], None),
        ("last", "a", "a"),
        ("default:0", None, "0"),
        ("default:0", "", "0"),
        ("default:0", [], "0"),
        ("default:0", "1", "1"),
        ("default: two words ", None, "two words"),
        ("default:''", None, ""),
        ("default:it's", None, "it's"),
    ],
)
def test_a_filter_makes_of_a_value(text, before, after):
    made = filtered(text, before)
    assert made == after
    assert type(made) is type(after)


@pytest.mark.parametrize(
    ("text", "value", "why"),
    [
        ("int", "12.5", "expected a whole number such as 1234 or 1,234"),
        ("int", "1.234", "expected a whole number"),
        ("int", "12,34", "expected a whole number"),
        ("int", "١٢", "expected a whole number"),
        ("int", "twelve", "expected a whole number"),
        ("int", "1200 1", "expected a whole number"),
        ("int", "4 2", "expected a whole number"),
        ("int", "1 2345", "expected a whole number"),
        ("int", "1,2345", "expected a whole number"),
        ("int", "1,234 567", "expected a whole number"),
        ("int", "12'34", "expected a whole number"),
        ("decimal", "1 20.50", "expected a number such as 1234.5, and nothing else"),
        ("decimal:,", "1.234.567.5", "expected a number such as 1234,5"),
        ("float", "1e400", "too large for a float"),
        ("decimal", "12,50", "expected a number such as 1234.5"),
        ("decimal:,", "12.50", "expected a number such as 1234,5"),
        ("decimal", "NaN", "expected a number"),
        ("float", "inf", "expected a number"),
        ("bool", "maybe", "expected yes or no"),
        ("date", "next week", "expected a date such as 2026-01-31"),
        ("date", "01/02/2026", "cannot tell the day from the month; say which, for example date:%d/%m/%Y"),
        ("datetime", "01/02/2026", "for example datetime:%d/%m/%Y"),
        ("date", "31 Febtober 2026", "'Febtober' is no English month"),
        ("date", "2026-02-30", "expected a date"),
        ("date", "30 February 2026", "day"),
        ("date:%d/%m/%Y", "2026-01-31", "does not match format"),
        ("ref", "mailto:ada@example.org", "expected an http or https address"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_the_reason(text, value, why):
    with pytest.raises(ValueError, match=why):
        filtered(text, value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("slugg", "there is no filter 'slugg': did you mean slug"),
        ("dat", "did you mean date"),
        ("zzz", "there is no filter 'zzz': there are all, bool, date"),
        ("", "there is no filter ''"),
        ("strip:x", "the filter 'strip' takes no argument, got 'x'"),
        ("int:10", "the filter 'int' takes no argument"),
        ("url:x", "the filter 'url' takes no argument"),
        ("slug:ascii", "the filter 'slug' takes no argument, or 'unicode', got 'ascii'"),
        ("regex", "the filter 'regex' takes a pattern such as .*, got none"),
        ("regex:(", "the filter 'regex' takes a regular expression"),
        ("decimal:;", "the filter 'decimal' takes the decimal mark, '.' or ',', got ';'"),
        ("split:''", "the filter 'split' takes a separator such as ';'"),
        ("default", "the filter 'default' takes a value such as 0, got none"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(text, why):
    with pytest.raises(ValueError, match=why):
        Filter.parse(text)


@pytest.mark.parametrize("name", sorted(set(FILTERS) - {"default", "split"}))
def test_what_is_missing_stays_missing(name):
    made = filtered("regex:a" if name == "regex" else name, None if name not in {"all", "join"} else [])
    assert made in (None, [])


def test_a_filter_is_applied_to_every_item_of_a_list_and_drops_what_it_finds_nothing_in():
    assert filtered("int", ["1", "", "3"]) == [1, 3]
    assert filtered(r"regex:\d", ["a1", "b", "c3"]) == ["1", "3"]
