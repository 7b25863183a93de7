"""A pipeline that needs nothing but the core; isekai.toml of a test adds those that need a plugin."""

from isekai_core import Pipeline, Spec, transformer, use


@transformer(accepts="application/vnd.isekai.record+json", version="1")
def category(resource):
    return Spec("shop.Category", {"name": resource.payload.record["value"]}, match=["name"])


unrelated = Pipeline("unrelated", seeders=[use("csv", path="categories.csv", records=True)], transformers=[category])
