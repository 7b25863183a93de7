"""`slicing/storing.py`: files come into the target's storage before their rows, and go again when a load fails."""

import io
import re

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage
from django.db import connection

from isekai_core.errors import MergeError, PlanError, StagingError
from isekai_core.slicing import DataSlicer, Importer, ImportJob
from isekai_core.testing.shop.models import Person
from isekai_core.types.slices import SlicePlan

pytestmark = pytest.mark.django_db
FIELD = Person._meta.get_field("picture")


@pytest.fixture
def storage(monkeypatch, tmp_path):
    """The storage of the target: another than that of the source."""
    storage = FileSystemStorage(tmp_path / "media")
    monkeypatch.setattr(FIELD, "storage", storage)
    return storage


@pytest.fixture
def bundle(storage, tmp_path, monkeypatch):
    """Two people with their pictures, cut out of a database that has nobody any more."""
    type("PersonImporter", (Importer,), {"model": Person})
    source = InMemoryStorage()
    for name, content in (("people/a.txt", b"of a"), ("people/b.txt", b"of b")):
        source.save(name, ContentFile(content))
        Person.objects.create(name=name[-5], picture=name)
    with monkeypatch.context() as patched:
        patched.setattr(FIELD, "storage", source)
        DataSlicer.run(DataSlicer.Orm(), at(tmp_path), [ImportJob(Person)], files=True, progress=False)
    Person.objects.all().delete()
    return at(tmp_path)


def at(tmp_path):
    return DataSlicer.File(tmp_path / "dev")


def load(bundle, **options):
    return DataSlicer.run(bundle, DataSlicer.Orm(), progress=False, **{"files": True, **options})


def pictures():
    return dict(Person.objects.order_by("name").values_list("name", "picture"))


def stored(tmp_path):
    folder = tmp_path / "media"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


BOTH = {"people/a.txt": b"of a", "people/b.txt": b"of b"}


def test_files_are_stored_under_their_names(bundle, tmp_path):
    result = load(bundle)
    assert stored(tmp_path) == BOTH
    assert pictures() == {"a": "people/a.txt", "b": "people/b.txt"}
    assert list(result.notes) == ["files stored: 2, there already: 0, under another name: 0"]


def test_without_the_option_nothing_is_stored_and_that_is_told(bundle, tmp_path):
    result = load(bundle, files=False)
    assert stored(tmp_path) == {}
    assert list(result.notes) == ["files of the slice that are not stored: 2; files=True stores them"]


def test_a_file_that_is_there_with_the_same_bytes_is_used(bundle, storage, tmp_path):
    storage.save("people/a.txt", ContentFile(b"of a"))
    assert "files stored: 1, there already: 1, under another name: 0" in load(bundle).notes
    assert stored(tmp_path) == BOTH


def test_another_file_of_that_name_stays_and_the_row_says_the_new_name(bundle, storage, tmp_path):
    storage.save("people/a.txt", ContentFile(b"mine"))
    result = load(bundle)
    [new] = stored(tmp_path).keys() - BOTH.keys()
    assert stored(tmp_path) == {"people/a.txt": b"mine", "people/b.txt": b"of b", new: b"of a"}
    assert pictures() == {"a": new, "b": "people/b.txt"}
    assert list(result.notes) == ["files stored: 2, there already: 0, under another name: 1"]


def test_a_load_that_is_repeated_finds_its_files_again(bundle, storage, tmp_path):
    storage.save("people/a.txt", ContentFile(b"mine"))
    load(bundle, name="dev")
    before = stored(tmp_path), pictures()
    again = load(bundle, name="dev")
    assert (stored(tmp_path), pictures()) == before
    assert [(table.created, table.updated) for table in again] == [(0, 0)]


def test_when_a_name_and_the_name_instead_are_taken_a_third_is_found(bundle, storage, tmp_path):
    storage.save("people/a.txt", ContentFile(b"mine"))
    load(bundle)
    instead = pictures()["a"]
    (tmp_path / "media" / instead).write_bytes(b"mine too")
    Person.objects.all().delete()
    load(bundle, name="other")
    assert stored(tmp_path)[pictures()["a"]] == b"of a"
    assert stored(tmp_path)[instead] == b"mine too"


