"""`types/keys.py`: one thing has one key."""

import hashlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from isekai_core.types import Key
from isekai_core.types.keys import canonical_url

SITE = "https://old.example.org"


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://old.example.org", "https://old.example.org/"),
        ("HTTPS://Old.Example.ORG/A", "https://old.example.org/A"),
        ("  https://old.example.org/a ", "https://old.example.org/a"),
        ("http://old.example.org:80/a", "http://old.example.org/a"),
        ("https://old.example.org:443/a", "https://old.example.org/a"),
        ("http://old.example.org:443/a", "http://old.example.org:443/a"),
        ("https://old.example.org./a", "https://old.example.org/a"),
        ("https://old.example.org/a#part", "https://old.example.org/a"),
        ("https://old.example.org/a/./b/../c", "https://old.example.org/a/c"),
        ("https://old.example.org/../../a", "https://old.example.org/a"),
        ("https://old.example.org/a/..", "https://old.example.org/"),
        ("https://old.example.org/a/.", "https://old.example.org/a/"),
        ("https://old.example.org/%7euser/%c3%a9", "https://old.example.org/~user/%C3%A9"),
        ("https://old.example.org/é b", "https://old.example.org/%C3%A9%20b"),
        ("https://old.example.org/a%2fb", "https://old.example.org/a%2Fb"),
        ("https://old.example.org/100%", "https://old.example.org/100%25"),
        ("https://old.example.org/a?b=%7e&C=%2f", "https://old.example.org/a?b=%7e&C=%2f"),
        ("https://old.example.org/a?b=é c", "https://old.example.org/a?b=%C3%A9%20c"),
        ("https://old.example.org?b", "https://old.example.org/?b"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
        ("https://old.example.org//a//b", "https://old.example.org//a//b"),
        ("https://old.example.org//a/./b", "https://old.example.org//a/b"),
        ("https://old.example.org/x/..//a", "https://old.example.org//a"),
        ("https://old.example.org/a//../b", "https://old.example.org/a/b"),
        ("https://old.example.org//..", "https://old.example.org/"),
        ("https://old.example.org//.", "https://old.example.org//"),
        ("https://old.example.org/%2e%2E/a/%2e/b", "https://old.example.org/a/b"),
        ("https://old.example.org/.a/...", "https://old.example.org/.a/..."),
    ],
)
def test_a_url_has_one_spelling(url, canonical):
    assert Key("url", url).value == canonical
    assert Key("url", canonical).value == canonical


@pytest.mark.parametrize(
    "url",
    [
        "old.example.org/a",
        "/a",
        "//old.example.org/a",
        "ftp://old.example.org/",
        "javascript:alert(1)",
        "mailto:ada@example.org",
        "https://",
        "https:///a",
        "https://old.example.org:port/",
        "https://old.example.org:99999/",
        "https://[::1/",
        "https://" + "é" * 300 + "/",
    ],
)
def test_what_is_no_absolute_web_address_is_refused(url):
    with pytest.raises(ValueError, match=r"url|URL|host"):
        Key("url", url)


@pytest.mark.parametrize("kind", ["", "URL", "a b", "1a", "a:b", "ä", "a" * 33])
def test_a_type_is_a_short_lower_case_word(kind):
    with pytest.raises(ValueError, match="a key's type is a short lower-case word"):
        Key(kind, "x")


@pytest.mark.parametrize(("kind", "value"), [("file", ""), ("url", "  ")])
def test_an_empty_value_is_refused(kind, value):
    with pytest.raises(ValueError, match="needs a value, got an empty one"):
        Key(kind, value)


@pytest.mark.parametrize("value", ["a\x00b", "a\nb", "a\x7fb", f"{SITE}/a\x00b", f"{SITE}/a\nb"])
def test_control_characters_are_refused(value):
    with pytest.raises(ValueError, match="must not hold control characters"):
        Key("url" if value.startswith("http") else "file", value)


@pytest.mark.parametrize(("kind", "value"), [("row", 7), ("url", None), ("row", b"7"), (7, "row")])
def test_what_is_no_text_is_refused_with_how_to_write_it(kind, value):
    with pytest.raises(TypeError) as caught:
        Key(kind, value)
    assert str(caught.value) == f"a key is made of two texts such as Key('row', '7'), got {kind!r} and {value!r}"


def test_values_of_other_types_are_kept_as_they_are():
    assert Key("file", " ../A//b ").value == " ../A//b "


def test_a_value_of_any_length_is_refused_without_being_repeated_or_taking_long():
    with pytest.raises(ValueError) as caught:
        Key("url", "x" * 1_000_000)
    assert len(str(caught.value)) < 1000


