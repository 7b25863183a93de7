"""`pipeline/composing/fit.py`: a composition whose stages cannot meet is refused, and no other."""

import pytest

from isekai_core import Pipeline, extractor, miner, seeder, transformer, use
from isekai_core.errors import PipelineMisfit
from isekai_core.pipeline.composing.check import problems_of
from isekai_core.pipeline.composing.compose import compose
from isekai_core.types.protocols import may_meet

RECORD = "application/vnd.isekai.record+json"


def seeds(*produces):
    return seeder(produces=produces, version="1")(list)


def brings(accepts, *produces):
    return extractor(accepts=accepts, produces=produces, version="1")(lambda resource: None)


def finds(accepts, *produces):
    return miner(accepts=accepts, produces=produces, version="1")(lambda resource: [])


def makes(accepts, *produces):
    return transformer(accepts=accepts, produces=produces, version="1")(lambda resource: None)


class Writes:
    accepts = ("blog.*",)

    def plan(self, items):
        pass

    def write(self, items):
        pass


def pipeline(**kinds):
    return Pipeline("p", **{"loaders": (), **kinds})


REFUSED = {
    "keys nobody brings": (
        pipeline(seeders=[seeds("row")], extractors=[brings("url"), brings("file")]),
        "gives keys of type 'row', and no extractor takes them",
    ),
    "found keys nobody brings": (
        pipeline(seeders=[seeds("url")], extractors=[brings("url", "text/html")], miners=[finds("text/html", "ftp")]),
        "gives keys of type 'ftp', and no extractor takes them",
    ),
    "media nobody gives to a miner": (
        pipeline(seeders=[seeds("row", RECORD)], miners=[finds("text/html")]),
        f"reads text/html, which nothing gives: builtins.list gives {RECORD}",
    ),
    "media nobody gives to a transformer": (
        pipeline(seeders=[seeds("url")], extractors=[brings("url", "image/*")], transformers=[makes("text/html")]),
        "reads text/html, which nothing gives",
    ),
    "models nobody writes": (
        pipeline(seeders=[seeds()], transformers=[makes("*", "shop.Product")], loaders=[Writes()]),
        "makes shop.Product, and no loader writes it: test_fit.Writes writes blog.*",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_stages_that_cannot_meet_are_refused_naming_the_pair(case):
    refused, reason = REFUSED[case]
    with pytest.raises(PipelineMisfit, match=r"^pipelines\.p: ") as caught:
        compose(refused)
    assert reason.replace("test_fit", __name__) in str(caught.value)
    assert problems_of(refused) == [str(caught.value)]


@pytest.mark.parametrize(
    "accepted",
    [
        pipeline(seeders=[seeds("url")], extractors=[brings("url", "text/html")], miners=[finds("text/*", "url")]),
        pipeline(seeders=[seeds("row", RECORD)], extractors=[brings("url")], transformers=[makes(RECORD)]),
        pipeline(seeders=[seeds("url")], extractors=[brings("url")], transformers=[makes("image/png")]),
        pipeline(seeders=[seeds()], extractors=[brings("url", "image/png")], transformers=[makes("text/html")]),
        pipeline(seeders=[seeds("row")], extractors=[brings("*", "*/*")], transformers=[makes("text/html")]),
        pipeline(seeders=[seeds("url")]),
        pipeline(
            seeders=[seeds("url")], extractors=[brings("url", "text/html")], miners=[finds("text/html", "row", RECORD)]
        ),
        pipeline(seeders=[seeds()], transformers=[makes("*", "blog.Post")], loaders=[Writes()]),
    ],
    ids=range(8),
)
def test_what_could_work_is_composed(accepted):
    assert compose(accepted)
    assert problems_of(accepted) == []


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("text/html", "TEXT/html", True),
        ("text/*", "*", True),
        ("te*", "text/*", True),
        ("image/*", "text/*", False),
        ("url", "url", True),
        ("url", "row", False),
        ("*/*", "url", True),
    ],
)
def test_patterns_meet_where_some_name_fits_both(one, other, meet):
    assert may_meet(one, other) is may_meet(other, one) is meet


def records_of(tmp_path, *names, **options):
    files = []
    for name in names:
        files.append(tmp_path / name)
        files[-1].parent.mkdir(exist_ok=True)
        files[-1].write_text("value\n1\n")
    return [use("csv", path=str(file), records=True, **options) for file in files]


def test_files_of_one_name_whose_rows_would_be_taken_for_each_other_are_refused(tmp_path):
    both = records_of(tmp_path, "2023/orders.csv", "2024/orders.csv")
    with pytest.raises(PipelineMisfit, match=r"2023/orders\.csv and .*2024/orders\.csv begin with row:orders/"):
        compose(Pipeline("orders", seeders=both, transformers=[makes("*")]))
    (told,) = problems_of(Pipeline("orders", seeders=both))
    assert "name='orders-2'" in told


def test_files_of_one_name_that_mean_the_same_rows_are_composed(tmp_path):
    both = records_of(tmp_path, "2023/orders.csv", "2024/orders.csv", name="orders")
    assert compose(Pipeline("orders", seeders=both, transformers=[makes("*")])).name == "orders"
