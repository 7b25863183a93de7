"""Storing: the files of a bundle go into the target's storages, before a row is loaded that names them.

Whatever the target is: it is given the bundle with the names that the files have got. When the load fails, the files
that were saved for it are taken away again.
"""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.core.files.base import File
from django.db.models import FileField

from isekai_core.errors import SliceError, StagingError
from isekai_core.slicing.circles import notes_of_facts
from isekai_core.slicing.csvtext import BLOCK, read_rows, write_rows
from isekai_core.slicing.files import shortened
from isekai_core.types.slices import BundleReader, BundleTable, LoadChoice, SliceProgress, SliceTarget, TableReport

Renames = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Label of a model to column to old name to new name."""


@dataclass
class Stored:
    """What became of the files of a bundle.

    bundle: as the target is to load it.
    saved: storages and names of the files that were not there.
    reused: how many were there already.
    renamed: label to column to old name to new name, of those that could not keep theirs.
    """

    bundle: BundleReader
    saved: list[tuple[Any, str]] = field(default_factory=list)
    reused: int = 0
    renamed: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)

    def take_back(self) -> None:
        """Remove the files that were saved, as far as the storages can."""
        for storage, name in reversed(self.saved):
            with suppress(Exception):
                storage.delete(name)

    def __str__(self) -> str:
        others = sum(len(names) for columns in self.renamed.values() for names in columns.values())
        return f"files stored: {len(self.saved):,}, there already: {self.reused:,}, under another name: {others:,}"


def load(
    bundle: BundleReader, target: SliceTarget, choice: LoadChoice, progress: SliceProgress, *, files: bool
) -> tuple[Sequence[TableReport], list[str]]:
    """Load `bundle` into `target`, and its files before it, if they are wanted; what became of it, and notes."""
    notes = notes_of(bundle)
    number = len(bundle.manifest.get("files", ()))
    if files and number:
        with storing(bundle, progress) as stored:
            tables = target.load(stored.bundle, choice, progress)
        return tables, [*notes, str(stored)]
    if number:
        notes += [f"files of the slice that are not stored: {number:,}; files=True stores them"]
    return target.load(bundle, choice, progress), notes


def notes_of(bundle: BundleReader) -> list[str]:
    """What the manifest says of files that were not there, and of rows that a limit left without what they need."""
    facts = bundle.manifest.get("facts", {})
    lost = facts.get("missing_files") or []
    files = [f"files that are not in their storage, and left out ({len(lost):,}): {shortened(lost)}"] if lost else []
    return [*files, *notes_of_facts(facts)]


@contextmanager
def storing(bundle: BundleReader, progress: SliceProgress) -> Iterator[Stored]:
    """The files of `bundle` in the storages of their fields, for as long as the block needs to load the rows.

    A file that is there under its name, or under the one it would get instead, is used when it has the same bytes.
    Another one stays: the new file gets a name with a part of its hash, the same each time.

    Raises `StagingError` for a field that the project does not have, and for what a storage refuses.
    """
    result = Stored(bundle)
    try:
        _store_all(result, progress)
        if result.renamed:
            result.bundle = _Renamed(bundle, result.renamed)
        yield result
    except BaseException:
        result.take_back()
        raise


def _store_all(result: Stored, progress: SliceProgress) -> None:
    entries: Sequence[Mapping[str, Any]] = result.bundle.manifest.get("files", ())
    fields = {label: _field(str(label)) for label in dict.fromkeys(one.get("field") or "" for one in entries)}
    progress.begin("files", len(entries))
    for entry, (name, content) in zip(entries, result.bundle.files(), strict=True):
        label = str(entry.get("field"))
        _store(result, fields[label], entry, name, content)
        progress.advance("files", 1, int(entry["bytes"]))
    progress.end("files")


def _field(label: str) -> Any:
    """The file field of this label."""
    if not label:
        msg = "the bundle does not say whose its files are; export it again, or load it without files"
        raise StagingError(msg)
    model, _, name = label.rpartition(".")
    try:
        found: Any = apps.get_model(model)._meta.get_field(name)
    except (LookupError, ValueError, FieldDoesNotExist):
        found = None
    if not isinstance(found, FileField):
        msg = f"the bundle has files of {label}, and this project has no such file field; load it without files"
        raise StagingError(msg)
    return found


def _store(result: Stored, one: Any, entry: Mapping[str, Any], name: str, content: BinaryIO) -> None:
    storage, digest, size = one.storage, str(entry["sha256"]), int(entry["bytes"])
    try:
        new, is_there = _place(storage, name, digest, size, one.max_length)
        if not is_there:
            # Before it is saved: of a file that is only half written, half is there.
            result.saved.append((storage, new))
            new = storage.save(new, File(content, name=new), max_length=one.max_length)
            result.saved[-1] = (storage, new)
    except SliceError:
        raise
    except Exception as error:  # Storages raise what their services do.
        why = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        msg = f"{entry['field']}: the file {name!r} cannot be stored: {why}"
        raise StagingError(msg) from error
    result.reused += is_there
    if new != name:
        result.renamed.setdefault(one.model._meta.label, {}).setdefault(one.column, {})[name] = new


def _place(storage: Any, name: str, digest: str, size: int, limit: int | None) -> tuple[str, bool]:
    """Where a file goes, and whether it is there already."""
    path = PurePosixPath(name.replace("\\", "/"))
    wanted = (str(path), str(path.with_name(f"{path.stem}-{digest[:8]}{path.suffix}")))
    for candidate in (_fitting(one, limit) for one in wanted):
        if not storage.exists(candidate):
            return candidate, False
        if _is_same(storage, candidate, digest, size):
            return candidate, True
    return storage.get_available_name(wanted[1], max_length=limit), False


def _fitting(name: str, limit: int | None) -> str:
    """`name`, its stem cut so that the column holds it."""
    if limit is None or len(name) <= limit:
        return name
    path = PurePosixPath(name)
    return str(path.with_name(path.stem[: len(path.stem) - (len(name) - limit)] + path.suffix))


def _is_same(storage: Any, name: str, digest: str, size: int) -> bool:
    if storage.size(name) != size:
        return False
    with storage.open(name) as file:
        return bool(hashlib.file_digest(file, "sha256").hexdigest() == digest)


class _Renamed:
    """A bundle whose files have other names; a `BundleReader`."""

    def __init__(self, bundle: BundleReader, renames: Renames) -> None:
        self.digest = bundle.digest
        self.tables: Sequence[BundleTable] = bundle.tables
        self.manifest = bundle.manifest
        self._bundle = bundle
        self._renames = renames

    def open(self, model: str) -> BinaryIO:
        """The table's CSV, with the names that its files have now."""
        file = self._bundle.open(model)
        columns = self._renames.get(model)
        if columns is None:
            return file
        rows = read_rows(iter(lambda: file.read(BLOCK), b""))
        return cast("BinaryIO", io.BufferedReader(_Chunks(write_rows(_renamed(rows, columns)), file), BLOCK))

    def files(self) -> Iterator[tuple[str, BinaryIO]]:
        """The files, by the names that they have in the bundle."""
        return self._bundle.files()


def _renamed(rows: Iterator[list[str | None]], columns: Mapping[str, Mapping[str, str]]) -> Iterator[list[str | None]]:
    header = next(rows)
    yield header
    places = [(header.index(column), names) for column, names in columns.items()]
    for row in rows:
        for place, names in places:
            row[place] = names.get(row[place] or "", row[place])
        yield row


class _Chunks(io.RawIOBase):
    """Chunks as a file; `source` is closed with it."""

    def __init__(self, chunks: Iterator[bytes], source: BinaryIO) -> None:
        super().__init__()
        self._chunks = chunks
        self._source = source
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def close(self) -> None:
        self._source.close()
        super().close()
