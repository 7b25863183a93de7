"""Dangling references: the words in which every target refuses them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHOWN = 5
"""Values that are shown of a column; a target finds one more, so that it is known whether there are more."""


@dataclass(frozen=True, slots=True)
class Dangling:
    """The references of one column to rows that are not in the bundle.

    column: with its model, `shop.Order.customer_id`.
    target: label of the model that it points to; "" where each row says which.
    rows: how many there are.
    values: where they point, in their order, each once: as many as are shown, and one more if there are more.
    """

    column: str
    target: str
    rows: int
    values: Sequence[str]


def refusal(found: Sequence[Dangling], dangling: str) -> str:
    """Why a load is refused, and the ways out.

    dangling: what was asked for; with `null`, they are of columns that cannot be NULL.
    """
    told = "; ".join(_told(one, dangling) for one in found)
    null = "" if dangling == "null" else "dangling='null', or with "
    ways = f"add a job for {_targets(found)}, or load with {null}dangling='keep' when the target has them"
    return f"references to rows that are not in the bundle: {told}; {ways} under the same keys"


def _told(one: Dangling, dangling: str) -> str:
    values = ", ".join([*one.values[:SHOWN], *(["…"] if len(one.values) > SHOWN else [])])
    return f"{one.column} has {one.rows} ({values}){', and it cannot be NULL' if dangling == 'null' else ''}"


def _targets(found: Iterable[Dangling]) -> str:
    return " and for ".join(dict.fromkeys(one.target or f"what {one.column} points to" for one in found))
