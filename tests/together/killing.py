"""A pipeline that ends its own process at a given place, run by `test_kill.py` in processes of its own.

Every place that it passes is counted under a name (`seed`, `mine`, `statement` …); the process dies with
SIGKILL, as by the kernel, when the count of one reaches the number it was given.

`test_helpers.py` runs it by two processes: each of them waits in its first fetch until the other has come there,
and KILL_WHO says which one dies.
"""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import django
from django.core.files.storage import FileSystemStorage
from django.db import connection

from isekai_core import (
    BlobRef,
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

PASSED = Counter()
PROCESSES = int(os.environ.get("KILL_PROCESSES", "1"))
WHO = "helper" if sys.argv[0] == "-c" else "asker"
OTHER = {"helper": "asker", "asker": "helper"}[WHO]
PAGES, IMAGES = 14, 6
EDITED = bool(os.environ.get("KILL_EDITED"))
"""Whether the source was edited since the first run: every third page and an image."""


def passing(place):
    """Count the place; the end of the process when it is the one."""
    if is_the_end(place):
        os.kill(os.getpid(), signal.SIGKILL)


def is_the_end(place):
    PASSED[place] += 1
    dies = os.environ.get("KILL_WHO", WHO) == WHO
    return dies and os.environ.get("KILL_AT") == f"{place} {PASSED[place]}"


async def meet():
    """Wait for the other process: none of the two does everything alone."""
    folder = Path(os.environ["KILL_MEDIA"]).parent
    (folder / f"{WHO} was here").touch()
    while not (folder / f"{OTHER} was here").exists():  # noqa: ASYNC110 - no event reaches another process
        await asyncio.sleep(0.005)


class DyingStorage(FileSystemStorage):
    """Dies when half of a file is written, under its final name."""

    def _save(self, name, content):
        if is_the_end("blob" if name.startswith("payloads/") else "file"):
            path = Path(self.path(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as half:
                half.write(content.read()[:1000])
                half.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        return super()._save(name, content)


class Progress:
    """Called after each commit, with the thread that runs the pipeline."""

    def advance(self, stage, done, total):
        passing("committed")

    def say(self, text):
        print(f"said: {text}")


def statement(execute, sql, params, many, context):
    passing("before statement")
    result = execute(sql, params, many, context)
    passing("after statement")
    return result


def page(number):
    return Key("page", str(number % PAGES))


def image(number):
    return Key("image", f"{number % IMAGES}.png")


def row(name):
    return Key("row", name)


@seeder(version="1")
def pages():
    for number in range(PAGES):
        passing("seed")
        yield Seed(page(number), {"number": number})


@seeder(version="1")
def rows():
    for name in ("ada", "left", "right", "a", "b", "news"):
        passing("seed")
        yield Seed(row(name), payload=Payload.from_record({"name": name}))


@extractor(accepts="page", version="1")
async def fetch(resource):
    passing("fetch")
    if PROCESSES > 1:
        await meet()
    number = int(resource.key.value)
    edition = ", edited" if EDITED and number % 3 == 0 else ""
    return Extraction(Payload.from_text(f"page {number}{edition}", "text/html"))


@extractor(accepts="image", version="1")
def read(resource):
    passing("read")
    content = "retouched" if EDITED and resource.key == image(2) else resource.key.value
    return Extraction(Payload.from_blob(content.encode() * 1000, "image/png"))


@miner(accepts="text/html", version="1")
def images(resource):
    number = resource.metadata["number"]
    passing("mine")
    yield Mined(image(number), {"alt": f"first seen on {resource.payload.text}"})
    if "edited" not in resource.payload.text:
        yield Mined(image(number + 1), {"alt": f"first seen on {resource.payload.text}"})


@transformer(accepts="text/html", version="1")
def article(resource):
    number = resource.metadata["number"]
    passing("transform")
    link = ResourceRef(page(number + 1), "url", soft=True, fallback=f"/old/{number + 1}")
    values = {
        "slug": resource.payload.text.replace(", ", "-").replace(" ", "-"),
        "title": resource.payload.text,
        "author": ResourceRef(row("ada")),
        "hero": ResourceRef(image(number)),
        "section": ResourceRef(row("news")),
        "body": Text("next: ", link),
        "related": [ResourceRef(page(number + 1))] if number % 5 == 0 else [],
    }
    return Spec("testapp.Article", values, match=["slug"])


@transformer(accepts="image/*", version="1")
def photo(resource):
    passing("transform")
    return Spec("testapp.Photo", {"file": BlobRef(), "alt": resource.metadata["alt"]})


@transformer(accepts="application/vnd.isekai.record+json", version="1")
def record(resource):
    name = resource.payload.record["name"]
    passing("transform")
    return {
        "ada": Spec("testapp.Author", {"slug": "ada", "name": "Ada"}),
        "news": Spec("testapp.Section", {"slug": "news", "title": "News", "parent": ResourceRef(row("news"))}),
        "left": Spec("testapp.Left", {"name": "left", "right": ResourceRef(row("right"))}),
        "right": Spec("testapp.Right", {"name": "right", "left": ResourceRef(row("left"))}),
        "a": Spec("testapp.Node", {"name": "a", "parent": ResourceRef(row("b"))}),
        "b": Spec("testapp.Node", {"name": "b", "parent": ResourceRef(row("a"))}),
    }[name]


def make_loader():
    """The built-in loader, which may end the process before and after it wrote."""
    from isekai_core.builtins.load import ModelLoader

    class DyingLoader(ModelLoader):
        """Dies inside the transaction, when the rows are written and their files are saved."""

        def plan(self, items):
            passing("plan")
            super().plan(items)

        def write(self, items):
            super().write(items)
            passing("written")

    return DyingLoader()


def make_pipeline():
    """Pages that link to each other in circles, images mined from them, and cycles of rows."""
    return Pipeline(
        "killed",
        seeders=[pages, rows],
        extractors=[fetch, read],
        miners=[images],
        transformers=[article, photo, record],
        loaders=[make_loader()],
    )


def main():
    """Run the pipeline on the database of the test that started this process."""
    django.setup()
    from isekai_core import run

    with connection.execute_wrapper(statement):
        result = run("killed", refresh=EDITED, processes=PROCESSES, progress=Progress())
    print(json.dumps({"passed": PASSED, "stages": result.stages, "models": result.models}))
    return 0 if result.is_complete else 1


if __name__ == "__main__":
    # Under its own name, so that the storage that the settings name is this very module.
    import killing

    sys.exit(killing.main())
