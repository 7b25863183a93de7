"""`slicing/verify.py`: what is wrong with a bundle, and how two of them differ, as data and as text."""

import hashlib
import json
import tracemalloc
from dataclasses import replace

import pytest
from bundles import CATEGORIES, CATEGORY, PEOPLE, PERSON, csv_of, write
from hypothesis import given
from hypothesis import strategies as st

from isekai_core.builtins.slice_file import File
from isekai_core.errors import BundleError
from isekai_core.slicing.manifest import sealed
from isekai_core.slicing.verify import BundleDiff, RowChange, TableDiff, diff, verify
from isekai_core.types.slices import Column, SlicePlan

ONE = SlicePlan((CATEGORY,), (("shop.Category",),))


def one_table(folder, rows, table=CATEGORY):
    """A bundle with one table."""
    writer = File(folder).writer(replace(ONE, tables=(table,)))
    writer.write(table, [csv_of(table, rows)])
    writer.count(table.model, len(rows) if isinstance(rows, list) else 0)
    return writer.finish({})


def forged(folder, content, **more):
    """The table's file is `content`, and the manifest says so."""
    (folder / "shop.Category.csv").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    raw = json.loads((folder / "manifest.json").read_text())
    sizes = {"bytes": len(content), "file_bytes": len(content), "sha256": digest, "file_sha256": digest}
    raw["tables"][0].update({**sizes, **more})
    (folder / "manifest.json").write_text(json.dumps(sealed(raw)))


def test_a_bundle_as_it_was_written_has_no_problems(tmp_path):
    write(File(tmp_path / "plain"))
    write(File(tmp_path / "packed", compress="zstd"))
    assert verify(File(tmp_path / "plain")) == []
    assert verify(File(tmp_path / "packed")) == []


def test_all_files_that_are_missing_or_changed_are_problems(tmp_path):
    write(File(tmp_path))
    (tmp_path / "shop.Category.csv").unlink()
    (tmp_path / "shop.Person.csv").write_text("id,name,picture\n")
    told = verify(File(tmp_path))
    size = len(csv_of(PERSON, PEOPLE))
    assert told == [
        "shop.Category.csv is missing",
        f"shop.Person.csv was changed: it has 16 bytes, the manifest says {size}",
    ]


def test_where_there_is_no_bundle_that_is_the_problem(tmp_path):
    assert verify(File(tmp_path)) == [f"there is no bundle in {tmp_path}: expected manifest.json"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"id,slug,parent_id\n1,a,\n2,b\n", "shop.Category.csv: row 2 has 2 fields instead of 3"),
        (b"id,slug,parent_id\n,a,\n", "shop.Category.csv: row 1 has no id, which is its key"),
        (b"id,slug,parent_id\n1,a,\n", "shop.Category.csv has 1 rows, the manifest says 3"),
        (b'id,slug,parent_id\n1,"a,\n', "shop.Category.csv: a quote is opened and never closed: '1,\"a,'"),
        (b'id,slug,parent_id\n1,a"b"c,\n', "shop.Category.csv: row 2: a quote or a line's end is where none belongs"),
    ],
)
def test_rows_that_are_not_whole_are_problems_even_when_every_hash_is_right(tmp_path, content, told):
    one_table(tmp_path, CATEGORIES)
    forged(tmp_path, content)
    (found,) = verify(File(tmp_path))
    assert found.startswith(told)


def test_two_bundles_with_the_same_content_do_not_differ(tmp_path):
    write(File(tmp_path / "a"))
    write(File(tmp_path / "b", compress="zstd"), facts={})
    found = diff(File(tmp_path / "a"), File(tmp_path / "b"))
    assert not found
    assert found == BundleDiff()
    assert str(found) == "no difference"


def test_rows_in_another_order_are_no_difference(tmp_path):
    write(File(tmp_path / "a"))
    write(File(tmp_path / "b"), people=PEOPLE[::-1])
    assert not diff(File(tmp_path / "a"), File(tmp_path / "b"))


def test_rows_and_files_that_differ_are_told_by_key_and_by_name(tmp_path):
    write(File(tmp_path / "a"))
    write(
        File(tmp_path / "b"),
        categories=[["1", "a", None], ["2", "", "3"], ["10", "x", None], ["9", "y", "1"]],
        files={"people/a.jpg": b"other", "people/n.jpg": b""},
    )
    found = diff(File(tmp_path / "a"), File(tmp_path / "b").reader())
    assert found == BundleDiff(
        tables=(
            TableDiff(
                "shop.Category",
                rows_added=2,
                rows_removed=1,
                rows_changed=1,
                added=("9", "10"),
                removed=("3",),
                changed=(RowChange("2", ("slug", "parent_id")),),
            ),
        ),
        files_added=("people/n.jpg",),
        files_removed=("people/z.jpg",),
        files_changed=("people/a.jpg",),
    )
    assert str(found).splitlines() == [
        "shop.Category: 2 added, 1 removed, 1 changed",
        "  + 9",
        "  + 10",
        "  - 3",
        "  ~ 2: slug, parent_id",
        "+ file people/n.jpg",
        "- file people/z.jpg",
        "~ file people/a.jpg",
    ]
    assert json.loads(json.dumps(found.as_dict()))["tables"][0]["changed"] == [
        {"key": "2", "columns": ["slug", "parent_id"]}
    ]


