import pytest
from isekai_http.disposition import filename


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('attachment; filename="a.pdf"', "a.pdf"),
        ("attachment; filename=a.pdf", "a.pdf"),
        ("ATTACHMENT;FILENAME = a.pdf ; size=3", "a.pdf"),
        ('inline; filename="a; b.pdf"', "a; b.pdf"),
        (r'attachment; filename="a\"b.pdf"', 'a"b.pdf'),
        ("attachment; filename*=UTF-8''%C3%A9t%C3%A9.pdf", "été.pdf"),
        ("attachment; filename*=iso-8859-1'fr'%E9t%E9.pdf", "été.pdf"),
        ("attachment; filename=plain.pdf; filename*=UTF-8''%C3%A9.pdf", "é.pdf"),
        ("attachment; filename=plain.pdf; filename*=nonsense''%C3%A9.pdf", "plain.pdf"),
        ("attachment; filename=plain.pdf; filename*=UTF-8''%E9.pdf", "plain.pdf"),
        ("attachment; filename=plain.pdf; filename*=broken", "plain.pdf"),
    ],
)
def test_reads_the_name_the_encoded_form_first(header, expected):
    assert filename(header) == expected


@pytest.mark.parametrize("raw", ["été.pdf".encode(), "été.pdf".encode("latin-1")])
def test_reads_a_name_that_was_sent_as_bare_bytes(raw):
    assert filename(b'attachment; filename="%s"'.decode() % raw.decode("latin-1")) == "été.pdf"


@pytest.mark.parametrize(
    "name",
    [
        "../../a.pdf",
        "/etc/a.pdf",
        r"C:\Users\a.pdf",
        r"..\a.pdf",
        "a.pdf/../a.pdf",
        " .a.pdf. ",
        "a\x00.pdf",
        "x/a\t.pdf",
    ],
)
def test_a_name_is_never_a_path(name):
    assert filename(f'attachment; filename="{name}"'.replace("\\", "\\\\")) == "a.pdf"


def test_an_encoded_name_is_never_a_path_either():
    assert filename("attachment; filename*=UTF-8''..%2F..%2Fa%00.pdf") == "a.pdf"


@pytest.mark.parametrize(
    "header", ["", "inline", "attachment; filename=", 'attachment; filename=".."', "x; filename=/"]
)
def test_without_a_usable_name_there_is_none(header):
    assert filename(header) is None


def test_a_name_too_long_for_a_file_system_is_cut_and_keeps_its_suffix():
    name = filename(f'attachment; filename="{"é" * 300}.pdf"'.encode().decode("latin-1"))
    assert name is not None
    assert name.endswith("é.pdf")
    assert len(name.encode()) <= 255
