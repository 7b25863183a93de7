"""Documents: a payload that becomes a row with a file, whatever is in it."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from isekai_core.types import BlobRef, PayloadKind, ResourceView, Spec
from isekai_html.names import file_name, suffix_of

_PAGES = ("text/html", "application/xhtml+xml")


@dataclass
class DocumentTransformer:
    """A file of any kind but a page becomes a row with a file field.

    model: the model of the row, `app_label.ModelName`.
    file: the file field that takes the bytes.
    title: the field for the text of the link that led here; the file's name without one.
    media_type: the field for the media type.
    size: the field for the number of bytes.
    match: the fields that tell whether the row exists already.
    keys: patterns such as `*/papers/*` of the keys' values; all keys without any.
    """

    model: str
    file: str = "file"
    title: str | None = None
    media_type: str | None = None
    size: str | None = None
    match: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    accepts: ClassVar[tuple[str, ...]] = ("*",)
    version: ClassVar[str] = "1"

    def transform(self, resource: ResourceView) -> Spec | None:
        """The row of the document; None for pages, records, and keys that no pattern fits."""
        payload = resource.payload
        if payload.kind == PayloadKind.RECORD or payload.media_type in _PAGES:
            return None
        if self.keys and not any(fnmatchcase(resource.key.value, pattern) for pattern in self.keys):
            return None
        name = file_name(resource, suffix_of(payload.media_type))
        values: dict[str, Any] = {self.file: BlobRef(name=name)}
        if self.title:
            values[self.title] = str(resource.metadata.get("title") or name)
        if self.media_type:
            values[self.media_type] = payload.media_type
        if self.size:
            values[self.size] = payload.size
        return Spec(self.model, values, self.match)
