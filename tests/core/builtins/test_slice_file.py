"""`builtins/slice_file.py`: a bundle in a folder is whole or absent, whatever happens."""

import io
import json
import signal
import sys
import threading

import pytest
from bundles import (
    CATEGORIES,
    CATEGORY,
    FILES,
    PEOPLE,
    PERSON,
    PLAN,
    WHOLE,
    contents,
    csv_of,
    fill,
    names_in,
    start,
    write,
)

from isekai_core.builtins.slice_file import File
from isekai_core.errors import BundleError
from isekai_core.slicing import DataSlicer
from isekai_core.slicing.csvtext import write_rows
from isekai_core.slicing.manifest import dumped, sealed
from isekai_core.types.slices import BundleStore, SlicePlan, TablePlan

TABLES = {"shop.Category": csv_of(CATEGORY, CATEGORIES), "shop.Person": csv_of(PERSON, PEOPLE)}


def tables_of(reader):
    found = {}
    for table in reader.tables:
        with reader.open(table.model) as file:
            found[table.model] = file.read()
    return found


def files_of(reader):
    return {name: file.read() for name, file in reader.files()}


def test_it_is_a_place_for_bundles_and_registered_as_source_and_target(tmp_path):
    assert isinstance(File(tmp_path), BundleStore)
    assert DataSlicer.File is File


@pytest.mark.parametrize("compress", [None, "zstd"])
def test_what_is_written_is_read(tmp_path, compress):
    written = write(File(tmp_path / "slices" / "dev", compress=compress))
    read = File(str(tmp_path / "slices" / "dev")).reader()
    for reader in (written, read):
        assert tables_of(reader) == TABLES
        assert files_of(reader) == FILES
        assert [table.model for table in reader.tables] == ["shop.Category", "shop.Person"]
        assert [table.columns for table in reader.tables] == [CATEGORY.columns, PERSON.columns]
        assert [(table.rows, table.key, table.bytes) for table in reader.tables] == [
            (3, "id", len(TABLES["shop.Category"])),
            (3, "id", len(TABLES["shop.Person"])),
        ]
    assert read.digest == written.digest
    suffix = ".zst" if compress else ""
    assert names_in(tmp_path / "slices" / "dev") == [name + suffix * name.endswith(".csv") for name in WHOLE]


def test_a_file_of_a_bundle_is_what_the_database_wrote(tmp_path):
    write(File(tmp_path / "dev"))
    assert (tmp_path / "dev" / "shop.Category.csv").read_bytes() == TABLES["shop.Category"]
    assert (tmp_path / "dev" / "files" / "people%2Fa.jpg").read_bytes() == FILES["people/a.jpg"]


def test_a_bare_folder_name_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(File("dev"))
    assert names_in(tmp_path / "dev") == WHOLE
    assert tables_of(File("dev").reader()) == TABLES


@pytest.mark.parametrize("name", ["shop.Person.csv", "shop.Category.csv.zst", "manifest.json", "files"])
def test_existing_files_are_refused_before_anything_is_read(tmp_path, name):
    (tmp_path / name).mkdir() if name == "files" else (tmp_path / name).write_text("precious")
    before = names_in(tmp_path)
    with pytest.raises(BundleError, match=rf"already holds {name}; overwrite=True replaces what is there"):
        File(tmp_path).writer(PLAN)
    assert names_in(tmp_path) == before


def test_other_files_in_the_folder_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    write(File(tmp_path))
    write(File(tmp_path, overwrite=True))
    assert names_in(tmp_path) == sorted([*WHOLE, "notes.txt"])
    File(tmp_path, overwrite=True).writer(PLAN).abandon()
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_with_overwrite_the_old_bundle_stays_whole_until_the_new_one_is(tmp_path):
    write(File(tmp_path))
    before = contents(tmp_path)
    writer = File(tmp_path, overwrite=True).writer(PLAN)
    fill(writer, categories=[["9", "new", None]], files={})
    assert {name: content for name, content in contents(tmp_path).items() if ".part" not in name} == before
    assert tables_of(File(tmp_path).reader()) == TABLES
    writer.finish({})
    assert tables_of(File(tmp_path).reader())["shop.Category"] == csv_of(CATEGORY, [["9", "new", None]])
    assert names_in(tmp_path) == ["manifest.json", "shop.Category.csv", "shop.Person.csv"]


