"""How a folder gets a bundle: all of it is written aside, in `.part`, and then takes its names, the manifest last.

When this is killed before the last byte is aside, the folder has what it had. When it is killed while the names are
given, everything new is there, and whoever comes next, writer or reader, gives the rest of the names.
"""

import json
import os
import shutil
import sys
import weakref
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from isekai_core.errors import BundleError
from isekai_core.slicing.manifest import NAME
from isekai_core.slicing.manifest_reading import is_safe

if sys.platform != "win32":
    import fcntl

PART = ".part"
FILES = "files"
_REPLACED = "replaced.json"
_SHOWN = 5


class Aside:
    """The place where a bundle for `folder` is written, until it is published or abandoned."""

    def __init__(self, folder: Path, names: Sequence[str], *, overwrite: bool) -> None:
        self.folder = folder
        self.part = folder / PART
        self._created = _create(folder)
        try:
            self._lock = _Lock(folder)
            try:
                _tidy(folder)
                _check_names(folder, names, overwrite=overwrite)
                self.part.mkdir()
            except BaseException:
                self._lock.release()
                raise
        except BaseException as error:
            _remove_folders(self._created)
            if isinstance(error, OSError):
                msg = f"{folder} cannot be written: {error.strerror or error}"
                raise BundleError(msg) from error
            raise

    def publish(self) -> None:
        """Give everything its name; `.part` holds the manifest, and everything is on the disk."""
        try:
            _publish(self.folder)
        except OSError as error:
            msg = (
                f"the bundle is complete in {self.part}, but cannot take its place in {self.folder}:"
                f" {error.strerror or error}; it takes its place when it is read or written again"
            )
            raise BundleError(msg) from error
        finally:
            self._lock.release()

    def abandon(self) -> None:
        """The folder as it was."""
        shutil.rmtree(self.part, ignore_errors=True)
        self._lock.release()
        _remove_folders(self._created)


def recover(folder: Path) -> None:
    """Finish what a killed process had begun to publish, if there is such a thing."""
    if (folder / NAME).exists() or not (folder / PART / NAME).is_file():
        return
    lock = _Lock(folder)
    try:
        _tidy(folder)
    except OSError as error:
        msg = f"the bundle in {folder / PART} cannot take its place: {error.strerror or error}"
        raise BundleError(msg) from error
    finally:
        lock.release()


def sync_folder(folder: Path) -> None:
    """The names in a folder, on the disk; nothing where a system cannot do that."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


class _Lock:
    """One writer per folder. The system takes the lock back from a process that is killed."""

    def __init__(self, folder: Path) -> None:
        self.release: weakref.finalize[[int], _Lock] | _Nothing = _Nothing()
        if sys.platform != "win32":
            number = os.open(folder, os.O_RDONLY)
            self.release = weakref.finalize(self, os.close, number)
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self.release()
                msg = f"another process, or another writer of this one, is writing a bundle to {folder}"
                raise BundleError(msg) from error
            except OSError:
                return  # A file system without locks.


class _Nothing:
    def __call__(self) -> None:
        """Where there are no locks, there is nothing to give back."""


def _create(folder: Path) -> list[Path]:
    """Make the folder; those that were not there, the innermost first."""
    created: list[Path] = []
    try:
        missing = [one for one in (folder, *folder.parents) if not os.path.lexists(one)]
        for one in reversed(missing):
            one.mkdir(exist_ok=True)
            created.insert(0, one)
    except (OSError, ValueError) as error:
        _remove_folders(created)
        msg = f"the folder {str(folder)!r} cannot be made: {getattr(error, 'strerror', None) or error}"
        raise BundleError(msg) from error
    if not folder.is_dir():
        msg = f"{folder} is no folder; a bundle is one, with a file for each table"
        raise BundleError(msg)
    return created


def _remove_folders(created: Iterable[Path]) -> None:
    for folder in created:
        with suppress(OSError):  # Somebody else has put something into it.
            folder.rmdir()


def _check_names(folder: Path, names: Sequence[str], *, overwrite: bool) -> None:
    there = [name for name in names if os.path.lexists(folder / name)]
    if there and not overwrite:
        shown = ", ".join(there[:_SHOWN]) + (f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else "")
        msg = f"{folder} already holds {shown}; overwrite=True replaces what is there"
        raise BundleError(msg)
    for name in there:
        path = folder / name
        if path.is_dir() != (name == FILES):
            msg = f"{path} is in the way: expected a {'folder' if name == FILES else 'file'} there, or nothing"
            raise BundleError(msg)


def _tidy(folder: Path) -> None:
    """No `.part` is left: a complete one takes its place when there is nothing else, others are removed."""
    part = folder / PART
    if part.is_symlink():
        part.unlink()
    elif (part / NAME).is_file() and not (folder / NAME).exists():
        _publish(folder)
    elif part.exists():
        shutil.rmtree(part)


def _publish(folder: Path) -> None:
    part = folder / PART
    new = _files_of(part / NAME)
    if (folder / NAME).exists():
        # From here on there is no bundle, until the last step.
        (folder / NAME).replace(part / _REPLACED)
    if (folder / FILES).is_symlink():
        (folder / FILES).unlink()
    for name in new:
        if (part / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).replace(folder / name)
    _remove_stale(folder, set(_files_of(part / _REPLACED)) - set(new))
    for one in {(folder / name).parent for name in new} | {folder}:
        sync_folder(one)
    (part / NAME).replace(folder / NAME)
    sync_folder(folder)
    shutil.rmtree(part, ignore_errors=True)


def _remove_stale(folder: Path, names: Iterable[str]) -> None:
    root = folder.resolve()
    folders: set[Path] = set()
    for name in names:
        path = folder / name
        # Behind a link, a name may lead out of the folder.
        if not path.is_dir() and path.parent.resolve().is_relative_to(root):
            path.unlink(missing_ok=True)
            folders.update(one for one in path.parents if folder in one.parents)
    for one in sorted(folders, reverse=True):  # What is inside another comes before it.
        with suppress(OSError):  # It holds what is not of the bundle.
            one.rmdir()


def _files_of(manifest: Path) -> list[str]:
    """The files that a manifest names, and that bundles have: whatever else it may name stays as it is."""
    try:
        raw = json.loads(manifest.read_bytes())
        tables = [str(one["file"]) for one in raw["tables"]]
        files = [str(one["file"]) for one in raw.get("files", ())]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []
    named = [name for name in tables if name.endswith((".csv", ".csv.zst"))]
    named += [name for name in files if FILES in Path(name).parts[:-1]]
    return [name for name in named if is_safe(name)]