def test_a_very_long_url_is_a_key():
    key = Key("url", f"{SITE}/{'a' * 5000}")
    assert len(key.value) > 5000
    assert len(key.digest) == 64


def test_a_key_is_written_type_colon_value_and_read_back():
    key = Key.parse("row:shop/7:8")
    assert (key.type, key.value, str(key)) == ("row", "shop/7:8", "row:shop/7:8")
    with pytest.raises(ValueError, match="a key is written type:value"):
        Key.parse("no colon")


def test_the_digest_is_the_sha256_of_the_key_as_written():
    assert Key("file", "é").digest == hashlib.sha256("file:é".encode()).hexdigest()


def test_a_lone_surrogate_of_a_broken_file_name_has_a_digest():
    assert len(Key("file", "a\udce9").digest) == 64


def test_keys_are_sorted_by_type_and_value_and_usable_in_sets():
    keys = [Key("url", f"{SITE}/b"), Key("file", "z"), Key("url", f"{SITE}/a")]
    assert [str(key) for key in sorted(keys)] == ["file:z", f"url:{SITE}/a", f"url:{SITE}/b"]
    assert len({Key("url", SITE), Key("url", f"{SITE}/")}) == 1


paths = some.text(some.characters(exclude_categories=["Cc", "Cs"]), max_size=40)


@given(paths, paths)
def test_making_a_url_canonical_twice_changes_nothing_more(path, query):
    url = f"{SITE}/{path}" + (f"?{query}" if query else "")
    once = canonical_url(url)
    assert canonical_url(once) == once
    assert once.isascii()
    assert "#" not in once


@given(some.text(max_size=60))
def test_any_text_is_a_key_or_refused_with_a_value_error(text):
    for kind in ("url", "file"):
        try:
            key = Key(kind, text)
        except ValueError:
            continue
        assert Key.parse(str(key)) == key


segments = some.lists(some.sampled_from(["a", "b", ".", "..", "", "c%41", ".d", "e."]), max_size=8)


@given(segments)
def test_no_dot_segment_is_left(segments):
    path = canonical_url(f"{SITE}/" + "/".join(segments)).removeprefix(SITE)
    assert not {".", ".."} & set(path.split("/"))
    assert path.startswith("/")
    assert canonical_url(SITE + path) == SITE + path


@given(segments)
def test_dot_segments_are_resolved_as_the_standard_does(segments):
    path = "/" + "/".join(segments).replace("%41", "A")
    assert canonical_url(SITE + path) == SITE + without_dot_segments(path)


@given(segments)
def test_a_path_without_dot_segments_is_unchanged(segments):
    path = "/" + "/".join(one for one in segments if one not in (".", "..", "c%41"))
    assert canonical_url(SITE + path) == SITE + path


def without_dot_segments(rest):
    """RFC 3986, 5.2.4, word for word, of a path that begins with a slash."""
    output = ""
    while rest:
        if rest.startswith("/./") or rest == "/.":
            rest = "/" + rest[3:]
        elif rest.startswith("/../") or rest == "/..":
            rest = "/" + rest[4:]
            output = output[: max(output.rfind("/"), 0)]
        else:
            end = rest.find("/", 1)
            end = len(rest) if end < 0 else end
            output, rest = output + rest[:end], rest[end:]
    return output


@given(paths)
def test_the_query_is_untouched_where_a_request_line_can_carry_it(text):
    query = "".join(char for char in text if char.isascii() and char not in "# ")
    assume(query)
    assert canonical_url(f"{SITE}/a?{query}") == f"{SITE}/a?{query}"


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:s3cr3t@old.example.org/",
        "https://s3cr3t@old.example.org/",
        "HTTPS://ada:s3cr3t@old.example.org:99999/",
        "https://ada:s3:cr3t@s3cr3t@old.example.org/a?b=c@d",
        "https://ada:s3cr3t@[::1/",
        "//ada:s3cr3t@old.example.org/",
    ],
)
def test_an_address_with_a_user_is_refused_and_its_password_not_shown(url):
    with pytest.raises(ValueError, match="a url key holds no user and no password") as caught:
        Key("url", url)
    assert "s3cr3t" not in str(caught.value)
    assert "old.example.org" in str(caught.value) or "::1" in str(caught.value)


@pytest.mark.parametrize("url", ["https://old.example.org/@ada", "https://old.example.org/?to=ada@example.org"])
def test_an_at_sign_behind_the_host_is_a_part_of_the_path_or_the_query(url):
    assert Key("url", url).value == url
