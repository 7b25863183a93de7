"""`pipeline/costs.py`: what each plugin and each processor did and cost, in one run and over all of them."""

import asyncio
import hashlib
import time

import importlib_metadata
import pytest
from world import article, author, key, mined

from isekai_core import Extraction, Payload, Pipeline, ResourceRef, Text, run
from isekai_core.errors import ConfigurationError, SkipResource, TemporaryError
from isekai_core.models import Resource, Run
from isekai_core.pipeline.costs import PROJECT, Cost, Share, bill
from isekai_core.pipeline.definition import extractor, miner, seeder, transformer

VERSION = importlib_metadata.version("isekai-core")


def work_hard():
    """What takes a processor long: some hundredths of a second of computing."""
    hashlib.pbkdf2_hmac("sha256", b"word", b"salt", 40_000)


def costs(by="processor", **wanted):
    """The short name to the share, the slowest first."""
    return {share.name.rpartition(".")[2]: share for share in bill(by, **wanted).shares}


def counts(share):
    return share.resources, share.rows, share.errors


# The figures add up


def test_the_resources_rows_and_errors_of_processors_are_those_that_the_run_counted(world):
    world.add("ada", author())
    world.add("a", article("a"), links=["b"])
    world.add("b", ValueError("no"))
    world.add("c", None)
    result = world.run()
    found = costs()
    for stage, name in (("seed", "seeds"), ("extract", "extract"), ("mine", "mine"), ("transform", "transform")):
        assert found[name].resources == sum(result.stages[stage].values()), stage
        assert found[name].errors == result.stages[stage].get("failed", 0), stage
    loader = found["isekai-core/models"]
    assert counts(loader) == (sum(result.stages["load"].values()), result.changed, 0) == (2, 2, 0)
    assert found["transform"].errors == 1


def test_the_seconds_in_the_processors_of_a_stage_are_not_more_than_those_of_the_stage(world):
    for number in range(10):
        world.add(f"n{number}", author(f"n{number}"))
    result = world.run()
    for share in bill("processor").shares:
        (stage,) = share.stages
        assert 0 < share.seconds <= result.stage_seconds[stage] + 0.001, share.name


def test_each_plugin_has_what_its_processors_have_together(world):
    world.add("ada", author())
    world.add("a", article("a"))
    world.run()
    by_name, plugins = costs(), costs("plugin")
    own = [share for share in by_name.values() if share.plugin == PROJECT]
    assert set(plugins) == {"isekai-core", PROJECT}
    assert plugins[PROJECT].stages == ["seed", "extract", "mine", "transform"]
    assert plugins[PROJECT].resources == sum(share.resources for share in own) == 8
    assert plugins[PROJECT].seconds == pytest.approx(sum(share.seconds for share in own))
    assert (plugins["isekai-core"].stages, plugins["isekai-core"].version) == (["load"], VERSION)


def test_every_transformer_that_was_asked_has_the_resource_and_those_that_do_not_accept_it_have_not(world):
    @transformer(version="1")
    def refuses(resource):
        return None

    @transformer(accepts="image/*", version="1")
    def images(resource):
        raise AssertionError

    world.add("ada", author())
    world.add("bob", author("bob"))
    world.changes["transformers"] = [refuses, images, world.transformer()]
    world.run()
    found = costs()
    assert (found["refuses"].resources, found["transform"].resources) == (2, 2)
    assert "images" not in found


def test_every_miner_has_its_own_share(world):
    @miner(version="1")
    def slow(resource):
        work_hard()
        return []

    world.add("ada", author())
    world.changes["miners"] = [world.miner(), slow]
    world.run()
    found = costs()
    assert (found["mine"].resources, found["slow"].resources) == (1, 1)
    assert found["slow"].seconds > found["mine"].seconds


# Time


