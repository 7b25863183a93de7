"""`builtins/slice_storage.py`: bundles in Django storages, a folder's and S3's."""

import gc
import tempfile
from pathlib import Path

import boto3
import pytest
from bundles import CATEGORIES, CATEGORY, FILES, PEOPLE, PERSON, PLAN, csv_of, fill, start, write
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from moto.server import ThreadedMotoServer

from isekai_core.builtins.slice_file import File
from isekai_core.builtins.slice_storage import Storage
from isekai_core.errors import BundleError
from isekai_core.slicing import DataSlicer
from isekai_core.slicing.verify import diff, verify
from isekai_core.types.slices import BundleStore

TABLES = {"shop.Category": csv_of(CATEGORY, CATEGORIES), "shop.Person": csv_of(PERSON, PEOPLE)}


class FullStorage(FileSystemStorage):
    """A folder with room for so many files more."""

    def __init__(self, room=0, **options):
        super().__init__(**options)
        self.room = room

    def _save(self, name, content):
        self.room -= 1
        if self.room < 0:
            raise OSError(28, "No space left on device")
        return super()._save(name, content)


class RenamingStorage(FileSystemStorage):
    """It keeps files under names of its own."""

    def get_available_name(self, name, max_length=None):
        return f"{name}.kept"


@pytest.fixture(scope="module")
def s3_url():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_url, request):
    """Options of the storage for a bucket of this test's own."""
    options = {
        "bucket_name": f"slices-{abs(hash(request.node.name))}",
        "endpoint_url": s3_url,
        "access_key": "an-access-key",
        "secret_key": "hunter2-a-secret",
        "region_name": "us-east-1",
        "max_memory_size": 100_000,
    }
    client = boto3.client(
        "s3",
        endpoint_url=s3_url,
        region_name="us-east-1",
        aws_access_key_id="an-access-key",
        aws_secret_access_key="hunter2-a-secret",
    )
    client.create_bucket(Bucket=options["bucket_name"])
    client.close()
    return options


@pytest.fixture
def use(settings, tmp_path):
    def use(backend, **options):
        where = {} if "bucket_name" in options else {"location": str(tmp_path / "storage")}
        settings.STORAGES = {**settings.STORAGES, "slices": {"BACKEND": backend, "OPTIONS": {**where, **options}}}
        return storages["slices"]

    return use


