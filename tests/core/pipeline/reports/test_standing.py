"""`pipeline/reports/standing.py`: counts of stages and states, and what is known of runs."""

import datetime as dt

import pytest
from testapp.pipelines import Thing, article

from isekai_core import Pipeline, run
from isekai_core.errors import PipelineNotFound
from isekai_core.models import Run
from isekai_core.pipeline.reports.standing import (
    duration_of,
    last_report,
    last_runs,
    require_known,
    run_pipelines,
    seed_errors,
    stage_reports,
    standing_of,
    standings,
    state_of,
)
from isekai_core.types import Stage, State

NOW = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)


def unfinished(**values):
    return Run.objects.create(pipeline="shelf", **{"host": "elsewhere", "pid": 1, "heartbeat_at": NOW} | values)


def test_resources_are_counted_by_stage_and_state(shelf):
    run("shelf")
    standing = standing_of("shelf")
    assert dict(standing.counts) == {
        ("seeded", "failed"): 2,
        ("mined", "failed"): 1,
        ("mined", "skipped"): 1,
        ("transformed", "blocked"): 2,
        ("loaded", "done"): 4,
    }
    assert (standing.total, standing.of(State.FAILED, State.BLOCKED)) == (10, 5)
    assert standing.at(Stage.LOADED, State.DONE) == 4


def test_only_some_states_are_counted_when_only_they_are_asked_for(shelf):
    run("shelf")
    assert standing_of("shelf", State.BLOCKED).counts == {("transformed", "blocked"): 2}


def test_what_is_still_before_a_stage_is_unfinished_and_has_not_completed_it(well):
    run("shelf", until="mine")
    standing = standing_of("shelf")
    assert [standing.still_before(verb) for verb in ("seed", "extract", "mine", "transform", "load")] == [0, 0, 0, 3, 3]


def test_every_pipeline_of_the_database_has_a_standing_with_or_without_resources(shelf):
    run("shelf")
    run(Pipeline("empty"))
    found = standings()
    assert list(found) == run_pipelines() == ["empty", "shelf"]
    assert (found["empty"].total, found["shelf"].total) == (0, 10)


def test_a_name_is_known_when_it_is_defined_or_in_the_database(well):
    run(Pipeline("forgotten"))
    require_known("shelf")
    require_known("forgotten")
    with pytest.raises(PipelineNotFound, match=r"did you mean 'forgotten'.*pipelines found: forgotten, shelf"):
        require_known("forgoten")


def test_runs_are_told_from_the_newest_with_their_duration(well):
    first, second = run("shelf").run, run("shelf").run
    runs = last_runs("shelf")
    assert [row.pk for row in runs] == [second, first]
    assert duration_of(runs[0]) >= dt.timedelta(0)
    assert last_runs("shelf", 1) == runs[:1]
    assert [state_of(row) for row in runs] == ["finished", "finished"]


def test_an_unfinished_run_says_whether_its_process_lives(well):
    row = unfinished()
    assert (state_of(row), duration_of(row)) == ("process gone", None)
    row.heartbeat_at = dt.datetime.now(dt.UTC)
    assert state_of(row) == "running"


def test_a_run_reports_what_its_stages_did_and_cost(shelf):
    run("shelf")
    reports = {report.stage: report for report in stage_reports(last_report("shelf"))}
    assert list(reports) == ["seed", "extract", "mine", "transform", "load"]
    assert (reports["extract"].outcomes, reports["extract"].resources) == ({"done": 8, "failed": 2}, 10)
    assert reports["load"].seconds > 0
    assert reports["load"].milliseconds_each == reports["load"].seconds / reports["load"].resources * 1000


def test_a_run_under_way_has_no_report_and_hides_none(well):
    finished = run("shelf").run
    row = unfinished()
    assert stage_reports(row) == []
    assert last_report("shelf").pk == finished


def test_the_errors_of_seeders_are_those_of_the_last_run(well):
    well["stop"] = RuntimeError("no more")
    run("shelf")
    (error,) = seed_errors("shelf")
    assert (error["error_class"], error["message"]) == ("RuntimeError", "no more")
    del well["stop"]
    well["c"] = Thing(article("c"))
    run("shelf")
    assert seed_errors("shelf") == []
    assert seed_errors("another") == []
