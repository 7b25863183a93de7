"""`slicing/reading.py`: what is missing or was changed is found before anything is given."""

import json
import os
from pathlib import Path

import pytest
from bundles import CATEGORY, csv_of, write
from hypothesis import given, settings
from hypothesis import strategies as st

from isekai_core.builtins.slice_file import File
from isekai_core.errors import BundleError
from isekai_core.slicing.manifest import sealed

FILES = ["manifest.json", "shop.Category.csv", "shop.Person.csv", "files/people%2Fa.jpg"]


@pytest.fixture
def bundle(tmp_path):
    write(File(tmp_path / "dev"))
    return tmp_path / "dev"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed")
    write(File(folder, compress="zstd"))
    return folder


def problem(folder):
    with pytest.raises(BundleError) as caught:
        File(folder).reader()
    return str(caught.value)


def rewrite(folder, change):
    """The manifest, changed by somebody who knows how to make its checksum."""
    raw = json.loads((folder / "manifest.json").read_text())
    change(raw)
    (folder / "manifest.json").write_text(json.dumps(sealed(raw)))


@settings(max_examples=60)
@given(st.data())
def test_any_changed_byte_is_found_and_its_file_is_named(packed, data):
    name = data.draw(st.sampled_from([name + ".zst" * name.endswith(".csv") for name in FILES]))
    path = packed / name
    before = path.read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != before[place]))
    path.write_bytes(before[:place] + bytes([value]) + before[place + 1 :])
    try:
        # A space more or less between two values of JSON is no change.
        if name != "manifest.json" or json.loads(before) != _json(path):
            assert name in problem(packed)
    finally:
        path.write_bytes(before)


def _json(path):
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        return None


@pytest.mark.parametrize("name", FILES[1:])
def test_a_missing_file_is_named(bundle, name):
    (bundle / name).unlink()
    assert problem(bundle) == f"the bundle {bundle} cannot be used: {name} is missing"


@pytest.mark.parametrize("name", FILES[1:])
def test_a_file_that_was_cut_off_or_grew_is_named_with_its_size(bundle, name):
    before = (bundle / name).read_bytes()
    for content in (before[:-1], before + b"\n"):
        (bundle / name).write_bytes(content)
        told = f"it has {len(content):,} bytes, the manifest says {len(before):,}"
        assert problem(bundle) == f"the bundle {bundle} cannot be used: {name} was changed: {told}"


def test_all_problems_are_told(bundle):
    for name in FILES[1:]:
        (bundle / name).unlink()
    (bundle / "files" / "people%2Fz.jpg").write_text("changed")
    with pytest.raises(BundleError) as caught:
        File(bundle).reader()
    assert len(caught.value.problems) == 4
    assert str(caught.value).endswith("; and 1 more")


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("id,slug,parent_id,extra", "the header has the column 'extra' more"),
        ("id,slug", "the header lacks the column 'parent_id'"),
        ("slug,id,parent_id", "its columns are slug, id, parent_id instead of id, slug, parent_id"),
        ("\ufeffid,slug,parent_id", "the header has the column '\\ufeffid' more, the header lacks the column 'id'"),
    ],
)
def test_a_column_more_or_less_in_the_file_is_named(bundle, header, told):
    path = bundle / "shop.Category.csv"
    path.write_text(path.read_text().replace("id,slug,parent_id", header), encoding="utf-8")
    assert problem(bundle) == f"the bundle {bundle} cannot be used: shop.Category.csv was changed: {told}"


def test_a_column_more_in_the_manifest_is_named(bundle):
    rewrite(bundle, lambda raw: raw["tables"][0]["columns"].pop())
    assert "shop.Category.csv does not fit its manifest: the header has the column 'parent_id' more" in problem(bundle)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1", "cp1252", "utf-32"])
def test_another_encoding_is_told(bundle, encoding):
    path = bundle / "shop.Person.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    told = problem(bundle)
    assert "shop.Person.csv was changed: " in told
    assert "it is not UTF-8: byte " in told


def test_a_file_that_is_not_utf8_is_refused_even_when_its_hash_is_right(bundle):
    content = csv_of(CATEGORY, [["1", "é", None]]).decode().encode("latin-1")
    (bundle / "shop.Category.csv").write_bytes(content)
    import hashlib

    sizes = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    new = {**sizes, "file_bytes": sizes["bytes"], "file_sha256": sizes["sha256"]}
    rewrite(bundle, lambda raw: raw["tables"][0].update(new))
    assert "does not fit its manifest: it is not UTF-8: byte 20 holds e9" in problem(bundle)


def test_what_is_packed_and_says_it_is_smaller_is_not_unpacked_to_the_end(tmp_path):
    write(File(tmp_path, compress="zstd"), categories=[["1", "x" * 10_000_000, None]])
    rewrite(tmp_path, lambda raw: raw["tables"][0].update({"bytes": 1000}))
    assert "bytes, the manifest says 1,000" in problem(tmp_path)


def test_a_file_that_changes_after_it_was_verified_is_refused(bundle):
    reader = File(bundle).reader()
    path = bundle / "shop.Category.csv"
    path.write_bytes(path.read_bytes() + b"4,x,\n")
    with pytest.raises(BundleError, match="was changed after it was verified"):
        reader.open("shop.Category")
    path.unlink()
    with pytest.raises(BundleError, match="cannot be read: No such file"):
        reader.open("shop.Category")
    with reader.open("shop.Person") as file:
        assert file.read(3) == b"id,"


def test_what_is_no_ordinary_file_in_the_bundle_is_not_read(bundle, tmp_path):
    (tmp_path / "outside.csv").write_bytes((bundle / "shop.Person.csv").read_bytes())
    (bundle / "shop.Person.csv").unlink()
    (bundle / "shop.Person.csv").symlink_to(tmp_path / "outside.csv")
    (bundle / "shop.Category.csv").unlink()
    os.mkfifo(bundle / "shop.Category.csv")
    (bundle / "files" / "people%2Fa.jpg").unlink()
    (bundle / "files" / "people%2Fa.jpg").mkdir()
    told = problem(bundle)
    assert "shop.Category.csv is no ordinary file" in told
    assert "shop.Person.csv is a link that leads out of the bundle" in told
    assert "people%2Fa.jpg is no ordinary file" in told


def test_where_there_is_no_bundle_is_told(tmp_path):
    assert problem(tmp_path / "nowhere") == f"there is no bundle {tmp_path / 'nowhere'}: expected a folder"
    assert problem(tmp_path) == f"there is no bundle in {tmp_path}: expected manifest.json"
    (tmp_path / "shop.Order.csv").write_text("id\n")
    assert "is incomplete: its manifest.json, which is written last, is missing; export it again" in problem(tmp_path)
    assert "there is no bundle" in problem(tmp_path / "shop.Order.csv")


def test_a_model_that_is_not_in_the_bundle_is_a_key_error(bundle):
    with pytest.raises(KeyError):
        File(bundle).reader().open("shop.Order")


def test_a_bundle_can_be_moved_and_read_only(bundle, tmp_path):
    bundle.rename(tmp_path / "moved")
    for path in [tmp_path / "moved", *Path(tmp_path / "moved").rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert len(File(tmp_path / "moved").reader().tables) == 2