@pytest.fixture(params=["a folder", "a folder that replaces", "S3", "S3 that replaces nothing"])
def storage(request, use):
    """Every kind of storage there is: those that replace a file in one step, and those that do not."""
    if request.param.startswith("S3"):
        options = request.getfixturevalue("s3")
        return use("storages.backends.s3.S3Storage", **options, file_overwrite="nothing" not in request.param)
    return use("django.core.files.storage.FileSystemStorage", allow_overwrite="replaces" in request.param)


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path, monkeypatch):
    """What is left there after the test, when nobody holds a reader any more, was forgotten."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    # Only what the test makes is looked through for readers that nobody holds: all else takes long.
    gc.freeze()
    yield
    gc.collect()
    gc.unfreeze()
    assert list(folder.glob("isekai-*")) == []


def names_in(storage, folder=""):
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return []
    inside = [name for one in folders for name in names_in(storage, f"{folder}/{one}".lstrip("/"))]
    return sorted([*inside, *(f"{folder}/{name}".lstrip("/") for name in files)])


def tables_of(reader):
    found = {}
    for table in reader.tables:
        with reader.open(table.model) as file:
            found[table.model] = file.read()
    return found


def files_of(reader):
    return {name: file.read() for name, file in reader.files()}


def test_it_is_a_place_for_bundles_and_registered_as_source_and_target():
    assert isinstance(Storage("slices"), BundleStore)
    assert DataSlicer.Storage is Storage


@pytest.mark.parametrize("compress", [None, "zstd"])
def test_what_is_written_is_read(storage, compress):
    written = write(Storage("slices", prefix="slices/dev", compress=compress))
    read = Storage("slices", prefix="slices/dev").reader()
    for reader in (written, read):
        assert tables_of(reader) == TABLES
        assert files_of(reader) == FILES
    names = names_in(storage)
    assert "slices/dev/manifest.json" in names
    assert len(names) == 5
    assert all(name.startswith("slices/dev/") for name in names)
    assert verify(Storage("slices", prefix="slices/dev")) == []


def test_it_is_the_bundle_of_a_folder(storage, tmp_path):
    write(Storage("slices", prefix="slices/dev"))
    kept = write(File(tmp_path / "dev"))
    assert Storage("slices", prefix="slices/dev").reader().digest == kept.digest
    assert not diff(Storage("slices", prefix="slices/dev"), File(tmp_path / "dev"))
    for name in names_in(storage):
        target = tmp_path / "copied" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with storage.open(name) as file:
            target.write_bytes(file.read())
    assert tables_of(File(tmp_path / "copied" / "slices" / "dev").reader()) == TABLES
    write(File(tmp_path / "copied" / "slices" / "dev", overwrite=True))
    assert [path.name for path in (tmp_path / "copied" / "slices" / "dev").glob("data-*")] == []


def test_an_existing_bundle_is_refused_before_anything_is_read(storage):
    write(Storage("slices", prefix="a"))
    before = names_in(storage)
    with pytest.raises(BundleError, match=r"slices:a already holds manifest\.json; overwrite=True replaces"):
        Storage("slices", prefix="a").writer(PLAN)
    assert names_in(storage) == before
    write(Storage("slices", prefix="b"))


def test_with_overwrite_the_old_bundle_stays_whole_until_the_new_one_is(storage):
    write(Storage("slices", prefix="a"))
    storage.save("a/notes.txt", ContentFile(b"mine"))
    before = names_in(storage)
    writer = Storage("slices", prefix="a", overwrite=True).writer(PLAN)
    fill(writer, categories=[], files={})
    assert names_in(storage) == before
    assert tables_of(Storage("slices", prefix="a").reader()) == TABLES
    writer.finish({})
    assert tables_of(Storage("slices", prefix="a").reader())["shop.Category"] == csv_of(CATEGORY, [])
    after = names_in(storage)
    assert len(after) == 4
    assert set(after) & set(before) == {"a/manifest.json", "a/notes.txt"}


def test_an_abandoned_bundle_leaves_the_storage_as_it_was(storage):
    write(Storage("slices", prefix="a"))
    before = names_in(storage)
    writer = Storage("slices", prefix="a", overwrite=True).writer(PLAN)
    fill(writer)
    writer.abandon()
    assert names_in(storage) == before


def test_a_missing_and_a_changed_file_are_named(storage):
    write(Storage("slices"))
    names = names_in(storage)
    (table,) = [name for name in names if name.endswith("shop.Category.csv")]
    (picture,) = [name for name in names if name.endswith("a.jpg")]
    storage.delete(table)
    storage.delete(picture)
    storage.save(picture, ContentFile(b"other"))
    told = verify(Storage("slices"))
    assert told == [f"{table} is missing", f"{picture} was changed: it has 5 bytes, the manifest says 4"]


def test_where_there_is_no_bundle_is_told(storage):
    with pytest.raises(BundleError, match=r"there is no bundle in slices:nowhere: expected manifest\.json"):
        Storage("slices", prefix="nowhere").reader()


def test_the_folder_of_a_reader_goes_with_it(storage, tmp_path):
    write(Storage("slices"))
    reader = Storage("slices").reader()
    assert list((tmp_path / "temporary").glob("isekai-slice-*"))
    file = reader.open("shop.Category")
    del reader
    gc.collect()
    assert list((tmp_path / "temporary").glob("isekai-slice-*")) == []
    with file:
        assert file.read() == TABLES["shop.Category"]


@pytest.mark.parametrize("room", range(5))
def test_a_full_storage_is_told_and_nothing_is_left_behind(use, room):
    storage = use(f"{__name__}.FullStorage", room=room)
    with pytest.raises(BundleError, match=r"slices:a: cannot write .*: OSError: .*No space left on device"):
        write(Storage("slices", prefix="a"))
    assert names_in(storage) == []


@pytest.mark.parametrize("room", range(6))
def test_when_the_storage_is_full_a_bundle_that_was_there_is_still_one(use, room):
    storage = use(f"{__name__}.FullStorage", room=5)
    write(Storage("slices", prefix="a"))
    storage.room = room
    with pytest.raises(BundleError, match="No space left on device"):
        write(Storage("slices", prefix="a", overwrite=True), categories=[])
    storage.room = 99
    read = tables_of(Storage("slices", prefix="a").reader())
    # With the last file the new one was complete, but for the name of its manifest.
    assert read["shop.Category"] == (TABLES["shop.Category"] if room < 5 else csv_of(CATEGORY, []))
    with pytest.raises(BundleError, match="overwrite=True"):
        Storage("slices", prefix="a").writer(PLAN)
    write(Storage("slices", prefix="a", overwrite=True))
    assert tables_of(Storage("slices", prefix="a").reader()) == TABLES


def test_a_storage_that_keeps_files_under_other_names_is_refused(use):
    storage = use(f"{__name__}.RenamingStorage")
    with pytest.raises(BundleError, match=r"the storage keeps a/data-.* under another name"):
        write(Storage("slices", prefix="a"))
    assert names_in(storage) == []


def test_an_unknown_alias_is_told_with_those_there_are():
    with pytest.raises(
        BundleError, match=r"STORAGES has no 'defualt' \(did you mean 'default'\?\); it has default, stat"
    ):
        Storage("defualt").reader()


def test_a_storage_that_cannot_be_made_is_told(use, settings):
    settings.STORAGES = {**settings.STORAGES, "slices": {"BACKEND": "nowhere.Storage"}}
    with pytest.raises(BundleError, match="the storage 'slices' cannot be used: InvalidStorageError"):
        Storage("slices").writer(PLAN)


def test_a_bucket_that_is_not_there_and_a_server_that_does_not_answer_are_told_without_the_secret(use, s3):
    use("storages.backends.s3.S3Storage", **{**s3, "bucket_name": "nowhere"})
    with pytest.raises(BundleError) as caught:
        write(Storage("slices", prefix="a"))
    assert "slices:a: cannot write data-" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    from botocore.config import Config

    config = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    use("storages.backends.s3.S3Storage", **{**s3, "endpoint_url": "http://127.0.0.1:9", "client_config": config})
    with pytest.raises(BundleError) as caught:
        Storage("slices", prefix="a").writer(PLAN)
    assert "slices:a: cannot look for manifest.json: " in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_large_files_pass_through_s3(use, s3):
    use("storages.backends.s3.S3Storage", **s3)
    rows = [[str(number), "x" * 1000, None] for number in range(20_000)]
    write(Storage("slices", prefix="a"), categories=rows)
    assert tables_of(Storage("slices", prefix="a").reader())["shop.Category"] == csv_of(CATEGORY, rows)


@pytest.mark.parametrize("prefix", ["../x", "/x", "a//b", "a/../b", "a\\b", "x/"])
def test_a_prefix_stays_in_the_storage(prefix):
    with pytest.raises(ValueError, match="prefix: expected a folder in the storage such as 'slices/dev'"):
        Storage("slices", prefix=prefix)


def test_options_are_checked():
    with pytest.raises(ValueError, match="compress: expected None or 'zstd', got 'gzip'"):
        Storage("slices", compress="gzip")
    with pytest.raises(ValueError, match="overwrite: expected True or False, got 'no'"):
        Storage("slices", overwrite="no")


def test_killed_in_the_middle_of_writing_the_storage_has_nothing_and_the_next_export_works(use, tmp_path):
    storage = use("django.core.files.storage.FileSystemStorage")
    code = (
        "from django.conf import settings\n"
        "from isekai_core.builtins.slice_storage import Storage\n"
        "place = {'BACKEND': 'django.core.files.storage.FileSystemStorage', 'OPTIONS': {'location': sys.argv[2]}}\n"
        "settings.STORAGES = {**settings.STORAGES, 'slices': place}\n"
        "import tempfile; tempfile.tempdir = sys.argv[3]\n"
        "fill(Storage('slices', prefix='a').writer(PLAN))\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
    )
    (tmp_path / "killed").mkdir()
    with start(code, tmp_path / "storage", tmp_path / "killed") as process:
        assert process.stdout.readline() == "ready\n"
        process.kill()
    assert names_in(storage) == []
    write(Storage("slices", prefix="a"))
    assert Path(tmp_path / "storage" / "a" / "manifest.json").is_file()
