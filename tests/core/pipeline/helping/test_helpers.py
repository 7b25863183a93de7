"""Helpers, as seen by the process that runs the pipeline. What they do together is in `tests/together`."""

import json
import logging
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections, transaction

from isekai_core import run
from isekai_core.errors import ConfigurationError
from isekai_core.models import Run
from isekai_core.pipeline import lease
from isekai_core.pipeline.composing.compose import compose
from isekai_core.pipeline.composing.discover import find
from isekai_core.pipeline.helping import helpers as module
from isekai_core.pipeline.helping.helpers import Helpers, helpers
from isekai_core.pipeline.journal import Journal
from isekai_core.pipeline.tally import Tally
from isekai_core.types import Stage

pytestmark = pytest.mark.django_db(transaction=True)


def refused(**options):
    with pytest.raises(ConfigurationError) as caught:
        run(options.pop("pipeline", "shelf"), processes=3, **options)
    assert not Run.objects.exists()
    return str(caught.value)


def test_a_run_by_two_processes_ends_as_one_by_one(well):
    together = run("shelf", processes=2)
    assert together.is_complete
    call_command("flush", interactive=False, verbosity=0)
    alone = run("shelf")
    assert (together.stages, together.models) == (alone.stages, alone.models)


def test_no_helper_is_started_for_a_run_that_has_no_use_for_one(well, monkeypatch):
    run("shelf", until="transform")
    monkeypatch.setattr(module, "_START", "not Python")
    assert run("shelf", processes=2, start="load").is_complete
    assert run("shelf", processes=2, until="seed").is_complete


def test_a_pipeline_that_others_cannot_find_by_its_name_is_run_by_one_process_only(world):
    told = refused(pipeline=world.pipeline())
    assert told.startswith("world cannot be run by 3 processes: there is no pipeline 'world'")


def test_another_pipeline_of_the_same_name_is_not_taken_for_the_one_that_is_found(world):
    told = refused(pipeline=world.pipeline("shelf"))
    assert told.endswith("processes: what is found by this name, as by another process, is another pipeline")


def test_a_pipeline_that_goes_to_another_depth_is_another_pipeline(well):
    told = refused(pipeline=replace(find("shelf"), max_depth=1))
    assert told.endswith("processes: what is found by this name, as by another process, is another pipeline")


def test_a_source_sees_no_more_connections_than_it_is_good_for(well, monkeypatch):
    class Polite:
        concurrency = 2

        async def extract(self, resource): ...

    shelf = compose(find("shelf"))
    (fetch,) = shelf["extractor"]
    polite = replace(shelf, processors=shelf.processors | {"extractor": (replace(fetch, object=Polite()),)})
    monkeypatch.setattr("isekai_core.pipeline.engine.compose", lambda _: polite)
    assert refused().endswith(f"{fetch.name} fetches 2 at once at most (its concurrency), which they share")
    # Where nothing is fetched, there may be more of them.
    assert run("shelf", processes=3, start="mine").is_complete
    assert run("shelf", processes=3, until="seed").is_complete


def test_inside_a_transaction_that_others_do_not_see_a_run_has_one_process_only(well):
    with transaction.atomic():
        told = refused()
    assert told.endswith("they would not see what the transaction that this is in has not committed")


def test_settings_that_no_other_process_can_import_are_told(well, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    assert refused().endswith("they need DJANGO_SETTINGS_MODULE, and this one was set up without it")


@pytest.mark.parametrize(
    ("options", "in_memory", "told"),
    [
        ({"transaction_mode": None}, False, "in DATABASES['default'] for that"),
        ({}, False, 'SQLite needs "OPTIONS": {"transaction_mode": "IMMEDIATE"}'),
        ({"transaction_mode": "immediate"}, True, "its database is in the memory of this one"),
    ],
)
def test_an_sqlite_that_cannot_be_shared_is_told(options, in_memory, told, well, monkeypatch):
    sqlite = connections["default"]
    monkeypatch.setattr(sqlite, "vendor", "sqlite")
    monkeypatch.setitem(sqlite.settings_dict, "OPTIONS", options)
    monkeypatch.setattr(sqlite, "is_in_memory_db", lambda: in_memory, raising=False)
    with pytest.raises(ConfigurationError) as caught:
        module.insist(compose(find("shelf")), 3, "default", fetches=True)
    assert told in str(caught.value)


@pytest.mark.parametrize("processes", [0, -1])
def test_a_run_has_at_least_one_process(processes, well):
    with pytest.raises(ValueError, match=f"processes is 1 or more, got {processes}"):
        run("shelf", processes=processes)


@pytest.fixture
def journal(well, said):
    """Of a run of `shelf` by two processes."""
    row = lease.acquire("shelf", said)
    yield Journal(compose(find("shelf")), row, processes=2)
    lease.leave(row)


@pytest.fixture
def helped(journal, said):
    """Runs one helper for a composed pipeline until it ends by itself; what was said meanwhile."""

    def ended(composed):
        journal.composed, journal.pipeline = composed, composed.name
        with helpers(journal, Tally(said), Stage.SEEDED, Stage.TRANSFORMED):
            pass
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("isekai-helper")]
        return said.lines

    return ended


