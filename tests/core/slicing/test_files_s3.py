"""`slicing/files.py` and `slicing/storing.py` with a storage that is far away, and would replace what is there."""

import boto3
import pytest
from django.core.files.base import ContentFile
from moto.server import ThreadedMotoServer
from storages.backends.s3 import S3Storage

from isekai_core.errors import ExportError
from isekai_core.slicing import DataSlicer, Importer, ImportJob
from isekai_core.testing.shop.models import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def storage(monkeypatch):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {"endpoint_url": f"http://{host}:{port}", "region_name": "us-east-1"}
    client = boto3.client("s3", **options, aws_access_key_id="an-access-key", aws_secret_access_key="hunter2-a-secret")
    client.create_bucket(Bucket="people")
    client.close()
    storage = S3Storage(bucket_name="people", access_key="an-access-key", secret_key="hunter2-a-secret", **options)
    monkeypatch.setattr(Person._meta.get_field("picture"), "storage", storage)
    yield storage
    server.stop()


def content(storage, name):
    with storage.open(name) as file:
        return file.read()


def test_files_come_from_there_and_go_there(storage, tmp_path):
    type("PersonImporter", (Importer,), {"model": Person})
    for name in ("a.txt", "b.txt"):
        storage.save(name, ContentFile(f"of {name}".encode()))
        Person.objects.create(name=name, picture=name)
    place, jobs = DataSlicer.File(tmp_path / "dev"), [ImportJob(Person)]
    DataSlicer.run(DataSlicer.Orm(), place, jobs, files=True, workers=2, progress=False)
    Person.objects.all().delete()
    storage.delete("a.txt")
    storage.save("b.txt", ContentFile(b"mine"))
    result = DataSlicer.run(place, DataSlicer.Orm(), files=True, name="dev", progress=False)
    assert list(result.notes) == ["files stored: 2, there already: 0, under another name: 1"]
    new = Person.objects.get(name="b.txt").picture.name
    assert (content(storage, "a.txt"), content(storage, "b.txt")) == (b"of a.txt", b"mine")
    assert content(storage, new) == b"of b.txt"
    Person.objects.create(name="c", picture="gone.txt")
    with pytest.raises(
        ExportError, match=r"files that are not in their storage \(1\): shop\.Person\.picture 'gone\.txt'"
    ):
        DataSlicer.run(DataSlicer.Orm(), DataSlicer.File(tmp_path / "more"), jobs, files=True, progress=False)
