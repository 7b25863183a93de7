"""Items for the `models` loader, planned and written as the engine does."""

from isekai_core import Key
from isekai_core.builtins.load import ModelLoader
from isekai_core.types import LoadItem


def item(model, values, pk=None, written=None):
    return LoadItem(Key("thing", "x"), f"testapp.{model}", values, pk=pk, written=written or {})


def load(*items, **options):
    """Plan and write as the engine does; the items."""
    loader = ModelLoader(**options)
    loader.plan(items)
    loader.write([one for one in items if one.action in ("create", "update")])
    return items


def again(one, **values):
    """The same resource, later."""
    return item(one.model.partition(".")[2], values, pk=one.pk, written=dict(one.written))