def test_a_helper_that_is_not_needed_ends_without_a_word(helped):
    assert helped(compose(find("shelf"))) == []


def test_a_helper_whose_run_died_before_it_gave_an_order_ends_without_a_word(helped, monkeypatch, capfd):
    monkeypatch.setattr(module, "_write", lambda *_: None)
    assert helped(compose(find("shelf"))) == []
    assert capfd.readouterr().err == ""


def test_a_helper_imports_nothing_of_its_own_from_the_folder_where_the_run_was_started(helped, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise RuntimeError")
    monkeypatch.chdir(tmp_path)
    assert helped(compose(find("shelf"))) == []


def test_a_helper_that_does_not_find_the_pipeline_says_so(helped):
    (told,) = helped(replace(compose(find("shelf")), name="gone"))
    assert told.startswith("process 2 of 2 cannot go on: there is no pipeline 'gone'")


@pytest.mark.parametrize("other", [{"max_depth": 1}, {"processors": {}}])
def test_a_helper_that_finds_another_pipeline_says_so(other, helped):
    shelf = compose(find("shelf"))
    if "processors" in other:
        other = {"processors": shelf.processors | {"miner": ()}}
    (told,) = helped(replace(shelf, **other))
    assert "cannot go on: what it finds by the name 'shelf' is another pipeline" in told


def test_a_database_that_a_helper_cannot_use_is_told_in_a_line(journal, said, monkeypatch, capfd):
    monkeypatch.setitem(connections.settings["default"], "NAME", "/nowhere/at/all")
    with helpers(journal, Tally(said), Stage.SEEDED, Stage.TRANSFORMED) as crew:
        monkeypatch.undo()
        crew.begin()
    (told,) = said.lines
    assert told.startswith("process 2 of 2 cannot go on: OperationalError: ")
    assert capfd.readouterr().err == ""


def test_a_helper_that_ends_and_says_nothing_is_told_with_its_status(helped, monkeypatch):
    monkeypatch.setattr(module, "_START", "import sys; sys.exit(3)")
    assert helped(compose(find("shelf"))) == ["process 2 of 2 ended with status 3"]


def test_a_helper_that_hangs_is_killed_with_what_it_started(helped, monkeypatch):
    monkeypatch.setattr(module, "_LAST_SECONDS", 0.3)
    monkeypatch.setattr(module, "_START", "import os, time; os.fork(); time.sleep(60)")
    # What a helper started has its standard output, which is at an end when both are.
    assert helped(compose(find("shelf"))) == ["process 2 of 2 was ended by signal 9"]


def test_whoever_cannot_wait_for_a_helper_that_hangs_kills_it_at_once(helped, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_START", "import time; time.sleep(60)")
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            helped(compose(find("shelf")))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("isekai-helper")]


def test_a_helper_that_cannot_even_start_does_not_hold_up_the_run(well, monkeypatch, capfd, caplog):
    monkeypatch.setattr(module, "_START", "import sys; sys.exit('no memory')")
    with caplog.at_level(logging.WARNING, module.__name__):
        assert run("shelf", processes=2).is_complete
    assert capfd.readouterr().err == "no memory\n"
    # Nobody is there who would be told.
    assert caplog.messages == ["shelf: process 2 of 2 ended with status 1; the run goes on without it"]


def test_a_system_that_starts_no_more_processes_does_not_hold_up_the_run(well, said, monkeypatch, caplog):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert run("shelf", processes=2, progress=said).is_complete
    (told,) = said.lines
    assert told.startswith("process 2 of 2 cannot be started: [Errno 2]")
    assert told.endswith("; the run goes on without it")
    assert caplog.messages == []


def test_what_no_run_by_one_process_looks_at_is_in_nobodys_way(journal, said, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, Path("folder")])
    monkeypatch.setitem(connections.settings, "old", {"ENGINE": "driver.that.nobody.installed", "NAME": Path("old")})
    order = json.loads(json.dumps(Helpers(journal, Tally(said))._order(1)))
    assert order["path"] == sys.path[:-1]
    assert order["databases"]["old"] == "old"


def test_what_a_helper_says_is_counted_with_the_costs_of_its_processors(well):
    composed = compose(find("shelf"))
    (miner,) = composed["miner"]
    tally, other = Tally(), Tally()
    for one in (tally, other):
        one.count("mine", "failed")
        one.cost(miner, resources=2).seconds += 0.5
        one.count_error("mine", "failed", miner.name)
    other.models["testapp.Author"]["unchanged"] += 1
    tally.add(other.taken())
    assert (tally.stages["mine"], tally.models["testapp.Author"]) == ({"failed": 2}, {"unchanged": 1})
    cost = tally.costs["miner", miner.name]
    assert (cost.resources, cost.errors, cost.seconds) == (4, 2, 1.0)
    tally.add(other.taken())
    assert (cost.resources, cost.errors, tally.stages["mine"]["failed"]) == (4, 2, 2)
    other.count_error("mine", "failed", miner.name)
    assert other.costs["miner", miner.name].errors == 1
