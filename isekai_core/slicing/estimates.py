"""Estimates as a notebook shows them."""

from isekai_core.types.estimates import Estimate
from isekai_core.types.tables import table_html


class Estimates(dict[str, Estimate]):
    """Label of a model to its estimate; a table below a notebook's cell."""

    def _repr_html_(self) -> str:
        rows = [(model, one.rows, one.bytes, "; ".join(one.lines())) for model, one in self.items()]
        total = ("", sum(one.rows for one in self.values()), sum(one.bytes for one in self.values()), "")
        head = ("model", "rows", "bytes", "because")
        return table_html("these are estimates; nothing was exported", head, [*rows, total])
