"""`slicing/rowdiff.py`: the same difference, whether rows come in order or have to be sorted before."""

import pytest
from bundles import CATEGORY, csv_of
from hypothesis import given
from hypothesis import strategies as st

from isekai_core.builtins.slice_file import File
from isekai_core.slicing.rowdiff import OutOfOrder, compare, in_order, sorted_on_disk
from isekai_core.slicing.verify import diff
from isekai_core.types.slices import SlicePlan

tables = st.dictionaries(st.integers(-20, 20), st.sampled_from("abc"), max_size=30)


def batches(table, sizes):
    """A table in the order of its keys, as texts, some rows at a time."""
    rows, turn = sorted(table.items()), 0
    while rows:
        size = sizes[turn % len(sizes)]
        yield [str(key) for key, _ in rows[:size]], [row for _, row in rows[:size]]
        rows, turn = rows[size:], turn + 1


def facts(found):
    return [(kind.number, kind.keys) for kind in (found.added, found.removed, found.changed)]


@given(tables, tables, st.lists(st.integers(0, 9), min_size=1).filter(any), st.lists(st.integers(1, 9), min_size=1))
def test_in_order_and_sorted_on_disk_find_the_same_wherever_batches_end(old, new, some, others):
    found = compare(in_order(batches(old, some), int), in_order(batches(new, others), int), 5)
    changed = [key for key in sorted(old.keys() & new.keys()) if old[key] != new[key]]
    expected = [sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys()), changed]
    assert facts(found) == [(len(keys), tuple(map(str, keys[:5]))) for keys in expected]
    one, other = ([(str(key), [row]) for key, row in reversed(table.items())] for table in (old, new))
    with sorted_on_disk(one) as before, sorted_on_disk(other) as after:
        assert facts(compare(before, after, 5)) == facts(found)


@pytest.mark.parametrize("keys", [["2", "1"], ["1", "1"], ["1", "", "2"], ["1", "2.0"]])
def test_keys_that_do_not_rise_or_are_no_numbers_are_out_of_order(keys):
    for given_at_once in ([(keys, keys)], [([key], [key]) for key in keys]):
        with pytest.raises(OutOfOrder):
            list(in_order(given_at_once, int))


def test_rows_that_are_written_otherwise_and_mean_the_same_do_not_differ():
    found = compare([([1, 2, 3], ["1", "02", "3"])], [([1, 2, 3], ["1", "2", "4"])], 5, lambda a, b: int(a) != int(b))
    assert facts(found) == [(0, ()), (0, ()), (1, ("3",))]


@pytest.mark.parametrize("order", [1, -1])
def test_bundles_are_compared_alike_in_any_order(tmp_path, order):
    plan = SlicePlan((CATEGORY,), (("shop.Category",),))
    old = [[str(key), f"line\n{key}", None] for key in (2, 10, 30, 40)]
    new = [["2", "line\n2", None], ["9", 'a "q"', None], ["30", "line\n30", "2"], ["40", "line\n40", None]]
    for name, rows in (("old", old), ("new", new[::order])):
        writer = File(tmp_path / name).writer(plan)
        writer.write(CATEGORY, [csv_of(CATEGORY, rows)])
        writer.count(CATEGORY.model, len(rows))
        writer.finish({})
    (table,) = diff(File(tmp_path / "old"), File(tmp_path / "new")).tables
    assert (table.added, table.removed) == (("9",), ("10",))
    assert [(change.key, change.columns) for change in table.changed] == [("30", ("parent_id",))]
