"""`cli/costs.py`: `isekai status --by`, what each plugin or processor cost, for people and for machines."""

import json

import pytest

from isekai_core import Pipeline, run
from isekai_core.cli.main import main
from isekai_core.models import Run


def isekai(capsys, *arguments):
    assert main(arguments) == 0
    return capsys.readouterr().out


def table(out):
    """The lines of the table, split at two spaces and more."""
    part = out.split("\n\n")[1]
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in part.splitlines()]


def without_figures(run):
    """As a version wrote it that did not count what processors cost."""
    report = Run.objects.get(pk=run).report
    del report["processors"]
    Run.objects.filter(pk=run).update(report=report)


def test_each_plugin_has_a_line_with_what_it_did_and_cost(shelf, capsys):
    result = run("shelf")
    looked_at = sum(sum(result.stages[stage].values()) for stage in ("seed", "extract", "mine", "transform"))
    out = isekai(capsys, "status", "shelf", "--by", "plugin")
    assert out.startswith("shelf: what each plugin cost in 1 run of ")
    head, *lines = table(out)
    assert head == ["Plugin", "version", "stages", "resources", "seconds", "ms each", "rows", "errors"]
    core = next(line for line in lines if line[0] == "isekai-core")
    own = next(line for line in lines if line[0] == "(project)")
    assert core[1:4] == ["0.1.0", "load", "4"]
    assert core[-2:] == ["6", "."]
    assert own[1:3] == ["seed, extract, mine, transform", str(looked_at)]
    assert own[-2:] == [".", "3"]


def test_each_processor_has_a_line_and_the_slowest_is_the_first(shelf, capsys):
    run("shelf")
    head, *lines = table(isekai(capsys, "status", "shelf", "--by", "processor"))
    assert head[0] == "Processor"
    assert {line[0] for line in lines} == {
        "isekai-core/models",
        *(f"testapp.pipelines.{name}" for name in ("names", "fetch", "links", "become")),
    }
    assert next(line for line in lines if line[0] == "testapp.pipelines.fetch")[1:4] == ["1", "extract", "10"]
    spent = [float(line[4]) for line in lines]
    assert spent == sorted(spent, reverse=True)


def test_without_a_name_the_costs_are_those_of_all_pipelines(shelf, capsys):
    run("shelf")
    run(Pipeline("other"))
    assert isekai(capsys, "status", "--by", "plugin").startswith("all pipelines: what each plugin cost in 2 runs of ")
    document = json.loads(isekai(capsys, "status", "--by", "plugin", "--json"))
    assert (document["pipeline"], document["runs"]) == (None, 2)


def test_of_one_run_only_its_costs_are_told(shelf, capsys):
    first = run("shelf").run
    run("shelf")
    out = isekai(capsys, "status", "shelf", "--by", "processor", "--run", str(first))
    assert out.startswith(f"shelf: what each processor cost in run {first} of ")
    document = json.loads(isekai(capsys, "status", "shelf", "--by", "processor", "--run", str(first), "--json"))
    seeder = next(cost for cost in document["costs"] if cost["stages"] == ["seed"])
    assert (document["run"], document["runs"], seeder["resources"]) == (first, 1, 7)


def test_json_has_a_schema_and_every_figure(shelf, capsys):
    run("shelf")
    document = json.loads(isekai(capsys, "status", "shelf", "--by", "processor", "--json"))
    assert list(document) == [
        "schema",
        "by",
        "pipeline",
        "run",
        "runs",
        "runs_without_figures",
        "run_seconds",
        "costs",
    ]
    assert (document["schema"], document["by"], document["pipeline"]) == (1, "processor", "shelf")
    loader = next(cost for cost in document["costs"] if cost["processor"] == "isekai-core/models")
    assert list(loader) == [
        "processor",
        "plugin",
        "version",
        "stages",
        "resources",
        "seconds",
        "milliseconds_each",
        "rows",
        "errors",
    ]
    assert (loader["plugin"], loader["stages"], loader["resources"], loader["rows"]) == ("isekai-core", ["load"], 4, 6)
    assert loader["seconds"] > 0
    assert {cost["plugin"] for cost in document["costs"]} == {"isekai-core", "(project)"}


def test_json_by_plugin_has_no_processors(shelf, capsys):
    run("shelf")
    document = json.loads(isekai(capsys, "status", "shelf", "--by", "plugin", "--json"))
    assert not any("processor" in cost for cost in document["costs"])


def test_runs_without_figures_are_said_to_have_none(shelf, capsys):
    without_figures(run("shelf").run)
    run("shelf")
    out = isekai(capsys, "status", "shelf", "--by", "plugin")
    assert " in 1 run of " in out
    assert out.endswith("1 further run has no such figures: of an older version, not finished, or lost\n")


def test_where_no_run_has_figures_that_is_all_that_is_said(shelf, capsys):
    row = run("shelf").run
    without_figures(row)
    assert isekai(capsys, "status", "shelf", "--by", "plugin") == (
        "the only run has no figures of processors: of an older version, not finished, or lost; isekai run shelf\n"
    )
    assert isekai(capsys, "status", "--by", "plugin", "--run", str(row)) == (
        f"run {row} has no figures of processors: of an older version, not finished, or lost\n"
    )


def test_a_pipeline_that_was_never_run_says_how_to(well, capsys):
    told = "there is no run yet that has figures of processors; isekai run shelf\n"
    assert isekai(capsys, "status", "shelf", "--by", "plugin") == told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope", "--by", "plugin"], "there is no pipeline 'nope'"),
        (["shelf", "--by", "plugin", "--run", "999"], "pipeline 'shelf' has no run 999; the last ones: "),
        (["shelf", "--run", "1"], "--run 1 says of which run the costs are shown: add --by plugin"),
        (["shelf", "--by", "stage"], "invalid choice: 'stage'"),
        (["shelf", "--by", "plugin", "--run", "last"], "invalid int value: 'last'"),
    ],
)
def test_what_cannot_be_shown_ends_with_2(well, capsys, arguments, said):
    run("shelf")
    assert main(["status", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_name_that_could_steer_the_terminal_cannot(well, capsys):
    row = run("shelf").run
    report = Run.objects.get(pk=row).report
    report["processors"][0] |= {"plugin": "\x1b[2J", "version": "\x1b[2J"}
    Run.objects.filter(pk=row).update(report=report)
    assert "\x1b" not in isekai(capsys, "status", "shelf", "--by", "plugin")
