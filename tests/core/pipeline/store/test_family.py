"""Families: depths and leads are those of a naive reference, in whatever order and batches pages come."""

import os
from collections import deque

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from testapp.models import Tag
from world import author, key, mined, resource, state, states

from isekai_core import Extraction, Payload, Pipeline, ResourceRef, Seed, Spec, Text, run
from isekai_core.errors import TemporaryError
from isekai_core.models import Dependency, Resource
from isekai_core.pipeline.definition import extractor, miner, seeder, transformer

NAMES = "abcdefgh"


@st.composite
def sites(draw):
    """Pages and what they say of one another, where to start, how deep to go, and who stumbles first."""
    links = {
        name: draw(
            st.dictionaries(st.sampled_from(NAMES.replace(name, "")), st.sampled_from(["", "x", "y"]), max_size=3)
        )
        for name in NAMES
    }
    return {
        "links": links,
        "seeds": draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)),
        "max_depth": draw(st.sampled_from([None, 0, 1, 2, 3])),
        "slow": draw(st.sets(st.sampled_from(NAMES), max_size=4)),
        "batch": draw(st.sampled_from([1, 2, 3, 100])),
    }


def pipeline_of(site, name, again):
    @seeder(version="1")
    def seeds():
        yield from (Seed(key(one)) for one in site["seeds"])

    @extractor(accepts="thing", version="1")
    def extract(page):

        if page.key.value in site["slow"] and page.key.value not in again:
            again.add(page.key.value)
            msg = "not yet"
            raise TemporaryError(msg, retry_after=0)
        return Extraction(Payload.from_text(f"page {page.key.value} {site['links'][page.key.value]}"))

    @miner(version="1")
    def mine(page):
        for target, said in site["links"][page.key.value].items():
            yield mined(target, **({"said": f"{page.key.value} says {said}"} if said else {}))

    @transformer(version="1")
    def transform(page):
        return Spec("testapp.Tag", {"name": f"{name} {page.key.value}: {page.metadata.get('said', '')}"})

    return Pipeline(
        name,
        seeders=[seeds],
        extractors=[extract],
        miners=[mine],
        transformers=[transform],
        max_depth=site["max_depth"],
    )


def reference(site):
    """Name to depth, and to what is said of it: by breadth first search, and the smallest parent."""
    depth = dict.fromkeys(site["seeds"], 0)
    rest = deque(site["seeds"])
    limit = site["max_depth"]
    while rest:
        here = rest.popleft()
        for target in site["links"][here]:
            if target not in depth and (limit is None or depth[here] < limit):
                depth[target] = depth[here] + 1
                rest.append(target)
    return {name: (depth[name], heard_of(name, site, depth)) for name in depth}


def heard_of(name, site, parents):
    """What the smallest of `parents` that says anything of `name` says."""
    told = sorted((parent, site["links"][parent][name]) for parent in parents if site["links"][parent].get(name))
    return f"{told[0][0]} says {told[0][1]}" if told else ""


def found(name):

    tags = {tag.name.partition(":")[0].split()[1]: tag.name.partition(": ")[2] for tag in Tag.objects.all()}
    rows = Resource.objects.filter(pipeline=name, state="done")
    return {row.key.removeprefix("thing:"): (row.depth, tags[row.key.removeprefix("thing:")]) for row in rows}


@settings(max_examples=int(os.environ.get("ISEKAI_EXAMPLES", "12")), suppress_health_check=list(HealthCheck))
@given(first=sites(), second=sites())
def test_depths_and_leads_depend_on_the_site_and_on_no_timing(first, second, transactional_db, configure):

    Tag.objects.all().delete()
    Resource.objects.all().delete()
    configure(BATCH_SIZE=first["batch"], RETRY_BACKOFF=0)
    pipeline = pipeline_of(first, "site", set())
    assert run(pipeline).is_complete
    assert found("site") == reference(first)
    # The site changes: what is reached is there, and hears what is said of it now, by those who came before, too.
    second |= {"seeds": first["seeds"], "max_depth": first["max_depth"]}
    configure(BATCH_SIZE=second["batch"])
    assert run(pipeline_of(second, "site", set()), refresh=True).is_complete
    now = found("site")
    assert set(reference(second)) <= set(now)
    assert {name: heard for name, (_, heard) in now.items()} == {name: heard_of(name, second, now) for name in now}


def test_what_is_mined_and_what_is_referred_to_is_one_edge(world):
    link = ResourceRef(key("b"), "url", soft=True, fallback="")
    world.add("a", author("a", name=Text("x", link)), links=[mined("b", alt="x")])
    world.add("b", author("b"))
    world.seeds = ["a"]
    world.run()
    edge = Dependency.objects.get()
    assert (edge.found, edge.ref, edge.metadata) == (True, "soft", '{"alt":"x"}')


def test_edges_that_are_gone_from_the_page_are_gone_from_the_journal(world):
    world.add("a", author("a"), links=["b", "c"])
    for name in "bcd":
        world.add(name, author(name))
    world.seeds = ["a"]
    world.run()
    world.pages["a"] = "edited"
    world.links["a"] = ["c", "d"]
    world.run(refresh=True)
    assert set(Dependency.objects.values_list("child__key", flat=True)) == {"thing:c", "thing:d"}
    assert set(states()) == set("abcd")


def test_a_transformer_that_fails_keeps_what_was_mined(world):
    world.add("a", author("a"), links=[mined("b", alt="said")])
    world.add("b", lambda page: author("b", name=page.metadata["alt"]))
    world.seeds = ["a"]
    world.run()
    world.specs["a"] = ValueError("no")
    world.versions["transform"] = "2"
    world.run()
    assert state("a")[1] == "failed"
    assert resource("b").state == "done"
    assert Dependency.objects.get().metadata == '{"alt":"said"}'


def test_pages_that_all_link_to_the_same_pages_look_them_up_once_a_batch(
    world, configure, django_assert_max_num_queries
):
    names = [f"p{number}" for number in range(60)]
    for name in names:
        world.add(name, None, links=names)
    with django_assert_max_num_queries(90):
        world.run()
    assert Dependency.objects.count() == 60 * 59
