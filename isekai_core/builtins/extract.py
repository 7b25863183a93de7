"""The `file` extractor: the files of one folder, and never one outside it."""

import datetime as dt
import mimetypes
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import BinaryIO, ClassVar

from isekai_core.builtins.encodings import byte_order_mark, known_codec
from isekai_core.builtins.paths import told
from isekai_core.errors import ExtractError
from isekai_core.types import Extraction, MemoryBody, Payload, PayloadKind, ResourceView, Spool
from isekai_core.types.payloads import MEMORY_LIMIT

_CHUNK = 256 * 1024
_TEXTS = ("application/json", "application/xml", "application/xhtml+xml", "application/x-yaml", "application/toml")
_MORE_TYPES = {
    ".avif": "image/avif",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".js": "text/javascript",
    ".md": "text/markdown",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".webp": "image/webp",
    ".xhtml": "application/xhtml+xml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""What some of the supported versions of Python do not know."""

# Not the module's own functions: they read the machine's tables, and results must not depend on the machine.
_TYPES = mimetypes.MimeTypes()
for _suffix, _media_type in _MORE_TYPES.items():
    _TYPES.add_type(_media_type, _suffix)


@dataclass(frozen=True)
class FileExtractor:
    """Brings files: the key `file:images/a.png` is the file images/a.png below root.

    Text (HTML, JSON and the like, by the suffix) is brought as text, everything else as a blob. Found
    with it: filename, and modified, the time of its last change.

    root: the folder; a relative one counts from where the command is started. Nothing outside it is read,
        whatever a key or a symbolic link says.
    charset: of text files without a byte order mark.
    """

    accepts: ClassVar[tuple[str, ...]] = ("file",)
    produces: ClassVar[tuple[str, ...]] = ("*/*",)

    root: str | Path
    charset: str = "utf-8"

    def __post_init__(self) -> None:
        if not Path(self.root).is_dir():
            msg = f"root: expected a folder that exists, got {told(self.root)}"
            raise ValueError(msg)
        if not known_codec(self.charset):
            msg = f"charset: expected the name of a text encoding such as utf-8 or cp1252, got {self.charset!r}"
            raise ValueError(msg)

    def extract(self, resource: ResourceView) -> Extraction:
        """The bytes of the file that the key names."""
        value = resource.key.value
        path = self._inside(value)
        try:
            about = path.stat()
            self._check(value, about)
            payload = self._payload(path)
        except OSError as error:
            msg = f"{value!r} cannot be read below {self.root}: {error.strerror or error}"
            raise ExtractError(msg) from error
        modified = dt.datetime.fromtimestamp(about.st_mtime, dt.UTC)
        return Extraction(payload, {"filename": path.name, "modified": modified})

    def _inside(self, value: str) -> Path:
        """The path with every link and `..` resolved; `ExtractError` when that is outside of root."""
        foreign = PureWindowsPath(value).drive or value.startswith(("/", "\\"))
        root = Path(os.path.realpath(self.root))
        if "\x00" not in value and not foreign:
            path = Path(os.path.realpath(root / value))
            if path.is_relative_to(root):
                return path
        msg = f"{value!r} is outside of the root {self.root}; a file key is a path relative to it"
        raise ExtractError(msg)

    def _check(self, value: str, about: os.stat_result) -> None:
        trouble = ""
        if stat.S_ISDIR(about.st_mode):
            trouble = "is a folder, not a file"
        elif not stat.S_ISREG(about.st_mode):
            trouble = "is no ordinary file"  # Reading a pipe or a device might never end.
        elif not about.st_size:
            trouble = "is empty (0 bytes)"
        if trouble:
            msg = f"{value!r} below {self.root} {trouble}"
            raise ExtractError(msg)

    def _payload(self, path: Path) -> Payload:
        with path.open("rb") as file:
            start = file.read(MEMORY_LIMIT)
            body = MemoryBody(start) if len(start) < MEMORY_LIMIT else _spooled(start, file)
        media_type = media_type_of(path.name)
        if media_type.startswith("text/") or media_type in _TEXTS:
            charset = byte_order_mark(start) or self.charset
            return Payload(PayloadKind.TEXT, media_type, body, charset)
        return Payload(PayloadKind.BLOB, media_type, body)


def _spooled(start: bytes, file: BinaryIO) -> Spool:
    """The whole file, on disk: what is hashed is what is stored, even when the file changes meanwhile."""
    spool = Spool()
    try:
        spool.write(start)
        while chunk := file.read(_CHUNK):
            spool.write(chunk)
    except BaseException:
        spool.close()
        raise
    return spool


def media_type_of(name: str) -> str:
    """The media type that a file's name tells.

    >>> media_type_of("a.HTML"), media_type_of("a.csv.gz"), media_type_of("a")
    ('text/html', 'application/gzip', 'application/octet-stream')
    """
    media_type, packed = _TYPES.guess_type(name, strict=False)
    if packed:
        return f"application/{'gzip' if packed == 'gzip' else 'x-' + packed}"
    return (media_type or "application/octet-stream").lower()
