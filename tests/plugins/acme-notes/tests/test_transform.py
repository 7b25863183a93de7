"""The transformer: the suite that every transformer passes, and what this one does."""

import pytest
from acme_notes.transform import NoteTransformer

from isekai_core import ResourceView, use
from isekai_core.errors import SkipResource, TransformError
from isekai_core.testing import TransformerConformance, make_resource


def note(text: str) -> ResourceView:
    return make_resource("note:tea", text=text, media_type="text/markdown")


TEA = note("---\ntitle: Tea\n---\nWater.\n")
DRAFT = note("---\ntitle: Tea\ndraft: Yes\n---\n")


class TestNoteFields(TransformerConformance):
    processor = use("note-fields", model="auth.Group", fields={"name": "title"}, match=["name"])
    resources = (TEA,)


def test_fields_are_what_the_note_says_and_its_text() -> None:
    spec = NoteTransformer(model="blog.Article", fields={"title": "title", "text": "body"}).transform(TEA)
    assert (spec.model, spec.values, spec.match) == ("blog.Article", {"title": "Tea", "text": "Water."}, ())


def test_a_note_that_does_not_say_it_is_told() -> None:
    with pytest.raises(TransformError, match="expected the note to say 'author', and it says title"):
        NoteTransformer(model="blog.Article", fields={"author": "author"}).transform(TEA)


def test_a_note_of_another_form_is_told_with_its_line() -> None:
    with pytest.raises(TransformError, match="line 2: expected name: value, got 'Tea'"):
        NoteTransformer(model="blog.Article", fields={"title": "title"}).transform(note("---\nTea\n---\n"))


def test_a_draft_is_left_out_unless_it_is_wanted() -> None:
    with pytest.raises(SkipResource, match="it is a draft"):
        NoteTransformer(model="blog.Article", fields={"title": "title"}).transform(DRAFT)
    spec = NoteTransformer(model="blog.Article", fields={"title": "title"}, drafts=True).transform(DRAFT)
    assert spec.values == {"title": "Tea"}


def test_a_field_to_match_by_must_be_one_of_the_fields() -> None:
    with pytest.raises(ValueError, match="match: expected some of title, got 'slug'"):
        NoteTransformer(model="blog.Article", fields={"title": "title"}, match=("slug",))