def test_overwriting_takes_away_the_files_that_only_the_old_bundle_had(tmp_path):
    write(File(tmp_path))
    (tmp_path / "files" / "notes.txt").write_text("mine")
    write(File(tmp_path, overwrite=True, compress="zstd"), files={})
    left = ["files/", "files/notes.txt", "manifest.json", "shop.Category.csv.zst", "shop.Person.csv.zst"]
    assert names_in(tmp_path) == left


def test_an_abandoned_bundle_leaves_the_old_one(tmp_path):
    write(File(tmp_path))
    before = contents(tmp_path)
    writer = File(tmp_path, overwrite=True).writer(PLAN)
    fill(writer, people=[])
    writer.abandon()
    assert contents(tmp_path) == before


def test_an_abandoned_bundle_leaves_nothing_not_even_the_folders_that_were_made_for_it(tmp_path):
    writer = File(tmp_path / "slices" / "dev").writer(PLAN)
    fill(writer)
    writer.abandon()
    writer.abandon()
    assert names_in(tmp_path) == []
    with pytest.raises(BundleError, match="this bundle is abandoned: nothing more is written"):
        writer.write(CATEGORY, [TABLES["shop.Category"]])


@pytest.mark.parametrize("error", [KeyboardInterrupt, ConnectionResetError("the server is gone")])
def test_an_error_of_the_source_passes_as_it_is_and_leaves_nothing(tmp_path, error):
    def chunks():
        yield TABLES["shop.Category"]
        raise error

    writer = File(tmp_path / "dev").writer(PLAN)
    with pytest.raises(error if isinstance(error, type) else type(error)):
        writer.write(CATEGORY, chunks())
    writer.abandon()
    assert names_in(tmp_path) == []


def test_abandoning_while_others_write_leaves_nothing(tmp_path):
    writer = File(tmp_path / "dev").writer(PLAN)
    goes_on, stopped = threading.Event(), []

    def chunks():
        yield TABLES["shop.Category"]
        goes_on.set()
        while True:
            yield b"1,x,\n" * 100_000

    def work():
        try:
            writer.write(CATEGORY, chunks())
        except BundleError as error:
            stopped.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    assert goes_on.wait(10)
    writer.abandon()
    thread.join(10)
    assert stopped == ["this bundle is abandoned: nothing more is written"]
    assert names_in(tmp_path) == []


