"""What commands print: tables and JSON on standard output, remarks on standard error."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def print_table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Columns as wide as their widest cell, two spaces apart; the last one is as long as it is."""
    table = [[str(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(headers))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def plain(text: str) -> str:
    r"""Text of a plugin's author, so that it cannot steer the terminal: control characters are shown as escapes.

    >>> plain("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return _CONTROL.sub(lambda found: repr(found.group())[1:-1], text)


def typed(text: str) -> str:
    r"""An argument as text that a database can be asked for: a byte that is none of the terminal's becomes `U+FFFD`.

    >>> typed("caf\udce9") == "caf\ufffd"
    True
    """
    return _SURROGATE.sub("\ufffd", text)


def flush_output() -> None:
    """Write what is still buffered; a process may be started without any standard output."""
    if sys.stdout is not None:
        sys.stdout.flush()


def print_json(value: Any) -> None:
    """`value` as JSON for a machine: one document, plain ASCII, keys in the order given."""
    print(json.dumps(value, indent=2))


def remark(text: str) -> None:
    """One line for the person in front, never in the way of what is piped."""
    # What was printed before it stands before it, also where both go into one file.
    flush_output()
    print(f"isekai: {text}", file=sys.stderr)
