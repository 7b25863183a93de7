"""`cli/status.py`: how all pipelines stand, and one in detail."""

import json
import os

import pytest
from django.utils import timezone
from testapp.pipelines import Thing

from isekai_core import Pipeline, run
from isekai_core.cli.main import main
from isekai_core.models import Resource, Run


def isekai(capsys, *arguments):
    assert main(arguments) == 0
    return capsys.readouterr().out


def rows(out, first):
    """The table whose head begins with `first`: a list of cells for each line."""
    lines = out.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith(first))
    table = lines[start:]
    return [line.split() for line in table[: table.index("") if "" in table else None]]


# All pipelines


def test_every_pipeline_has_a_line_with_its_states_and_its_last_run(shelf, capsys):
    run("shelf")
    run(Pipeline("old"))
    head, old, line = rows(isekai(capsys, "status"), "Pipeline")
    assert head == [
        "Pipeline",
        "resources",
        "ready",
        "running",
        "waiting",
        "blocked",
        "failed",
        "skipped",
        "done",
        "last",
        "run",
    ]
    assert old[:3] == ["old", ".", "."]
    assert line[:9] == ["shelf", "10", ".", ".", ".", "2", "3", "1", "4"]
    assert line[-1] == "finished"


def test_a_pipeline_that_was_never_run_is_there_too(well, capsys):
    assert rows(isekai(capsys, "status"), "Pipeline")[1] == ["shelf", *8 * ".", "never"]


def test_a_place_that_cannot_be_read_is_remarked(well, capsys, tmp_path):
    (tmp_path / "isekai.toml").write_text("[pipelines.bad]\nseeder = []\n")
    assert main(["status"]) == 0
    printed = capsys.readouterr()
    assert "shelf" in printed.out
    assert "pipelines.bad.seeder is unknown" in printed.err


def test_all_pipelines_as_json(shelf, capsys):
    result = run("shelf")
    run(Pipeline("old"))
    document = json.loads(isekai(capsys, "status", "--json"))
    old, one = document["pipelines"]
    assert document["schema"] == 1
    assert (old["pipeline"], old["defined"], old["resources"]) == ("old", False, 0)
    assert (one["pipeline"], one["defined"], one["resources"]) == ("shelf", True, 10)
    assert one["states"]["failed"] == 3
    assert (one["last_run"]["run"], one["last_run"]["outcome"]) == (result.run, "finished")


@pytest.mark.parametrize("arguments", [["status"], ["status", "shelf"], ["show", "thing:x"], ["errors", "shelf"]])
@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_project_without_time_zones_is_told_the_same(well, settings, capsys, arguments, as_json):
    settings.USE_TZ = False
    well["x"] = Thing(None)
    run("shelf", until="seed")
    Resource.objects.filter(key="thing:x").update(
        state="retry_wait", error_stage="extract", error_class="TemporaryError", next_attempt_at=timezone.now()
    )
    Run.objects.create(pipeline="shelf", host="elsewhere", pid=4711, heartbeat_at=timezone.now())
    assert f"{timezone.now():%Y-%m-%d}" in isekai(capsys, *arguments, *as_json)


# One pipeline


def test_stages_and_states_are_a_table(shelf, capsys):
    run("shelf")
    out = isekai(capsys, "status", "shelf")
    assert out.startswith("shelf: 10 resources\n\nCompleted stage ")
    assert rows(out, "Completed") == [
        ["Completed", "stage", "blocked", "failed", "skipped", "done", "total"],
        ["seeded", ".", "2", ".", ".", "2"],
        ["extracted", ".", ".", ".", ".", "."],
        ["mined", ".", "1", "1", ".", "2"],
        ["transformed", "2", ".", ".", ".", "2"],
        ["loaded", ".", ".", ".", "4", "4"],
    ]


def test_the_last_runs_are_told_with_when_how_long_and_who(well, capsys):
    first, second = run("shelf").run, run("shelf").run
    head, *told = rows(isekai(capsys, "status", "shelf"), "Run")
    assert head == ["Run", "seconds", "outcome", "who"]
    assert [line[0] for line in told] == [str(second), str(first)]
    assert all(line[4:7] == ["finished", "process", str(os.getpid())] for line in told)


