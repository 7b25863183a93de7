"""The form of a note."""

import pytest
from acme_notes.front_matter import split


@pytest.mark.parametrize(
    ("text", "said", "body"),
    [
        ("---\ntitle: Tea\n---\nWater.\n", {"title": "Tea"}, "Water.\n"),
        ("---\r\nTitle : Tea: a guide\r\n\r\n---\r\nWater.", {"title": "Tea: a guide"}, "Water."),
        ("\ufeff---\ntags:\n---\n", {"tags": ""}, ""),
        ("---\na: b\n---\none\n---\ntwo\n", {"a": "b"}, "one\n---\ntwo\n"),
        ("Water.\n---\na: b\n---\n", {}, "Water.\n---\na: b\n---\n"),
        ("", {}, ""),
    ],
)
def test_a_note_says_something_and_has_a_text(text: str, said: dict[str, str], body: str) -> None:
    assert split(text) == (said, body)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("---\ntitle: Tea\nfor two\n---\n", "line 3: expected name: value, got 'for two'"),
        ("---\n: Tea\n---\n", "line 2: expected name: value, got ': Tea'"),
        ("---\ntitle: Tea\n", "line 1: what begins with --- ends with ---, and it never ends"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        split(text)
