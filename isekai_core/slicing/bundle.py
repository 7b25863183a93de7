"""Writing a bundle into a folder: a CSV for each table, files of file fields, and the manifest when all are there."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from isekai_core.errors import BundleError
from isekai_core.slicing.aside import FILES, Aside, sync_folder
from isekai_core.slicing.csvtext import BLOCK, split_header
from isekai_core.slicing.disk import Disk
from isekai_core.slicing.manifest import NAME, Stored, Written, build, dumped, migration_heads
from isekai_core.slicing.manifest_reading import parse
from isekai_core.slicing.reading import FolderReader
from isekai_core.slicing.tablefile import COMPRESSED, check_columns, write_blocks, writing, zstd
from isekai_core.types.slices import SlicePlan, TablePlan

Mask = Callable[[Iterable[bytes]], Iterable[bytes]]
_COMPRESSIONS = (None, "zstd")

_LONGEST = 180
"""Of a file's name as it is kept: systems take 255 bytes."""


def check_options(*, overwrite: Any, compress: Any) -> None:
    """`ValueError`, naming the option, for what cannot be one of a bundle's."""
    if not isinstance(overwrite, bool):
        msg = f"overwrite: expected True or False, got {overwrite!r}"
        raise ValueError(msg)  # noqa: TRY004 - what options cannot be is a ValueError everywhere
    if compress not in _COMPRESSIONS:
        msg = f"compress: expected None or 'zstd', got {compress!r}"
        raise ValueError(msg)


