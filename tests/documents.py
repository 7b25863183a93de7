"""The examples of a document, as data: its fenced blocks, and what is said of each in the comment before it."""

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"(?P<indent> *)(?P<mark>`{3,})(?P<language>[\w-]*) *")
COMMENT = re.compile(r" *<!-- (?P<text>.*?) -->")
# What a comment may say: the word and, behind the colon, its argument.
MARKS = ("file", "add to", "in a second terminal", "not run")
LONG_ENOUGH_FOR_A_REASON = 15


@dataclass(frozen=True)
class Block:
    """A fenced block.

    line: of the document, where its first line is.
    mark, argument: what the comment before it says: `<!-- file: blog/pipelines.py -->`.
    """

    language: str
    text: str
    line: int
    mark: str = ""
    argument: str = ""

    @property
    def is_doctest(self):
        return self.language == "python" and not self.mark and ">>> " in self.text

    @property
    def commands(self):
        """The commands of a console block, each with the lines that are shown below it."""
        found = []
        lines = iter(self.text.splitlines())
        for line in lines:
            if line.startswith("$ "):
                command = line.removeprefix("$ ")
                while command.endswith("\\"):
                    command += "\n" + next(lines)
                found.append((command, []))
            elif found:
                found[-1][1].append(line)
            else:
                msg = f"line {self.line}: a console block begins with a command, got {line!r}"
                raise ValueError(msg)
        return found


def blocks(document):
    """The fenced blocks of a document, in order, but for those of the README that continuous integration runs."""
    lines = Path(document).read_text(encoding="utf-8").splitlines()
    found, before, quickstart, number = [], "", False, 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if comment := COMMENT.fullmatch(line):
            quickstart = comment["text"].startswith("quickstart:") or (quickstart and "/quickstart" not in line)
        if fence := FENCE.fullmatch(line):
            start, end = number, _end(lines, number, fence["mark"])
            number = end + 1
            if not quickstart:
                text = "\n".join(inner.removeprefix(fence["indent"]) for inner in lines[start:end]) + "\n"
                found.append(Block(fence["language"], text, start + 1, *_mark(before, start)))
        if line.strip():
            before = line
    return found


def _end(lines, start, mark):
    return next(number for number in range(start, len(lines)) if lines[number].strip() == mark)


def _mark(before, line):
    comment = COMMENT.fullmatch(before)
    if not comment or comment["text"].startswith(("quickstart", "/quickstart", "start:", "generated")):
        return "", ""
    word, _, argument = (part.strip() for part in comment["text"].partition(":"))
    if word not in MARKS:
        msg = f"line {line}: expected a comment that begins with one of {', '.join(MARKS)}, got {comment['text']!r}"
        raise ValueError(msg)
    return word, argument


def starts_in(document):
    """What a document says with `<!-- start: … -->` of where it begins: in an empty folder, or in a notebook."""
    said = re.search(r"^<!-- start: (.*) -->$", Path(document).read_text(encoding="utf-8"), re.MULTILINE)
    return said.group(1) if said else ""


def pattern_of(shown):
    """A pattern for what a command must print, from what a document shows.

    `…` is anything on a line, a line that is only `…` any number of lines. A number with a decimal point, which is
    a time, may be another; and where there are spaces, there may be more or fewer, as such a number needs them.
    """
    lines = []
    for line in "\n".join(shown).rstrip().split("\n"):
        if line.strip() == "…":
            lines.append(r"(?:.*\n)*?")
            continue
        parts = re.split(r"(…|\d+\.\d+| +)", line.rstrip())
        lines.append("".join(map(_shape, parts)) + "[ ]*\n")
    return re.compile("".join(lines) + r"\s*")


def _shape(part):
    if part == "…":
        return ".*"
    if re.fullmatch(r"\d+\.\d+", part):
        return r"[\d,]+\.\d+"
    return " +" if part.isspace() else re.escape(part)


def tables(page):
    """The tables of a page: lists of rows, each a list of cells, without the marks of code and without the head."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        rows = [re.split(r"(?<!\\)\|", line.strip())[1:-1] for line in block.splitlines()]
        found.append([[_plain(cell) for cell in row] for row in rows[2:]])
    return found


def table_under(page, heading):
    """The first table below the heading of that text."""
    below = re.split(rf"^#+ {re.escape(heading)}$", page, maxsplit=1, flags=re.MULTILINE)[1]
    return tables(re.split(r"^#", below, maxsplit=1, flags=re.MULTILINE)[0])[0]


def _plain(cell):
    cell = cell.strip().replace("\\|", "|")
    return cell[1:-1] if re.fullmatch(r"`[^`]*`", cell) else cell.replace("`", "")
