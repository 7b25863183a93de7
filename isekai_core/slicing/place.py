"""A bundle's place in a Django storage: what is put there, and in which order, so that a bundle is whole or absent.

A storage cannot rename. So each bundle's files go into a folder of their own beside the manifest, and the manifest,
which names them, is what makes them a bundle: until it is there, the bundle before it is untouched.
"""

import io
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from isekai_core.errors import BundleError
from isekai_core.slicing.manifest import NAME, Manifest, dumped, moved
from isekai_core.slicing.manifest_reading import parse
from isekai_core.slicing.tablefile import writing

_CHUNK = 1024 * 1024
_NEW = "manifest.new.json"
"""No storage says that it replaces a file in one step: here is the new manifest while the old one goes."""


class Place:
    """A folder in a storage. What the storage raises, whatever it is, becomes a `BundleError`."""

    def __init__(self, name: str, storage: Any, prefix: str) -> None:
        self._name = name
        self._storage = storage
        self._prefix = PurePosixPath(prefix)

    def manifest(self) -> Manifest | None:
        """The one that is there; None without one."""
        for name in (NAME, _NEW):
            if self._exists(name):
                with self._doing("read", name), self._storage.open(self._at(name)) as file:
                    content = file.read()
                return parse(content, self._name)
        return None

    def has_bundle(self) -> bool:
        """Whether there is a manifest, good or bad."""
        return self._exists(NAME) or self._exists(_NEW)

    def fetch(self, file: str, target: Path) -> None:
        """Bring a file to `target`; nothing, when it is missing."""
        with writing(str(target)):
            target.parent.mkdir(parents=True, exist_ok=True)
            output = target.open("wb", buffering=0)
        with output:
            for chunk in self._chunks(file):
                with writing(str(target)):
                    output.write(chunk)
        if not target.stat().st_size and not self._exists(file):
            target.unlink()

    def put_bundle(self, folder: Path, raw: Mapping[str, Any]) -> None:
        """Put the files, then the manifest; then take away what the manifest before it named."""
        beside = f"data-{secrets.token_hex(4)}"
        files = dict.fromkeys(one["file"] for name in ("tables", "files") for one in raw[name])
        put: list[str] = []
        try:
            old = self._old_files()
            for file in files:
                put.append(f"{beside}/{file}")
                with (folder / file).open("rb") as content:
                    self._put(f"{beside}/{file}", content)
            put.append(_NEW if self._exists(NAME) else NAME)
            self._put_manifest(dumped(moved(raw, beside)), put[-1])
        except BaseException:
            self._delete(reversed(put))
            raise
        if put[-1] == _NEW:
            self._replace_manifest(dumped(moved(raw, beside)))
        self._delete([_NEW, *old])

    def _put_manifest(self, content: bytes, name: str) -> None:
        if name == _NEW:
            self._delete([_NEW])  # Left by somebody who was killed; the other one is there, and counts.
        self._put(name, io.BytesIO(content))

    def _replace_manifest(self, content: bytes) -> None:
        """Whatever happens here, there is a manifest, and what it names is complete."""
        with self._doing("replace", NAME):
            self._storage.delete(self._at(NAME))
        self._put(NAME, io.BytesIO(content))

    def _put(self, file: str, content: BinaryIO) -> None:
        from django.core.files.base import File  # noqa: PLC0415 - options are checked without a project

        with self._doing("write", file):
            kept = self._storage.save(self._at(file), File(content, name=file))
        if kept != self._at(file):
            with suppress(Exception):
                self._storage.delete(kept)
            msg = f"{self._name}: the storage keeps {self._at(file)} under another name, {kept}"
            raise BundleError(msg)

    def _chunks(self, file: str) -> Iterator[bytes]:
        with self._doing("read", file):
            try:
                with self._storage.open(self._at(file)) as content:
                    while chunk := content.read(_CHUNK):
                        yield chunk
            except FileNotFoundError:
                return

    def _old_files(self) -> list[str]:
        try:
            manifest = self.manifest()
        except BundleError:  # What it named cannot be known, and stays.
            return []
        return [] if manifest is None else [one.file for one in (*manifest.stored.values(), *manifest.files)]

    def _delete(self, files: Iterable[str]) -> None:
        """As far as it can be done: what stays is in nobody's way."""
        names = list(files)
        folders = {str(folder) for file in names for folder in PurePosixPath(file).parents} - {"."}
        for file in (*names, *sorted(folders, reverse=True)):
            with suppress(Exception):
                self._storage.delete(self._at(file))

    def _exists(self, file: str) -> bool:
        with self._doing("look for", file):
            return bool(self._storage.exists(self._at(file)))

    def _at(self, file: str) -> str:
        return str(self._prefix / file)

    @contextmanager
    def _doing(self, what: str, file: str) -> Iterator[None]:
        try:
            yield
        except BundleError:
            raise
        except Exception as error:
            msg = f"{self._name}: cannot {what} {file}: {type(error).__name__}: {error}"
            raise BundleError(msg) from error
