"""Small pipelines made of functions: keys, texts and specs a test gives."""

from isekai_core import Extraction, Key, Mined, Payload, Pipeline, ResourceRef, Seed, Spec, run
from isekai_core.models import Resource
from isekai_core.pipeline.definition import extractor, miner, seeder, transformer


class World:
    """What the source holds, by key value; a test changes it between runs.

    pages: what the extractor brings: text, a `Payload`, an `Extraction` or an exception to raise; in a list,
        one for each fetch, the last one again and again.
    specs: what the transformer returns: a `Spec`, None, a function of the resource, or an exception.
    links: what the miner gives: names of pages, or `Mined` objects.
    seeds: names of the pages to start from; all without it.
    versions: raised by a test whose pipeline is another than before, by stage.
    changes: further arguments of the pipeline.
    """

    def __init__(self):
        self.pages = {}
        self.specs = {}
        self.links = {}
        self.seeds = None
        self.versions = {}
        self.changes = {}
        self.fetched = []
        self.mined = []
        self.transformed = []

    def add(self, name, spec=None, links=(), text=None):
        self.pages[name] = text or f"page {name}"
        self.specs[name] = spec
        self.links[name] = list(links)
        return key(name)

    def pipeline(self, name="world", **changes):
        arguments = {
            "seeders": [self.seeder()],
            "extractors": [self.extractor()],
            "miners": [self.miner()],
            "transformers": [self.transformer()],
        }
        return Pipeline(name, **(arguments | self.changes | changes))

    def seeder(self):
        @seeder(version=self.versions.get("seed", "1"))
        def seeds():
            for given in self.pages if self.seeds is None else self.seeds:
                yield given if isinstance(given, Seed) else Seed(key(given))

        return seeds

    def extractor(self):
        @extractor(accepts="thing", version=self.versions.get("extract", "1"))
        def extract(resource):
            self.fetched.append(resource.key.value)
            return self.page(resource.key.value)

        return extract

    def page(self, name):
        page = self.pages[name]
        if isinstance(page, list):
            page = page.pop(0) if len(page) > 1 else page[0]
        if isinstance(page, Exception):
            raise page
        if isinstance(page, str):
            page = Payload.from_text(page)
        return Extraction(page) if isinstance(page, Payload) else page

    def miner(self):
        @miner(version=self.versions.get("mine", "1"))
        def mine(resource):
            self.mined.append(resource.key.value)
            for link in self.links.get(resource.key.value, ()):
                if isinstance(link, Exception):
                    raise link
                yield mined(link) if isinstance(link, str) else link

        return mine

    def transformer(self):
        @transformer(version=self.versions.get("transform", "1"))
        def transform(resource):
            self.transformed.append(resource.key.value)
            spec = self.specs.get(resource.key.value)
            if isinstance(spec, Exception):
                raise spec
            return spec(resource) if callable(spec) else spec

        return transform

    def run(self, name="world", **options):
        return run(self.pipeline(name), **options)


def key(name):
    return Key("thing", name)


def mined(name, payload=None, **metadata):
    return Mined(key(name), metadata, payload)


def author(slug="ada", **values):
    return Spec("testapp.Author", {"slug": slug, "name": slug.title()} | values, match=["slug"])


def article(slug, **values):
    given = {"slug": slug, "title": slug.title(), "author": ResourceRef(key("ada"))} | values
    return Spec("testapp.Article", given, match=["slug"])


def resource(name):
    """The row of a resource, by the value of its key."""
    return Resource.objects.select_related("payload").get(key=f"thing:{name}")


def state(name):
    row = resource(name)
    return row.stage, row.state, row.message


def states():
    """Name to stage and state, of all resources."""
    rows = Resource.objects.values_list("key", "stage", "state")
    return {name.removeprefix("thing:"): (stage, now) for name, stage, now in rows}
