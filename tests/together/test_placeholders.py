"""Placeholders for images can be opened by the library that isekai-html and most projects use."""

import io

import pytest
from PIL import Image

from isekai_core.slicing.placeholders import placeholder

KINDS = {"png": "PNG", "jpg": "JPEG", "JPEG": "JPEG", "gif": "GIF", "webp": "WEBP", "tif": "TIFF", "bmp": "BMP"}


@pytest.mark.parametrize(("suffix", "kind"), KINDS.items())
def test_an_image_is_one_grey_pixel(suffix, kind):
    with Image.open(io.BytesIO(placeholder(f"a.{suffix}"))) as image:
        assert (image.format, image.size) == (kind, (1, 1))
        red, green, blue = image.convert("RGB").getpixel((0, 0))
    assert red == green == blue
    assert 100 < red < 160
