"""Servers that go away, are full, want a password or speak another encoding: a real one, of the tests' own."""

import json
import logging

import psycopg
import pytest
from isekai_postgres.slices import Postgres
from postgres_shared.rows import AT, CATEGORIES, TENANTS
from postgres_shared.source import Source
from postgres_shared.target import MemoryBundle, Target

from isekai_core.cli.main import main
from isekai_core.errors import ExportError, MergeError, StagingError
from isekai_core.slicing import DataSlicer, ImportJob
from isekai_core.testing.shop.models import Category, Label, Tenant
from isekai_core.types.slices import LoadChoice

PASSWORD = "s3cret p%ss"
JOBS = """
from isekai_core.slicing import Importer, ImportJob
from isekai_core.testing.shop.models import Tenant

class TenantImporter(Importer):
    model = Tenant

jobs = [ImportJob(Tenant)]
"""


class Killing:
    """A progress that kills the server when rows, or bytes, have passed for the first time."""

    def __init__(self, server, *, at_rows=False):
        self._server, self._at_rows, self.killed = server, at_rows, False

    def begin(self, model, total):
        pass

    def advance(self, model, rows, size):
        if not self.killed and (rows if self._at_rows else size):
            self.killed = True
            self._server.kill()

    def end(self, model):
        pass


@pytest.fixture
def labels(fragile_source, isekai_importers):
    """More rows than fit into the buffers between here and the server."""
    isekai_importers(Label)
    isekai_importers(Tenant)
    fragile_source.create(Label, Tenant)
    fragile_source.sql("INSERT INTO shop_label SELECT md5(i::text)::uuid, i FROM generate_series(1, 60000) i")
    return [ImportJob(Label), ImportJob(Tenant)]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_goes_in_the_middle_of_an_export_leaves_no_half_bundle(
    server, fragile_source, labels, workers, tmp_path
):
    killing = Killing(server)
    # The second worker may be about to connect, or to take the snapshot.
    lost = r"(the server went away|the connection was lost).* run it again|cannot connect to"
    with pytest.raises(ExportError, match=lost):
        DataSlicer.run(
            Postgres(fragile_source.url), DataSlicer.File(tmp_path / "cut"), labels, workers=workers, progress=killing
        )
    assert killing.killed
    assert not (tmp_path / "cut").exists()
    with pytest.raises(ExportError, match="cannot connect to"):
        fragile_source.cut(fragile_source.table(Label))
    server.revive()
    bundle = DataSlicer.File(tmp_path / "cut")
    assert DataSlicer.run(Postgres(fragile_source.url), bundle, labels, progress=False).rows == 60_000


@pytest.mark.parametrize(("at_rows", "kind"), [(False, StagingError), (True, MergeError)])
def test_a_server_that_goes_in_the_middle_of_a_load_has_nothing_of_it_afterwards(server, fragile_target, at_rows, kind):
    target = fragile_target
    target.create(Category)
    target.load((Category, CATEGORIES), name="before")
    before = target.content()
    rows = "id,slug,parent_id\n" + "".join(f"{number},s{number},\n" for number in range(1, 30_001))
    target.progress = Killing(server, at_rows=at_rows)
    with pytest.raises(kind, match="the connection was lost, and the database takes back what was not committed"):
        target.load((Category, rows))
    server.revive()
    target.connect()
    assert target.content() == before
    target.progress = Killing(server, at_rows=True)
    target.progress.killed = True
    assert target.load((Category, rows))[0].created == 30_000


def test_a_target_without_room_is_told_and_is_as_it_was(server, fragile_target):
    target = fragile_target
    target.create(Tenant)
    wide = "x" * 190
    rows = TENANTS.split("\n")[0] + "\n" + "".join(f"{n},{wide},{n},{AT},t\n" for n in range(80_000))
    before = target.content()
    # More than a segment of the server's log, which it makes as it needs it.
    with server.full_disk(17 * 2**20):
        target.connect()
        told = target.refuses(StagingError, (Tenant, rows))
        assert told.startswith("staging shop.Tenant: could not extend file")
        assert "File too large" in told
        assert "Check free disk space" in told
    target.connect()
    assert target.content() == before


def test_a_source_without_room_for_sorting_is_told(fragile_source, labels):
    name = fragile_source.sql("SELECT current_database()")[0][0]
    fragile_source.sql(
        "ALTER TABLE shop_label DROP CONSTRAINT shop_label_pkey",
        f"ALTER DATABASE {name} SET temp_file_limit = 64",
        f"ALTER DATABASE {name} SET work_mem = '64kB'",
    )
    message = "temp_file_limit.*no room for sorting; free some"
    error = fragile_source.refuses(message, fragile_source.table(Label))
    assert isinstance(error.__cause__, psycopg.errors.ConfigurationLimitExceeded)


@pytest.fixture
def ada(server, fragile_target):
    """A user who needs a password, in whose database there is a table of tenants."""
    fragile_target.create(Tenant)
    fragile_target.sql(
        "SET password_encryption = 'scram-sha-256'", f"CREATE ROLE ada LOGIN SUPERUSER PASSWORD '{PASSWORD}'"
    )
    before = (server.data / "pg_hba.conf").read_text()
    server.let_in("local all ada scram-sha-256\n" + before)
    parameters = psycopg.conninfo.conninfo_to_dict(fragile_target.url)

    def url(password):
        text = password.replace("%", "%25").replace(" ", "%20")
        return f"postgresql://ada:{text}@/{parameters['dbname']}?host={parameters['host']}"

    yield url
    server.let_in(before)
    fragile_target.sql("REASSIGN OWNED BY ada TO CURRENT_USER", "DROP OWNED BY ada", "DROP ROLE ada")


