"""What a source believes that a slice holds, before it is cut, and why it is so much."""

from dataclasses import dataclass
from typing import Literal

ReasonKind = Literal["all", "query", "parent", "sample", "per", "limit", "pointed"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there are so many rows of a table in a slice.

    kind: what it is: `all` and `query` choose rows; `parent`, `sample`, `per` and `limit` then leave some of them, one
        after the other; `pointed` takes rows because others point to them.
    of: which one it is: the parent's model, the share, `10 per customer`, the number; `shop.Order.customer_id`.
    rows: those that are left after it; of `pointed`, those that it would take alone, whatever else takes them.
    """

    kind: ReasonKind
    of: str
    rows: int

    def __str__(self) -> str:
        """In words: `1,200 with their shop.Shop`."""
        return f"{self.rows:,} {_WORDS[self.kind].format(self.of)}"


_WORDS: dict[ReasonKind, str] = {
    "all": "in the table",
    "query": "that the query chooses",
    "parent": "with their {}",
    "sample": "in a share of {}",
    "per": "at most {}",
    "limit": "at most {}",
    "pointed": "to which {} points",
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a database believes that a table of a slice holds, and why: the reasons in the order in which they act.

    advice: where the database has never looked at what is in the table, so that all of this is a guess: what to run
        there, `ANALYZE shop_order`.
    """

    rows: int
    bytes: int
    because: tuple[Reason, ...] = ()
    advice: str = ""

    def lines(self) -> list[str]:
        """The reasons in words, and whether it is a guess."""
        guess = f"a guess, as the table was never analysed: {self.advice} helps"
        return [*map(str, self.because), *([guess] if self.advice else [])]
