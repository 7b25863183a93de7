import pytest

from isekai_core.testing import make_resource
from isekai_core.types import Key, PayloadKind


def test_text_a_blob_and_a_record_become_payloads():
    assert make_resource(text="<p>", media_type="text/html").media_type == "text/html"
    assert make_resource(blob=b"\x89PNG").payload.kind == PayloadKind.BLOB
    assert make_resource("row:1", record={"name": "Ada"}).payload.record == {"name": "Ada"}


def test_the_charset_decides_the_bytes():
    assert make_resource(text="é", charset="latin-1").payload.read() == b"\xe9"


def test_without_a_payload_the_resource_is_not_extracted_yet():
    with pytest.raises(LookupError, match="not extracted yet"):
        _ = make_resource("url:https://old.example.org/a").payload


def test_two_payloads_are_refused():
    with pytest.raises(ValueError, match="one payload: give one of text, blob and record, got 2"):
        make_resource(text="a", blob=b"b")


def test_keys_may_be_written_as_text(resource_view):
    view = resource_view("url:HTTP://OLD.example.org", mined=["file:a.png"], metadata={"a": 1}, depth=2)
    assert view.key == Key("url", "http://old.example.org/")
    assert (view.mined, view.metadata, view.depth) == (frozenset({Key("file", "a.png")}), {"a": 1}, 2)