def test_a_wrong_password_is_told_and_shown_nowhere(ada, isekai_importers, tmp_path, caplog, capsys, monkeypatch):
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slices.py").write_text(JOBS)
    wrong = PASSWORD + "x"
    told = []
    assert main(["slice", "export", "slices.py:jobs", "--source", ada(wrong), "--target", "cut"]) != 0
    assert main(["--traceback", "slice", "plan", "slices.py:jobs", "--source", ada(wrong)]) != 0
    isekai_importers(Tenant)
    with pytest.raises(ExportError, match='password authentication failed for user "ada"') as caught:
        DataSlicer.run(Postgres(ada(wrong)), DataSlicer.File("cut"), [ImportJob(Tenant)], progress=False)
    told.append(repr(caught.value.__cause__) + str(caught.value))
    with pytest.raises(StagingError, match='password authentication failed for user "ada"') as caught:
        Postgres(ada(wrong)).load(MemoryBundle((Tenant, TENANTS)), None, None)
    told.append(repr(caught.value.__cause__) + str(caught.value))
    said = capsys.readouterr()
    assert "password authentication failed" in said.err
    for text in (*told, said.out, said.err, caplog.text):
        assert PASSWORD not in text
        assert "s3cret" not in text
    assert not (tmp_path / "cut").exists()


def test_the_right_password_is_in_no_bundle_and_no_map(ada, isekai_importers, tmp_path, caplog, fragile_target):
    caplog.set_level(logging.DEBUG)
    isekai_importers(Tenant)
    fragile_target.load((Tenant, TENANTS))
    store = DataSlicer.File(tmp_path / "cut")
    result = DataSlicer.run(Postgres(ada(PASSWORD)), store, [ImportJob(Tenant)], progress=False)
    loaded = DataSlicer.run(store, Postgres(ada(PASSWORD)), ids="natural", progress=False)
    manifest = json.loads((tmp_path / "cut" / "manifest.json").read_text())
    texts = [json.dumps(manifest), caplog.text, repr(result), str(result), result._repr_html_(), repr(loaded)]
    texts.append(str(fragile_target.content()))
    assert [text for text in texts if "s3cret" in text] == []
    assert result.rows == loaded.rows == 2


ENCODED = {"LATIN1": "Zoë é ÿ", "WIN1252": "€ Zoë", "EUC_JP": "日本", "UTF8": "日本 é \U0001f600"}


@pytest.mark.parametrize("encoding", ENCODED)
def test_whatever_encoding_the_databases_have_the_bundle_is_utf8(server, encoding, django_db_blocker):
    text = ENCODED[encoding]
    with (
        server.database(Source, django_db_blocker, encoding) as source,
        server.database(Target, django_db_blocker, encoding) as target,
    ):
        source.create(Category)
        source.save([Category(id=1, slug=text), Category(id=2, slug="a")])
        query = Category.objects.filter(slug__startswith=text[0])
        content = source.cut(source.table(Category, queryset=query)).content["shop.Category"]
        assert content.decode() == f"id,slug,parent_id\n1,{text},\n"
        target.create(Category)
        target.load((Category, content), ids="keep")
        assert target.sql("SELECT slug FROM shop_category") == [(text,)]


def test_bytes_of_a_source_without_encoding_that_are_no_utf8_are_refused(server, django_db_blocker):
    with server.database(Source, django_db_blocker, "SQL_ASCII") as source:
        source.create(Category)
        source.sql("INSERT INTO shop_category VALUES (1, convert_from('\\xe9', 'SQL_ASCII'), NULL)")
        message = r"shop\.Category .*invalid byte sequence.*; correct that text in the source"
        error = source.refuses(message, source.table(Category))
    assert isinstance(error.__cause__, psycopg.errors.CharacterNotInRepertoire)


def test_a_load_that_takes_too_long_is_given_up(target):
    target.create(Category)
    target.sql(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(30); RETURN NEW; END$$",
        "CREATE TRIGGER wait BEFORE INSERT ON shop_category FOR EACH ROW EXECUTE FUNCTION wait()",
    )
    told = target.refuses(MergeError, (Category, CATEGORIES), parameters={"statement_timeout": 0.2})
    assert told.startswith("merging shop.Category: canceling statement due to statement timeout; give a longer")
    with pytest.raises(MergeError, match="statement timeout"):
        Postgres(target.url, statement_timeout=0.2).load(
            MemoryBundle((Category, CATEGORIES)), LoadChoice(), target.progress
        )


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("mysql://ada:s3cret@h/d", "mysql:// is no address of PostgreSQL: expected postgresql://…"),
        (
            "postgresql://ada:s3/cr@et@h/d",
            "dsn has a host or a port that cannot be one; expected postgresql://user:password@host",
        ),
        ("postgresql://h/d?s3cret=1", "dsn is not a PostgreSQL URL"),
    ],
)
def test_an_address_that_is_none_is_told_without_being_shown(
    tmp_path, monkeypatch, capsys, isekai_importers, address, told
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slices.py").write_text(JOBS)
    assert main(["slice", "plan", "slices.py:jobs", "--source", address]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "s3" not in error
    assert "defect" not in error
