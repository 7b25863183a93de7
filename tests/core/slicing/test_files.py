"""`slicing/files.py`: the files of file fields come into a bundle once each, and what cannot come is told."""

import io
import tracemalloc

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage

from isekai_core.errors import BundleError, ExportError, PlanError
from isekai_core.slicing import DataSlicer, Importer, ImportJob, hashed, keep
from isekai_core.slicing.placeholders import placeholder
from isekai_core.slicing.verify import diff, verify
from isekai_core.testing.shop.models import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def storage(monkeypatch):
    """The storage of pictures, in memory; `opened` says which files were read."""

    class Watched(InMemoryStorage):
        def open(self, name, mode="rb"):
            opened.append(name)
            return super().open(name, mode)

    opened = []
    storage = Watched()
    storage.opened = opened
    monkeypatch.setattr(Person._meta.get_field("picture"), "storage", storage)
    return storage


def importer(**columns):
    return type("PersonImporter", (Importer,), {"model": Person, "Columns": type("Columns", (), columns)})


def person(storage, name, content=b"private"):
    if content is not None:
        storage.save(name, ContentFile(content))
    return Person.objects.create(name="a", picture=name)


def cut(folder, **options):
    options.setdefault("files", True)
    return DataSlicer.run(
        DataSlicer.Orm(), DataSlicer.File(folder), [ImportJob(Person)], progress=False, secret="s", **options
    )


def files_in(folder):
    return {name: file.read() for name, file in DataSlicer.File(folder).reader().files()}


def test_files_come_with_their_rows_and_the_manifest_lists_them(storage, tmp_path):
    importer()
    person(storage, "people/a.txt", b"one")
    person(storage, "people/b.txt", b"two")
    person(storage, "", None)
    cut(tmp_path / "dev")
    assert files_in(tmp_path / "dev") == {"people/a.txt": b"one", "people/b.txt": b"two"}
    reader = DataSlicer.File(tmp_path / "dev").reader()
    assert [(one["name"], one["field"], one["bytes"], one["placeholder"]) for one in reader.manifest["files"]] == [
        ("people/a.txt", "shop.Person.picture", 3, False),
        ("people/b.txt", "shop.Person.picture", 3, False),
    ]


def test_a_file_of_several_rows_is_read_once(storage, tmp_path):
    importer()
    person(storage, "a.txt")
    person(storage, "a.txt", None)
    cut(tmp_path / "dev")
    assert storage.opened.count("a.txt") == 1


def test_small_files_with_the_same_content_are_one_file_in_the_bundle(storage, tmp_path):
    importer()
    for number in range(20):
        person(storage, f"{number}.txt", b"the same")
    cut(tmp_path / "dev")
    assert len(files_in(tmp_path / "dev")) == 20
    assert len(list((tmp_path / "dev" / "files").iterdir())) == 1
    assert verify(DataSlicer.File(tmp_path / "dev")) == []


def test_several_workers_take_the_same_files(storage, tmp_path):
    importer()
    for number in range(30):
        person(storage, f"{number}.txt", b"%d" % number)
    cut(tmp_path / "dev", workers=4)
    assert files_in(tmp_path / "dev") == {f"{number}.txt": b"%d" % number for number in range(30)}
    assert len(storage.opened) == 30


def test_the_first_file_that_cannot_be_read_ends_all_workers(storage, tmp_path, monkeypatch):
    importer()
    for number in range(200):
        person(storage, f"{number}.txt", b"x")
    opened = []

    def refuse(name, mode="rb"):
        opened.append(name)
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(storage, "open", refuse)
    with pytest.raises(ExportError, match=r"its file '\d+\.txt' cannot be read: Permission denied"):
        cut(tmp_path / "dev", workers=2)
    assert len(opened) <= 2
    assert not (tmp_path / "dev").exists()


def test_without_the_option_no_file_is_touched(storage, tmp_path):
    importer()
    person(storage, "a.txt")
    storage.opened.clear()
    cut(tmp_path / "dev", files=False)
    assert (storage.opened, files_in(tmp_path / "dev")) == ([], {})


def test_a_plan_of_rows_has_files_too(storage, tmp_path):
    importer()
    person(storage, "a.txt")
    target = DataSlicer.File(tmp_path / "dev")
    DataSlicer.run(DataSlicer.Orm(), target, DataSlicer.plan(Person.objects.all()), files=True, progress=False)
    assert files_in(tmp_path / "dev") == {"a.txt": b"private"}


def test_files_that_are_not_there_are_told_all_together_and_leave_no_bundle(storage, tmp_path):
    importer()
    for name in ("b.txt", "a.txt"):
        person(storage, name, None)
    person(storage, "c.txt")
    with pytest.raises(ExportError) as told:
        cut(tmp_path / "dev")
    assert str(told.value) == (
        "files that are not in their storage (2): shop.Person.picture 'b.txt', shop.Person.picture 'a.txt'; put them"
        " back, or leave them out with missing_files='skip'"
    )
    assert not (tmp_path / "dev").exists()
    assert "c.txt" not in storage.opened


