"""One small pipeline, `shelf`, for the tests of what stands around the engine: commands and admin.

What its source holds is in SOURCE, which a test may change; the fixture `shelf` fills it anew.
"""

from dataclasses import dataclass

from isekai_core import (
    Extraction,
    Key,
    Mined,
    Payload,
    Pipeline,
    ResourceRef,
    Seed,
    Spec,
    Text,
    extractor,
    miner,
    seeder,
    transformer,
)
from isekai_core.errors import ExtractError


@dataclass
class Thing:
    """What the source holds under one name: a text (or an error) and what becomes of it (or an error)."""

    spec: object = None
    text: object = "a text"
    links: tuple[str, ...] = ()
    is_seed: bool = True


def key(name):
    return Key("thing", name)


def link(name):
    return ResourceRef(key(name), "url", soft=True, fallback=f"/old/{name}")


def author(slug):
    return Spec("testapp.Author", {"slug": slug, "name": slug.title()}, match=["slug"])


def article(slug, writer="ada", *body):
    values = {"slug": slug, "title": slug.title(), "author": ResourceRef(key(writer)), "body": Text(*body)}
    return Spec("testapp.Article", values, match=["slug"])


def well():
    """An author and two articles that link to each other: nothing goes wrong."""
    return {
        "ada": Thing(author("ada")),
        "a": Thing(article("a", "ada", "see ", link("b")), links=("b",)),
        "b": Thing(article("b", "ada", "see ", link("a")), links=("a",)),
    }


def ill():
    """The same, and what goes wrong in every way: two are not there, what needs one is blocked, one raises."""
    return well() | {
        "c": Thing(article("c", "ghost")),
        "d": Thing(article("d", "ghost")),
        "e": Thing(article("e", "ada", "see ", link("gone"), " and ", link("odd")), links=("gone", "odd")),
        "ghost": Thing(text=ExtractError("the source has no 'ghost'"), is_seed=False),
        "gone": Thing(text=ExtractError("the source has no 'gone'"), is_seed=False),
        "odd": Thing(None, is_seed=False),
        "wild": Thing(ZeroDivisionError("one by nought")),
    }


SOURCE = ill()


@seeder(version="1")
def names():
    for name, thing in SOURCE.items():
        if isinstance(thing, Exception):
            raise thing
        if thing.is_seed:
            yield Seed(key(name), metadata={"shelf": "upper"})


@extractor(accepts="thing", version="1")
def fetch(resource):
    text = SOURCE[resource.key.value].text
    if isinstance(text, Exception):
        raise text
    return Extraction(text if isinstance(text, Payload) else Payload.from_text(text))


@miner(version="1")
def links(resource):
    return [Mined(key(name), {"found": "here"}) for name in SOURCE[resource.key.value].links]


@transformer(version="1")
def become(resource):
    spec = SOURCE[resource.key.value].spec
    if isinstance(spec, Exception):
        raise spec
    return spec


shelf = Pipeline("shelf", seeders=[names], extractors=[fetch], miners=[links], transformers=[become])
