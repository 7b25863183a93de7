"""What ISEKAI asks: which processors are here."""

from typing import Any

from isekai_core import hookimpl


@hookimpl
def isekai_register_seeders(register: Any) -> None:
    register("notes", "acme_notes.seed:NoteSeeder")


@hookimpl
def isekai_register_transformers(register: Any) -> None:
    register("note-fields", "acme_notes.transform:NoteTransformer")
