"""`cli/run.py` and what it says at the end: summary, failures, next command, exit status."""

import io
import json
import os
import signal
import socket
import threading

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from testapp import pipelines
from testapp.models import Article
from testapp.pipelines import Thing, article, author

from isekai_core.cli.main import main
from isekai_core.models import Resource, Run


def isekai(capsys, *arguments):
    """The exit status, and what was printed on standard output."""
    status = main(arguments)
    return status, capsys.readouterr().out


def cells(line):
    return line.split()


# The summary


def test_a_run_tells_what_it_did_per_stage_and_per_model(well, capsys):
    status, out = isekai(capsys, "run", "shelf")
    lines = out.splitlines()
    assert status == 0
    assert cells(lines[0]) == ["Stage", "done", "seconds"]
    assert [cells(line)[0] for line in lines[1:6]] == ["seed", "extract", "mine", "transform", "load"]
    assert [cells(line)[1] for line in lines[1:4]] == ["3", "3", "3"]
    assert cells(lines[7]) == ["Model", "created", "relinked"]
    assert [cells(line) for line in lines[8:10]] == [["testapp.Article", "2", "2"], ["testapp.Author", "1", "."]]
    assert lines[11].startswith("3 rows created, 2 relinked; run ")
    assert lines[12:] == []


def test_numbers_stand_in_columns(shelf, capsys):
    _, out = isekai(capsys, "run", "shelf")
    header, *rows = out.split("\n\n", maxsplit=1)[0].splitlines()
    ends = [header.index(name) + len(name) for name in ("done", "failed", "blocked", "skipped", "seconds")]
    assert all(row[end - 1] != " " and (len(row) == end or row[end] == " ") for row in rows for end in ends)


def test_a_second_run_says_that_there_was_nothing_to_do(well, capsys):
    isekai(capsys, "run", "shelf")
    status, out = isekai(capsys, "run", "shelf")
    assert status == 0
    assert "nothing to do: no seed is new or changed, and 3 resources are done; run " in out
    assert "Model" not in out


def test_a_refresh_that_finds_everything_as_it_was_says_so(well, capsys):
    isekai(capsys, "run", "shelf")
    _, out = isekai(capsys, "run", "shelf", "--refresh")
    assert "nothing changed: 3 resources looked at again, all as they were; run " in out


def test_a_refresh_tells_what_changed(well, capsys):
    isekai(capsys, "run", "shelf")
    well["a"].spec = article("a", "ada", "new")
    well["a"].text = "another text"
    _, out = isekai(capsys, "run", "shelf", "--refresh")
    assert "1 row updated; run " in out
    assert Article.objects.get(slug="a").body == "new"


def test_stages_that_were_done_again_to_the_same_end_are_told_apart(well, capsys):
    isekai(capsys, "run", "shelf")
    _, out = isekai(capsys, "run", "shelf", "--from", "transform")
    assert "no row changed; run " in out
    assert ["transform", "3"] in [cells(line)[:2] for line in out.splitlines()]


def test_a_source_without_anything_says_so(well, capsys):
    well.clear()
    status, out = isekai(capsys, "run", "shelf")
    assert status == 0
    assert "\nnothing to do: the seeders gave nothing; run " in f"\n{out}"


def test_a_run_that_stops_early_says_what_is_left_and_how_to_go_on(well, capsys):
    status, out = isekai(capsys, "run", "shelf", "--until", "transform")
    assert status == 0
    assert "3 resources are not finished; isekai run shelf goes on with them" in out
    assert not Article.objects.exists()
    isekai(capsys, "run", "shelf")
    assert Article.objects.count() == 2


# Failures


def test_failures_are_told_by_cause_with_key_processor_reason_and_the_next_command(shelf, capsys):
    status, out = isekai(capsys, "run", "shelf")
    assert status == 1
    ghost, wild = (Resource.objects.get(key=f"thing:{name}").cause[:4] for name in ("ghost", "wild"))
    expected = f"""
3 failed and 2 blocked:
  {ghost}  2 failed in extract by testapp.pipelines.fetch, ExtractError
        thing:ghost
          the source has no 'ghost'
        thing:gone
          the source has no 'gone'
  {wild}  1 failed in transform by testapp.pipelines.become, ZeroDivisionError
        one by nought
          thing:wild
  {ghost}  2 blocked: 1 resource that they need is failed
        thing:ghost
          the source has no 'ghost'
        so these are blocked
          thing:c
          thing:d

all of them: isekai errors shelf; to try them again: isekai retry shelf, then isekai run shelf
"""
    assert out.endswith(expected)


