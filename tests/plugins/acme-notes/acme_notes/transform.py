"""The `note-fields` transformer: rows of what notes say about themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from acme_notes.front_matter import split
from isekai_core import ResourceView, Spec
from isekai_core.errors import SkipResource, TransformError

BODY = "body"
_YES = ("yes", "true", "on", "1")


@dataclass(frozen=True, kw_only=True)
class NoteTransformer:
    """Makes a row of each note.

    model: `app_label.ModelName`.
    fields: the name of each field to what the note calls it; `body` is the text.
    match: the fields that tell whether the row exists already.
    drafts: whether notes that say `draft: yes` are wanted.
    """

    accepts: ClassVar[Sequence[str]] = ("text/markdown",)
    produces: ClassVar[Sequence[str]] = ("*",)
    version: ClassVar[str] = "1"

    model: str
    fields: dict[str, str]
    match: tuple[str, ...] = ()
    drafts: bool = False

    def __post_init__(self) -> None:
        if unknown := [name for name in self.match if name not in self.fields]:
            msg = f"match: expected some of {', '.join(self.fields)}, got {unknown[0]!r}"
            raise ValueError(msg)

    def transform(self, resource: ResourceView) -> Spec:
        """The spec; a note that does not say what is asked for cannot become a row."""
        try:
            said, body = split(resource.payload.text)
        except ValueError as error:
            raise TransformError(str(error)) from error
        if said.get("draft", "").lower() in _YES and not self.drafts:
            msg = "it is a draft"
            raise SkipResource(msg)
        values = {**said, BODY: body.strip()}
        if missing := [name for name in self.fields.values() if name not in values]:
            msg = f"expected the note to say {missing[0]!r}, and it says {', '.join(said) or 'nothing'}"
            raise TransformError(msg)
        return Spec(self.model, {field: values[name] for field, name in self.fields.items()}, match=self.match)
