"""`types/load.py`: what core hands to a loader."""

from isekai_core.types import FileValue, Key, LoadItem, Payload


def test_an_item_is_to_be_created_until_a_loader_plans_otherwise():
    item = LoadItem(Key("row", "1"), "blog.Article", {"slug": "a"})
    assert (item.action, item.pk, item.error, item.changed, item.kept) == ("create", None, None, (), ())


def test_items_share_no_hashes_by_accident():
    one, other = (LoadItem(Key("row", "1"), "blog.Article", {}) for _ in range(2))
    one.written["slug"] = "x"
    assert other.written == {}


def test_a_file_value_holds_bytes_and_a_name():
    value = FileValue(Payload.from_blob(b"x"), "a.png")
    assert (value.payload.read(), value.name) == (b"x", "a.png")
