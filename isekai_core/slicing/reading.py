"""Reading a bundle from a folder: every file is checked before the first one is given."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from isekai_core.errors import BundleError
from isekai_core.slicing.aside import PART, recover
from isekai_core.slicing.manifest import NAME, Manifest
from isekai_core.slicing.manifest_reading import parse
from isekai_core.slicing.tablefile import check_csv, check_file, open_csv
from isekai_core.types.slices import BundleTable

_SHOWN = 3


class BundleDamaged(BundleError):
    """Files are missing or were changed.

    problems: all of them; the message shows the first.
    """

    def __init__(self, where: str, problems: Sequence[str]) -> None:
        more = len(problems) - _SHOWN
        shown = "; ".join(problems[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        super().__init__(f"the bundle {where} cannot be used: {shown}")
        self.problems = tuple(problems)


class FolderReader:
    """A bundle in a folder; a `BundleReader`.

    What is given was checked: by `read_folder`, or because it has just been written. A file that changes after that
    is refused when it is opened.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.digest = manifest.digest
        self.tables: Sequence[BundleTable] = manifest.tables
        self.manifest: Mapping[str, Any] = manifest.raw
        self._folder = folder
        self._parsed = manifest
        self._seen = {file: _signature(folder / file) for file in _files_of(manifest)}

    def open(self, model: str) -> BinaryIO:
        """The table's CSV, uncompressed, header first; `KeyError` for a model that is not in the bundle."""
        return self._opened(self._parsed.stored[model].file, open_csv)

    def files(self) -> Iterator[tuple[str, BinaryIO]]:
        """The files of file fields, by their names; each is closed when the next is asked for."""
        for one in self._parsed.files:
            with self._opened(one.file, lambda path: path.open("rb")) as file:
                yield one.name, file

    def _opened(self, file: str, opener: Callable[[Path], BinaryIO]) -> BinaryIO:
        path = self._folder / file
        try:
            if _signature(path) == self._seen[file]:
                return opener(path)
        except OSError as error:
            msg = f"{path} cannot be read: {error.strerror or error}"
            raise BundleError(msg) from error
        msg = f"{path} was changed after it was verified"
        raise BundleError(msg)


def read_folder(folder: Path) -> FolderReader:
    """The bundle in `folder`, verified; `BundleError` says what is missing or was changed."""
    try:
        recover(folder)
        content = (folder / NAME).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BundleError(_what_is_missing(folder)) from error
    except OSError as error:
        msg = f"{folder / NAME} cannot be read: {error.strerror or error}"
        raise BundleError(msg) from error
    return verified(folder, parse(content, str(folder)), str(folder))


def verified(folder: Path, manifest: Manifest, where: str) -> FolderReader:
    """The bundle of this manifest in `folder`; `BundleDamaged` where its files are not what it says."""
    problems = list(_problems(folder, manifest))
    if problems:
        raise BundleDamaged(where, problems)
    return FolderReader(folder, manifest)


def _problems(folder: Path, manifest: Manifest) -> Iterator[str]:
    tables = {table.file: table for table in manifest.tables}
    seen = set()
    for stored in (*manifest.stored.values(), *manifest.files):
        if (what := (stored.file, stored.bytes, stored.sha256)) in seen:
            continue
        seen.add(what)
        path = folder / stored.file
        try:
            told = _unreadable(folder, path)
            if not told and stored.file in tables:
                told = check_csv(path, tables[stored.file], stored)
            elif not told:
                told = check_file(path, stored)
        except OSError as error:
            told = f"cannot be read: {error.strerror or error}"
        if told:
            yield told if told.startswith(stored.file) else f"{stored.file} {told}"


def _unreadable(folder: Path, path: Path) -> str:
    if not os.path.lexists(path):
        return "is missing"
    if not path.resolve().is_relative_to(folder.resolve()):
        return "is a link that leads out of the bundle"
    # Reading a pipe or a device might never end.
    return "" if path.is_file() else "is no ordinary file"


def _what_is_missing(folder: Path) -> str:
    if not folder.is_dir():
        return f"there is no bundle {folder}: expected a folder"
    if (folder / PART).exists() or any(folder.glob("*.csv*")):
        return f"the bundle {folder} is incomplete: its {NAME}, which is written last, is missing; export it again"
    return f"there is no bundle in {folder}: expected {NAME}"


def _files_of(manifest: Manifest) -> list[str]:
    return [one.file for one in (*manifest.stored.values(), *manifest.files)]


def _signature(path: Path) -> tuple[int, int, int]:
    about = path.stat()
    return about.st_ino, about.st_size, about.st_mtime_ns