def test_a_slow_processor_is_on_top(world):
    def slowly(resource):
        work_hard()
        return author(resource.key.value)

    for name in "abcd":
        world.add(name, slowly)
    world.run()
    found = list(costs().values())
    assert found[0].name.endswith(".transform")
    assert found[0].seconds == max(share.seconds for share in found) > 0.01
    assert found[0].milliseconds_each == pytest.approx(found[0].seconds / 4 * 1000)
    assert next(iter(costs("plugin"))) == PROJECT


def test_the_time_of_a_generator_is_that_of_all_it_gives(world):
    @miner(version="1")
    def slow(resource):
        for number in range(3):
            work_hard()
            yield mined(f"n{number}")

    @seeder(version="1")
    def slow_seeds():
        work_hard()
        yield from world.seeder().seed()

    world.add("ada", author())
    world.seeds = ["ada"]
    world.changes |= {"miners": [slow], "seeders": [slow_seeds]}
    began = time.perf_counter()
    work_hard()
    once = time.perf_counter() - began
    world.run(until="mine")
    assert costs()["slow"].seconds > once / 2
    assert costs()["slow_seeds"].seconds > once / 5


def test_fetches_at_the_same_time_are_added_up_with_their_waiting(world):
    begun, released = [], asyncio.Event()
    took = []

    @extractor(accepts="thing", version="1")
    async def fetch(resource):
        begun.append(resource)
        if len(begun) < 4:
            await released.wait()
        else:
            start = time.perf_counter()
            work_hard()
            took.append(time.perf_counter() - start)
            released.set()
        return Extraction(Payload.from_text("a page"))

    for name in "abcd":
        world.add(name, author(name))
    world.changes["extractors"] = [fetch]
    world.run()
    share = costs()["fetch"]
    assert (share.resources, share.errors) == (4, 0)
    assert share.seconds >= 4 * took[0]


# Errors


def test_what_is_tried_again_is_counted_each_time(world):
    world.add("ada", author())
    world.pages["ada"] = [TemporaryError("later"), TemporaryError("later"), "here"]
    result = world.run()
    assert result.stages["extract"] == {"retry": 2, "done": 1}
    assert counts(costs()["extract"]) == (3, 0, 2)


def test_a_resource_that_is_skipped_is_no_error(world):
    world.add("ada", SkipResource("not wanted"))
    world.run()
    assert counts(costs()["transform"]) == (1, 0, 0)


def test_what_ends_a_seeder_is_its_error(world):
    @seeder(version="1")
    def breaks():
        yield from world.seeder().seed()
        msg = "no more"
        raise RuntimeError(msg)

    world.add("ada", author())
    world.changes["seeders"] = [breaks]
    world.run()
    assert counts(costs()["breaks"]) == (1, 0, 1)


def test_what_no_row_can_be_made_of_is_an_error_of_the_loader(world):
    world.add("ada", author("ada", name=None))
    world.add("bob", author("bob"))
    result = world.run()
    assert result.failed == 1
    assert counts(costs()["isekai-core/models"]) == (2, 1, 1)


def test_a_resource_that_no_extractor_takes_is_nobodys(world):
    world.add("ada", author())
    world.changes["extractors"] = []
    assert world.run().failed == 1
    assert not any(share.errors for share in bill("processor").shares)


# Load


def test_a_row_whose_links_are_written_again_is_one_resource_and_two_rows(world):
    def link(name):
        return Text("see ", ResourceRef(key(name), "url", soft=True, fallback="?"))

    world.add("ada", author())
    world.add("a", article("a", body=link("b")))
    world.add("b", article("b", body=link("a")))
    result = world.run()
    assert result.models["testapp.Article"] == {"created": 2, "relinked": 2}
    assert counts(costs()["isekai-core/models"]) == (3, 5, 0)


def test_a_row_that_stands_is_a_resource_and_no_row(world):
    world.add("ada", author())
    world.run()
    Resource.objects.all().delete()
    world.run()
    assert counts(costs()["isekai-core/models"]) == (2, 1, 0)


