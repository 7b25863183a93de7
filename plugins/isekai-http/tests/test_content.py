import codecs
from functools import partial

import pytest
from isekai_http.content import charset, codec_of, is_text, parse_content_type, sniff

E_ACUTE = "café"


def charset_of(body: bytes, media_type: str = "text/html", declared: str | None = None, step: int = 0) -> str:
    blocks = [body[at : at + step] for at in range(0, len(body), step)] if step else [body]
    return charset(media_type, declared, body[:4096], partial(iter, blocks))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("text/html; charset=utf-8", ("text/html", "utf-8")),
        ("Text/HTML ; charset=UTF-8", ("text/html", "utf-8")),
        ('text/html;charset="utf8"', ("text/html", "utf-8")),
        ("text/html; Charset = 'windows-1252'", ("text/html", "cp1252")),
        ("text/html; boundary=x; charset=koi8-r", ("text/html", "koi8-r")),
        ("text/html, text/html", ("text/html", None)),
        ("application/xhtml+xml", ("application/xhtml+xml", None)),
        ("text/html; charset=rot13", ("text/html", None)),
        ("text/html; charset=", ("text/html", None)),
        ("html", ("", None)),
        ("binary/octet-stream", ("application/octet-stream", None)),
        ("unknown/unknown; charset=utf-8", ("", "utf-8")),
        ("application/x-unknown-content-type", ("", None)),
        ("", ("", None)),
        ("; charset=utf-8", ("", "utf-8")),
    ],
)
def test_reads_a_sloppy_content_type(header, expected):
    assert parse_content_type(header) == expected


def test_a_content_type_of_very_many_spaces_is_read_at_once():
    assert parse_content_type(f"text/html; charset={' ' * 1_000_000};") == ("text/html", None)


@pytest.mark.parametrize("label", ["iso-8859-1", "ISO8859-1", "latin1", "us-ascii", "cp1252", "x-nothing-of-that-sort"])
def test_latin_1_means_windows_1252_as_in_browsers(label):
    assert codec_of(label) == ("cp1252" if "nothing" not in label else None)


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("windows-31j", "cp932"),
        ("X-SJIS", "cp932"),
        ("x-euc-jp", "euc_jp"),
        ("x-gbk", "gb18030"),
        ("x-x-big5", "big5hkscs"),
        ("windows-949", "cp949"),
        ("windows-874", "cp874"),
        ("ISO-8859-8-I", "iso8859-8"),
        ("x-cp1251", "cp1251"),
        ("x-mac-cyrillic", "mac-cyrillic"),
        ("koi8-ru", "koi8-u"),
    ],
)
def test_labels_that_browsers_know_are_known(label, codec):
    assert codec_of(label) == codec


@pytest.mark.parametrize("label", ["hex", "zlib", "idna", "utf-7", "unicode_escape", "undefined", "mbcs", "a\x00b"])
def test_a_codec_that_is_no_charset_of_the_web_is_not_taken(label):
    assert codec_of(label) is None


@pytest.mark.parametrize(
    "media_type",
    [
        "text/html",
        "text/plain",
        "text/csv",
        "application/xhtml+xml",
        "application/xml",
        "application/rss+xml",
        "image/svg+xml",
        "application/json",
        "application/ld+json",
        "application/javascript",
        "application/x-javascript",
    ],
)
def test_knows_text(media_type):
    assert is_text(media_type)


@pytest.mark.parametrize(
    "media_type", ["image/png", "application/pdf", "application/octet-stream", "application/xmlish", ""]
)
def test_knows_what_is_no_text(media_type):
    assert not is_text(media_type)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"<!DOCTYPE html><title>a</title>", "text/html"),
        (b"\xef\xbb\xbf\n<!-- old --><HTML lang=en>", "text/html"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html>', "text/html"),
        (b"<h1>no head at all</h1>", "text/html"),
        (b'<?xml version="1.0"?><rss/>', "application/xml"),
        (b"plain words\n", "text/plain"),
        ("été".encode(), "text/plain"),
        (codecs.BOM_UTF16_LE + "words".encode("utf-16-le"), "text/plain"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\x00", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x01\x02", "application/octet-stream"),
    ],
)
def test_tells_the_media_type_by_the_first_bytes(head, expected):
    assert sniff(head) == expected


@pytest.mark.parametrize("comment", [b"<!-- a -->", b"<!-- a -->\n", b"<!---->"])
@pytest.mark.parametrize(
    ("root", "expected"),
    [
        (b"<urlset>", "application/xml"),
        (b"<html>", "text/html"),
        (b"", "application/xml"),
        (b"<!--", "application/xml"),
    ],
)
def test_very_many_comments_are_passed_over_once(comment, root, expected):
    assert sniff(b'<?xml version="1.0"?>' + comment * 400 + root) == expected


def test_a_comment_ends_where_it_says_it_does():
    assert sniff(b"<!-- a --> words <!-- b --><html>") == "text/plain"


def test_a_byte_order_mark_goes_first():
    assert charset_of(codecs.BOM_UTF8 + E_ACUTE.encode(), declared="cp1252") == "utf-8-sig"
    assert charset_of(codecs.BOM_UTF16_LE + E_ACUTE.encode("utf-16-le"), declared="cp1252") == "utf-16"
    assert charset_of(codecs.BOM_UTF16_BE + E_ACUTE.encode("utf-16-be")) == "utf-16"


