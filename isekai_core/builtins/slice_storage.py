"""The `storage` slice source and target: a bundle in any Django storage."""

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from isekai_core.conf import did_you_mean
from isekai_core.errors import BundleError
from isekai_core.slicing.bundle import FolderWriter, check_options
from isekai_core.slicing.manifest import NAME, Manifest
from isekai_core.slicing.manifest_reading import is_safe
from isekai_core.slicing.place import Place
from isekai_core.slicing.reading import FolderReader, verified
from isekai_core.slicing.tablefile import writing
from isekai_core.types.slices import SlicePlan, TablePlan


@dataclass(frozen=True)
class Storage:
    """A bundle in a Django storage: S3 and the like by django-storages, a folder by FileSystemStorage.

    alias: of the storage in STORAGES.
    prefix: the folder in it, `slices/dev`.
    overwrite: whether a bundle that is there already is replaced, once the new one is complete.
    compress: `zstd`, which needs the package zstandard. Reading sees it by itself.

    Files pass through a temporary folder here. django-storages holds a file of S3 in memory while it is read, unless
    `max_memory_size` is among the storage's OPTIONS.
    """

    alias: str
    prefix: str = ""
    overwrite: bool = False
    compress: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.prefix, str) or (self.prefix and not is_safe(self.prefix)):
            msg = f"prefix: expected a folder in the storage such as 'slices/dev', got {self.prefix!r}"
            raise ValueError(msg)
        check_options(overwrite=self.overwrite, compress=self.compress)

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.alias}:{self.prefix}"

    def writer(self, plan: SlicePlan, masks: Mapping[str, Any] | None = None) -> "StorageWriter":
        """A new bundle; `BundleError`, naming `overwrite=True`, where there is one already."""
        place = Place(self.name, _storage(self.alias), self.prefix)
        if place.has_bundle() and not self.overwrite:
            msg = f"{self.name} already holds {NAME}; overwrite=True replaces what is there"
            raise BundleError(msg)
        return StorageWriter(place, plan, masks, self.compress)

    def reader(self) -> FolderReader:
        """The bundle, brought into a temporary folder and verified there."""
        place = Place(self.name, _storage(self.alias), self.prefix)
        manifest = place.manifest()
        if manifest is None:
            msg = f"there is no bundle in {self.name}: expected {NAME}"
            raise BundleError(msg)
        folder = _temporary_folder()
        try:
            _fetch_all(place, manifest, folder)
            return _kept(verified(folder, manifest, self.name), folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


class StorageWriter:
    """A bundle that is being written, in a temporary folder until it is complete; an `OpenBundle`."""

    def __init__(self, place: Place, plan: SlicePlan, masks: Mapping[str, Any] | None, compress: str | None) -> None:
        self._place = place
        self._folder = _temporary_folder()
        try:
            self._inner = FolderWriter(self._folder, plan, masks, compress=compress)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def write(self, table: TablePlan, chunks: Iterable[bytes]) -> int:
        """Write one table's CSV; the number of its bytes, uncompressed."""
        return self._inner.write(table, chunks)

    def count(self, model: str, rows: int) -> None:
        """The table has so many rows."""
        self._inner.count(model, rows)

    def write_file(self, name: str, content: BinaryIO, field: str = "", *, placeholder: bool = False) -> None:
        """Keep a file under its name in its storage."""
        self._inner.write_file(name, content, field, placeholder=placeholder)

    def finish(self, facts: Mapping[str, Any]) -> FolderReader:
        """Bring everything into the storage, the manifest last."""
        try:
            reader = self._inner.finish(facts)
            self._place.put_bundle(self._folder, reader.manifest)
        except BaseException:
            self.abandon()
            raise
        return _kept(reader, self._folder)

    def abandon(self) -> None:
        """The storage is as it was."""
        self._inner.abandon()
        shutil.rmtree(self._folder, ignore_errors=True)


def _storage(alias: str) -> Any:
    from django.conf import settings  # noqa: PLC0415 - options are checked without a project
    from django.core.files.storage import storages  # noqa: PLC0415

    if alias not in settings.STORAGES:
        known = list(settings.STORAGES)
        msg = f"STORAGES has no {alias!r}{did_you_mean(alias, known)}; it has {', '.join(known)}"
        raise BundleError(msg)
    try:
        return storages[alias]
    except Exception as error:
        msg = f"the storage {alias!r} cannot be used: {type(error).__name__}: {error}"
        raise BundleError(msg) from error


def _fetch_all(place: Place, manifest: Manifest, folder: Path) -> None:
    for file in dict.fromkeys(one.file for one in (*manifest.stored.values(), *manifest.files)):
        place.fetch(file, folder / file)


def _temporary_folder() -> Path:
    with writing("the temporary folder"):
        return Path(tempfile.mkdtemp(prefix="isekai-slice-"))


def _kept(reader: FolderReader, folder: Path) -> FolderReader:
    """The reader, whose folder goes when nobody holds it any more."""
    weakref.finalize(reader, shutil.rmtree, folder, ignore_errors=True)
    return reader
