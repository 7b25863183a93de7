"""Payloads: each content once, text in the database and blobs in the storage, whole or not at all."""

import hashlib
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from world import author, resource

from isekai_core import BlobRef, Extraction, Payload, Spec
from isekai_core.errors import RunError
from isekai_core.models import Payload as PayloadRow
from isekai_core.pipeline.store import payloads
from isekai_core.types import MemoryBody, Spool

pytestmark = pytest.mark.django_db(transaction=True)


def store(*given):
    payloads.store_blobs(given)
    return payloads.store_rows(given)


def view(row):
    return payloads.view_of(payloads.fetch([row.pk])[row.pk])


@pytest.mark.parametrize(
    "given",
    [
        Payload.from_text("hällo \U0001f600", "text/html"),
        Payload.from_text(b"\x00\xff raw \xe9", "text/html", "latin-1"),
        Payload.from_text("h\udce9llo"),
        Payload.from_blob(b"\x89PNG\r\n" + bytes(range(256)), "image/png"),
        Payload.from_record({"name": "Ada", "$": {"$": "ref"}}),
        Payload.from_text("x" * 200_000),
        Payload.from_blob(bytes(range(256)) * 200, "image/png"),
    ],
)
def test_what_is_stored_comes_back_byte_for_byte(given):
    store(given)
    row = PayloadRow.objects.get()
    back = view(row)
    assert (back.read(), back.kind, back.media_type, back.charset) == (
        given.read(),
        given.kind,
        given.media_type,
        given.charset,
    )
    assert (back.size, back.sha256) == (given.size, given.sha256)
    assert bool(row.blob) == (given.kind == "blob" and given.size > 32_768)


def test_the_same_content_is_one_row_and_another_reading_of_it_another():
    text = Payload.from_text("same", "text/html")
    ids = store(text, Payload.from_text("same", "text/html"), Payload.from_text("same", "text/plain"))
    assert len(ids) == PayloadRow.objects.count() == 2
    assert store(text)[payloads.Identity.of(text)] == ids[payloads.Identity.of(text)]
    assert PayloadRow.objects.count() == 2


def test_text_over_the_limit_goes_to_the_storage_and_one_at_the_limit_does_not(configure, settings):
    configure(INLINE_LIMIT=10)
    store(Payload.from_text("x" * 10), Payload.from_text("x" * 11))
    inline, stored = PayloadRow.objects.order_by("size")
    assert (inline.blob, bytes(inline.data)) == ("", b"x" * 10)
    assert stored.data is None
    assert (Path(settings.MEDIA_ROOT) / stored.blob).read_bytes() == b"x" * 11
    assert view(stored).text == "x" * 11


def test_a_blob_over_its_limit_goes_to_the_storage_and_one_at_the_limit_does_not(configure, settings):
    configure(INLINE_BLOB_LIMIT=10)
    store(Payload.from_blob(b"\xff" * 10), Payload.from_blob(b"\xff" * 11))
    inline, stored = PayloadRow.objects.order_by("size")
    assert (inline.blob, bytes(inline.data)) == ("", b"\xff" * 10)
    assert (Path(settings.MEDIA_ROOT) / stored.blob).read_bytes() == view(stored).read() == b"\xff" * 11


def test_what_the_limit_lets_into_the_database_now_comes_there_when_it_is_seen_again(configure, settings):
    configure(INLINE_BLOB_LIMIT=0)
    blob = Payload.from_blob(b"bytes")
    ids = store(blob)
    (Path(settings.MEDIA_ROOT) / PayloadRow.objects.get().blob).unlink()
    configure(INLINE_BLOB_LIMIT=10)
    assert store(blob) == ids
    assert view(PayloadRow.objects.get()).read() == b"bytes"


def test_a_blob_lies_under_the_address_of_its_content(configure):
    configure(INLINE_BLOB_LIMIT=0)
    digest = hashlib.sha256(b"bytes").hexdigest()
    store(Payload.from_blob(b"bytes"))
    assert PayloadRow.objects.get().blob == f"payloads/{digest[:2]}/{digest}"


