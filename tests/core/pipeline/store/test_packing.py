"""Packing: texts for a database server are a fraction of their size on the way, and come back byte for byte."""

import threading

import pytest
from django.db import connection
from world import author, resource

from isekai_core import Extraction, Payload
from isekai_core.models import Payload as PayloadRow
from isekai_core.pipeline.store import payloads
from isekai_core.pipeline.store.packing import LEAST, Packer, unpacked
from isekai_core.types import PayloadKind, Spool

PAGE = b"<p>\x00\xff again and again</p>" * 200


@pytest.fixture
def packer():
    made = Packer()
    yield made
    made.close()


@pytest.mark.parametrize("begun", [True, False])
def test_what_is_packed_comes_back_byte_for_byte_begun_early_or_not(begun, packer):
    page = Payload.from_text(PAGE)
    if begun:
        packer.begin(page, None)
    packing, data = packer.packed(page)
    assert packing == "zlib"
    assert len(data) < len(PAGE) // 10
    assert unpacked(packing, data) == PAGE


def test_blobs_and_short_texts_stay_as_they_are(packer):
    for given in (Payload.from_blob(PAGE), Payload.from_text("x" * (LEAST - 1))):
        packer.begin(given)
        assert packer.packed(given) == ("", given.read())


def test_a_text_in_a_file_is_not_read_by_two_threads_at_once(packer):
    spool = Spool(memory_limit=4)
    spool.write(PAGE)
    page = Payload(PayloadKind.TEXT, "text/html", spool, "utf-8")
    before = threading.active_count()
    packer.begin(page)
    assert threading.active_count() == before
    assert unpacked(*packer.packed(page)) == PAGE
    spool.close()


@pytest.mark.django_db(transaction=True)
def test_rows_that_are_packed_and_rows_that_are_not_lie_side_by_side(packer):
    first, second = Payload.from_text(PAGE), Payload.from_text(PAGE + b"!")
    packer.begin(first)
    ids = payloads.store_rows([first], packer) | payloads.store_rows([second])
    assert sorted(PayloadRow.objects.values_list("packing", flat=True)) == ["", "zlib"]
    rows = payloads.fetch(ids.values())
    assert {payloads.view_of(row).read() for row in rows.values()} == {PAGE, PAGE + b"!"}
    assert payloads.store_rows([second, first], packer) == ids


@pytest.mark.django_db(transaction=True)
def test_a_run_packs_for_a_server_and_not_for_sqlite(world):
    world.add("a", author("a" * 3000))
    world.pages["a"] = Extraction(Payload.from_text("x" * 5000, "text/html"))
    world.run(until="transform")
    expected = "" if connection.vendor == "sqlite" else "zlib"
    assert resource("a").payload.packing == expected
    assert payloads.view_of(resource("a").payload).text == "x" * 5000


@pytest.mark.django_db(transaction=True)
def test_a_run_leaves_no_thread_behind(world):
    world.add("a", author("a"))
    world.pages["a"] = Extraction(Payload.from_text("x" * 5000, "text/html"))
    world.run(until="transform")
    for thread in threading.enumerate():
        if thread.name.startswith("isekai-pack"):
            thread.join(timeout=10)
            assert not thread.is_alive()