def test_tables_and_files_are_written_from_several_threads(tmp_path):
    names = [f"T{number}" for number in range(8)]
    tables = tuple(TablePlan(f"shop.{name}", None, name, "id", CATEGORY.columns) for name in names)
    plan = SlicePlan(tables, tuple((table.model,) for table in tables))
    writer = File(tmp_path / "dev").writer(plan)

    def work(table):
        writer.write(
            table, write_rows([["id", "slug", "parent_id"], *([str(n), table.table, None] for n in range(999))])
        )
        writer.count(table.model, 999)
        for number in range(20):
            writer.write_file(f"{number % 10}.txt", io.BytesIO(b"the same"))

    threads = [threading.Thread(target=work, args=[table]) for table in reversed(tables)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader = writer.finish({})
    assert [table.model for table in reader.tables] == [table.model for table in tables]
    assert len(files_of(File(tmp_path / "dev").reader())) == 10


def test_killed_in_the_middle_of_writing_there_is_no_manifest_and_the_next_export_works(tmp_path):
    folder = tmp_path / "dev"
    code = (
        "def chunks():\n"
        "    yield csv_of(CATEGORY, CATEGORIES) + b'4,x,\\n' * 200_000\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
        "File(sys.argv[2]).writer(PLAN).write(CATEGORY, chunks())\n"
    )
    with start(code, folder) as process:
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(BundleError, match="is writing a bundle to"):
            File(folder).writer(PLAN)
        process.send_signal(signal.SIGKILL)
    assert not (folder / "manifest.json").exists()
    with pytest.raises(BundleError, match=r"is incomplete: its manifest\.json, which is written last, is missing"):
        File(folder).reader()
    write(File(folder))
    assert names_in(folder) == WHOLE


KILL_AT_RENAME = (
    "import itertools, signal\n"
    "def killer(event, arguments, count=itertools.count(1)):\n"
    # Python renames what it compiled, too: that is elsewhere.
    "    if event == 'os.rename' and sys.argv[2] in str(arguments) and next(count) == int(sys.argv[3]):\n"
    "        os.kill(os.getpid(), signal.SIGKILL)\n"
    "sys.addaudithook(killer)\n"
    "write(File(sys.argv[2], overwrite=True), categories=[['9', 'new', None]], files={'n.txt': b'new'})\n"
)


@pytest.mark.parametrize("number", range(1, 8))
@pytest.mark.parametrize("is_there", [False, True])
def test_killed_while_it_takes_its_place_the_bundle_is_the_old_or_the_new_one(tmp_path, number, is_there):
    if is_there:
        write(File(tmp_path))
    with start(KILL_AT_RENAME, tmp_path, number) as process:
        _, complaint = process.communicate(timeout=60)
    renames = 6 if is_there else 5
    assert process.returncode == (-signal.SIGKILL if number <= renames else 0), complaint
    if number == 1 and not is_there:
        with pytest.raises(BundleError, match="is incomplete"):
            File(tmp_path).reader()
        return
    reader = File(tmp_path).reader()
    is_old = is_there and number <= 2
    assert tables_of(reader)["shop.Category"] == (
        TABLES["shop.Category"] if is_old else csv_of(CATEGORY, [["9", "new", None]])
    )
    assert files_of(reader) == (FILES if is_old else {"n.txt": b"new"})
    write(File(tmp_path, overwrite=True))
    assert names_in(tmp_path) == WHOLE


def test_a_bundle_that_was_killed_while_it_took_its_place_is_not_written_over_unasked(tmp_path):
    with start(KILL_AT_RENAME, tmp_path, 4) as process:
        process.communicate(timeout=60)
    with pytest.raises(BundleError, match="overwrite=True"):
        File(tmp_path).writer(PLAN)
    assert files_of(File(tmp_path).reader()) == {"n.txt": b"new"}


@pytest.mark.parametrize("what", ["table", "file", "compressed"])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, what):
    # A limit for the size of files stands for the disk: the system refuses the same write.
    code = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "writer = File(sys.argv[2], compress='zstd' if sys.argv[3] == 'compressed' else None).writer(PLAN)\n"
        "noise = os.urandom(1_000_000)\n"
        "try:\n"
        "    if sys.argv[3] == 'file':\n"
        "        writer.write_file('a', io.BytesIO(noise))\n"
        "    else:\n"
        "        writer.write(CATEGORY, [csv_of(CATEGORY, [['1', noise.hex(), None]])])\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
        "    writer.abandon()\n"
    )
    with start(code, tmp_path / "dev", what) as process:
        told, complaint = process.communicate(timeout=60)
    name = {"table": "shop.Category.csv", "file": "files/a", "compressed": "shop.Category.csv.zst"}[what]
    assert told == f"BundleError {name} cannot be written: File too large\n", complaint
    assert names_in(tmp_path) == []


