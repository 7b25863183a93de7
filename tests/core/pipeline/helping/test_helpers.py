"""Helpers, as seen by the process that runs the pipeline. What they do together is in `tests/together`."""

from dataclasses import replace

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from isekai_core import run
from isekai_core.errors import ConfigurationError
from isekai_core.models import Run
from isekai_core.pipeline import lease
from isekai_core.pipeline.composing.compose import compose
from isekai_core.pipeline.composing.discover import find
from isekai_core.pipeline.helping import helpers as module
from isekai_core.pipeline.helping.helpers import helpers
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


def test_inside_a_transaction_that_others_do_not_see_a_run_has_one_process_only(well):
    with transaction.atomic():
        told = refused()
    assert told.endswith("they would not see what the transaction that this is in has not committed")


def test_settings_that_no_other_process_can_import_are_told(well, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    assert refused().endswith("they need DJANGO_SETTINGS_MODULE, and this one was set up without it")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite")
@pytest.mark.parametrize(
    ("options", "in_memory", "told"),
    [
        ({"transaction_mode": None}, False, "in DATABASES['default'] for that"),
        ({}, False, 'SQLite needs "OPTIONS": {"transaction_mode": "IMMEDIATE"}'),
        ({"transaction_mode": "immediate"}, True, "its database is in the memory of this one"),
    ],
)
def test_an_sqlite_that_cannot_be_shared_is_told(options, in_memory, told, well, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
    monkeypatch.setattr(connection, "is_in_memory_db", lambda: in_memory)
    assert told in refused()


@pytest.mark.parametrize("processes", [0, -1])
def test_a_run_has_at_least_one_process(processes, well):
    with pytest.raises(ValueError, match=f"processes is 1 or more, got {processes}"):
        run("shelf", processes=processes)


@pytest.fixture
def helped(well, said):
    """Runs one helper for a composed pipeline until it ends by itself; what was said meanwhile."""
    row = lease.acquire("shelf", said)

    def ended(composed):
        with helpers(Journal(composed, row, processes=2), Tally(said), Stage.SEEDED, Stage.TRANSFORMED):
            pass
        return said.lines

    yield ended
    lease.leave(row)


def test_a_helper_that_is_not_needed_ends_without_a_word(helped):
    assert helped(compose(find("shelf"))) == []


def test_a_helper_that_does_not_find_the_pipeline_says_so(helped):
    (told,) = helped(replace(compose(find("shelf")), name="gone"))
    assert told.startswith("process 2 of 2 cannot go on: there is no pipeline 'gone'")
    assert told.endswith("; the run goes on without it")


def test_a_helper_that_finds_another_pipeline_says_so(helped):
    shelf = compose(find("shelf"))
    (told,) = helped(replace(shelf, processors=shelf.processors | {"miner": ()}))
    assert "cannot go on: what it finds by the name 'shelf' is another pipeline" in told


def test_a_helper_that_cannot_even_start_does_not_hold_up_the_run(well, monkeypatch, capfd):
    monkeypatch.setattr(module, "_START", "import sys; sys.exit('no memory')")
    assert run("shelf", processes=2).is_complete
    assert capfd.readouterr().err == "no memory\n"


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
