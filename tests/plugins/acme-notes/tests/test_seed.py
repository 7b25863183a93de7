"""The seeder: the suite that every seeder passes, and what this one does."""

import os
from pathlib import Path

import pytest
from acme_notes.seed import NoteSeeder

from isekai_core import use
from isekai_core.testing import SeederConformance

NOTES = Path(__file__).parent / "notes"


class TestNotes(SeederConformance):
    processor = use("notes", folder=NOTES)


def test_every_note_is_given_with_its_text_by_name() -> None:
    coffee, tea = NoteSeeder(folder=NOTES).seed()
    assert (str(coffee.key), str(tea.key)) == ("note:2019/coffee", "note:tea")
    assert tea.payload is not None
    assert tea.payload.media_type == "text/markdown"
    assert tea.payload.text.startswith("---\ntitle: Tea\n")


def test_a_note_that_was_changed_has_a_greater_version(tmp_path: Path) -> None:
    note = tmp_path / "tea.md"
    note.write_text("Water.")
    versions = []
    for second in (1_000_000_000, 1_000_000_001):
        os.utime(note, (second, second))
        [seed] = NoteSeeder(folder=tmp_path).seed()
        versions.append(seed.version or "")
    assert versions == ["2001-09-09T01:46:40.000000+00:00", "2001-09-09T01:46:41.000000+00:00"]


def test_options_that_cannot_be_right_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"folder: expected a folder that exists, got '.*nowhere'"):
        NoteSeeder(folder=tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"suffix: expected one such as '\.md', got 'md'"):
        NoteSeeder(folder=tmp_path, suffix="md")
