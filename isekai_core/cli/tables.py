"""How the commands on pipelines say numbers, moments and texts of others; with `output.py`, all that they print."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from isekai_core.pipeline.reports.readable import printable
from isekai_core.plugins.quiet import off_standard_output

_SHORT_SECONDS = 10


def print_counts(headers: Sequence[str], rows: Sequence[Sequence[str | int]]) -> None:
    """A table of numbers: the first column is text, the others stand to the right; a nought is a dot."""
    cells = [[_cell(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    for first, *rest in cells:
        line = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        print("  ".join(line).rstrip())


def _cell(value: str | int) -> str:
    return "." if value == 0 else str(value)


def counted(number: int, noun: str) -> str:
    """The number with its noun.

    >>> counted(1, "resource"), counted(1200, "row")
    ('1 resource', '1,200 rows')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def seconds(value: float) -> str:
    """Seconds as people read them.

    >>> seconds(0.034), seconds(75.21)
    ('0.03', '75.2')
    """
    return f"{value:.2f}" if value < _SHORT_SECONDS else f"{value:,.1f}"


def moment(value: dt.datetime) -> str:
    """Date and time in the time zone of the project; one without a zone is in it already."""
    from django.utils import timezone  # noqa: PLC0415 - only where there is a project

    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{local:%Y-%m-%d %H:%M:%S}"


def size(number: int) -> str:
    """A number of bytes.

    >>> size(999), size(1536)
    ('999 bytes', '1.5 KB')
    """
    amount, units = float(number), ["bytes", "KB", "MB", "GB"]
    while amount >= 1000 and len(units) > 1:  # noqa: PLR2004
        amount /= 1024
        units.pop(0)
    return f"{number} bytes" if units[0] == "bytes" else f"{amount:.1f} {units[0]}"


def indented(text: str, spaces: int) -> str:
    """Every line of text of others behind so many spaces."""
    return "\n".join(" " * spaces + line for line in printable(text).splitlines() or [""])


@contextmanager
def clean_output() -> Iterator[None]:
    """What a project's own code prints goes to standard error: standard output is for one JSON document."""
    with off_standard_output():
        yield


def print_lines(lines: Iterable[str]) -> None:
    """One after the other."""
    for line in lines:
        print(line)
