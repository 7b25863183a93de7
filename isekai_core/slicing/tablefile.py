"""One file of a bundle: written in blocks and hashed on the way, checked, and opened; compressed or not."""

import codecs
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from isekai_core.errors import BundleError
from isekai_core.slicing.csvtext import BLOCK, split_header
from isekai_core.slicing.disk import Disk
from isekai_core.slicing.manifest import Stored, Written
from isekai_core.types.slices import BundleTable

COMPRESSED = ".zst"
_AT_ONCE = 16 * 1024 * 1024
"""So many bytes are worth asking the disk for: less is left at the end."""


def zstd() -> Any:
    """The library, imported when it is used; `BundleError` says how to get it."""
    try:
        import zstandard  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        msg = "a bundle that is compressed with zstd needs the package zstandard: pip install zstandard"
        raise BundleError(msg) from error
    return zstandard


@contextmanager
def writing(what: str) -> Iterator[None]:
    """What the system refuses while `what` is written becomes a `BundleError`."""
    try:
        yield
    except OSError as error:
        msg = f"{what} cannot be written: {error.strerror or error}"
        raise BundleError(msg) from error


def write_blocks(path: Path, file: str, chunks: Iterable[bytes], disk: Disk, go_on: Callable[[], None]) -> Written:
    """Write `chunks` to `path`, compressed when its name says so; they are on the disk when `disk` has settled.

    file: its name in the bundle.
    go_on: raises when nobody wants it any more.

    An error of the chunks passes as it is; what the disk refuses is a `BundleError`.
    """
    output = _Output(path, file, disk)
    try:
        for block in _blocks(chunks):
            go_on()
            output.write(block)
        return output.finish()
    except BaseException:
        output.close()
        raise


def open_csv(path: Path) -> BinaryIO:
    """The file's bytes, uncompressed."""
    file = path.open("rb")
    if path.suffix != COMPRESSED:
        return file
    return _unpacked(file)


def check_csv(path: Path, table: BundleTable, stored: Stored) -> str:
    """What is wrong with a table's file; "" for nothing."""
    with path.open("rb") as file:
        reader = _HashingReader(file)
        details = _check_content(reader, table)
        while reader.read(BLOCK):  # The rest, when it was not read to the end.
            pass
    if (reader.hash.size, reader.hash.hexdigest()) != (stored.bytes, stored.sha256):
        told = details or _difference(reader.hash, stored)
        return f"{stored.file} was changed: {told}"
    return f"{stored.file} does not fit its manifest: {details}" if details else ""


def check_file(path: Path, stored: Stored) -> str:
    """What is wrong with any other file; "" for nothing."""
    with path.open("rb") as file:
        reader = _HashingReader(file)
        while reader.read(BLOCK):
            pass
    is_same = (reader.hash.size, reader.hash.hexdigest()) == (stored.bytes, stored.sha256)
    return "" if is_same else f"{stored.file} was changed: {_difference(reader.hash, stored)}"


def check_columns(got: Sequence[str], expected: Sequence[str]) -> str:
    """How the columns of a header differ from those that belong there; "" when they do not."""
    if list(got) == list(expected):
        return ""
    more = [name for name in got if name not in expected]
    less = [name for name in expected if name not in got]
    parts = [f"the header has the column {name!r} more" for name in more]
    parts += [f"the header lacks the column {name!r}" for name in less]
    return ", ".join(parts) or f"its columns are {', '.join(got)} instead of {', '.join(expected)}"


class _Hash:
    """SHA-256 and size of what passes."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.size = 0

    def update(self, block: bytes) -> None:
        self._hash.update(block)
        self.size += len(block)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


class _Output:
    """A file that is written, hashed as it lies there and as it is read."""

    def __init__(self, path: Path, file: str, disk: Disk) -> None:
        self._name = file
        self._disk = disk
        self._since = 0
        self._packer = zstd().ZstdCompressor(write_checksum=True).compressobj() if path.suffix == COMPRESSED else None
        self._plain = _Hash()
        self._packed = _Hash() if self._packer else self._plain
        with writing(file):
            self._file = path.open("wb")

    def write(self, block: bytes) -> None:
        self._plain.update(block)
        self._put(self._packer.compress(block) if self._packer else block)

    def finish(self) -> Written:
        if self._packer:
            self._put(self._packer.flush())
        with writing(self._name):
            self._file.flush()
        self._disk.end(self._file, self._name)
        stored = Stored("", self._name, self._packed.size, self._packed.hexdigest())
        return Written(stored, self._plain.size, self._plain.hexdigest())

    def close(self) -> None:
        with suppress(OSError):  # After an error it tries again to write what it holds.
            self._file.close()

    def _put(self, block: bytes) -> None:
        if self._packer:
            self._packed.update(block)
        with writing(self._name):
            self._file.write(block)
            self._since += len(block)
            if self._since >= _AT_ONCE:
                self._since = 0
                self._file.flush()
                self._disk.begin(self._file, self._name)


class _HashingReader(io.RawIOBase):
    """Reads a file, and hashes what it reads."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self.hash = _Hash()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        block = self._file.read(size)
        self.hash.update(block)
        return block


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks that are worth a call: a database gives a chunk for each row."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size >= BLOCK:
            yield b"".join(parts)
            parts, size = [], 0
    if size:
        yield b"".join(parts)


def _check_content(reader: _HashingReader, table: BundleTable) -> str:
    packed = table.file.endswith(COMPRESSED)
    plain = _Hash()
    try:
        source = _unpacked(reader, closes=False) if packed else reader
        names, chunks = split_header(_checked(source, plain, table.bytes))
        if told := check_columns(names, [column.name for column in table.columns]):
            return told
        for _ in chunks:
            pass
    except BundleError as error:
        return str(error)
    if (plain.size, plain.hexdigest()) != (table.bytes, table.sha256):
        return _difference(plain, Stored(table.model, table.file, table.bytes, table.sha256))
    return ""


def _checked(source: Any, plain: _Hash, limit: int) -> Iterator[bytes]:
    """The blocks of a CSV, of which no more are read than belong there; `BundleError` for what is no UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    pending = b""
    while block := _read(source):
        plain.update(block)
        if pending or not block.isascii():
            _decode(decoder, block, plain.size)
            pending = decoder.getstate()[0]
        yield block
        if plain.size > limit:
            return
    _decode(decoder, b"", plain.size, final=True)


def _read(source: Any) -> bytes:
    try:
        return bytes(source.read(BLOCK))
    except OSError:
        raise
    except Exception as error:  # ZstdError, of a library that may not be there.
        msg = f"it cannot be decompressed: {error}"
        raise BundleError(msg) from error


def _decode(decoder: Any, block: bytes, end: int, *, final: bool = False) -> None:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError as error:
        byte = end - len(error.object) + error.start
        msg = f"it is not UTF-8: byte {byte} holds {error.object[error.start : error.end].hex(' ')}"
        raise BundleError(msg) from error


def _unpacked(file: Any, *, closes: bool = True) -> BinaryIO:
    reader = zstd().ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=closes)
    return cast("BinaryIO", io.BufferedReader(reader, BLOCK))


def _difference(got: _Hash, expected: Stored) -> str:
    if got.size != expected.bytes:
        return f"it has {got.size:,} bytes, the manifest says {expected.bytes:,}"
    return f"its SHA-256 is {got.hexdigest()[:12]}…, the manifest says {expected.sha256[:12]}…"
