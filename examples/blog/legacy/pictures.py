"""The old site's images: small harbour scenes, drawn by Pillow, each of its own, the same every time."""

import io
import random

from PIL import Image, ImageDraw

FORMATS = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WEBP"}
SIZE = (320, 200)

Colour = tuple[int, int, int]


def picture(path: str, size: tuple[int, int] = SIZE) -> bytes:
    """The image at `path`, in the format that its ending says."""
    image = _scene(random.Random(path), size)
    out = io.BytesIO()
    image.save(out, FORMATS[path.rpartition(".")[2]])
    return out.getvalue()


def truncated(path: str) -> bytes:
    """An image as a broken upload leaves it: a header that promises more than there is."""
    whole = picture(path)
    return whole[: len(whole) // 2]


def _scene(chance: random.Random, size: tuple[int, int]) -> Image.Image:
    width, height = size
    sky: Colour = (chance.randint(120, 200), chance.randint(150, 210), 230)
    image = Image.new("RGB", size, sky)
    draw = ImageDraw.Draw(image)
    radius = chance.randint(10, 24)
    x, y = chance.randint(30, width - 30), chance.randint(25, height // 3)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(250, 220, chance.randint(90, 180)))
    for _ in range(chance.randint(4, 9)):
        _house(draw, chance, width, height)
    draw.rectangle((0, height * 2 // 3, width, height), fill=(40, chance.randint(80, 120), chance.randint(120, 170)))
    for _ in range(chance.randint(1, 4)):
        _boat(draw, chance, width, height)
    return image


def _house(draw: ImageDraw.ImageDraw, chance: random.Random, width: int, height: int) -> None:
    left, wide, high = chance.randint(0, width - 30), chance.randint(18, 40), chance.randint(25, 70)
    base = height * 2 // 3
    colour: Colour = (chance.randint(120, 230), chance.randint(70, 160), chance.randint(60, 120))
    draw.rectangle((left, base - high, left + wide, base), fill=colour)
    draw.polygon(
        [(left, base - high), (left + wide, base - high), (left + wide // 2, base - high - 14)], fill=(90, 50, 40)
    )


def _boat(draw: ImageDraw.ImageDraw, chance: random.Random, width: int, height: int) -> None:
    x, y = chance.randint(10, width - 80), chance.randint(height * 2 // 3 + 15, height - 15)
    long = chance.randint(30, 60)
    draw.polygon([(x, y), (x + long, y), (x + long - 8, y + 10), (x + 8, y + 10)], fill=(70, 40, 30))
    draw.polygon([(x + long // 2, y - 32), (x + long // 2, y - 3), (x + long - 4, y - 3)], fill=(245, 245, 240))
