"""`pipeline/store/provenance.py`: who did which stage of a resource, of mine all who did, as they were then."""

from dataclasses import replace

import pytest
from world import article, author, resource, states

from isekai_core import Pipeline, run, use
from isekai_core.models import Resource, Step
from isekai_core.pipeline.composing.compose import Composed, compose
from isekai_core.pipeline.definition import miner
from isekai_core.pipeline.store.provenance import Provenance, provenance_of, stale_steps, store_step

HERE = "tests.core.pipeline.store.test_provenance"


@miner(accepts="text/*", version="1")
def texts(page):
    return []


@miner(accepts="image/*", version="2")
def images(page):
    return []


def told(name, stage="mine"):
    """Who did a stage: the short name and the version."""
    return [(one.who.rpartition(".")[2], one.version) for one in provenance_of(resource(name)) if one.stage == stage]


def upgraded(composed, version):
    """The same processors from another version of their plugin, whose output is the same."""
    processors = {kind: tuple(replace(one, version=version) for one in composed[kind]) for kind in composed.processors}
    return Composed(composed.name, composed.max_depth, processors)


def test_every_stage_names_the_processor_that_did_it(world):
    world.add("ada", author())
    world.run()
    names = {one.stage: one.processor.rpartition(".")[2] for one in provenance_of(resource("ada"))}
    assert names == {
        "seed": "seeds",
        "extract": "extract",
        "mine": "mine",
        "transform": "transform",
        "load": "isekai-core/models",
    }
    (loader,) = [one for one in provenance_of(resource("ada")) if one.stage == "load"]
    assert (loader.plugin, bool(loader.version)) == ("isekai-core", True)


def test_of_mine_all_miners_of_the_pipeline_are_told_in_their_order(world):
    world.add("ada", author())
    world.changes["miners"] = [texts, world.miner(), images]
    world.run()
    assert told("ada") == [("texts", "1"), ("mine", "1"), ("images", "2")]


def test_miners_are_stored_once_for_a_composition_however_many_resources_there_are(world):
    for number in range(20):
        world.add(f"n{number}", author(f"n{number}"))
    world.changes["miners"] = [texts, images]
    world.run()
    world.run(start="mine")
    rows = Step.objects.filter(stage="mine").order_by("pk").values_list("processor", flat=True)
    assert list(rows) == [f"{HERE}.texts", f"{HERE}.images", "*"]


def test_another_composition_is_told_of_what_it_mined(world):
    world.add("ada", author())
    world.changes["miners"] = [texts]
    world.run()
    world.changes["miners"] = [images, texts]
    world.run()
    assert told("ada") == [("images", "2"), ("texts", "1")]


def test_what_was_mined_before_and_after_an_upgrade_is_told_apart_where_nothing_is_mined_again(world):
    world.add("old", author("old"))
    world.add("new", author("new"))
    world.run()
    composed = compose(world.pipeline())
    later = upgraded(composed, "7.0")
    assert later.chains == composed.chains
    Resource.objects.filter(key="thing:new").update(
        mine_step=store_step(later, "mine", None),
        load_step=store_step(later, "load", later["loader"][0]),
    )
    assert (told("old"), told("new")) == ([("mine", "1")], [("mine", "7.0")])
    assert told("new", "load") == [("isekai-core/models", "7.0")]
    assert told("old", "load") != told("new", "load")
    assert stale_steps(later, "mine") == stale_steps(later, "load") == []


def test_a_pipeline_without_miners_says_so(world):
    world.add("ada", author())
    world.changes["miners"] = []
    world.run()
    (one,) = [one for one in provenance_of(resource("ada")) if one.stage == "mine"]
    assert (one.processor, one.who) == ("*", "no miner: the pipeline has none")


def test_a_step_whose_miners_nobody_stored_is_told_as_all_of_them_together(world):
    world.add("ada", author())
    world.run()
    Step.objects.filter(stage="mine").exclude(processor="*").delete()
    assert told("ada") == [("all miners together", "")]


def test_the_rows_of_single_miners_make_nothing_stale(world, django_assert_num_queries):
    world.add("ada", author())
    world.changes["miners"] = [texts, images]
    world.run()
    assert stale_steps(compose(world.pipeline()), "mine") == []
    world.changes["miners"] = [texts]
    assert len(stale_steps(compose(world.pipeline()), "mine")) == 1


def test_what_nobody_took_is_told_so(world):
    world.add("ada", None)
    world.changes["transformers"] = []
    world.run()
    assert told("ada", "transform") == [("no processor took it", "")]


def test_a_step_of_none_in_particular_has_words_for_each_stage():
    assert Provenance("extract", "*", "", "", "").who == "no processor took it"
    assert Provenance("mine", "*", "", "", "of an old run").who == "all miners together"


# Two processors of one name


@pytest.fixture
def two_files(world, tmp_path):
    """A pipeline with a seeder of the same name for each of two files; what is said of a resource, by its number."""

    def write(first, second):
        for name, lines in (("first", first), ("second", second)):
            rows = "".join(f"{number},{title}\n" for number, title in lines.items())
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "rows.csv").write_text(f"value,title\n{rows}")

    def files():
        seeders = [
            use("csv", path=str(tmp_path / name / "rows.csv"), records=True, name="rows")
            for name in ("first", "second")
        ]
        return Pipeline("files", seeders=seeders, transformers=[world.transformer()])

    write.run = lambda: run(files())
    return write


def test_two_seeders_of_one_name_are_two_steps(two_files):
    two_files({"1": "one"}, {"2": "two"})
    two_files.run()
    steps = {row.key[-1]: row.seed_step_id for row in Resource.objects.all()}
    assert len(steps) == len(set(steps.values())) == 2


def test_what_the_second_of_two_seeders_of_one_name_says_anew_is_taken_over(two_files):
    two_files({"1": "one"}, {"2": "two"})
    two_files.run()
    two_files({"1": "one"}, {"2": "two again"})
    assert two_files.run().stages["seed"] == {"done": 0, "changed": 1, "unchanged": 1}
    assert {row.payload.data for row in Resource.objects.select_related("payload")} == {
        b'{"title":"one","value":"1"}',
        b'{"title":"two again","value":"2"}',
    }


def test_a_resource_that_both_give_is_of_the_first(two_files):
    two_files({"1": "one"}, {"1": "another"})
    two_files.run()
    assert two_files.run().stages["seed"] == {"done": 0, "changed": 0, "unchanged": 2}
    assert Resource.objects.get().payload.data == b'{"title":"one","value":"1"}'


def test_nothing_is_done_again_because_of_who_is_told(world):
    world.add("ada", author())
    world.add("a", article("a"))
    world.run()
    assert world.run().stages["mine"] == {}
    assert set(states().values()) == {("loaded", "done")}
