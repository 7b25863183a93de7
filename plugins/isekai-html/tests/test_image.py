"""The image transformer: what is a sound image becomes a row, what is not says why."""

import io
import struct
import zlib

import pytest
from isekai_html.image import ImageTransformer
from PIL import Image

from isekai_core.errors import TransformError
from isekai_core.types import BlobRef, Key, Payload, ResourceView


def picture(kind, size=(40, 30)):
    file = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(file, kind)
    return file.getvalue()


def view(content, media_type="image/png", url="https://old.example.org/img/a.png", **metadata):
    return ResourceView(Key("url", url), payload=Payload.from_blob(content, media_type), metadata=metadata)


def bomb(width, height):
    """A PNG of a few bytes that claims to be as large as it likes."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_sound_image_becomes_a_row_with_its_size_and_format(kind):
    transformer = ImageTransformer("blog.Photo", alt="alt", width="width", height="height", format="format")
    spec = transformer.transform(view(picture(kind), f"image/{kind.lower()}", alt="A quay"))
    assert spec.model == "blog.Photo"
    assert spec.values == {"file": BlobRef(name="a.png"), "alt": "A quay", "width": 40, "height": 30, "format": kind}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_truncated_image_is_refused(kind, part):
    content = picture(kind)
    with pytest.raises(TransformError, match=r"broken image|no image"):
        ImageTransformer("blog.Photo").transform(view(content[: int(len(content) * part)]))


def test_a_page_served_as_an_image_is_refused_by_name():
    with pytest.raises(TransformError, match=r"url:https://old.example.org/img/a.png: said to be image/png"):
        ImageTransformer("blog.Photo").transform(view(b"<html>not found</html>"))


def test_bytes_of_unknown_kind_that_are_no_image_are_left_to_others():
    assert ImageTransformer("blog.Photo").transform(view(b"%PDF-1.4", "application/octet-stream")) is None


def test_bytes_of_unknown_kind_that_are_an_image_are_taken():
    spec = ImageTransformer("blog.Photo", format="kind").transform(view(picture("PNG"), "application/octet-stream"))
    assert spec.values["kind"] == "PNG"


@pytest.mark.parametrize("size", [(30_000, 30_000), (7_072, 7_072)])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(size):
    with pytest.raises(TransformError, match=r"max_pixels|too large to unpack"):
        ImageTransformer("blog.Photo").transform(view(bomb(*size)))


def test_the_limit_is_the_transformers_own():
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(TransformError, match="40 x 30 is 1200 pixels, more than max_pixels"):
        ImageTransformer("blog.Photo", max_pixels=1199).transform(view(picture("PNG")))
    assert ImageTransformer("blog.Photo", max_pixels=1200).transform(view(picture("PNG"))) is not None
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_vector_image_is_taken_without_a_size():
    svg = view(b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml", "https://old.example.org/logo")
    spec = ImageTransformer("blog.Photo", width="width").transform(svg)
    assert spec.values == {"file": BlobRef(name="logo.svg"), "width": None}


def test_a_limit_below_one_pixel_is_refused():
    with pytest.raises(ValueError, match="max_pixels is at least 1, got 0"):
        ImageTransformer("blog.Photo", max_pixels=0)