def test_failures_of_earlier_runs_are_told_again_and_count(shelf, capsys):
    isekai(capsys, "run", "shelf")
    status, out = isekai(capsys, "run", "shelf")
    assert status == 1
    assert "nothing to do: no seed is new or changed, and 4 resources are done" in out
    assert "3 failed and 2 blocked, as after an earlier run:" in out


def test_of_many_resources_and_causes_some_are_told(well, capsys):
    for number in range(7):
        error = ValueError("kind " + "x" * (number + 1))
        well.update({f"{number}.{index}": Thing(error) for index in range(5)})
    _, out = isekai(capsys, "run", "shelf")
    assert "35 failed:" in out
    assert out.count("5 failed in transform") == 5
    assert out.count("… and 2 more") == 5
    assert "  … and 2 causes more" in out


def test_a_seeder_that_fails_is_told_and_counts(well, capsys):
    well["stop"] = RuntimeError("no more")
    status, out = isekai(capsys, "run", "shelf")
    assert status == 1
    assert "1 error of seeders; what they gave before is kept:\n  testapp.pipelines.names, RuntimeError\n" in out
    assert "        no more\n" in out
    assert "3 rows created" in out


def test_what_a_page_says_cannot_steer_the_terminal(well, capsys):
    well["a"].spec = ValueError("\x1b[2Jcleared\x07\u202e")
    _, out = isekai(capsys, "run", "shelf")
    assert "\\x1b[2Jcleared\\x07\\u202e" in out
    assert "\x1b" not in out


# Options


def test_json_is_one_document_with_every_key(shelf, capsys):
    status, out = isekai(capsys, "run", "shelf", "--json")
    document = json.loads(out)
    assert status == 1
    assert (document["schema"], document["pipeline"], document["complete"], document["changed"]) == (
        1,
        "shelf",
        False,
        6,
    )
    assert list(document["stages"]) == ["seed", "extract", "mine", "transform", "load"]
    outcomes = ["done", "changed", "unchanged", "failed", "blocked", "skipped", "retry", "seconds"]
    assert all(list(counts) == outcomes for counts in document["stages"].values())
    assert (document["stages"]["extract"]["done"], document["stages"]["extract"]["failed"]) == (8, 2)
    assert document["models"]["testapp.Author"] == {"created": 1, "updated": 0, "unchanged": 0, "relinked": 0}
    assert document["resources"] == {
        "ready": 0,
        "running": 0,
        "retry_wait": 0,
        "blocked": 2,
        "failed": 3,
        "skipped": 1,
        "done": 4,
    }
    assert [(cause["state"], cause["number"]) for cause in document["causes"]] == [
        ("failed", 2),
        ("failed", 1),
        ("blocked", 2),
    ]
    assert document["seed_errors"] == []


def test_what_a_processor_prints_is_not_in_the_way_of_json(well, capfd, monkeypatch):
    fetch = pipelines.fetch.extract

    def noisy(resource):
        print("fetching")
        # As a library in C does it, or a process that was started.
        os.write(1, b"below\n")
        return fetch(resource)

    monkeypatch.setattr(pipelines.fetch, "extract", noisy)
    main(["run", "shelf", "--json"])
    printed = capfd.readouterr()
    assert json.loads(printed.out)["complete"] is True
    assert (printed.err.count("fetching"), printed.err.count("below")) == (3, 3)