def test_a_storage_that_takes_nothing_ends_the_run_with_its_name_and_the_file(configure, settings):
    configure(INLINE_BLOB_LIMIT=0)
    digest = hashlib.sha256(b"bytes").hexdigest()
    root = Path(settings.MEDIA_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    (root / "payloads").write_text("a file where a folder is needed")
    with pytest.raises(RunError) as caught:
        store(Payload.from_blob(b"bytes"))
    told = str(caught.value)
    assert told.startswith(f"payloads/{digest[:2]}/{digest} (5 bytes) cannot be saved in the storage 'default': ")
    assert told.endswith("; the same command goes on where it was")
    assert PayloadRow.objects.count() == 0


@pytest.mark.parametrize("left", [b"", b"byt", b"bytez", b"bytes and more"])
def test_a_file_that_a_killed_save_left_is_replaced_and_a_whole_one_is_reused(left, configure, settings):
    configure(INLINE_BLOB_LIMIT=0)
    digest = hashlib.sha256(b"bytes").hexdigest()
    path = Path(settings.MEDIA_ROOT) / "payloads" / digest[:2] / digest
    path.parent.mkdir(parents=True)
    path.write_bytes(left)
    store(Payload.from_blob(b"bytes"))
    assert path.read_bytes() == b"bytes"
    written = path.stat().st_ino, path.stat().st_mtime_ns
    store(Payload.from_blob(b"bytes", "image/png"))
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == written
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("found", [b"bytes", b"byt"])
def test_a_file_that_another_process_saves_at_the_same_time_is_whole_and_there_once(found, configure, settings):
    configure(INLINE_BLOB_LIMIT=0)
    digest = hashlib.sha256(b"bytes").hexdigest()
    path = Path(settings.MEDIA_ROOT) / "payloads" / digest[:2] / digest
    path.parent.mkdir(parents=True)
    others = [found]

    class Raced(FileSystemStorage):
        def exists(self, name):
            seen = super().exists(name)
            # Looked for, and not there: it comes in the next moment, once.
            if others:
                path.write_bytes(others.pop())
            return seen

    payloads.save_file(Raced(), f"payloads/{digest[:2]}/{digest}", MemoryBody(b"bytes"))
    assert path.read_bytes() == b"bytes"
    assert list(path.parent.iterdir()) == [path]


def test_a_spool_is_stored_from_its_first_byte_however_often_it_was_read():
    spool = Spool(memory_limit=4)
    spool.write(b"0123456789")
    spool.open().read(3)
    store(Payload.from_blob(spool))
    store(Payload.from_blob(spool, "image/png"))
    assert {view(row).read() for row in PayloadRow.objects.all()} == {b"0123456789"}
    spool.close()


def test_over_long_media_types_and_charsets_are_cut_the_same_way_each_time():
    given = Payload(Payload.from_text("x").kind, "text/" + "x" * 400, MemoryBody(b"x"), "c" * 60)
    assert store(given) == store(given)
    assert len(PayloadRow.objects.get().media_type) == 255


def test_large_texts_are_read_when_they_are_asked_for_and_small_ones_with_their_batch(django_assert_num_queries):
    small, large = Payload.from_text("small"), Payload.from_text("x" * 100_000)
    ids = store(small, large)
    found = payloads.fetch(ids.values())
    bodies = {row.size: payloads.view_of(row) for row in found.values()}
    with django_assert_num_queries(0):
        assert bodies[5].text == "small"
    with django_assert_num_queries(1):
        assert len(bodies[100_000].text) == 100_000


def test_a_blob_that_the_storage_lost_is_told_by_the_resource_that_needs_it(world, configure, settings):
    configure(INLINE_BLOB_LIMIT=0)
    world.add("a", Spec("testapp.Photo", {"file": BlobRef(name="a.png")}))
    world.add("b", author("b"))
    world.pages["a"] = Extraction(Payload.from_blob(b"bytes", "image/png"))
    world.run(until="transform")
    (Path(settings.MEDIA_ROOT) / resource("a").payload.blob).unlink()
    result = world.run()
    assert result.failed == 1
    assert resource("a").error_class.endswith("FileNotFoundError")
    assert resource("b").state == "done"


@pytest.mark.parametrize("limit", [0, 1000])
def test_a_lost_blob_is_stored_again_by_a_refresh(limit, world, configure, settings):
    configure(INLINE_BLOB_LIMIT=0)
    world.add("a", author("a"))
    world.pages["a"] = Extraction(Payload.from_blob(b"bytes", "image/png"))
    world.run()
    path = Path(settings.MEDIA_ROOT) / resource("a").payload.blob
    path.unlink()
    configure(INLINE_BLOB_LIMIT=limit)
    world.run(refresh=True)
    assert view(resource("a").payload).read() == b"bytes"
    assert path.exists() == (limit == 0)