class FolderWriter:
    """A bundle that is being written to `folder`; an `OpenBundle`.

    `BundleError`, naming `overwrite=True`, for files that are there already. Everything that can be known to go
    wrong goes wrong here, before anything is read.
    """

    def __init__(
        self,
        folder: Path,
        plan: SlicePlan,
        masks: Mapping[str, Mask] | None = None,
        *,
        overwrite: bool = False,
        compress: str | None = None,
    ) -> None:
        if compress:
            zstd()
        self._plan = plan
        self._masks = masks or {}
        self._suffix = COMPRESSED if compress else ""
        self._files: dict[tuple[str, str], Stored | None] = {}
        self._known: dict[str, Stored] = {}
        self._taken: set[str] = set()
        self._written: dict[str, Written] = {}
        self._rows: dict[str, int] = {}
        self._lock = threading.Lock()
        self._state = "open"
        names = [_file_of(table.model) for table in plan.tables]
        self._heads = migration_heads(table.model for table in plan.tables)
        wanted = [NAME, *(name + suffix for name in names for suffix in ("", COMPRESSED))]
        wanted += [FILES] if any(table.files for table in plan.tables) else []
        self._aside = Aside(folder, wanted, overwrite=overwrite)
        self._disk = Disk()

    def write(self, table: TablePlan, chunks: Iterable[bytes]) -> int:
        """Write one table's CSV; the number of its bytes, uncompressed."""
        self._check_table(table.model)
        mask = self._masks.get(table.model)
        names, rest = _with_header(table.model, mask(chunks) if mask else chunks)
        if told := check_columns(names, [column.name for column in table.columns]):
            msg = f"{table.model}: {told}"
            raise BundleError(msg)
        file = _file_of(table.model) + self._suffix
        written = write_blocks(self._aside.part / file, file, rest, self._disk, self._check_open)
        with self._lock:
            self._written[table.model] = written
        return written.bytes

    def count(self, model: str, rows: int) -> None:
        """The table has so many rows."""
        self._plan.table(model)
        with self._lock:
            self._rows[model] = rows

    def write_file(self, name: str, content: BinaryIO, field: str = "", *, placeholder: bool = False) -> None:
        """Keep a file under its name in its storage; the second time, it is there already.

        Small files with the same content, such as placeholders, are one file in the bundle.
        """
        key = name, field
        with self._lock:
            self._check_open()
            if key in self._files:
                return
            encoded_name(name)
            self._files[key] = None
        try:
            stored = self._kept(name, content)
        except BaseException:
            self._files.pop(key)
            raise
        with self._lock:
            self._known.setdefault(stored.sha256, stored)
            self._files[key] = replace(stored, name=name, field=field, placeholder=placeholder)

    def _kept(self, name: str, content: BinaryIO) -> Stored:
        start = b""
        while len(start) < BLOCK and (more := content.read(BLOCK - len(start))):
            start += more
        with self._lock:
            if len(start) < BLOCK and (known := self._known.get(sha256(start).hexdigest())):
                return known
            file = self._free_name(name)
            with writing(file):
                (self._aside.part / FILES).mkdir(exist_ok=True)
        blocks = chain([start], iter(lambda: content.read(BLOCK), b""))
        return write_blocks(self._aside.part / file, file, blocks, self._disk, self._check_open).stored

    def finish(self, facts: Mapping[str, Any]) -> FolderReader:
        """Write the manifest, and give everything its name."""
        self._check_open()
        part = self._aside.part
        try:
            content = dumped(self._manifest(facts))
            manifest = parse(content, str(self._aside.folder))
            write_blocks(part / "manifest.new", NAME, [content], self._disk, self._check_open)
            self._disk.settle()
            with writing(NAME):
                (part / "manifest.new").rename(part / NAME)
            for folder in (part / FILES, part):
                sync_folder(folder)
        except BaseException:
            self.abandon()
            raise
        # Whatever happens from here on, the bundle takes its place: now, or when it is read.
        self._state = "complete"
        self._aside.publish()
        return FolderReader(self._aside.folder, manifest)

    def abandon(self) -> None:
        """The folder is as it was; nothing, once the bundle is complete."""
        with self._lock:
            if self._state != "open":
                return
            self._state = "abandoned"
        self._disk.abandon()
        self._aside.abandon()

    def _manifest(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        written = [one.model for one in self._plan.tables if not one.is_optional or one.model in self._written]
        plan = self._plan.only(written)
        for what, there in (("rows", self._written), ("number of rows", self._rows)):
            if missing := [table.model for table in plan.tables if table.model not in there]:
                msg = f"the source gave no {what} of {', '.join(missing)}"
                raise BundleError(msg)
        files = [stored for stored in self._files.values() if stored]
        apps = {label.partition(".")[0] for label in written}
        heads = {app: names for app, names in self._heads.items() if app in apps}
        return build(plan, self._written, self._rows, files, self._masks.keys(), heads, facts)

    def _free_name(self, name: str) -> str:
        file = encoded_name(name)
        # Some systems take a.jpg and A.jpg for one file.
        if file.lower() in self._taken:
            file = _hashed(file, name)
        self._taken.add(file.lower())
        return f"{FILES}/{file}"

    def _check_table(self, model: str) -> None:
        self._check_open()
        if model not in {table.model for table in self._plan.tables}:
            msg = f"{model} is not in the plan of this bundle"
            raise BundleError(msg)
        if model in self._written:
            msg = f"{model} was written already"
            raise BundleError(msg)

    def _check_open(self) -> None:
        if self._state != "open":
            msg = f"this bundle is {self._state}: nothing more is written"
            raise BundleError(msg)


def encoded_name(name: str) -> str:
    """The name of one file in one folder, on every system, for the name in a storage.

    >>> encoded_name("people/Zoë.jpg"), encoded_name("..")
    ('people%2FZo%C3%AB.jpg', '%2E.')

    Raises `BundleError` for no name at all.
    """
    if not name:
        msg = "a file of a file field needs a name"
        raise BundleError(msg)
    safe = quote(name, safe="", errors="surrogatepass").replace("~", "%7E")
    if safe.startswith("."):
        safe = f"%2E{safe[1:]}"
    return safe if len(safe) <= _LONGEST else _hashed(safe, name)


def _hashed(safe: str, name: str) -> str:
    return f"{safe[:_LONGEST]}~{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _file_of(model: str) -> str:
    if not all(part.isidentifier() for part in model.split(".")):
        msg = f"expected the label of a model such as shop.Order, got {model!r}"
        raise BundleError(msg)
    return f"{model}.csv"


def _with_header(model: str, chunks: Iterable[bytes]) -> tuple[list[str], Iterator[bytes]]:
    try:
        return split_header(chunks)
    except BundleError as error:
        msg = f"{model}: {error}"
        raise BundleError(msg) from error
