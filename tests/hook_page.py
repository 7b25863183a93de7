"""The part of docs/hooks.md that is made from the hookspecs themselves.

    python tests/hook_page.py

writes it anew; a test compares it. What is around it is written by hand.
"""

import inspect
import re
import textwrap
from pathlib import Path

from isekai_core import hookspecs
from isekai_core.plugins.hooks import HOOKS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "hooks.md"
PART = re.compile(r"(?<=<!-- generated: hooks -->\n).*?(?=<!-- /generated -->)", re.DOTALL)


def generated():
    """`register`, and a section for each hook: its signature, what it is for, and its example."""
    return "\n".join(["", *_register(), *(line for hook, kind in HOOKS.items() for line in _section(hook, kind))])


def _register():
    call = hookspecs.Register.__call__
    yield from ("## register", "", "```text", _signature("register", call).replace("self, ", ""), "```", "")
    prose = _wrapped(inspect.getdoc(call).replace("Register a processor.", "Registers a processor."))
    for paragraph in prose:
        yield from (paragraph, "")


def _section(hook, kind):
    prose, _, example = inspect.getdoc(getattr(hookspecs, hook)).partition("Example::\n")
    yield from (f"## {hook}", "", "```text", _signature(hook, getattr(hookspecs, hook)), "```", "")
    summary = " ".join(prose.split()).replace("Register ", "Registers ", 1)
    yield from (f"{summary} {_protocol(kind)}", "")
    yield from (f"<!-- file: isekai-acme/isekai_acme/{kind}s.py -->", "```python")
    yield from ("from isekai_core import hookimpl", "", "", textwrap.dedent(example).strip(), "```", "")


def _protocol(kind):
    name = "".join(word.capitalize() for word in kind.split("_"))
    page = "reference/slices.md#sources-and-targets" if kind.startswith("slice_") else f"reference/types.md#{kind}"
    return f"Protocol: [`{name}`]({page})."


def _signature(name, function):
    return re.sub(r"[\w.]*\.Register\b", "Register", f"{name}{inspect.signature(function)}").replace("typing.", "")


def _wrapped(text):
    """The paragraphs of a docstring; its arguments, `name: what it is`, become a list."""
    for paragraph in re.split(r"\n\n", text):
        items = re.split(r"\n(?=\w+: )", paragraph)
        if re.match(r"\w+: ", items[0]):
            pairs = (re.sub(r"\s+", " ", item).split(": ", 1) for item in items)
            yield "\n".join(textwrap.fill(f"- `{name}`: {what}", 118, subsequent_indent="  ") for name, what in pairs)
        else:
            yield textwrap.fill(" ".join(paragraph.split()), 118)


def renewed(page):
    """The page with its generated part made anew."""
    return PART.sub(lambda _: generated(), page)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