def test_files_that_are_not_there_are_left_out_where_that_is_asked_for_and_it_is_told(storage, tmp_path):
    importer()
    person(storage, "a.txt", None)
    person(storage, "b.txt")
    result = cut(tmp_path / "dev", missing_files="skip")
    told = "files that are not in their storage, and left out (1): shop.Person.picture 'a.txt'"
    assert list(result.notes) == [told]
    assert told in str(result)
    assert "left out (1): shop.Person.picture &#x27;a.txt&#x27;" in result._repr_html_()
    assert files_in(tmp_path / "dev") == {"b.txt": b"private"}
    manifest = DataSlicer.File(tmp_path / "dev").reader().manifest
    assert manifest["facts"]["missing_files"] == ["shop.Person.picture 'a.txt'"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\secret", "a/..\\..\\b"])
def test_names_that_lead_out_of_their_storage_are_refused(storage, tmp_path, name):
    importer()
    person(storage, name, None)
    with pytest.raises(ExportError, match=r"shop\.Person\.picture: these names of files lead out of their storage"):
        cut(tmp_path / "dev", missing_files="skip")
    assert storage.opened == []


def test_what_a_storage_raises_is_told_with_field_and_name(storage, tmp_path, monkeypatch):
    importer()
    person(storage, "a.txt")

    def refuse(name, mode="rb"):
        msg = "no credentials"
        raise RuntimeError(msg)

    monkeypatch.setattr(storage, "open", refuse)
    with pytest.raises(ExportError, match=r"picture: its file 'a\.txt' cannot be read: RuntimeError: no credentials"):
        cut(tmp_path / "dev", missing_files="skip")


def test_placeholders_stand_for_contents_that_are_never_read(storage, tmp_path):
    importer()
    for name in ("a.PNG", "b.pdf", "c.docx"):
        person(storage, name)
    person(storage, "gone.jpg", None)
    storage.opened.clear()
    cut(tmp_path / "dev", files="placeholder")
    assert storage.opened == []
    assert files_in(tmp_path / "dev") == {name: placeholder(name) for name in ("a.PNG", "b.pdf", "c.docx", "gone.jpg")}
    assert all(one["placeholder"] for one in DataSlicer.File(tmp_path / "dev").reader().manifest["files"])


def test_a_masked_file_column_has_placeholders_under_its_masked_names(storage, tmp_path):
    importer(picture=hashed)
    person(storage, "people/of ada.png")
    storage.opened.clear()
    cut(tmp_path / "dev")
    [(name, content)] = files_in(tmp_path / "dev").items()
    assert storage.opened == []
    assert name.endswith(".png")
    assert "ada" not in name
    assert content == placeholder("a.png")
    assert name.encode() in (tmp_path / "dev" / "shop.Person.csv").read_bytes()


def test_a_file_column_that_is_kept_has_its_contents(storage, tmp_path):
    importer(picture=keep)
    person(storage, "a.txt")
    cut(tmp_path / "dev")
    assert files_in(tmp_path / "dev") == {"a.txt": b"private"}
    assert DataSlicer.File(tmp_path / "dev").reader().manifest["masks"] in ({}, {"shop.Person": ["picture"]})


def test_a_bundle_whose_file_was_changed_or_is_missing_is_refused(storage, tmp_path):
    importer()
    person(storage, "a.txt")
    cut(tmp_path / "dev")
    (tmp_path / "dev" / "files" / "a.txt").write_bytes(b"PRIVATE")
    assert "files/a.txt was changed" in verify(DataSlicer.File(tmp_path / "dev"))[0]
    (tmp_path / "dev" / "files" / "a.txt").unlink()
    with pytest.raises(BundleError, match=r"files/a\.txt is missing"):
        DataSlicer.File(tmp_path / "dev").reader()


def test_two_bundles_differ_in_their_files(storage, tmp_path):
    importer()
    for name in ("a.txt", "b.txt"):
        person(storage, name)
    cut(tmp_path / "one")
    cut(tmp_path / "two", files="placeholder")
    assert diff(DataSlicer.File(tmp_path / "one"), DataSlicer.File(tmp_path / "two")).files_changed == (
        "a.txt", "b.txt",
    )  # fmt: skip


def test_a_file_of_any_size_passes_in_little_memory(storage, tmp_path, monkeypatch):
    class Endless(io.RawIOBase):
        left = 30_000_000

        def read(self, size=-1):
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    importer()
    person(storage, "a.bin")
    monkeypatch.setattr(storage, "open", lambda name, mode="rb": Endless())
    tracemalloc.start()
    try:
        cut(tmp_path / "dev")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "dev" / "files" / "a.bin").stat().st_size == 30_000_000
    assert peak < 8_000_000


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"files": "all"}, "files: expected True, False or 'placeholder', got 'all'"),
        ({"missing_files": "warn"}, "missing_files: expected 'error' or 'skip', got 'warn'"),
    ],
)
def test_options_are_checked_before_anything_is_read(tmp_path, options, told):
    importer()
    with pytest.raises(PlanError, match=told):
        cut(tmp_path / "dev", **options)
    assert not (tmp_path / "dev").exists()
