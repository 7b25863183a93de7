"""Estimates as a notebook shows them."""

from isekai_core.types.estimates import Estimate
from isekai_core.types.tables import table_html


class Estimates(dict[str, Estimate]):
    """Label of a model to its estimate; a table below a notebook's cell."""

    def _repr_html_(self) -> str:
        total = ("", sum(one.rows for one in self.values()), sum(one.bytes for one in self.values()))
        rows = [(model, one.rows, one.bytes) for model, one in self.items()]
        return table_html("as the database believes; nothing was read", ("model", "rows", "bytes"), [*rows, total])
