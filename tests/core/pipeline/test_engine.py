"""The engine: what a run does, in which order, what it tells, and where it may be called from."""

import asyncio
import datetime as dt
import threading
import tracemalloc

import pytest
from django.db import connection, transaction
from django.utils import timezone
from testapp.models import Author, Node
from world import author, key, resource, states

from isekai_core import Payload, Pipeline, Seed, Spec, run, use
from isekai_core.errors import OptionError, PipelineNotFound, ProcessorNotFound
from isekai_core.models import Resource, Run, Step
from isekai_core.pipeline.definition import seeder, transformer


def test_what_a_run_did_is_returned_and_kept(world):
    world.add("a", author("a"))
    world.add("b", ValueError("no"))
    world.add("c", None)
    result = world.run()
    assert (result.pipeline, result.failed, result.blocked, result.seed_errors) == ("world", 1, 0, [])
    assert result.stages == {
        "seed": {"done": 3, "changed": 0, "unchanged": 0},
        "extract": {"done": 3},
        "mine": {"done": 3},
        "transform": {"done": 1, "failed": 1, "skipped": 1},
        "load": {"done": 1},
    }
    assert result.models == {"testapp.Author": {"created": 1}}
    assert (result.changed, result.is_complete) == (1, False)
    kept = Run.objects.get(pk=result.run)
    assert (kept.outcome, kept.report["models"], kept.report["stages"]) == ("finished", result.models, result.stages)
    assert kept.finished_at >= kept.started_at
    assert result.seconds > 0
    assert set(result.stage_seconds) <= {"seed", "extract", "mine", "transform", "load"}


def test_what_failed_in_an_earlier_run_is_still_told(world):
    world.add("a", ValueError("no"))
    world.run()
    later = world.run()
    assert (later.failed, later.is_complete, later.stages["transform"]) == (1, False, {})


@pytest.mark.parametrize("options", [{"start": "loading"}, {"until": "end"}, {"start": ""}])
def test_a_stage_that_does_not_exist_is_refused_before_anything_is_done(options, world):
    with pytest.raises(ValueError, match="is one of seed, extract, mine, transform, load, got"):
        world.run(**options)
    assert Run.objects.count() == 0


def test_a_project_without_time_zones_runs_and_runs_again(world, settings):
    settings.USE_TZ = False
    world.add("a", author("a"))
    world.add("b", author("b"))
    world.pages["b"] = [TimeoutError("soon"), "page b"]
    assert world.run().is_complete
    assert world.run(refresh=True).models == {"testapp.Author": {"unchanged": 2}}
    assert world.run(start="transform").is_complete
    assert Run.objects.last().finished_at.tzinfo is None


def test_a_start_after_the_end_is_refused(world):
    with pytest.raises(ValueError, match="start='load' comes after until='mine'"):
        world.run(start="load", until="mine")


def test_a_pipeline_that_cannot_be_composed_starts_nothing(transactional_db):
    with pytest.raises(ProcessorNotFound):
        run(Pipeline("broken", seeders=["no-such-seeder"]))
    with pytest.raises(OptionError, match=r"pipelines\.broken\.loaders\[0\]"):
        run(Pipeline("broken", loaders=[use("models", sav="each")]))
    with pytest.raises(PipelineNotFound, match="there is no pipeline 'nowhere'"):
        run("nowhere")
    assert Run.objects.count() == 0


@pytest.mark.parametrize(
    ("until", "stage"), [("seed", "seeded"), ("extract", "extracted"), ("mine", "mined"), ("transform", "transformed")]
)
def test_until_stops_after_a_stage_and_the_next_run_goes_on_without_doing_it_again(until, stage, world):
    for name in "ab":
        world.add(name, author(name))
    world.run(until=until)
    assert set(states().values()) == {(stage, "ready")}
    assert Author.objects.count() == 0
    assert world.run().is_complete
    assert (len(world.fetched), len(world.mined), len(world.transformed)) == (2, 2, 2)


def test_w6_a_second_load_updates_and_never_duplicates_whoever_asks(world):
    for name in "abc":
        world.add(name, author(name))
    world.run()
    Resource.objects.all().delete()
    result = world.run()
    assert Author.objects.count() == 3
    assert result.models == {"testapp.Author": {"unchanged": 3}}