def test_a_batch_that_is_split_counts_nobody_twice(world):
    for number in range(8):
        world.add(f"n{number}", author(f"n{number}", name=None if number == 3 else "N"))
    world.run()
    assert counts(costs()["isekai-core/models"]) == (8, 7, 1)


# Runs


def test_runs_are_summed_and_one_of_them_can_be_asked_for(world):
    world.add("ada", author())
    first = world.run().run
    world.add("bob", author("bob"))
    second = world.run().run
    assert bill("processor").runs == 2
    assert [costs(run=one)["extract"].resources for one in (first, second)] == [1, 1]
    assert costs()["extract"].resources == 2
    total = costs(run=first)["extract"].seconds + costs(run=second)["extract"].seconds
    assert costs()["extract"].seconds == pytest.approx(total)


def test_a_pipeline_has_its_own_costs_and_all_have_them_together(world):
    world.add("ada", author())
    world.run()
    world.run("second")
    assert costs(pipeline="second")["seeds"].resources == 1
    assert costs()["seeds"].resources == 2
    assert bill("plugin", "third").shares == []


def test_a_run_that_left_no_figures_is_counted_as_such(world):
    world.add("ada", author())
    old, lost = world.run().run, world.run().run
    report = Run.objects.get(pk=old).report
    del report["processors"]
    Run.objects.filter(pk=old).update(report=report)
    Run.objects.filter(pk=lost).update(report={})
    world.run()
    found = bill("plugin", "world")
    assert (found.runs, found.without) == (1, 2)
    assert found.seconds > 0
    alone = bill("plugin", "world", old)
    assert (alone.runs, alone.without, alone.shares) == (0, 1, [])


def test_a_run_that_does_nothing_has_figures_of_nothing(transactional_db):
    run(Pipeline("empty"))
    found = bill("plugin")
    assert (found.runs, found.without, found.shares) == (1, 0, [])


def test_a_run_that_is_interrupted_keeps_what_it_cost(world):
    def interrupted(resource):
        raise KeyboardInterrupt

    world.add("ada", interrupted)
    with pytest.raises(KeyboardInterrupt):
        world.run()
    assert costs()["transform"].resources == 1


def test_versions_of_a_plugin_are_told_apart_and_those_of_the_project_are_one(world):
    world.add("ada", author())
    world.run()
    later = Run.objects.get()
    for cost in later.report["processors"]:
        cost["version"] = "7.0"
    later.pk = None
    later.save()
    found = {(share.name, share.version) for share in bill("plugin").shares}
    assert found == {(PROJECT, ""), ("isekai-core", "7.0"), ("isekai-core", VERSION)}
    assert len([share for share in bill("processor").shares if share.name.endswith(".extract")]) == 2


def test_a_run_that_is_not_there_is_an_error_that_names_the_last_ones(world):
    first, second = world.run().run, world.run().run
    other = world.run("other").run
    with pytest.raises(
        ConfigurationError, match=f"pipeline 'world' has no run {other}; the last ones: {second}, {first}$"
    ):
        bill("plugin", "world", other)
    with pytest.raises(ConfigurationError, match="there is no run 999; the last ones: "):
        bill("plugin", run=999)
    with pytest.raises(ConfigurationError, match="the last ones: none, it was never run"):
        bill("plugin", "never", 1)


def test_what_was_asked_nothing_costs_nothing_each():
    assert Share("acme", "acme", "1").milliseconds_each == 0.0


def test_costs_as_they_are_kept_can_be_read_again():
    cost = Cost("load", "acme/write", "acme", "1.0", resources=3, rows=2, errors=1, seconds=0.25)
    share = Share("acme", "acme", "1.0")
    share.add(cost.as_json())
    share.add(Cost("seed", "acme/seed", "acme", "1.0").as_json())
    assert share == Share("acme", "acme", "1.0", ["seed", "load"], 3, 2, 1, 0.25)
