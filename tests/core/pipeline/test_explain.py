"""`pipeline/explain.py`: every candidate for a key, in its order, with a verdict."""

from isekai_core import Key, Pipeline, extractor, miner, transformer
from isekai_core.pipeline.compose import compose
from isekai_core.pipeline.explain import explain


@extractor(accepts="file", version="1")
def files(resource):
    pass


class Picky:
    accepts = ("url",)
    version = "1"

    def handles(self, key):
        return key.value.endswith(".pdf")

    def extract(self, resource):
        pass


@extractor(accepts="url", produces="text/html", version="1")
def pages(resource):
    pass


@extractor(accepts="*", version="1")
def everything(resource):
    pass


@miner(accepts="text/html", version="1")
def links(resource):
    return []


@miner(accepts="image/*", version="1")
def colours(resource):
    return []


@transformer(accepts="text/html", version="1")
def article(resource):
    pass


@transformer(accepts="*", version="1")
def anything(resource):
    pass


COMPOSED = compose(
    Pipeline(
        "p",
        extractors=[files, Picky(), pages, everything],
        miners=[links, colours],
        transformers=[article, anything],
    )
)


def told(key, **more):
    found = explain(COMPOSED, Key.parse(key), **more)
    return {candidate.name.rpartition(".")[2]: (candidate.verdict, candidate.why) for candidate in found}


def test_the_first_extractor_that_takes_the_key_wins_and_all_others_say_why_not():
    found = told("url:https://old.example.org/a")
    assert found["files"] == ("not", "takes file, not keys of type 'url'")
    assert found["Picky"] == ("not", "takes keys of type 'url', but not this one")
    assert found["pages"] == ("chosen", "the first that takes keys of type 'url'")
    verdict, why = found["everything"]
    assert (verdict, why.startswith("would take it, and comes after")) == ("not", True)


def test_a_closer_look_counts():
    assert told("url:https://old.example.org/a.pdf")["Picky"][0] == "chosen"


def test_what_the_chosen_extractor_says_that_it_brings_decides_who_reads_it():
    found = told("url:https://old.example.org/a")
    assert found["links"] == ("asked", "reads text/html")
    assert found["colours"] == ("not", "reads image/*, not text/html")
    assert found["article"] == ("asked", "reads text/html: asked first; its spec is taken")
    assert found["anything"] == ("later", "reads text/html: asked when those before it give no spec")


def test_where_nobody_knows_what_comes_it_depends():
    found = told("file:a.png")
    assert found["files"][0] == "chosen"
    assert found["links"] == ("depends", "reads text/html: it depends on what is brought")


def test_a_media_type_that_is_known_decides():
    found = told("url:https://old.example.org/a.pdf", media_type="image/png")
    assert found["links"][0] == "not"
    assert found["colours"][0] == "asked"
    assert found["isekai-core/models"] == ("chosen", "the first that writes every model")