def test_the_provenance_of_a_resource_is_in_its_steps(world):
    world.add("a", author("a"))
    world.run()
    row = resource("a")
    names = {stage: getattr(row, f"{stage}_step").processor for stage in ("seed", "extract", "transform", "load")}
    assert names["load"] == "isekai-core/models"
    assert names["seed"].endswith("seeds")
    assert names["extract"].endswith("extract")
    assert names["transform"].endswith("transform")
    assert row.mine_step.processor == "*"
    assert row.load_step.plugin == "isekai-core"
    assert Step.objects.filter(pipeline="world").count() == 6
    world.run(start="mine")
    assert Step.objects.count() == 6


# Where it may be called from


def test_a_run_works_under_a_running_event_loop_as_in_a_notebook(world):
    world.add("a", author("a"))
    threads = []

    class Here:
        accepts = ("thing",)
        version = "1"

        async def extract(self, resource):
            threads.append(threading.current_thread().name)
            await asyncio.sleep(0)
            return world.page(resource.key.value)

    world.changes["extractors"] = [Here()]

    async def cell():
        return world.run()

    result = asyncio.run(cell())
    assert result.is_complete
    assert Author.objects.count() == 1
    assert threads == ["isekai-fetch"]


def test_an_error_of_a_run_under_an_event_loop_is_raised_there(world):
    async def cell():
        return world.run(until="end")

    with pytest.raises(ValueError, match="until is one of"):
        asyncio.run(cell())


def test_inside_a_transaction_of_the_caller_everything_is_undone_with_it(world):
    world.add("a", author("a"))
    with transaction.atomic():
        assert world.run().is_complete
        assert Author.objects.count() == 1
        transaction.set_rollback(True)
    assert (Author.objects.count(), Resource.objects.count(), Run.objects.count()) == (0, 0, 0)
    assert world.run(wait=False).is_complete


def test_inside_a_transaction_a_failing_resource_still_fails_alone(world):
    for name, slug in (("a", "same"), ("b", "same"), ("c", "c")):
        world.add(name, Spec("testapp.Author", {"slug": slug, "name": "x"}))
    with transaction.atomic():
        result = world.run()
    assert (result.failed, Author.objects.count()) == (1, 2)


def test_a_progress_is_told_of_every_stage_in_the_thread_that_runs(world):
    told = []

    class Progress:
        def advance(self, stage, done, total):
            told.append((stage, done, threading.current_thread() is threading.main_thread()))

        def say(self, text):
            raise AssertionError(text)

    for name in "abc":
        world.add(name, author(name))
    world.run(progress=Progress())
    assert {(stage, here) for stage, _, here in told} == {
        (stage, True) for stage in ("seed", "extract", "mine", "transform", "load")
    }
    assert max(done for stage, done, _ in told if stage == "load") == 3


# Growth


def memory_of(size):
    """The most memory that a run of `size` small resources held at one time."""

    @seeder(version="1")
    def rows():
        for number in range(size):
            yield Seed(key(str(number)), payload=Payload.from_record({"name": f"{number} " + "x" * 1000}))

    @transformer(version="1")
    def node(resource):
        return Spec("testapp.Node", {"name": resource.payload.record["name"][:50]}, match=["name"])

    pipeline = Pipeline(f"size-{size}", seeders=[rows], transformers=[node])
    Node.objects.all().delete()
    tracemalloc.start()
    try:
        assert run(pipeline).is_complete
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        Resource.objects.all().delete()


def test_o1_memory_does_not_grow_with_the_number_of_resources(transactional_db, configure):
    configure(BATCH_SIZE=150)
    memory_of(50)
    base, four_times = memory_of(300), memory_of(1200)
    assert Node.objects.count() == 1200
    # Caches of a bounded number of keys still fill up at this size.
    assert four_times < base * 1.2 + 500_000, (base, four_times)


def test_o2_a_claim_reads_the_index_and_a_run_with_nothing_to_do_asks_little(world):
    for number in range(300):
        world.add(str(number), author(f"a{number}"), links=[str((number + 1) % 300)])
    world.run()
    statements = []

    def count(execute, sql, params, many, context):
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        result = world.run()
    assert result.changed == 0
    assert len(statements) <= 40, statements


# The clock


def test_a_resource_that_waits_for_its_next_try_is_not_fetched_before(world):
    world.add("a", author("a"))
    world.add("b", author("b"))
    world.run(until="seed")
    later = timezone.now() + dt.timedelta(seconds=0.2)
    Resource.objects.filter(key="thing:a").update(state="retry_wait", next_attempt_at=later)
    seen = []
    world.specs["a"] = lambda page: seen.append(timezone.now()) or author("a")
    assert world.run().is_complete
    assert seen[0] >= later
