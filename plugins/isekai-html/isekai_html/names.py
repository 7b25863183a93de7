"""File names: what the source calls a file, made safe for every file system, with a suffix that fits its bytes."""

import mimetypes
import re
import unicodedata
from collections.abc import Container
from pathlib import PurePosixPath
from urllib.parse import unquote

from isekai_core.types import ResourceView

MAX_CHARACTERS = 100
MAX_BYTES = 200
"""Below the 255 that file systems take, so that a storage can still make the name unique."""

_UNSAFE = re.compile(r'[<>:"/\\|?*]+')
_LONGEST_SUFFIX = 10
# What made the file, not what it is; and a media folder is no place for a script.
_SCRIPTS = frozenset(
    (
        *(".asp", ".aspx", ".cfm", ".cgi", ".do", ".htm", ".html", ".jsp", ".jspx", ".phar", ".php", ".php3", ".php4"),
        *(".php5", ".php7", ".phtml", ".pl", ".py", ".rb", ".shtml", ".xhtml"),
    )
)
# Not the module's functions: those know the types of the machine, and a name must be the same on each.
_TYPES = mimetypes.MimeTypes()


def file_name(resource: ResourceView, suffix: str, expected: Container[str] | None = None) -> str:
    """The name of the file that `resource` is: what the source called it, else the end of its key.

    suffix: the one that fits the bytes, with the dot; for a name that has none, or that of a script.
    expected: suffixes, with the dot; to a name with any other, `suffix` is added.

    >>> from isekai_core.types import Key
    >>> file_name(ResourceView(Key("url", "https://old.example.org/img/caf%C3%A9.php?size=2")), ".png")
    'café.png'
    """
    path = PurePosixPath(_safe(str(resource.metadata.get("filename") or "")) or _safe(_end_of(resource)) or "file")
    stem, ending = path.stem, path.suffix
    if ending.lower() in _SCRIPTS or len(ending) == 1:
        ending = suffix
    elif not ending or len(ending) > _LONGEST_SUFFIX or (expected is not None and ending.lower() not in expected):
        stem, ending = path.name, suffix
    return _cut(stem, ending) + ending


def suffix_for(media_type: str) -> str:
    """The usual suffix of a media type, with the dot; empty when there is none.

    >>> suffix_for("application/pdf")
    '.pdf'
    """
    return _TYPES.guess_extension(media_type) or ""


def _end_of(resource: ResourceView) -> str:
    value = resource.key.value
    return unquote(value.partition("?")[0].rpartition("/")[2]) if resource.key.type == "url" else value


def _safe(text: str) -> str:
    """The last part of a path, without what some file system or terminal would take for more than a letter."""
    name = unicodedata.normalize("NFC", text).replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = "".join("_" if unicodedata.category(char)[0] == "C" else char for char in name)
    return _UNSAFE.sub("_", name).strip(" .")


def _cut(stem: str, ending: str) -> str:
    stem = stem[: MAX_CHARACTERS - len(ending)]
    while len((stem + ending).encode()) > MAX_BYTES:
        stem = stem[:-1]
    return stem.rstrip(" .") or "file"
