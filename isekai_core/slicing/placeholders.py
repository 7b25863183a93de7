"""Placeholders: small files that are valid for their suffix, so that a copy for developers has no dead links.

An image is one grey pixel. Drawing one as large as the row says would need a library that core does without.
"""

from base64 import b64decode
from pathlib import PurePosixPath

_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
_GIF = "R0lGODdhAQABAIEAAICAgAAAAAAAAAAAACwAAAAAAQABAAAIBAABBAQAOw=="
_JPEG = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxl"
    "Z2P/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z"
)
_WEBP = "UklGRiQAAABXRUJQVlA4IBgAAABQAQCdASoBAAEADMDOJaQABHQAAAAAAAA="
_TIFF = (
    "SUkqAAgAAAAJAAABBAABAAAAAQAAAAEBBAABAAAAAQAAAAIBAwABAAAACAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAAegAAABYBBAAB"
    "AAAAAQAAABcBBAABAAAAAQAAABwBAwABAAAAAQAAAAAAAACA"
)
_BMP = (
    b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0\0\0\0\0\x04\0\0\0"
    + bytes(16)
    + b"\x80\x80\x80\0"
)
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><path fill="#808080" d="M0 0h1v1H0z"/></svg>\n'
_HTML = b"<!doctype html>\n<title>placeholder</title>\n"
_ZIP = b"PK\x05\x06" + bytes(18)
_PDF_OBJECTS = (
    b"<< /Type /Catalog /Pages 2 0 R >>",
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Resources << >> >>",
)


def _pdf() -> bytes:
    """One empty page."""
    text, places = b"%PDF-1.4\n", []
    for number, content in enumerate(_PDF_OBJECTS, start=1):
        places.append(len(text))
        text += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start, size = len(text), len(places) + 1
    text += b"xref\n0 %d\n0000000000 65535 f \n" % size + b"".join(b"%010d 00000 n \n" % place for place in places)
    return text + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)


_BY_SUFFIX = {
    ".png": b64decode(_PNG),
    ".gif": b64decode(_GIF),
    **dict.fromkeys((".jpg", ".jpeg"), b64decode(_JPEG)),
    ".webp": b64decode(_WEBP),
    **dict.fromkeys((".tif", ".tiff"), b64decode(_TIFF)),
    ".bmp": _BMP,
    ".svg": _SVG,
    ".pdf": _pdf(),
    **dict.fromkeys((".html", ".htm"), _HTML),
    ".xml": b"<placeholder/>\n",
    ".json": b"{}\n",
    ".zip": _ZIP,
}


def placeholder(name: str) -> bytes:
    """What stands for the file of this name: by its suffix, and an empty file where none is known.

    >>> placeholder("people/ada.PNG")[1:4], placeholder("notes.txt")
    (b'PNG', b'')
    """
    return _BY_SUFFIX.get(PurePosixPath(name).suffix.lower(), b"")
