"""Documents: a file that is neither page nor image becomes a row, whatever is in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from isekai_core.errors import TransformError
from isekai_core.types import BlobRef, PayloadKind, ResourceView, Spec, accepts_name
from isekai_html.match import Globs
from isekai_html.names import file_name, suffix_for
from isekai_html.page import HTML_TYPES
from isekai_html.sniff import beginning_of, is_page
from isekai_html.specs import check_match, check_model


@dataclass
class DocumentTransformer:
    """Makes a row with a file field of whatever is neither a page nor an image.

    model: `app_label.ModelName`.
    file: the field that takes the file.
    title: the field for the text of the link to it; the file's name when there is none.
    name: the field for the file's name.
    media_type: the field for its media type.
    size: the field for its size in bytes.
    source: the field for the address that it came from.
    match: the fields that tell whether the row exists already.
    include: glob patterns: only documents whose address fits one.
    media_types: what is taken, `["application/pdf", "text/*"]`; by default everything but pages and images.
    """

    accepts: ClassVar[Sequence[str]] = ("*",)
    version: ClassVar[str] = "1"

    model: str
    file: str = "file"
    title: str | None = None
    name: str | None = None
    media_type: str | None = None
    size: str | None = None
    source: str | None = None
    match: list[str] = field(default_factory=list)
    include: list[str] | None = None
    media_types: list[str] | None = None
    _include: Globs | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_model(self.model)
        named = (self.file, self.title, self.name, self.media_type, self.size, self.source)
        check_match(self.match, [name for name in named if name])
        self._include = None if self.include is None else Globs("include", self.include)

    @property
    def produces(self) -> Sequence[str]:
        """The model of the rows."""
        return (self.model,)

    def transform(self, resource: ResourceView) -> Spec | None:
        """The row; None for what is not wanted.

        Raises `TransformError` for an empty file, and for a web page where another type was promised.
        """
        if not self._wants(resource):
            return None
        payload = resource.payload
        _check(resource)
        name = file_name(resource, suffix_for(payload.media_type))
        wanted: tuple[tuple[str | None, Any], ...] = (
            (self.file, BlobRef(name=name)),
            (self.title, str(resource.metadata.get("title") or name)),
            (self.name, name),
            (self.media_type, payload.media_type),
            (self.size, payload.size),
            (self.source, resource.key.value),
        )
        return Spec(self.model, {name: value for name, value in wanted if name}, self.match)

    def _wants(self, resource: ResourceView) -> bool:
        if resource.payload.kind == PayloadKind.RECORD or resource.media_type in HTML_TYPES:
            return False
        if self.media_types is not None:
            wanted = accepts_name(self.media_types, resource.media_type)
        else:
            wanted = not resource.media_type.startswith("image/")
        return wanted and (self._include is None or self._include(resource.key.value))


def _check(resource: ResourceView) -> None:
    said = resource.media_type
    if not resource.payload.size:
        msg = f"expected a document, {said}, got an empty file"
        raise TransformError(msg)
    # Text may be about HTML; a PDF that begins as a page does is what a server sends for one that is gone.
    if not said.startswith("text/") and "xml" not in said and is_page(beginning_of(resource.payload)):
        msg = f"expected a document, {said}, got a web page"
        raise TransformError(msg)
