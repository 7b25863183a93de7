"""`pipeline/composing/explain.py`: every candidate for a key, in its order, with a verdict."""

from isekai_core import Key, Pipeline, extractor, miner, transformer
from isekai_core.pipeline.composing.compose import compose
from isekai_core.pipeline.composing.explain import explain, explain_installed
from isekai_core.plugins.registry import registry


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


class Broken:
    accepts = ("url",)
    version = "1"

    def handles(self, key):
        raise SystemExit(0)

    def extract(self, resource):
        pass


def test_an_extractor_that_cannot_be_asked_hides_no_other():
    composed = compose(Pipeline("p", extractors=[Broken(), pages]))
    first, second = explain(composed, Key("url", "https://old.example.org/"))[:2]
    assert (first.verdict, first.why) == ("broken", "handles() raised SystemExit: 0")
    assert second.verdict == "chosen"


ODD = """
    from isekai_core import hookimpl

    class Meta(type):
        def __getattribute__(cls, name):
            if name == "accepts":
                raise SystemExit(0)
            return type.__getattribute__(cls, name)

    class Exits(metaclass=Meta):
        def extract(self, resource): ...

    class Five:
        accepts = (5,)
        def extract(self, resource): ...

    class Later:
        accepts = property(lambda self: ("url",))
        def extract(self, resource): ...

    @hookimpl
    def isekai_register_extractors(register):
        register("exits", Exits)
        register("five", Five)
        register("gone", "nowhere_at_all:Gone")
        register("later", Later)
"""


def test_without_a_pipeline_a_broken_class_is_a_row_with_its_reason(fake_distribution):
    fake_distribution("isekai-acme", ODD)
    found = {
        c.name: (c.verdict, c.why)
        for c in explain_installed(registry().entries("extractor"), Key("url", "https://x.example.org/"))
    }
    assert found["isekai-acme/exits"] == ("broken", "asking its class raised SystemExit: 0")
    assert found["isekai-acme/five"] == ("broken", "accepts holds 5, expected texts")
    assert found["isekai-acme/gone"][0] == "broken"
    assert found["isekai-acme/gone"][1].startswith("needs nowhere_at_all, which is not installed")
    assert found["isekai-acme/later"] == ("depends", "what it takes depends on its options")
    assert found["isekai-core/file"] == ("not", "takes file")
