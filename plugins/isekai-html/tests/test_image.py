"""The image transformer: what is a sound image becomes a row, what is not says why."""

import io
import struct
import warnings
import zlib

import pytest
from isekai_html.image import SUFFIXES, ImageTransformer
from PIL import Image

from isekai_core.errors import TransformError
from isekai_core.types import BlobRef, Key, Payload, ResourceView, Spec, Spool, Transformer

KINDS = ["PNG", "JPEG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"]
URL = "https://old.example.org/img/a.png"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'


def picture(kind, size=(40, 30), **options):
    file = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(file, kind, **options)
    return file.getvalue()


def view(content, media_type="image/png", url=URL, **metadata):
    return ResourceView(Key("url", url), payload=Payload.from_blob(content, media_type), metadata=metadata)


def transform(content, media_type="image/png", url=URL, **options):
    return ImageTransformer("blog.Photo", **options).transform(view(content, media_type, url))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(width, height):
    """A PNG of a few bytes that claims to be as large as it likes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def icon_with(image):
    """An icon file that says 16 x 16 and holds a whole PNG, of whatever size that is."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(image), 22) + image


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("thorough", [False, True])
def test_a_sound_image_becomes_a_row_with_its_size_and_format(kind, thorough):
    transformer = ImageTransformer(
        "blog.Photo",
        alt="alt",
        title="title",
        width="width",
        height="height",
        format="format",
        source="source",
        match=["source"],
        thorough=thorough,
    )
    spec = transformer.transform(view(picture(kind), f"image/{kind.lower()}", alt="A quay", title="Harbour"))
    assert spec == Spec(
        "blog.Photo",
        {
            "file": BlobRef(name="a.png"),
            "alt": "A quay",
            "title": "Harbour",
            "width": 40,
            "height": 30,
            "format": kind,
            "source": URL,
        },
        match=["source"],
    )


def test_only_the_fields_that_are_named_get_a_value():
    assert transform(picture("PNG"), file="picture").values == {"picture": BlobRef(name="a.png")}


