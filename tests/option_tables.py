"""The tables of options in docs/reference/processors.md, made from the processors themselves.

    python tests/option_tables.py

writes them anew; a test compares them. What is around them is written by hand.
"""

import os
import re
from pathlib import Path

import django

from isekai_core.plugins.options import options_of
from isekai_core.plugins.registry import registry

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "processors.md"
PART = re.compile(r"<!-- generated: (?P<kind>\w+) (?P<name>[\w-]+) -->\n(?P<text>.*?)<!-- /generated -->", re.DOTALL)


def table(kind, name):
    """What the page says of one processor: what it accepts, and its options."""
    cls = registry().find(kind, name).load()
    options = options_of(cls)
    lines = ["", *_accepts(kind, cls)]
    if options:
        lines += ["| option | type | default | what it is |", "|---|---|---|---|", *map(_row, options), ""]
    else:
        lines += ["It has no options.", ""]
    lines += _named("Changing these does nothing again", getattr(cls, "neutral_options", ()))
    lines += _named("Never shown and never stored", getattr(cls, "secret_options", ()))
    return "\n".join([*lines, ""])


def _accepts(kind, cls):
    what = {"extractor": "key types", "loader": "models"}.get(kind, "media types")
    if kind != "seeder":
        accepted = ", ".join(f"`{pattern}`" for pattern in cls.accepts)
        yield from (f"Accepts the {what} {accepted}.", "")


def _row(option):
    default = "required" if option.required else f"`{option.shown_default()!r}`"
    return f"| `{option.name}` | {_cell(option.type)} | {_cell(default)} | {_cell(option.doc.rstrip('.'))} |"


def _cell(text):
    # Outside of code, <value> would be taken for HTML.
    parts = re.split(r"(`[^`]*`)", text.replace("|", "\\|"))
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in parts)


def _named(what, names):
    return [f"{what}: {', '.join(f'`{name}`' for name in names)}.", ""] if names else []


def parts(page):
    """(kind, name) to what stands in the page."""
    return {(part["kind"], part["name"]): part["text"] for part in PART.finditer(page)}


def renewed(page):
    """The page with its tables made anew."""

    def part(found):
        head = found.group().partition("\n")[0]
        return f"{head}\n{table(found['kind'], found['name'])}<!-- /generated -->"

    return PART.sub(part, page)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "isekai_core.testing.settings")
    django.setup()
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
