"""Images: opened and checked by Pillow before they become a row, so that a broken one says so here.

What the check costs was measured, on photographs of two megapixels. To unpack a PNG took 25 ms, its
checksums 2 ms, and they tell more. A WebP took 78 ms, and to open it already fails when a byte is missing.
A JPEG tells of a missing end only when it is unpacked: 12 ms, or 8 ms at an eighth of its size. Others,
AVIF too, must be unpacked. So each format is asked in the cheapest way that finds a truncated file.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar, NamedTuple

from PIL import Image, UnidentifiedImageError

from isekai_core.errors import TransformError
from isekai_core.types import BlobRef, PayloadKind, ResourceView, Spec
from isekai_html.match import Globs
from isekai_html.names import file_name
from isekai_html.sniff import beginning_of, is_page, is_svg
from isekai_html.specs import check_match, check_model

SVG = "SVG"
SUFFIXES = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "AVIF": (".avif",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    "ICO": (".ico",),
    SVG: (".svg",),
}
"""The formats that are taken, as Pillow names them, and what their files end with; the first one is added."""

_ALL_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)


class Facts(NamedTuple):
    """What is known of an image once it was opened. A vector image has no size in pixels."""

    format: str
    width: int | None
    height: int | None


@dataclass
class ImageTransformer:
    """Makes a row with a file or image field of an image that Pillow can read.

    model: `app_label.ModelName`.
    file: the field that takes the file.
    alt: the field for the image's text alternative, as the page that shows it has it.
    title: the field for its title there.
    width: the field for its width in pixels.
    height: the field for its height in pixels.
    format: the field for its format: `PNG`, `JPEG` and so on.
    source: the field for the address that it came from.
    match: the fields that tell whether the row exists already.
    include: glob patterns: only images whose address fits one.
    formats: what is taken, of `png`, `jpeg`, `gif`, `webp`, `avif`, `tiff`, `bmp`, `ico` and `svg`; all by default.
    max_pixels: an image of more is refused before it is unpacked.
    thorough: unpack every image as a whole: finds damage in the middle of a file, too, and takes ten times
        as long for PNG, a hundred times for WebP.
    """

    accepts: ClassVar[Sequence[str]] = ("image/*", "application/octet-stream")
    version: ClassVar[str] = "1"

    model: str
    file: str = "file"
    alt: str | None = None
    title: str | None = None
    width: str | None = None
    height: str | None = None
    format: str | None = None
    source: str | None = None
    match: list[str] = field(default_factory=list)
    include: list[str] | None = None
    formats: list[str] | None = None
    max_pixels: int = 50_000_000
    thorough: bool = False
    _formats: frozenset[str] = field(init=False, repr=False, compare=False)
    _include: Globs | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_model(self.model)
        named = (self.file, self.alt, self.title, self.width, self.height, self.format, self.source)
        check_match(self.match, [name for name in named if name])
        if self.max_pixels < 1:
            msg = f"max_pixels: expected at least 1, got {self.max_pixels}"
            raise ValueError(msg)
        self._formats = _formats(self.formats)
        self._include = None if self.include is None else Globs("include", self.include)

    @property
    def produces(self) -> Sequence[str]:
        """The model of the rows."""
        return (self.model,)

    def transform(self, resource: ResourceView) -> Spec | None:
        """The row; None for an address that is not wanted, and for bytes of unknown type that are no image.

        Raises `TransformError` for an image that is broken, too large, of another format, or no image at all.
        """
        if resource.payload.kind == PayloadKind.RECORD:
            return None
        if self._include is not None and not self._include(resource.key.value):
            return None
        facts = self._facts(resource)
        if facts is None:
            return None
        name = file_name(resource, SUFFIXES[facts.format][0], _ALL_SUFFIXES)
        wanted: tuple[tuple[str | None, Any], ...] = (
            (self.file, BlobRef(name=name)),
            (self.alt, str(resource.metadata.get("alt") or "")),
            (self.title, str(resource.metadata.get("title") or "")),
            (self.width, facts.width),
            (self.height, facts.height),
            (self.format, facts.format),
            (self.source, resource.key.value),
        )
        return Spec(self.model, {name: value for name, value in wanted if name}, self.match)

    def _facts(self, resource: ResourceView) -> Facts | None:
        said = resource.media_type
        if not resource.payload.size:
            msg = f"expected an image, {said}, got an empty file"
            raise TransformError(msg)
        beginning = beginning_of(resource.payload)
        if SVG in self._formats and is_svg(beginning):
            return Facts(SVG, None, None)
        try:
            with resource.payload.open() as opened:
                return self._open(opened)
        except UnidentifiedImageError:
            if not said.startswith("image/"):
                return None
            got = "a web page" if is_page(beginning) else f"bytes that begin with {beginning[:16]!r}"
            known = ", ".join(sorted(self._formats))
            msg = f"expected an image, {said}, got {got}; truncated at its head, or none of {known}"
            raise TransformError(msg) from None

    def _open(self, opened: BinaryIO) -> Facts:
        """Open the image and look whether all of it is there."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # The limit is this transformer's own. Where it is the lower one, Pillow's stays as a second guard.
            above = self.max_pixels > (Image.MAX_IMAGE_PIXELS or 0)
            warnings.simplefilter("ignore" if above else "error", Image.DecompressionBombWarning)
            try:
                with Image.open(opened, formats=sorted(self._formats - {SVG})) as image:
                    facts = Facts(image.format or "", image.width, image.height)
                    self._check_size(image.width, image.height)
                    self._check_whole(image)
            except (TransformError, UnidentifiedImageError):
                raise
            except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
                msg = f"image too large: {error}; max_pixels is {self.max_pixels:,}"
                raise TransformError(msg) from error
            except Exception as error:
                # The bytes are anybody's, and decoders fail on them in every way there is.
                msg = f"truncated or broken image: {error or type(error).__name__}"
                raise TransformError(msg) from error
        # Several pictures in one JPEG file, as cameras write them: any reader shows the first.
        return Facts("JPEG", facts.width, facts.height) if facts.format == "MPO" else facts

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self.max_pixels:
            msg = f"image too large: {width} x {height} is {width * height:,} pixels, max_pixels is {self.max_pixels:,}"
            raise TransformError(msg)

    def _check_whole(self, image: Image.Image) -> None:
        if not self.thorough and image.format == "PNG":
            image.verify()
        elif self.thorough or image.format != "WEBP":
            if not self.thorough:
                # Only JPEG can do this: it is read to its end, but unpacked at an eighth of its size.
                image.draft(image.mode, (1, 1))
            image.load()


def _formats(names: Sequence[str] | None) -> frozenset[str]:
    formats = frozenset(SUFFIXES if names is None else (name.upper() for name in names))
    formats = frozenset("JPEG" if name == "JPG" else name for name in formats)
    if unknown := sorted(formats - SUFFIXES.keys()):
        msg = f"formats: expected some of {', '.join(map(str.lower, SUFFIXES))}, got {unknown[0].lower()!r}"
        raise ValueError(msg)
    return formats
