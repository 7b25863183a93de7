"""`types/resources.py`: resources as processors see them."""

import pytest

from isekai_core.types import Extraction, Key, Mined, Payload, ResourceView, Seed

KEY = Key("row", "1")


def test_before_extract_there_is_no_payload_and_the_resource_is_named():
    with pytest.raises(LookupError, match="row:1 has no payload: it is not extracted yet"):
        _ = ResourceView(KEY).payload


def test_a_view_gives_what_the_stages_before_found():
    view = ResourceView(
        KEY, metadata={"alt": "a"}, payload=Payload.from_text("x", "text/html"), depth=2, mined=frozenset([KEY])
    )
    assert (view.key, view.metadata, view.depth, view.media_type, view.mined) == (
        KEY,
        {"alt": "a"},
        2,
        "text/html",
        frozenset([KEY]),
    )
    assert repr(view) == "<ResourceView row:1>"


def test_shared_work_is_done_once_for_each_name_and_resource():
    calls = []

    def make(resource):
        calls.append(resource)
        return len(calls)

    view = ResourceView(KEY)
    assert [view.once("acme/a", make), view.once("acme/a", make), view.once("acme/b", make)] == [1, 1, 2]
    assert ResourceView(KEY).once("acme/a", make) == 3
    assert calls[0] is view


def test_what_is_made_may_be_none_and_is_still_made_once():
    calls = []
    view = ResourceView(KEY)
    for _ in range(2):
        assert view.once("acme/a", calls.append) is None
    assert len(calls) == 1


def test_seeds_and_finds_share_no_metadata_by_accident():
    assert Seed(KEY).metadata is not Seed(KEY).metadata
    assert Mined(KEY).metadata == {}
    assert Extraction(Payload.from_blob(b"x")).final_key is None