def test_what_the_last_run_cost_is_told_with_the_slowest_stage_first(shelf, capsys):
    run("shelf")
    head, *costs = rows(isekai(capsys, "status", "shelf"), "Stage")
    assert head == ["Stage", "resources", "seconds", "ms", "each"]
    assert {line[0] for line in costs} == {"seed", "extract", "mine", "transform", "load"}
    spent = [float(line[2]) for line in costs]
    assert spent == sorted(spent, reverse=True)


def test_failures_are_told_by_cause(shelf, capsys):
    run("shelf")
    out = isekai(capsys, "status", "shelf")
    assert "2 failed in extract by testapp.pipelines.fetch, ExtractError" in out
    assert "2 blocked: 1 resource that they need is failed" in out
    assert out.endswith("more of them: isekai errors shelf\n")


def test_without_failures_that_is_said(well, capsys):
    run("shelf")
    assert isekai(capsys, "status", "shelf").endswith("\nnothing is failed, blocked or waiting for another try\n")


def test_a_seeder_that_failed_is_told(well, capsys):
    well["stop"] = RuntimeError("no more")
    run("shelf")
    out = isekai(capsys, "status", "shelf")
    assert "The last run's seeders ended early:\n  testapp.pipelines.names, RuntimeError\n        no more\n" in out


def test_a_pipeline_that_was_never_run_says_how_to(well, capsys):
    assert "never run; isekai run shelf" in isekai(capsys, "status", "shelf")


@pytest.mark.parametrize(
    ("host", "heartbeat", "said"),
    [
        ("elsewhere", "now", "process 4711 on elsewhere is at work, its last sign of life was at "),
        ("elsewhere", "2020-01-01T00:00:00Z", "process 4711 on elsewhere is gone, its last sign of life was at 2020"),
    ],
)
def test_a_run_that_is_not_finished_names_its_process_and_whether_it_lives(well, capsys, host, heartbeat, said):
    given = timezone.now() if heartbeat == "now" else heartbeat
    row = Run.objects.create(pipeline="shelf", host=host, pid=4711, heartbeat_at=given)
    out = isekai(capsys, "status", "shelf")
    assert f"run {row.pk} is not finished: {said}" in out
    assert ("isekai run shelf goes on where it was" in out) == (heartbeat != "now")


def test_waiting_resources_are_called_so_and_tell_when_they_are_tried(well, capsys):
    well["x"] = Thing(None)
    run("shelf", until="seed")
    due = timezone.now()
    Resource.objects.filter(key="thing:x").update(
        state="retry_wait", cause="0123abcd", error_stage="extract", error_class="TemporaryError", next_attempt_at=due
    )
    out = isekai(capsys, "status", "shelf")
    assert rows(out, "Completed")[0] == ["Completed", "stage", "ready", "waiting", "total"]
    assert f"0123  1 waiting for another try (the first at {due:%Y-%m-%d %H:%M:%S}) in extract, TemporaryError" in out


def test_one_pipeline_as_json(shelf, capsys):
    result = run("shelf")
    document = json.loads(isekai(capsys, "status", "shelf", "--json"))
    assert (document["schema"], document["pipeline"], document["resources"]) == (1, "shelf", 10)
    assert document["stages"]["mined"] == {
        "ready": 0,
        "running": 0,
        "retry_wait": 0,
        "blocked": 0,
        "failed": 1,
        "skipped": 1,
        "done": 0,
    }
    assert [one["run"] for one in document["runs"]] == [result.run]
    assert document["last_report"]["stages"]["extract"]["outcomes"] == {"done": 8, "failed": 2}
    assert document["last_report"]["models"]["testapp.Author"] == {"created": 1}
    assert [cause["number"] for cause in document["causes"]] == [2, 1, 2]
    assert document["seed_errors"] == []


def test_a_name_that_nobody_knows_ends_with_2(well, capsys):
    assert main(["status", "nope"]) == 2
    assert "there is no pipeline 'nope'" in capsys.readouterr().err
