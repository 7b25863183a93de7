"""`pipeline/composing/check.py`: all that is wrong with a pipeline at once, each with its path."""

import sys

import pytest
from testapp.pipelines import become, fetch, shelf

from isekai_core import Pipeline, use
from isekai_core.pipeline.composing.check import problems_of
from isekai_core.plugins.registry import registry

PLUGIN = """
from dataclasses import dataclass

from isekai_core import hookimpl

@dataclass
class Fields:
    model: str
    fields: dict[str, str]
    match: list[str]

    accepts = ("*",)

    def transform(self, resource):
        return None

@hookimpl
def isekai_register_transformers(register):
    register("fields", Fields)
"""


@pytest.fixture
def fields(tmp_path, monkeypatch):
    """`use("fields", …)` of a plugin that is installed for the test."""
    metadata = tmp_path / "acme_fields-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: acme-fields\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[isekai]\nacme-fields = acme_fields\n")
    (tmp_path / "acme_fields.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.cache_clear()
    right = {"model": "testapp.Author", "fields": {"name": "h1"}, "match": ["slug"]}
    yield lambda **options: use("fields", **right | options)
    registry.cache_clear()
    sys.modules.pop("acme_fields", None)


def problems(**processors):
    return problems_of(Pipeline("blog", **processors))


def test_a_pipeline_that_is_well_has_no_problems(fields):
    assert problems_of(shelf) == []
    assert problems(transformers=[become, fields()]) == []


def test_every_processor_that_is_wrong_is_told_with_its_path():
    found = problems(
        seeders=[use("csv", paht="a.csv"), use("csv", path="a.csv"), "nothing"], extractors=[fetch, "fiel"]
    )
    assert [problem.partition(":")[0] for problem in found] == [
        "pipelines.blog.seeders[0].paht",
        "pipelines.blog.seeders[2]",
        "pipelines.blog.extractors[1]",
    ]
    assert "did you mean 'path'" in found[0]


def test_an_object_that_is_no_processor_is_told():
    class Miner:
        def mine(self, resource):
            return []

    (problem,) = problems(miners=[Miner()])
    assert problem.startswith("pipelines.blog.miners[0]: ")
    assert "accepts" in problem


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"model": "testapp.Autor"}, "[0].model: there is no model 'testapp.Autor' (did you mean 'testapp.Author'?)"),
        ({"model": "Author"}, "[0].model: expected app_label.ModelName, got 'Author'"),
        ({"fields": {"nam": "h1"}}, "[0].fields: testapp.Author has no field 'nam' to fill (did you mean 'name'?)"),
        ({"match": ["slgu"]}, "[0].match: testapp.Author has no field 'slgu' to fill (did you mean 'slug'?)"),
    ],
)
def test_a_model_or_a_field_that_is_not_there_is_told_with_its_option(fields, options, expected):
    (problem,) = problems(transformers=[fields(**options)])
    assert problem.startswith(f"pipelines.blog.transformers{expected}")


def test_several_fields_are_told_one_by_one(fields):
    assert len(problems(transformers=[fields(fields={"nam": "h1", "emial": "a", "name": "b"}, match=["x"])])) == 3


def test_a_requirement_that_cannot_be_read_is_one_problem_of_one_pipeline():
    found = problems_of(Pipeline("p", requires=["", "isekai-core"], seeders=["cvs"]))
    assert found[0].startswith("pipelines.p.requires[0]: expected a plugin's name and versions")
    assert found[1].startswith("pipelines.p.seeders[0]: there is no seeder 'cvs'")


def test_a_processor_that_exits_when_it_is_asked_hides_no_other():
    class Exits:
        @property
        def accepts(self):
            raise SystemExit(0)

        def mine(self, resource):
            return []

    found = problems_of(Pipeline("p", miners=[Exits()], extractors=["nobody"]))
    assert [problem.partition(":")[0] for problem in found] == ["pipelines.p.extractors[0]", "pipelines.p.miners[0]"]
    assert found[1].endswith("raises SystemExit: 0")


class Elsewhere:
    def db_for_write(self, model, **hints):
        return "other" if model._meta.label == "testapp.Author" else None


def test_a_model_in_another_database_than_the_journal_is_told_before_a_run(fields, settings):
    settings.DATABASE_ROUTERS = [Elsewhere()]
    (told,) = problems(transformers=[fields()])
    assert told.startswith("pipelines.blog.transformers[0].model: testapp.Author is in the database 'other'")


def test_what_is_wrong_with_the_project_is_no_mistake_of_a_processor(settings):
    settings.ISEKAI = {"BATCHSIZE": 3}
    (told,) = problems(transformers=[become])
    assert told.startswith("ISEKAI['BATCHSIZE'] is unknown")