def test_null_and_an_empty_text_are_a_difference(tmp_path):
    one_table(tmp_path / "a", [["1", None, None]])
    one_table(tmp_path / "b", [["1", "", None]])
    (table,) = diff(File(tmp_path / "a"), File(tmp_path / "b")).tables
    assert table.changed == (RowChange("1", ("slug",)),)


def test_columns_that_differ_are_told_and_rows_are_compared_by_the_others(tmp_path):
    id_, slug, parent = CATEGORY.columns
    other = replace(CATEGORY, columns=(Column("color", "color", "CharField"), id_, replace(slug, max_length=99)))
    one_table(tmp_path / "a", [["1", "a", None], ["2", "b", "1"]])
    one_table(tmp_path / "b", [["red", "2", "b"], ["blue", "1", "x"]], other)
    found = diff(File(tmp_path / "a"), File(tmp_path / "b"))
    assert found.tables == (
        TableDiff(
            "shop.Category",
            columns_added=("color",),
            columns_removed=(parent.name,),
            columns_changed=("slug",),
            rows_changed=1,
            changed=(RowChange("1", ("slug",)),),
        ),
    )
    assert str(found).splitlines()[1:] == [
        "  + column color",
        "  - column parent_id",
        "  ~ column slug: declared otherwise",
        "  ~ 1: slug",
    ]


def test_tables_that_only_one_has_are_told(tmp_path):
    write(File(tmp_path / "a"))
    one_table(tmp_path / "b", CATEGORIES)
    found = diff(File(tmp_path / "a"), File(tmp_path / "b"))
    assert found.tables_removed == ("shop.Person",)
    assert "- shop.Person: the whole table" in str(found)
    back = diff(File(tmp_path / "b"), File(tmp_path / "a"))
    assert (back.tables_added, back.tables_removed) == (("shop.Person",), ())


def test_tables_with_another_key_cannot_be_compared(tmp_path):
    one_table(tmp_path / "a", CATEGORIES)
    one_table(tmp_path / "b", CATEGORIES, replace(CATEGORY, key="slug"))
    with pytest.raises(BundleError, match="has the key id in one bundle and slug in the other"):
        diff(File(tmp_path / "a"), File(tmp_path / "b"))


def test_a_damaged_bundle_is_not_compared(tmp_path):
    write(File(tmp_path))
    (tmp_path / "shop.Category.csv").write_text("")
    with pytest.raises(BundleError, match=r"shop\.Category\.csv was changed"):
        diff(File(tmp_path), File(tmp_path))


tables = st.dictionaries(st.integers(1, 30).map(str), st.sampled_from([None, "", "a", "b,\n"]), max_size=30)


@given(tables, tables)
def test_added_removed_and_changed_are_what_comparing_two_mappings_says(tmp_path_factory, old, new):
    folder = tmp_path_factory.mktemp("diff")
    for name, table in (("old", old), ("new", new)):
        one_table(folder / name, [[key, value, None] for key, value in table.items()])
    found = diff(File(folder / "old"), File(folder / "new"))
    (table,) = found.tables or (TableDiff("shop.Category"),)
    assert table.rows_added == len(new.keys() - old.keys())
    assert table.rows_removed == len(old.keys() - new.keys())
    changed = {key for key in old.keys() & new.keys() if old[key] != new[key]}
    assert table.rows_changed == len(changed)
    assert {change.key for change in table.changed} <= changed
    assert table.added == tuple(sorted(new.keys() - old.keys(), key=int)[:20])


def test_large_tables_are_compared_in_bounded_memory_and_only_the_first_keys_are_told(tmp_path):
    number = 60_000
    for name, text in (("a", "x" * 300), ("b", "y" * 300)):
        one_table(tmp_path / name, ([str(key), text, None] for key in range(number)))
    one, other = File(tmp_path / "a").reader(), File(tmp_path / "b").reader()
    tracemalloc.start()
    try:
        found = diff(one, other)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.tables[0].rows_changed == number
    assert [change.key for change in found.tables[0].changed] == [str(key) for key in range(20)]
    assert str(found).endswith("  ~ and 59,980 more")
    assert peak < 8_000_000
