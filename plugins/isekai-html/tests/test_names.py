"""File names: harmless whatever the source says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from isekai_html.names import MAX_BYTES, MAX_CHARACTERS, file_name, suffix_for

from isekai_core.types import Key, ResourceView

SITE = "https://old.example.org"


def name_of(url, suffix=".png", expected=None, key_type="url", **metadata):
    return file_name(ResourceView(Key(key_type, url), metadata=metadata), suffix, expected)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"{SITE}/img/a%20b.png?size=2", "a b.png"),
        (f"{SITE}/img/caf%C3%A9.jpg", "café.jpg"),
        (f"{SITE}/img/cafe%CC%81.jpg", "café.jpg"),
        (f"{SITE}/img/%E6%B8%AF.webp", "港.webp"),
        (f"{SITE}/img/caf%E9.jpg", "caf\ufffd.jpg"),
        (f"{SITE}/", "file.png"),
        (f"{SITE}/photo", "photo.png"),
        (f"{SITE}/photo.", "photo.png"),
        (f"{SITE}/.png", "png.png"),
        (f"{SITE}/show.php?id=7", "show.png"),
        (f"{SITE}/show.PHP", "show.png"),
        (f"{SITE}/a.tar.gz", "a.tar.gz"),
        (f"{SITE}/a.verylongsuffix", "a.verylongsuffix.png"),
        (f"{SITE}/a/%2e%2e%2fpasswd", "passwd.png"),
        (f"{SITE}/a/%5C..%5Cboot.ini", "boot.ini"),
        (f"{SITE}/a%00b%0Ac.png", "a_b_c.png"),
        (f"{SITE}/%E2%80%AEgnp.exe.png", "_gnp.exe.png"),
        (f"{SITE}/a:b*c%3Fd.png", "a_b_c_d.png"),
        (f"{SITE}/{'x' * 300}.jpeg", f"{'x' * 95}.jpeg"),
        (f"{SITE}/{'%E6%B8%AF' * 300}.jpeg", f"{'港' * 65}.jpeg"),
    ],
)
def test_the_end_of_the_address_is_the_name(url, name):
    assert name_of(url) == name


def test_a_key_of_another_type_gives_its_last_part():
    assert name_of("images/2026/a.png", key_type="file") == "a.png"


def test_what_the_source_called_it_comes_first_without_its_folders():
    assert name_of(f"{SITE}/get?id=7", filename="../../a.pdf") == "a.pdf"
    assert name_of(f"{SITE}/get?id=7", filename="C:\\docs\\a.pdf") == "a.pdf"
    assert name_of(f"{SITE}/b.png", filename="...") == "b.png"


def test_a_suffix_that_is_not_expected_gets_another_behind_it():
    assert name_of(f"{SITE}/photo.v2", ".jpg", {".jpg", ".jpeg"}) == "photo.v2.jpg"
    assert name_of(f"{SITE}/photo.JPEG", ".jpg", {".jpg", ".jpeg"}) == "photo.JPEG"


def test_a_script_keeps_its_suffix_never():
    assert name_of(f"{SITE}/get.php", "") == "get"


@pytest.mark.parametrize(
    ("media_type", "suffix"), [("application/pdf", ".pdf"), ("text/csv", ".csv"), ("application/x-nobody-knows", "")]
)
def test_common_media_types_have_a_suffix(media_type, suffix):
    assert suffix_for(media_type) == suffix


@given(st.text(), st.sampled_from(["", ".png", ".bin"]))
def test_no_name_leaves_its_folder_or_is_too_long(text, suffix):
    name = name_of("1", suffix, key_type="row", filename=text)
    assert name.strip(" .") == name
    assert name not in ("", ".", "..")
    assert not set(name) & set('/\\\x00:*?"<>|\n\r\u202e')
    assert len(name) <= MAX_CHARACTERS
    assert len(name.encode()) <= MAX_BYTES