def test_quiet_says_nothing_when_all_is_well(well, capsys):
    assert main(["run", "shelf", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_quiet_still_says_what_went_wrong(shelf, capsys):
    status, out = isekai(capsys, "run", "shelf", "--quiet")
    assert status == 1
    assert out.startswith("3 failed and 2 blocked:\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "load", "--until", "mine"], "--from load is after --until mine"),
        (["--refresh", "--from", "transform"], "--refresh looks at every source again, --from transform at none"),
        (["--until", "loaded"], "argument --until: invalid choice: 'loaded'"),
    ],
)
def test_what_contradicts_itself_is_refused_before_anything_is_done(well, capsys, arguments, message):
    assert main(["run", "shelf", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not Run.objects.exists()


def test_a_pipeline_that_is_not_there_ends_with_2(well, capsys):
    assert main(["run", "shlef"]) == 2
    assert capsys.readouterr().err == (
        "isekai: there is no pipeline 'shlef' (did you mean 'shelf'?); pipelines found: shelf\n"
    )


def test_a_pipeline_that_cannot_be_composed_ends_with_2(db, tmp_path, capsys):
    (tmp_path / "isekai.toml").write_text('[pipelines.keys]\nseeders = [{ use = "csv", paht = "k.csv" }]\n')
    assert main(["run", "keys"]) == 2
    assert "pipelines.keys.seeders[0].paht: unknown option (did you mean 'path'?)" in capsys.readouterr().err


# Another process


@pytest.fixture
def holder(well):
    """Another process that runs the pipeline, somewhere else."""
    return Run.objects.create(pipeline="shelf", host="elsewhere", pid=4711, heartbeat_at=timezone.now())


def test_no_wait_ends_with_1_and_names_who_runs_it(holder, capsys):
    assert main(["run", "shelf", "--no-wait"]) == 1
    assert "isekai: shelf is being run by process 4711 on elsewhere since 20" in capsys.readouterr().err
    assert not Resource.objects.exists()


def test_waiting_is_said_even_without_a_terminal(holder, capsys, monkeypatch):
    """Somebody must know why nothing happens; the other process ends while this one waits."""
    asked = []

    def pause(seconds):
        asked.append(seconds)
        Run.objects.filter(pk=holder.pk).update(finished_at=timezone.now(), outcome="finished")

    monkeypatch.setattr("isekai_core.pipeline.lease.time.sleep", pause)
    assert main(["run", "shelf"]) == 0
    assert "process 4711 on elsewhere" in capsys.readouterr().err
    assert len(asked) == 1


@pytest.fixture
def interruptible():
    """A process that was started in the background ignores interrupts, and so would what it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_what_is_done_and_the_same_command_goes_on(
    well, capsys, monkeypatch, interruptible, sent, status
):
    transform = pipelines.become.transform

    def interrupt(resource):
        os.kill(os.getpid(), sent)
        return transform(resource)

    monkeypatch.setattr(pipelines.become, "transform", interrupt)
    assert main(["run", "shelf"]) == status
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert not Resource.objects.exclude(lease_owner="").exists()
    assert "interrupted; the same command goes on where it was" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setattr(pipelines, "SOURCE", well)
    assert main(["run", "shelf"]) == 0
    assert Article.objects.count() == 2
    assert Run.objects.order_by("pk").first().outcome == "stopped"


def test_whoever_handles_sigterm_goes_on_handling_it(well, capsys, monkeypatch):
    told = []
    transform = pipelines.become.transform

    def end(resource):
        os.kill(os.getpid(), signal.SIGTERM)
        return transform(resource)

    monkeypatch.setattr(pipelines.become, "transform", end)
    before = signal.signal(signal.SIGTERM, lambda *_: told.append("asked to end"))
    try:
        assert main(["run", "shelf"]) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert set(told) == {"asked to end"}


def test_a_run_in_a_thread_needs_no_signals(well):
    statuses = []
    thread = threading.Thread(target=lambda: statuses.append(_in_thread()))
    thread.start()
    thread.join()
    assert statuses == [0]


def _in_thread():
    try:
        return main(["run", "shelf"])
    finally:
        connections.close_all()


def test_manage_py_says_the_same(well):
    out = io.StringIO()
    call_command("isekai", "run", "shelf", stdout=out)
    assert "3 rows created, 2 relinked" in out.getvalue()
    assert Run.objects.get().host == socket.gethostname()


def test_a_resource_that_becomes_well_by_a_retry_is_told_by_the_next_run(shelf, capsys):
    isekai(capsys, "run", "shelf")
    shelf["ghost"] = Thing(author("ghost"))
    assert main(["retry", "shelf"]) == 0
    _, out = isekai(capsys, "run", "shelf")
    assert "3 rows created" in out
    assert "2 failed:" in out
