"""Images: opened and checked by Pillow before they become a row, so that a broken one says so here."""

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from PIL import Image, UnidentifiedImageError

from isekai_core.errors import TransformError
from isekai_core.types import BlobRef, PayloadKind, ResourceView, Spec
from isekai_html.names import file_name, suffix_of

SVG = "image/svg+xml"
_BEGINNING = 1024


class Facts(NamedTuple):
    """What is known of an image once it was opened. No size is known of a vector image."""

    format: str
    media_type: str
    width: int | None
    height: int | None


@dataclass
class ImageTransformer:
    """An image becomes a row with a file or image field.

    model: the model of the row, `app_label.ModelName`.
    file: the file field that takes the bytes.
    alt: the field for the alternative text, from the page that shows the image.
    title: the field for its title there.
    width: the field for the width in pixels.
    height: the field for the height in pixels.
    format: the field for the format, such as `PNG`.
    match: the fields that tell whether the row exists already.
    max_pixels: an image of more is refused before it is unpacked.
    """

    model: str
    file: str = "file"
    alt: str | None = None
    title: str | None = None
    width: str | None = None
    height: str | None = None
    format: str | None = None
    match: tuple[str, ...] = ()
    max_pixels: int = 50_000_000

    accepts: ClassVar[tuple[str, ...]] = ("image/*", "application/octet-stream")
    version: ClassVar[str] = "1"

    def __post_init__(self) -> None:
        if self.max_pixels < 1:
            msg = f"max_pixels is at least 1, got {self.max_pixels}"
            raise ValueError(msg)

    def transform(self, resource: ResourceView) -> Spec | None:
        """The row of the image; None for bytes that are said to be no image, and are none.

        Raises `TransformError` for an image that is broken, too large to unpack, or no image at all.
        """
        if resource.payload.kind != PayloadKind.BLOB and resource.media_type != SVG:
            return None
        facts = self._facts(resource)
        if facts is None:
            return None
        values: dict[str, Any] = {self.file: BlobRef(name=file_name(resource, suffix_of(facts.media_type)))}
        wanted = (
            (self.alt, str(resource.metadata.get("alt") or "")),
            (self.title, str(resource.metadata.get("title") or "")),
            (self.width, facts.width),
            (self.height, facts.height),
            (self.format, facts.format),
        )
        values |= {field: value for field, value in wanted if field}
        return Spec(self.model, values, self.match)

    def _facts(self, resource: ResourceView) -> Facts | None:
        try:
            with resource.payload.open() as file:
                return self._open(file)
        except UnidentifiedImageError:
            if _is_svg(resource):
                return Facts("SVG", SVG, None, None)
            if not resource.media_type.startswith("image/"):
                return None
            msg = f"{resource.key}: said to be {resource.media_type}, but is no image that Pillow knows"
            raise TransformError(msg) from None

    def _open(self, file: Any) -> Facts:
        """Open and unpack the image: only unpacking finds one that is cut off."""
        with warnings.catch_warnings():
            # The limit is this transformer's own; Pillow's is the whole process's.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            try:
                with Image.open(file) as image:
                    facts = Facts(image.format or "", image.get_format_mimetype() or "", image.width, image.height)
                    self._check_size(facts)
                    image.load()
                    return facts
            except UnidentifiedImageError:
                raise
            except Image.DecompressionBombError as error:
                msg = f"too large to unpack: {error}"
                raise TransformError(msg) from None
            except (OSError, SyntaxError, ValueError, EOFError) as error:
                msg = f"broken image: {error}"
                raise TransformError(msg) from error

    def _check_size(self, facts: Facts) -> None:
        pixels = (facts.width or 0) * (facts.height or 0)
        if pixels > self.max_pixels:
            msg = f"{facts.width} x {facts.height} is {pixels} pixels, more than max_pixels ({self.max_pixels})"
            raise TransformError(msg)


def _is_svg(resource: ResourceView) -> bool:
    with resource.payload.open() as file:
        beginning = file.read(_BEGINNING).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return beginning.startswith((b"<svg", b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in beginning
