"""A limit on rows that need one another: what it leaves out besides is told, and what to do."""

from itertools import pairwise

import pytest

from isekai_core.slicing import DataSlicer, Importer, ImportJob
from isekai_core.slicing.circles import notes_of_facts, notes_of_plan
from isekai_core.slicing.plan import plan_of
from isekai_core.testing.shop.models import Category, Firm, Person

pytestmark = pytest.mark.django_db

MAY = (
    "is outside of the limit are left out, so that there may be fewer, or none; DataSlicer.plan(…) takes rows with all"
)


@pytest.fixture
def tree():
    """Three categories, of which the last is the root."""

    class CategoryImporter(Importer):
        model = Category

        class Columns:
            parent = Category

    made = [Category.objects.create(slug=slug) for slug in "abc"]
    for below, above in pairwise(made):
        Category.objects.filter(pk=below.pk).update(parent=above)


def cut(folder, **options):
    jobs = [ImportJob(Category, **options)]
    return DataSlicer.run(DataSlicer.Orm(), DataSlicer.File(folder), jobs, progress=False)


def test_rows_that_a_limit_leaves_without_what_they_need_are_told_by_the_result_and_the_bundle(tree, tmp_path):
    result = cut(tmp_path / "cut", limit=2)
    (note,) = result.notes
    assert result.rows == 0
    assert note.startswith(
        "shop.Category: rows within the limit that are left out, as their parent is outside of it: 2; "
    )
    assert all(way in note for way in ("DataSlicer.plan(", "order_by=", "dangling='null'"))
    loaded = DataSlicer.run(DataSlicer.File(tmp_path / "cut"), DataSlicer.Orm(), progress=False)
    assert loaded.notes == [note]


@pytest.mark.parametrize("options", [{}, {"limit": 2, "order_by": "-pk"}, {"limit": 3}])
def test_where_no_row_is_lost_nothing_is_told(tree, tmp_path, options):
    result = cut(tmp_path / "cut", **options)
    assert (result.rows, result.notes) == (options.get("limit", 3), [])


def test_what_no_limit_has_left_out_is_not_told(tree, tmp_path):
    result = cut(tmp_path / "cut", query=Category.objects.exclude(slug="c"))
    assert (result.rows, result.notes) == (0, [])


def test_a_plan_tells_what_its_limits_may_leave_out(tree):
    (note,) = notes_of_plan(plan_of([ImportJob(Category, limit=2)]))
    assert note.startswith(f"shop.Category: rows whose parent {MAY}")
    assert notes_of_plan(plan_of([ImportJob(Category)])) == []
    assert notes_of_plan(DataSlicer.plan(Category.objects.filter(slug="a"))) == []


def test_tables_that_need_one_another_are_told_each(tmp_path):
    class PersonImporter(Importer):
        model = Person

        class Columns:
            employer = Firm

    class FirmImporter(Importer):
        model = Firm

        class Columns:
            owner = Person

    notes = notes_of_plan(plan_of([ImportJob(Person, sample=0.5), ImportJob(Firm)]))
    assert [note.partition(MAY)[0] for note in notes] == [
        "shop.Firm: rows whose owner ",
        "shop.Person: rows whose employer ",
    ]


@pytest.mark.parametrize("facts", [{}, {"left_out": None}, {"left_out": [1]}])
def test_facts_of_other_sources_tell_nothing(facts):
    assert notes_of_facts(facts) == []
