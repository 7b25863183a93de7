"""The page on the kit says what the kit has: every name, every fixture, and what each suite is given."""

import inspect
import re

import documents
import pytest
from repository import ROOT

from isekai_core import testing
from isekai_core.testing import pytest_plugin
from isekai_core.types import KINDS
from isekai_core.types.slices import SLICE_KINDS

PAGE = (ROOT / "docs" / "reference" / "testing.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", testing.__all__)
def test_the_page_speaks_of_every_name(name):
    assert re.search(rf"`{name}\b|^#+ .*\b{name}\b", PAGE, re.MULTILINE)
    assert getattr(testing, name).__doc__


def test_the_page_has_every_fixture():
    fixtures = {
        name for name, value in vars(pytest_plugin).items() if type(value).__name__ == "FixtureFunctionDefinition"
    }
    assert {row[0] for row in documents.table_under(PAGE, "Fixtures")} == fixtures


def test_the_page_has_every_suite_with_what_it_is_given():
    rows = {row[0]: row[1] for row in documents.table_under(PAGE, "The suites")}
    kinds = ("".join(word.capitalize() for word in kind.split("_")) for kind in (*KINDS, *SLICE_KINDS))
    assert set(rows) == {f"{kind}Conformance" for kind in kinds}
    for name, given in rows.items():
        said = re.findall(r"^(\w+): ", inspect.getdoc(getattr(testing, name)), re.MULTILINE)
        assert said or name == "SeederConformance"
        assert [one for one in said if one not in given] == []
