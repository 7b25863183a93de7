"""File names: from a key, safe on every file system, with the suffix that the bytes call for."""

import mimetypes
import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from isekai_core.types import ResourceView

LONGEST = 100
_UNSAFE = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*]+")


def file_name(resource: ResourceView, suffix: str = "") -> str:
    """A name for the file of `resource`: what the source called it, else the end of its key.

    suffix: with the dot, put behind a name that has none.

    >>> from isekai_core.types import Key
    >>> file_name(ResourceView(Key("url", "https://old.example.org/img/a%20b?size=2")), ".png")
    'a b.png'
    """
    given = str(resource.metadata.get("filename") or "") or _end_of_key(resource)
    path = PurePosixPath(_UNSAFE.sub("_", PurePosixPath(given.replace("\\", "/")).name).strip(" ."))
    stem, ending = (path.stem, path.suffix) if path.suffix else (str(path), suffix)
    if stem in ("", "."):
        stem = "file"
    ending = ending[:16]
    return stem[: LONGEST - len(ending)] + ending


def suffix_of(media_type: str) -> str:
    """The usual suffix of a media type, with the dot; empty when there is none."""
    return mimetypes.guess_extension(media_type) or ""


def _end_of_key(resource: ResourceView) -> str:
    value = resource.key.value
    path = unquote(urlsplit(value).path, errors="replace") if resource.key.type == "url" else value
    return PurePosixPath(path).name
