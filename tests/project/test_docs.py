"""Documents: their links lead somewhere, and the README's blocks are there."""

import re
import subprocess
import sys

import pytest
from repository import ROOT, named, tracked_files

# A third party's plugin has documents of its own, among them its data.
DOCUMENTS = [path for path in tracked_files(".md") if ROOT / "tests" not in path.parents]
documents = pytest.mark.parametrize("document", DOCUMENTS, ids=named(DOCUMENTS))

FENCE = re.compile(r"^( *)(`{3,}|~{3,}).*?^\1\2", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?: \"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)

# Put together here, so that this file does not hold them itself.
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.~-])/(?:" + "|".join(["wo" + "rk", "ro" + "ot"]) + ")/",
    "the host of a package registry": r"\b(?:"
    + "|".join(["pypi" + r"\.org", "python" + r"hosted\.org", "npm" + r"js\.org"])
    + ")",
}


def prose(document):
    """The text without code, in which brackets mean something else."""
    return re.sub(r"`[^`\n]*`", "`code`", FENCE.sub("", document.read_text(encoding="utf-8")))


def anchors(document):
    """What a heading can be linked by: as GitHub makes it, with a number for the second of its name."""
    found = set()
    for heading in HEADING.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        text = LINK.sub(lambda link: link.group().partition("]")[0].lstrip("!["), heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found


@documents
def test_every_local_link_leads_somewhere(document):
    for target in LINK.findall(prose(document)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.exists(), target
        assert found.is_relative_to(ROOT), target
        if anchor:
            assert anchor in anchors(found), target


@documents
def test_a_document_has_one_title_at_its_beginning(document):
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    assert text.startswith("# ")
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds_what_is_nobody_elses_business(what):
    for path in tracked_files():
        text = path.read_bytes().decode("utf-8", "replace")
        found = re.search(FORBIDDEN[what], text)
        assert not found, f"{path.relative_to(ROOT)} holds {found.group()!r}"


@pytest.mark.parametrize("name", ["demo", "tests"])
def test_the_readme_has_its_quick_start_blocks(name):
    command = [sys.executable, ROOT / ".ci" / "readme_block", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert not any(line.startswith("$ ") for line in done.stdout.splitlines())
