"""What a plan, an estimate and a result look like below a notebook's cell, and a plan where it is printed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from html import escape
from typing import Any

_RIGHT = ' style="text-align:right"'
_LEFT = ' style="text-align:left"'


def table_html(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]], notes: Iterable[str] = ()) -> str:
    """A table as HTML, with everything in it escaped; numbers are to the right.

    >>> table_html("a < b", ["model"], [["shop.Order"]])
    '<p>a &lt; b</p><table><thead><tr><th style="text-align:left">model</th></tr></thead>\
<tbody><tr><td style="text-align:left">shop.Order</td></tr></tbody></table>'
    """
    given = [list(row) for row in rows]
    heads = "".join(f"<th{_side(given, place)}>{escape(name)}</th>" for place, name in enumerate(head))
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in given)
    below = "".join(f"<p>{escape(note)}</p>" for note in notes)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    return f"<p>{escape(caption)}</p>{table}{below}"


def plan_html(plan: Any) -> str:
    """A `SlicePlan` below a cell."""
    masked = [[column.name for column in table.columns if column.mask] for table in plan.tables]
    rows = [
        (table.model, ", ".join(_rows_of(table)), len(table.columns), ", ".join(names), ", ".join(table.files))
        for table, names in zip(plan.tables, masked, strict=True)
    ]
    return table_html("a slice, parents before children", ("model", "rows", "columns", "masked", "files"), rows)


def plan_text(plan: Any) -> str:
    """A `SlicePlan` as it is printed: a line for each table."""
    return "\n".join(["a slice, parents before children", *(f"  {table_text(table)}" for table in plan.tables)])


def table_text(table: Any) -> str:
    """A `TablePlan` in a line."""
    masked = ", ".join(column.name for column in table.columns if column.mask)
    rows = ", ".join(_rows_of(table)) or "no rows"
    return f"{table.model}: {rows}; {len(table.columns)} columns{f', masked: {masked}' if masked else ''}"


def short(value: Any) -> str:
    """A dataclass as its constructor is called for it: what is as it is by default is left out."""
    given = {one.name: getattr(value, one.name) for one in fields(value) if getattr(value, one.name) != one.default}
    return f"{type(value).__name__}({', '.join(f'{name}={one!r}' for name, one in given.items())})"


def _rows_of(table: Any) -> Iterator[str]:
    """Which rows of a `TablePlan` are taken, in a few words."""
    if table.queryset is None:
        yield "all rows"
    elif not table.queryset.query.is_empty():
        yield "those of a query"
    if table.grows:
        yield "those that others need"
    yield from (f"with their {column.field}" for column in table.parents)
    if table.limit is not None:
        yield f"at most {table.limit:,}"
    yield from (f"at most {one.limit:,} per {one.field}" for one in table.per)
    if table.sample is not None:
        yield f"a share of {table.sample:g}"


def _side(rows: Sequence[Sequence[object]], place: int) -> str:
    return _RIGHT if rows and isinstance(rows[0][place], int) else _LEFT


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"<td{_RIGHT}>{value:,}</td>"
    return f"<td{_LEFT}>{escape(str(value))}</td>"
