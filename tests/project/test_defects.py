"""The earlier slicer had twenty-four defects: each has a test here that names it, and the last is of the repository."""

import ast
import importlib.metadata
import re
import tomllib

import pytest
from repository import ROOT

import isekai_core.slicing
from isekai_core.slicing.slicer import DataSlicer

NUMBERS = range(1, 25)
FOLDERS = ("tests", "plugins/isekai-postgres/tests")
PACKAGES = sorted([ROOT, *(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))])


def numbers():
    names = (path.read_text(encoding="utf-8") for folder in FOLDERS for path in (ROOT / folder).rglob("test_*.py"))
    return {int(number) for text in names for number in re.findall(r"^def test_defect_(\d\d)_", text, re.MULTILINE)}


def test_every_defect_has_a_test_that_is_named_after_it():
    assert numbers() == set(NUMBERS)


def test_defect_24_no_version_is_told_but_that_of_the_distribution():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert importlib.metadata.version("isekai-core") == declared
    said = [path for path in (ROOT / "isekai_core").rglob("*.py") if "__version__ =" in path.read_text("utf-8")]
    assert said == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_defect_24_there_is_one_licence_and_it_is_the_same_everywhere(package):
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "MIT"
    assert (package / "LICENSE").read_text(encoding="utf-8") == (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert (package / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    others = re.compile(r"\b(BSD|Apache|GPL|Licen[sc]e ::)")
    assert [one for one in project.get("classifiers", []) if others.search(one)] == []
    assert not others.search((package / "README.md").read_text(encoding="utf-8"))


def test_defect_24_each_class_of_slices_is_written_once():
    homes = {}
    for path in (ROOT / "isekai_core").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name in {*isekai_core.slicing.__all__, "SlicePlan", "TablePlan"}:
                homes.setdefault(node.name, []).append(path.name)
    assert homes == {
        "DataSlicer": ["slicer.py"], "ImportJob": ["job.py"], "Importer": ["importer.py"],
        "SlicePlan": ["slices.py"], "TablePlan": ["slices.py"],
    }  # fmt: skip
    assert isekai_core.slicing.DataSlicer is DataSlicer
