"""`isekai slice --files`: files are exported, verified, compared and stored as people type it."""

import json

import pytest
from django.core.files.base import ContentFile

from isekai_core.cli.main import main
from isekai_core.slicing import importer as home
from isekai_core.testing.shop.models import Person

pytestmark = pytest.mark.django_db(transaction=True)

JOBS = """
from isekai_core.slicing import Importer, ImportJob
from isekai_core.testing.shop.models import Person


class PersonImporter(Importer):
    model = Person


people = [ImportJob(Person)]
"""


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.setattr(home, "_importers", {})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slices.py").write_text(JOBS)
    Person.objects.create(name="ada").picture.save("ada.txt", ContentFile(b"private"))


@pytest.fixture
def isekai(capsys):
    def run(*arguments):
        status = main(["slice", *arguments])
        out, error = capsys.readouterr()
        return status, out, error

    return run


def export(isekai, folder, *more):
    return isekai("export", "slices.py:people", "--source", "default", "--target", folder, *more)


def test_files_are_exported_verified_compared_and_stored(isekai, tmp_path):
    assert export(isekai, "cut", "--files")[0] == 0
    assert export(isekai, "dev", "--files", "placeholder")[0] == 0
    assert isekai("verify", "cut")[0] == 0
    assert "~ file people/ada.txt" in isekai("diff", "cut", "dev")[1]
    status, out, _ = isekai("load", "cut", "--target", "default")
    assert (status, "files of the slice that are not stored: 1; --files stores them" in out) == (0, True)
    Person.objects.last().picture.storage.delete("people/ada.txt")
    status, out, _ = isekai("load", "cut", "--target", "default", "--files", "--json")
    assert json.loads(out)["notes"] == ["files stored: 1, there already: 0, under another name: 0"]
    with Person.objects.first().picture.open() as file:
        assert file.read() == b"private"


def test_a_file_that_is_not_there_is_an_error_or_is_told(isekai):
    person = Person.objects.get()
    person.picture.storage.delete(person.picture.name)
    status, _, error = export(isekai, "cut", "--files")
    assert status == 1
    assert "leave them out with --missing-files skip" in error
    status, out, _ = export(isekai, "cut", "--files", "--missing-files", "skip")
    assert (status, "left out (1)" in out) == (0, True)
