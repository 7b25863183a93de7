"""File names: harmless whatever the source says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from isekai_html.names import LONGEST, file_name

from isekai_core.types import Key, ResourceView


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://old.example.org/img/a%20b.png?size=2", "a b.png"),
        ("https://old.example.org/img/caf%C3%A9.jpg", "café.jpg"),
        ("https://old.example.org/", "file.png"),
        ("https://old.example.org/photo", "photo.png"),
        ("https://old.example.org/a/%2e%2e%2fpasswd", "passwd.png"),
        ("https://old.example.org/" + "x" * 300 + ".jpeg", "x" * 95 + ".jpeg"),
    ],
)
def test_the_end_of_the_key_is_the_name(url, name):
    assert file_name(ResourceView(Key("url", url)), ".png") == name


def test_what_the_source_called_it_comes_first_without_its_folders():
    given_name = ResourceView(Key("url", "https://old.example.org/get?id=7"), metadata={"filename": "../../a.pdf"})
    assert file_name(given_name) == "a.pdf"


@given(st.text())
def test_no_name_leaves_its_folder_or_is_too_long(text):
    name = file_name(ResourceView(Key("row", "1"), metadata={"filename": text}), ".bin")
    assert name not in ("", ".", "..")
    assert not set(name) & set('/\\\x00:*?"<>|')
    assert len(name) <= LONGEST
