"""The files of rows that come from PostgreSQL and go there: with any source and target, core brings them."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from isekai_postgres.slices import Postgres

from isekai_core.builtins.slice_file import File
from isekai_core.errors import MergeError
from isekai_core.slicing import DataSlicer, Importer, ImportJob
from isekai_core.slicing import importer as home
from isekai_core.testing.shop.models import Branch, Country, Firm, Label, Person

FIELD = Person._meta.get_field("picture")


@pytest.fixture
def storage(monkeypatch):
    storage = InMemoryStorage()
    monkeypatch.setattr(FIELD, "storage", storage)
    return storage


@pytest.fixture
def bundle(target, storage, monkeypatch, tmp_path):
    """Two people and their pictures, cut out of the target by two connections, and then taken out of it."""
    monkeypatch.setattr(home, "_importers", {})
    type("PersonImporter", (Importer,), {"model": Person})
    target.create(Country, Label, Firm, Branch, Person)
    for number in (1, 2):
        storage.save(f"{number}.txt", ContentFile(b"of %d" % number))
        target.sql(f"INSERT INTO shop_person (id, name, picture) VALUES ({number}, '{number}', '{number}.txt')")
    place = File(tmp_path / "dev")
    DataSlicer.run(Postgres(target.url), place, [ImportJob(Person)], files=True, workers=2, progress=False)
    target.sql("DELETE FROM shop_person")
    return place


def load(bundle, target, **options):
    return DataSlicer.run(bundle, Postgres(target.url), files=True, progress=False, **options)


def content(storage, name):
    with storage.open(name) as file:
        return file.read()


def test_they_come_with_the_rows(bundle):
    reader = bundle.reader()
    assert {name: file.read() for name, file in reader.files()} == {"1.txt": b"of 1", "2.txt": b"of 2"}
    assert [table.rows for table in reader.tables if table.model == "shop.Person"] == [2]


def test_a_row_says_the_new_name_of_a_file_whose_name_is_taken(bundle, target, storage):
    storage.delete("1.txt")
    storage.save("1.txt", ContentFile(b"mine"))
    result = load(bundle, target, name="dev")
    assert list(result.notes) == ["files stored: 1, there already: 1, under another name: 1"]
    [(new,), (second,)] = target.sql("SELECT picture FROM shop_person ORDER BY name")
    assert (second, content(storage, new), content(storage, "1.txt")) == ("2.txt", b"of 1", b"mine")
    load(bundle, target, name="dev")
    assert target.sql("SELECT picture FROM shop_person ORDER BY name") == [(new,), ("2.txt",)]


def test_nothing_is_left_behind_when_the_rows_are_refused(bundle, target, storage):
    storage.delete("1.txt")
    target.sql("ALTER TABLE shop_person ADD CHECK (name <> '2')")
    with pytest.raises(MergeError):
        load(bundle, target)
    assert (storage.exists("1.txt"), content(storage, "2.txt")) == (False, b"of 2")
    assert target.sql("SELECT count(*) FROM shop_person") == [(0,)]