def test_a_manifest_that_cannot_be_written_leaves_nothing(tmp_path):
    code = (
        "import resource\n"
        "writer = File(sys.argv[2]).writer(PLAN)\n"
        "fill(writer)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))\n"
        "try:\n"
        "    writer.finish(FACTS)\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    with start(code, tmp_path / "dev") as process:
        told, complaint = process.communicate(timeout=60)
    assert told == "BundleError manifest.json cannot be written: File too large\n", complaint
    assert names_in(tmp_path) == []


def test_two_writers_in_one_folder_are_refused(tmp_path):
    first = File(tmp_path).writer(PLAN)
    fill(first)
    with pytest.raises(BundleError, match="is writing a bundle to"):
        File(tmp_path, overwrite=True).writer(PLAN)
    first.finish({})
    assert tables_of(File(tmp_path).reader()) == TABLES
    write(File(tmp_path, overwrite=True))


def test_where_no_folder_can_be_is_told(tmp_path):
    (tmp_path / "a").write_text("")
    for path, told in [
        (tmp_path / "a", "is no folder"),
        (tmp_path / "a" / "b", "cannot be made"),
        (tmp_path / "x" / "a\0b", "cannot be made: .*embedded null"),
        (tmp_path / "y" / ("n" * 300), "cannot be made: File name too long"),
    ]:
        with pytest.raises(BundleError, match=told):
            File(path).writer(PLAN)
    assert names_in(tmp_path) == ["a"]


def test_a_folder_where_a_table_goes_is_in_the_way_even_with_overwrite(tmp_path):
    (tmp_path / "shop.Person.csv").mkdir()
    with pytest.raises(BundleError, match=r"shop\.Person\.csv is in the way: expected a file there, or nothing"):
        File(tmp_path, overwrite=True).writer(PLAN)
    assert names_in(tmp_path) == ["shop.Person.csv/"]


def test_links_lead_nothing_out_of_the_folder(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "dev"
    outside.mkdir()
    folder.mkdir()
    (outside / "x.csv").write_text("precious")
    (folder / "shop.Person.csv").symlink_to(outside / "x.csv")
    (folder / "files").symlink_to(outside)
    (folder / ".part").symlink_to(outside)
    write(File(folder, overwrite=True))
    assert contents(outside) == {"x.csv": b"precious"}
    assert names_in(folder) == WHOLE


@pytest.mark.parametrize("model", ["../evil", "/etc/passwd", "shop/Order", "shop.Or\0der", "a..b"])
def test_no_model_leads_out_of_the_folder(tmp_path, model):
    table = TablePlan(model, None, "t", "id", CATEGORY.columns)
    with pytest.raises(BundleError, match="expected the label of a model"):
        File(tmp_path / "dev").writer(SlicePlan((table,), ((model,),)))
    assert names_in(tmp_path) == []


def test_files_keep_any_name_and_stay_in_the_folder(tmp_path):
    names = ["..a", ".a", "a/.b", "a\\b", "con", "a b", "~", "ü" * 99, "x\ny", "%2F", "%2E%2E%2Fx"]
    names += ["a.jpg", "A.jpg", "a/b", "a%2Fb", "x" * 300, "x" * 301]
    given = {name: name.encode() for name in names}
    write(File(tmp_path / "dev"), files=given)
    assert files_of(File(tmp_path / "dev").reader()) == given
    kept = [path.name for path in (tmp_path / "dev" / "files").iterdir()]
    assert len({name.lower() for name in kept}) == len(names)
    assert max(map(len, kept)) < 255
    assert not [name for name in kept if set(name) & set('/\\:"<>|?* \n\0')]
    assert [path.name for path in tmp_path.iterdir()] == ["dev"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", ".", "a/", "..\\x", "C:\\x", "n\0l"])
def test_names_of_files_that_lead_out_of_a_storage_are_refused(tmp_path, name):
    with pytest.raises(BundleError, match=r"expected the name of a file in a storage, got .*, which leads out of it"):
        write(File(tmp_path / "dev"), files={name: b"x"})
    assert names_in(tmp_path) == []
    write(File(tmp_path / "dev"), files={"a.jpg": b"x"})
    manifest = tmp_path / "dev" / "manifest.json"
    raw = json.loads(manifest.read_bytes())
    raw["files"][0]["name"] = name
    manifest.write_bytes(dumped(sealed(raw)))
    with pytest.raises(BundleError, match=r"files\[0\]\.name: expected the name of a file in a storage"):
        File(tmp_path / "dev").reader()


def test_without_zstandard_compressing_and_reading_say_what_to_install(tmp_path, monkeypatch):
    write(File(tmp_path / "packed", compress="zstd"))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(BundleError, match="pip install zstandard"):
        File(tmp_path / "dev", compress="zstd").writer(PLAN)
    with pytest.raises(BundleError, match="pip install zstandard"):
        File(tmp_path / "packed").reader()
    write(File(tmp_path / "dev"))
    assert names_in(tmp_path / "dev") == WHOLE


def test_options_are_checked():
    with pytest.raises(ValueError, match="path: expected the name of a folder"):
        File("")
    with pytest.raises(ValueError, match="compress: expected None or 'zstd', got 'gzip'"):
        File("dev", compress="gzip")
