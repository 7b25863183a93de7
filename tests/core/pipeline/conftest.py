"""Small pipelines made of functions: keys, texts and specs a test gives."""

import pytest

from isekai_core import Extraction, Key, Payload, Pipeline, Seed, run
from isekai_core.pipeline.definition import extractor, miner, seeder, transformer

pytestmark = pytest.mark.django_db


class World:
    """What the source holds, by key value; a test changes it between runs."""

    def __init__(self):
        self.pages = {}
        self.specs = {}
        self.links = {}
        self.seeds = None
        self.fetched = []
        self.transformed = []

    def add(self, name, spec, links=(), text=None):
        self.pages[name] = text or f"page {name}"
        self.specs[name] = spec
        self.links[name] = list(links)
        return key(name)

    def pipeline(self, name="world", **changes):
        world = self

        @seeder(version="1")
        def seeds():
            yield from (Seed(key(value)) for value in (world.seeds if world.seeds is not None else world.pages))

        @extractor(accepts="thing", version="1")
        def extract(resource):
            world.fetched.append(resource.key.value)
            page = world.pages[resource.key.value]
            if isinstance(page, Exception):
                raise page
            if isinstance(page, Extraction):
                return page
            return Extraction(page if isinstance(page, Payload) else Payload.from_text(page))

        @miner(version="1")
        def mine(resource):
            for link in world.links.get(resource.key.value, ()):
                yield link if not isinstance(link, str) else mined(link)

        @transformer(version="1")
        def transform(resource):
            world.transformed.append(resource.key.value)
            spec = world.specs.get(resource.key.value)
            if isinstance(spec, Exception):
                raise spec
            return spec(resource) if callable(spec) else spec

        arguments = {"seeders": [seeds], "extractors": [extract], "miners": [mine], "transformers": [transform]}
        return Pipeline(name, **(arguments | changes))

    def run(self, name="world", **options):
        return run(self.pipeline(name), **options)


def key(name):
    return Key("thing", name)


def mined(name, **metadata):
    from isekai_core import Mined

    return Mined(key(name), metadata)


@pytest.fixture
def world(transactional_db):
    return World()
