"""`migrations/`: there and back, nothing that is stored becomes something else."""

import pytest
from django.core.management import call_command
from django.db import connection

from isekai_core import Payload
from isekai_core.models import Payload as PayloadRow
from isekai_core.pipeline.store import payloads
from isekai_core.pipeline.store.packing import Packer

TEXT = "<p>again and again</p>" * 500


@pytest.fixture
def packed(transactional_db):
    """A text that is stored packed, as on a database server."""
    given = Payload.from_text(TEXT, "text/html")
    payloads.store_rows([given], Packer())
    assert PayloadRow.objects.get().packing == "zlib"
    yield
    call_command("migrate", "isekai", verbosity=0)


def test_packed_texts_are_as_they_came_where_nothing_says_that_they_are_packed(packed):
    call_command("migrate", "isekai", "0001", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM isekai_payload")
        assert bytes(cursor.fetchone()[0]) == TEXT.encode()
    call_command("migrate", "isekai", verbosity=0)
    assert payloads.view_of(PayloadRow.objects.get()).text == TEXT
