"""The file name of a Content-Disposition header (RFC 6266), made harmless: a name, never a path."""

import re
from contextlib import suppress
from urllib.parse import unquote_to_bytes

_PARAMETER = re.compile(r';\s*(filename\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.IGNORECASE)
_LONGEST = 255


def filename(header: str) -> str | None:
    """The base name that the header gives, the encoded form first; None when it gives none.

    header: one character a byte (latin-1), as HTTP has it; bytes that are UTF-8 are read as that.

    >>> filename('attachment; filename="../../a.pdf"')
    'a.pdf'
    >>> filename("inline; filename=a.pdf; filename*=UTF-8''%C3%A9.pdf")
    'é.pdf'
    """
    with suppress(UnicodeError):
        header = header.encode("latin-1").decode("utf-8")
    given: dict[str, str] = {}
    for name, quoted, plain in _PARAMETER.findall(header):
        given.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) if quoted else plain.strip())
    for text in (_extended(given.get("filename*", "")), given.get("filename", "")):
        if name := _base_name(text):
            return name
    return None


def _extended(value: str) -> str:
    """RFC 5987: charset'language'percent-encoded."""
    charset, first, rest = value.partition("'")
    _, second, encoded = rest.partition("'")
    if not (first and second):
        return ""
    try:
        return unquote_to_bytes(encoded).decode(charset)
    except (LookupError, ValueError):
        return ""


def _base_name(text: str) -> str:
    """The last part, by both separators, without what no file system should be given."""
    name = re.split(r"[/\\]", text)[-1]
    name = "".join(char for char in name if char.isprintable()).strip(" .")
    while len(name.encode("utf-8", "replace")) > _LONGEST:
        stem, dot, suffix = name.rpartition(".")
        name = f"{stem[:-1]}{dot}{suffix}" if len(stem) > 1 else name[:-1]
    return name