def test_a_new_name_fits_the_column(storage, tmp_path, monkeypatch):
    type("PersonImporter", (Importer,), {"model": Person})
    name = "p/" + "x" * 94 + ".txt"
    storage.save(name, ContentFile(b"one"))
    Person.objects.create(name="a", picture=name)
    DataSlicer.run(DataSlicer.Orm(), at(tmp_path), [ImportJob(Person)], files=True, progress=False)
    (tmp_path / "media" / name).write_bytes(b"two")
    Person.objects.all().delete()
    load(at(tmp_path))
    new = pictures()["a"]
    assert len(new) == FIELD.max_length
    assert (stored(tmp_path)[new], new.endswith(".txt")) == (b"one", True)


def test_nothing_is_left_behind_when_the_rows_are_refused(bundle, storage, tmp_path):
    storage.save("people/b.txt", ContentFile(b"of b"))
    load(bundle, files=False, name="dev")
    with pytest.raises(MergeError):
        load(bundle, on_conflict="error", name="dev")
    assert stored(tmp_path) == {"people/b.txt": b"of b"}


def test_nothing_is_left_behind_when_a_storage_refuses_in_the_middle(bundle, storage, tmp_path, monkeypatch):
    save = storage.save

    def half(name, content, max_length=None):
        if name == "people/b.txt":
            (tmp_path / "media" / name).write_bytes(b"of")
            raise OSError(28, "No space left on device")
        return save(name, content, max_length=max_length)

    monkeypatch.setattr(storage, "save", half)
    with pytest.raises(StagingError) as told:
        load(bundle)
    assert str(told.value) == ("shop.Person.picture: the file 'people/b.txt' cannot be stored: No space left on device")
    assert (stored(tmp_path), Person.objects.count()) == ({}, 0)


def test_a_storage_may_choose_the_name(bundle, storage, tmp_path, monkeypatch):
    save = storage.save
    monkeypatch.setattr(storage, "save", lambda name, content, max_length=None: save(f"{name}_", content, max_length))
    load(bundle)
    assert pictures() == {"a": "people/a.txt_", "b": "people/b.txt_"}


@pytest.mark.parametrize("label", ["shop.Person.gone", "shop.Person.name", "shop.Gone.picture", "gone", "../x"])
def test_files_of_what_is_no_file_field_here_are_told(storage, tmp_path, label):
    writer = at(tmp_path).writer(SlicePlan((), ()))
    writer.write_file("a.txt", io.BytesIO(b"of a"), label)
    writer.finish({})
    with pytest.raises(StagingError, match=f"the bundle has files of {re.escape(label)}, and this project has no such"):
        load(at(tmp_path))
    assert stored(tmp_path) == {}


def test_files_whose_field_is_not_said_are_told(storage, tmp_path):
    writer = at(tmp_path).writer(SlicePlan((), ()))
    writer.write_file("a.txt", io.BytesIO(b"of a"))
    writer.finish({})
    with pytest.raises(StagingError, match="the bundle does not say whose its files are"):
        load(at(tmp_path))


def test_placeholders_are_made_by_the_export(bundle):
    with pytest.raises(PlanError, match="placeholders are made when a slice is cut: export with files='placeholder'"):
        load(bundle, files="placeholder")


def test_from_a_database_to_another_files_go_with_the_rows(storage, tmp_path):
    """Of one database here: the names are taken, by the same bytes."""
    type("PersonImporter", (Importer,), {"model": Person})
    storage.save("a.txt", ContentFile(b"of a"))
    Person.objects.create(name="a", picture="a.txt")
    result = DataSlicer.run(DataSlicer.Orm(), DataSlicer.Orm(), [ImportJob(Person)], files=True, progress=False)
    assert "files stored: 0, there already: 1, under another name: 0" in result.notes
    assert Person.objects.filter(picture="a.txt").count() == 2
    assert connection.vendor