def test_the_declared_charset_goes_before_the_one_in_the_page():
    assert charset_of(b'<meta charset="koi8-r">\xe9', declared="cp1252") == "cp1252"


def test_a_declared_charset_that_does_not_fit_the_bytes_is_passed_over():
    assert charset_of(b'<meta charset="koi8-r">\xe9', declared="utf-8") == "koi8-r"
    assert charset_of(E_ACUTE.encode(), declared="utf-16-le") == "utf-8"


@pytest.mark.parametrize(
    "page",
    [
        b"<meta charset=windows-1251>\xe9",
        b"<html><head><META Charset='windows-1251'/>\xe9",
        b'<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">\xe9',
        b'<?xml version="1.0" encoding="windows-1251"?><html>\xe9',
        b"<!-- <meta charset=koi8-r> --><meta charset=windows-1251>\xe9",
        b" " * 2000 + b"<meta charset=windows-1251>\xe9",
    ],
)
def test_reads_the_declaration_in_the_page(page):
    assert charset_of(page) == "cp1251"


def test_a_declaration_of_very_many_spaces_is_none():
    assert charset("text/html", None, b"<meta charset=" + b" " * 1_000_000 + b">", partial(iter, [b"\xe9"])) == "cp1252"


def test_a_declaration_counts_in_markup_only():
    assert charset_of(b"<meta charset=koi8-r>\xe9", "text/plain") == "cp1252"


def test_a_page_that_says_utf_16_in_single_bytes_is_utf_8():
    assert charset_of(b"<meta charset=utf-16>" + E_ACUTE.encode()) == "utf-8"


def test_without_a_declaration_it_is_utf_8_when_that_fits():
    assert charset_of(E_ACUTE.encode()) == "utf-8"
    assert charset_of(b"ascii") == "utf-8"


def test_otherwise_it_is_windows_1252():
    body = "“café”".encode("cp1252")
    assert charset_of(body) == "cp1252"
    assert body.decode("cp1252") == "“café”"


def test_bytes_that_windows_1252_does_not_have_are_latin_1():
    assert charset_of(b"caf\xe9 \x81") == "latin-1"
    assert charset_of(b"caf\xe9 \x81", declared="cp1252") == "latin-1"


def test_utf_8_with_one_damaged_byte_stays_utf_8_so_that_the_damage_shows():
    body = "été à la plage".encode() + b"\xff"
    assert charset_of(body, declared="utf-8") == "utf-8"


@pytest.mark.parametrize(
    ("label", "text", "damage"),
    [
        ("shift_jis", "日本語のページです。", b"\x9d"),
        ("euc-jp", "日本語のページです。", b"\xff"),
        ("gb2312", "简体中文网页", b"\xff"),
        ("big5", "繁體中文網頁", b"\x81"),
        ("euc-kr", "한국어 페이지", b"\xfe"),
        ("windows-1251", "Привет, мир", b"\x98"),
        ("windows-1253", "Καλημέρα", b"\xd2"),
    ],
)
@pytest.mark.parametrize("step", [1, 2, 1000])
def test_a_declared_charset_with_one_damaged_byte_stays_so_that_the_damage_shows(label, text, damage, step):
    body = text.encode(codec_of(label)) + damage + b" and more"
    found = charset_of(body, declared=codec_of(label), step=step)
    assert found == charset_of(b"<meta charset=%s>" % label.encode() + body, step=step)
    read = body.decode(found, "surrogateescape")
    assert read.startswith(text)
    assert damage.decode("ascii", "surrogateescape") in read


def test_a_charset_that_is_declared_for_what_is_in_another_is_not_kept():
    assert charset_of("“É, é, è, à.”".encode("cp1252"), declared="cp932") == "cp1252"
    assert charset_of("été à la plage".encode() + b"\xff\x9d", declared="cp1252") == "utf-8"


def test_typographic_quotes_stay_what_they_are_beside_a_byte_that_windows_1252_does_not_have():
    body = "“café”".encode("cp1252") + b"\x9d"
    assert charset_of(body) == charset_of(body, declared="cp1252") == "cp1252"


def test_a_declared_charset_that_cannot_say_which_byte_is_damaged_is_passed_over():
    assert charset_of("日本語".encode("utf-16-le") + b"A", declared="utf-16-le") == "cp1252"


def test_characters_of_japanese_pages_that_are_in_no_standard_are_read():
    body = "日本①".encode("euc_jis_2004")
    assert body.decode(charset_of(body, declared=codec_of("euc-jp"))) == "日本①"
    assert charset_of("日本".encode("euc_jp"), declared="euc_jp") == "euc_jp"
    assert charset_of(body + b"\xff", declared="euc_jp") == "euc_jis_2004"


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_character_may_lie_across_two_blocks(step):
    assert charset_of("été €".encode(), step=step) == "utf-8"
    assert charset_of("été €".encode("cp1252"), step=step) == "cp1252"
    assert charset_of("été à la plage".encode() + b"\xff", step=step) == "utf-8"
