"""`@pytest.mark.isekai_slice`: in a pytest of its own, run once; each test here looks at what became of some in it."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from textwrap import dedent

import pytest
from bundles import PLAN, write

from isekai_core.builtins.slice_file import File
from isekai_core.types.slices import Column

SOURCE = """
    import pytest
    from django.db import connection
    from django.test import TestCase
    from isekai_core.testing.shop.models import Category, Person

    def keys(model):
        return sorted(model.objects.values_list("pk", flat=True))

    @pytest.fixture
    def first():
        return Category.objects.get(slug="a")

    @pytest.mark.isekai_slice("bug")
    def test_beside(first, isekai_slices):
        assert (keys(Category), first.pk) == ([1, 2, 3], 1)
        assert [(one.model, one.rows) for one in isekai_slices[0]] == [("shop.Category", 3), ("shop.Person", 3)]
        Category.objects.create(slug="more")

    @pytest.mark.django_db
    def test_rolled_back():
        tables = connection.introspection.table_names()
        assert (keys(Category), "isekai_slice_map" in tables) == ([], False)

    @pytest.mark.isekai_slice("more")
    @pytest.mark.isekai_slice("bug")
    @pytest.mark.django_db
    def test_several(isekai_slices):
        assert keys(Category) == [1, 2, 3, 9]
        assert [one.source.rpartition("/")[2] for one in isekai_slices] == ["more", "bug"]

    @pytest.mark.isekai_slice("bug", ids="remap")
    def test_ids(db):
        assert Category.objects.count() == 3

    @pytest.mark.isekai_slice("bug", ids="remap", name="dev")
    def test_transactional(transactional_db):
        assert (Category.objects.count(), connection.in_atomic_block) == (3, False)

    @pytest.mark.isekai_slice("bug", name="dev")
    @pytest.mark.django_db(transaction=True)
    def test_transactional_again():
        assert keys(Category) == [1, 2, 3]

    @pytest.mark.isekai_slice("bug", files=True)
    def test_files():
        with Person.objects.get(pk=1).picture.open() as file:
            assert file.read() == b"\\xff\\xd8 a"

    @pytest.mark.isekai_slice("bug")
    def test_no_files():
        picture = Person.objects.get(pk=1).picture
        assert (picture.name, picture.storage.exists(picture.name)) == ("people/a.jpg", False)

    @pytest.mark.isekai_slice("bug")
    class TestClass:
        @pytest.mark.isekai_slice("more")
        def test_method(self, isekai_slices):
            assert [one.source.rpartition("/")[2] for one in isekai_slices] == ["bug", "more"]

    def test_no_mark(isekai_slices):
        assert isekai_slices == ()

    @pytest.mark.isekai_slice("nowhere")
    def test_bad_path(): ...

    @pytest.mark.isekai_slice("damaged")
    def test_bad_bundle(): ...

    @pytest.mark.isekai_slice("drift")
    def test_bad_drift(): ...

    @pytest.mark.isekai_slice("bug", idz="keep")
    def test_bad_option(): ...

    @pytest.mark.isekai_slice("bug", ids="new")
    def test_bad_value(): ...

    @pytest.mark.isekai_slice("bug", using="other")
    def test_bad_alias(): ...

    @pytest.mark.isekai_slice
    def test_bad_nothing(): ...

    @pytest.mark.isekai_slice("bug")
    class TestBad(TestCase):
        def test_bad_case(self): ...
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What became of each test: nothing, or how it failed."""
    folder = tmp_path_factory.mktemp("marked")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_it.py").write_text(dedent(SOURCE))
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    write(File(folder / "tests" / "bug"))
    write(File(folder / "more"), categories=[["9", "more", None]], people=[], files={})
    write(File(folder / "drift"), plan=_with_another_column(PLAN), people=[], files={})
    write(File(folder / "damaged"))
    (folder / "damaged" / "shop.Category.csv").write_text("id\n")
    subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--junitxml=out.xml", "tests"],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return outcomes_in(folder / "out.xml")


def environment(folder):
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "isekai_core.testing.settings",
        "ISEKAI_TEST_DIR": str(folder / "project"),
        "ISEKAI_TEST_DATABASE": "sqlite",
        "PYTHONSAFEPATH": "1",
    }


def outcomes_in(report):
    cases = ET.parse(report).iter("testcase")
    return {case.get("name"): "".join(child.get("message") + (child.text or "") for child in case) for case in cases}


def _with_another_column(plan):
    *others, people = plan.tables
    return replace(
        plan, tables=(*others, replace(people, columns=(*people.columns, Column("age", "age", "TextField"))))
    )


@pytest.mark.parametrize(
    "name",
    [
        "test_beside",
        "test_rolled_back",
        "test_several",
        "test_ids",
        "test_transactional",
        "test_transactional_again",
        "test_files",
        "test_no_files",
        "test_method",
        "test_no_mark",
    ],
)
def test_rows_are_there_for_the_test_and_gone_after_it(outcomes, name):
    assert outcomes[name] == ""


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("test_bad_path", "isekai_slice: there is no slice 'nowhere': looked for the folder "),
        ("test_bad_bundle", "cannot be used: shop.Category.csv was changed"),
        (
            "test_bad_drift",
            "isekai_slice: the bundle does not fit the target (1): shop.Person.age: the model has no such",
        ),
        ("test_bad_option", "isekai_slice: there is no option 'idz' (did you mean 'ids'?); there are using, ids, "),
        ("test_bad_value", "isekai_slice: ids: expected 'remap' or 'keep' or 'natural', or a mapping of models"),
        ("test_bad_alias", "isekai_slice: using: there is no database 'other' in DATABASES; there are default"),
        ("test_bad_nothing", "isekai_slice: expected the path of one slice, such as isekai_slice('slices/bug-1234')"),
        ("test_bad_case", "isekai_slice: a TestCase makes its database ready by itself; use a test function"),
    ],
)
def test_what_cannot_be_loaded_fails_its_own_test_with_the_reason(outcomes, name, told):
    assert told in outcomes[name]
    assert "Traceback" not in outcomes[name]


def test_every_test_was_run(outcomes):
    assert len(outcomes) == 18
