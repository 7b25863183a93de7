"""`slicing/manifest.py` and `manifest_reading.py`: what a bundle says of itself, and what is believed."""

import copy
import datetime as dt
import hashlib
import json
from importlib import metadata

import pytest
from bundles import CATEGORIES, FACTS, PEOPLE, write
from hypothesis import given
from hypothesis import strategies as st

from isekai_core.builtins.slice_file import File
from isekai_core.errors import BundleError
from isekai_core.slicing.manifest import dumped, migration_heads, sealed
from isekai_core.slicing.manifest_reading import is_safe, parse


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    write(File(folder, compress="zstd"))
    return json.loads((folder / "manifest.json").read_text())


def changed(raw, path, value):
    """The manifest with another value at `path`; a value of `...` takes it away."""
    new = copy.deepcopy(raw)
    *way, last = path
    place = new
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(sealed(new)).encode()


def test_it_says_what_the_bundle_is_and_where_it_came_from(raw):
    assert raw["schema"] == 1
    assert raw["isekai_core"] == metadata.version("isekai-core")
    created = dt.datetime.fromisoformat(raw["created"])
    assert dt.timedelta(0) <= dt.datetime.now(dt.UTC) - created < dt.timedelta(minutes=5)
    assert raw["seed"] == "7"
    assert raw["source"] == FACTS["source"]
    assert raw["facts"] == {"snapshot": FACTS["snapshot"]}
    assert raw["migrations"] == {"shop": {"code": [], "applied": ["0001_initial"]}}
    assert raw["groups"] == [["shop.Category"], ["shop.Person"]]


def test_it_says_what_each_table_and_file_is(raw, tmp_path):
    write(File(tmp_path, compress="zstd"))
    write(File(tmp_path / "plain"))
    table = raw["tables"][0]
    stored, plain = (tmp_path / table["file"]).read_bytes(), (tmp_path / "plain" / "shop.Category.csv").read_bytes()
    assert table["file"] == "shop.Category.csv.zst"
    assert (table["file_bytes"], table["file_sha256"]) == (len(stored), hashlib.sha256(stored).hexdigest())
    assert (table["bytes"], table["sha256"]) == (len(plain), hashlib.sha256(plain).hexdigest())
    assert (table["model"], table["rows"], table["key"]) == ("shop.Category", 3, "id")
    assert table["columns"][2] == {
        "name": "parent_id",
        "field": "parent",
        "type": "BigAutoField",
        "null": True,
        "max_length": None,
        "unique": False,
        "reference": {"model": "shop.Category", "column": "id", "declared": False},
        "mask": "",
    }
    assert [(one["name"], one["file"], one["bytes"]) for one in raw["files"]] == [
        ("people/a.jpg", "files/people%2Fa.jpg", 4),
        ("people/z.jpg", "files/people%2Fz.jpg", 0),
    ]


def test_the_heads_are_the_last_migrations_of_the_apps_as_the_code_has_them():
    heads = migration_heads(["auth.User", "auth.Group", "shop.Order"])
    assert heads == {"auth": ["0012_alter_user_first_name_max_length"], "shop": []}


def test_the_digest_is_that_of_the_content_alone(tmp_path):
    one = write(File(tmp_path / "one"))
    other = write(File(tmp_path / "other", compress="zstd"), facts={"source": "another", "snapshot": "9"})
    assert one.digest == other.digest == one.manifest["digest"]
    assert len(one.digest) == 64
    more = [
        {"categories": [*CATEGORIES, ["4", "d", None]]},
        {"people": PEOPLE[:-1]},
        {"files": {}},
        {"files": {"people/a.jpg": b"other", "people/z.jpg": b""}},
    ]
    digests = {write(File(tmp_path / str(number)), **given).digest for number, given in enumerate(more)}
    assert len(digests - {one.digest}) == len(more)


def test_what_json_does_not_know_among_the_facts_becomes_text(tmp_path):
    moment = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    facts = {"moment": moment, "numbers": (1, 2.5), "by": {10: "a", 9: "b"}, "odd": "\udc80é", "source": "x"}
    write(File(tmp_path), facts=facts)
    read = File(tmp_path).reader().manifest["facts"]
    assert read == {"moment": str(moment), "numbers": [1, 2.5], "by": {"10": "a", "9": "b"}, "odd": "\udc80é"}