def test_an_image_of_which_no_page_says_anything_has_empty_texts():
    assert transform(picture("PNG"), alt="alt", title="title").values == {
        "file": BlobRef(name="a.png"),
        "alt": "",
        "title": "",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_suffix_fits_the_format_where_the_address_has_none(kind):
    for end in ("show?id=7", "show.php?id=7"):
        spec = transform(picture(kind), "application/octet-stream", f"https://old.example.org/{end}")
        assert spec.values["file"] == BlobRef(name="show" + SUFFIXES[kind][0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_image_is_refused(kind, part):
    content = picture(kind, (200, 150))
    with pytest.raises(TransformError, match="truncated"):
        transform(content[: int(len(content) * part)], f"image/{kind.lower()}")


@pytest.mark.parametrize("options", [{"progressive": True}, {"quality": 20}])
def test_every_kind_of_jpeg_is_read_to_its_end(options):
    content = picture("JPEG", (400, 300), **options)
    assert transform(content) is not None
    with pytest.raises(TransformError, match="truncated or broken image"):
        transform(content[:-200])


def test_a_png_without_its_end_is_refused():
    content = picture("PNG")
    assert content.endswith(chunk(b"IEND", b""))
    with pytest.raises(TransformError, match="truncated or broken image"):
        transform(content[:-12])


def test_a_damaged_png_is_refused_by_its_checksum():
    content = bytearray(picture("PNG"))
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(TransformError, match="truncated or broken image"):
        transform(bytes(content))


def test_damage_behind_right_checksums_is_found_by_a_thorough_look():
    header = struct.pack(">IIBBBBB", 40, 30, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"no zlib") + chunk(b"IEND", b"")
    assert transform(content) is not None
    with pytest.raises(TransformError, match="truncated or broken image"):
        transform(content, thorough=True)


def test_an_empty_file_is_refused():
    with pytest.raises(TransformError, match="expected an image, image/png, got an empty file"):
        transform(b"")


def test_a_page_in_the_place_of_an_image_is_refused_by_name():
    with pytest.raises(TransformError, match="expected an image, image/png, got a web page"):
        transform(b"<!doctype html><h1>Not found")


def test_other_bytes_in_the_place_of_an_image_are_refused_and_shown():
    with pytest.raises(TransformError, match=r"expected an image, image/jpeg, got bytes that begin with b'%PDF-1\.4'"):
        transform(b"%PDF-1.4", "image/jpeg")


def test_bytes_of_unknown_type_that_are_no_image_are_left_to_others():
    for content in (b"%PDF-1.4", b"<!doctype html>", b"PK\x03\x04"):
        assert transform(content, "application/octet-stream") is None


def test_an_image_of_another_type_than_said_is_taken_as_what_it_is():
    assert transform(picture("JPEG"), "image/png", format="kind").values["kind"] == "JPEG"


@pytest.mark.parametrize("size", [(30_000, 30_000), (2**31 - 1, 2**31 - 1), (7_072, 7_072), (50_000_001, 1)])
@pytest.mark.parametrize("thorough", [False, True])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(size, thorough):
    with pytest.raises(TransformError, match=r"image too large: .*max_pixels is 50,000,000"):
        transform(bomb(*size), thorough=thorough)


def test_a_bomb_inside_an_icon_is_refused():
    small = icon_with(picture("PNG", (16, 16)))
    assert transform(small, "image/x-icon", format="kind").values["kind"] == "ICO"
    with pytest.raises(TransformError, match="image too large"):
        transform(icon_with(bomb(12_000, 12_000)), "image/x-icon")


def test_the_limit_is_the_transformers_own_and_changes_nothing_for_others():
    before, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    with pytest.raises(TransformError, match="image too large: 40 x 30 is 1,200 pixels, max_pixels is 1,199"):
        transform(picture("PNG"), max_pixels=1199)
    assert transform(picture("PNG"), max_pixels=1200) is not None
    assert before == Image.MAX_IMAGE_PIXELS
    assert filters == warnings.filters


def test_a_limit_above_pillows_own_is_the_one_that_counts():
    assert transform(bomb(10_000, 9_500), max_pixels=100_000_000) is not None


@pytest.mark.parametrize("url", ["https://old.example.org/logo", "https://old.example.org/logo.svg"])
def test_a_vector_image_is_taken_without_a_size(url):
    spec = transform(SVG, "image/svg+xml", url, width="width", format="kind")
    assert spec.values == {"file": BlobRef(name="logo.svg"), "width": None, "kind": "SVG"}


def test_a_vector_image_may_be_a_text_payload():
    payload = Payload.from_text(SVG, "image/svg+xml")
    assert ImageTransformer("blog.Photo").transform(ResourceView(Key("url", URL), payload=payload)) is not None


def test_what_is_no_vector_image_is_refused_as_one():
    with pytest.raises(TransformError, match=r"expected an image, image/svg\+xml, got a web page"):
        transform(b"<html><svg></svg></html>", "image/svg+xml")


def test_formats_can_be_left_out():
    assert transform(picture("JPEG"), formats=["jpg", "PNG"]) is not None
    with pytest.raises(TransformError, match=r"expected an image, image/gif, .* none of JPEG, PNG"):
        transform(picture("GIF"), "image/gif", formats=["jpeg", "png"])
    with pytest.raises(TransformError, match="none of PNG"):
        transform(SVG, "image/svg+xml", formats=["png"])


def test_only_images_whose_address_fits_are_taken():
    assert transform(picture("PNG"), include=["/img/*"]) is not None
    assert transform(picture("PNG"), include=["/photos/*"]) is None


def test_an_image_that_lies_in_a_temporary_file_is_read_from_there():
    spool = Spool(memory_limit=10)
    spool.write(picture("JPEG", (200, 150)))
    payload = Payload.from_blob(spool, "image/jpeg")
    spec = ImageTransformer("blog.Photo", width="w").transform(ResourceView(Key("url", URL), payload=payload))
    assert spec.values["w"] == 200
    assert payload.read() == payload.read()


def test_a_record_is_no_image():
    payload = Payload.from_record({"a": 1})
    assert ImageTransformer("blog.Photo").transform(ResourceView(Key("row", "1"), payload=payload)) is None


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"model": "Photo"}, "model: expected app_label.ModelName, got 'Photo'"),
        ({"match": ["alt"]}, "match: 'alt' gets no value; the fields that do are file"),
        ({"max_pixels": 0}, "max_pixels: expected at least 1, got 0"),
        ({"formats": ["eps"]}, "formats: expected some of png, jpeg, .* got 'eps'"),
        ({"include": [""]}, "include: expected a glob pattern"),
    ],
)
def test_options_that_cannot_be_are_refused(options, why):
    with pytest.raises(ValueError, match=why):
        ImageTransformer(**({"model": "blog.Photo"} | options))


def test_it_is_a_transformer_of_images():
    assert isinstance(ImageTransformer("blog.Photo"), Transformer)
    assert ImageTransformer.accepts == ("image/*", "application/octet-stream")
