"""`slicing/bundle.py`: a bundle holds what its plan says, and all of it, or is not there."""

import io
import tracemalloc

import pytest
from bundles import CATEGORIES, CATEGORY, PEOPLE, PERSON, PLAN, csv_of, names_in, write

from isekai_core.builtins.slice_file import File
from isekai_core.errors import BundleError
from isekai_core.slicing.csvtext import read_rows, write_rows
from isekai_core.types.slices import SlicePlan, TablePlan

TABLES = {"shop.Category": csv_of(CATEGORY, CATEGORIES), "shop.Person": csv_of(PERSON, PEOPLE)}


def tables_of(reader):
    found = {}
    for table in reader.tables:
        with reader.open(table.model) as file:
            found[table.model] = file.read()
    return found


def test_a_file_needs_a_name(tmp_path):
    writer = File(tmp_path).writer(PLAN)
    with pytest.raises(BundleError, match="needs a name"):
        writer.write_file("", io.BytesIO(b""))
    writer.abandon()


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (b"id,slug,parent_id,more\n", "shop.Category: the header has the column 'more' more"),
        (b"id,slug\n", "shop.Category: the header lacks the column 'parent_id'"),
        (b"slug,id,parent_id\n", "shop.Category: its columns are slug, id, parent_id instead of id, slug, parent_id"),
        (b"", "shop.Category: a header with the names of the columns was expected, got b''"),
    ],
)
def test_a_header_that_is_not_the_plans_is_refused(tmp_path, header, told):
    writer = File(tmp_path / "dev").writer(PLAN)
    with pytest.raises(BundleError) as caught:
        writer.write(CATEGORY, [header])
    assert str(caught.value) == told
    writer.abandon()
    assert names_in(tmp_path) == []


def test_a_bundle_without_all_tables_and_numbers_is_never_finished(tmp_path):
    writer = File(tmp_path / "dev").writer(PLAN)
    writer.write(CATEGORY, [TABLES["shop.Category"]])
    writer.count("shop.Category", 3)
    with pytest.raises(BundleError, match="already"):
        writer.write(CATEGORY, [TABLES["shop.Category"]])
    with pytest.raises(BundleError, match=r"the source gave no rows of shop\.Person"):
        writer.finish({})
    assert names_in(tmp_path) == []

    writer = File(tmp_path / "dev").writer(PLAN)
    for table in PLAN.tables:
        writer.write(table, [TABLES[table.model]])
    with pytest.raises(BundleError, match=r"the source gave no number of rows of shop\.Category, shop\.Person"):
        writer.finish({})
    assert names_in(tmp_path) == []


def test_a_table_that_is_not_in_the_plan_is_refused(tmp_path):
    writer = File(tmp_path / "dev").writer(PLAN)
    with pytest.raises(BundleError, match=r"shop\.Other is not in the plan"):
        writer.write(TablePlan("shop.Other", None, "t", "id", CATEGORY.columns), [])
    writer.abandon()


def test_masks_change_what_is_written_and_the_manifest_names_them(tmp_path):
    def mask(chunks):
        header, *rows = read_rows(chunks)
        yield from write_rows([header, *([key, "masked", picture] for key, _, picture in rows)])

    reader = write(File(tmp_path), masks={"shop.Person": mask})
    masked = [[key, "masked", picture] for key, _, picture in PEOPLE]
    assert tables_of(reader) == {**TABLES, "shop.Person": csv_of(PERSON, masked)}
    assert reader.manifest["masks"] == {"shop.Person": ["name"]}
    assert [column.mask for column in File(tmp_path).reader().tables[1].columns] == ["", "faker.name", ""]


def test_memory_is_that_of_some_blocks_and_not_of_the_table(tmp_path):
    rows = 60_000
    header = b"id,slug,parent_id\n"
    tracemalloc.start()
    try:
        writer = File(tmp_path, compress="zstd").writer(SlicePlan((CATEGORY,), (("shop.Category",),)))
        size = writer.write(CATEGORY, [header, *[b"1,%s,\n" % (b"x" * 500)] * rows])
        writer.count("shop.Category", rows)
        writer.finish({})
        assert tables_size(File(tmp_path).reader()) == size
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 30_000_000
    assert peak < size / 5


def tables_size(reader):
    with reader.open("shop.Category") as file:
        return sum(len(block) for block in iter(lambda: file.read(100_000), b""))