def test_unknown_entries_are_left_alone(raw):
    new = copy.deepcopy(raw)
    new["more"] = new["tables"][0]["more"] = new["tables"][0]["columns"][2]["more"] = {"x": 1}
    new["files"][0]["more"] = new["tables"][0]["columns"][2]["reference"]["more"] = None
    assert parse(dumped(sealed(new)), "dev").tables == parse(dumped(raw), "dev").tables


def test_what_only_tells_about_a_bundle_may_be_missing(raw):
    given = {name: value for name, value in raw.items() if name not in ("files", "digest", "facts")}
    assert parse(dumped(sealed(given)), "dev").files == ()


def test_a_manifest_without_its_checksum_is_refused(raw):
    given = {"checksun" if name == "checksum" else name: value for name, value in raw.items()}
    with pytest.raises(BundleError, match=r"manifest.json of dev: checksum: expected a text, and it is missing"):
        parse(dumped(given), "dev")


def test_a_newer_schema_is_refused_with_what_to_type(raw):
    with pytest.raises(BundleError) as caught:
        parse(changed(raw, ["schema"], 2), "dev")
    assert "schema 2 was written by a newer isekai-core" in str(caught.value)
    assert str(caught.value).endswith("knows 1: pip install -U isekai-core")


def test_a_changed_manifest_is_refused(raw):
    new = copy.deepcopy(raw)
    new["tables"][0]["rows"] = 4
    with pytest.raises(BundleError, match=r"manifest.json of dev: it was changed after it was written"):
        parse(dumped(new), "dev")


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (["schema"], ..., "schema: expected a whole number, and it is missing"),
        (["schema"], 0, "schema: expected a number from 1 to 1, got 0"),
        (["tables"], {}, "tables: expected a list, got {}"),
        (["tables", 0], 1, "tables[0]: expected an object, got 1"),
        (["tables", 1, "rows"], "3", "tables[1].rows: expected a whole number, got '3'"),
        (["tables", 1, "rows"], True, "tables[1].rows: expected a whole number, got True"),
        (["tables", 0, "sha256"], ..., "tables[0].sha256: expected a text, and it is missing"),
        (["tables", 0, "key"], "pk", "tables[0].key: expected one of its columns, got 'pk'"),
        (["tables", 0, "columns", 1, "name"], None, "tables[0].columns[1].name: expected a text, got None"),
        (["tables", 0, "columns", 1, "max_length"], "x", "tables[0].columns[1].max_length: expected a whole number"),
        (["tables", 0, "columns", 2, "reference"], [], "tables[0].columns[2].reference: expected an object"),
        (["tables", 1, "model"], "shop.Category", "'shop.Category' is in it twice"),
        (["tables", 1, "file"], "shop.Category.csv.zst", "'shop.Category.csv.zst' is in it twice"),
        (
            ["tables", 0, "file"],
            "../x.csv",
            "tables[0].file: expected the name of a file in the bundle, got '../x.csv'",
        ),
        (["files", 0, "file"], "/etc/passwd", "files[0].file: expected the name of a file in the bundle"),
        (["files"], "a", "files: expected a list, got 'a'"),
    ],
)
def test_what_is_not_as_it_should_be_is_named(raw, path, value, told):
    with pytest.raises(BundleError) as caught:
        parse(changed(raw, path, value), "dev")
    assert told in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"null", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(content):
    with pytest.raises(BundleError, match=r"^manifest\.json of dev: expected "):
        parse(content, "dev")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.data())
def test_whatever_stands_anywhere_in_it_is_read_or_a_bundle_error(raw, data):
    path, place = [], raw
    while isinstance(place, dict | list) and place and (not path or data.draw(st.booleans())):
        step = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        path.append(step)
        place = place[step]
    content = changed(raw, path, data.draw(values))
    try:
        manifest = parse(content, "dev")
    except BundleError as error:
        told = str(error)
    else:
        told = ""
        assert all(is_safe(table.file) for table in manifest.tables)
    assert not told or told.startswith("manifest.json of dev: ")


@pytest.mark.parametrize("name", ["", ".", "..", "a/..", "../a", "/a", "a//b", "a/./b", "a\\b", "C:a", "a\0b", "a/"])
def test_a_name_that_leads_elsewhere_is_not_safe(name):
    assert not is_safe(name)


@pytest.mark.parametrize("name", ["a", "a.csv", "data-1/files/a b", "..a", "é"])
def test_a_name_inside_the_bundle_is_safe(name):
    assert is_safe(name)
