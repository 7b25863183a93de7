"""The files of file fields on their way into a bundle: which ones is read off the rows that pass, of any source.

What a row says is seen behind its masks. The files are read when all rows are there, so that no database waits for a
storage; in memory are their names.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from io import BytesIO
from threading import Event
from typing import Any, BinaryIO

from django.db.models import FileField, Model

from isekai_core.errors import ExportError, PlanError, SliceError
from isekai_core.slicing.csvtext import read_rows
from isekai_core.slicing.decided import mask_of
from isekai_core.slicing.manifest_reading import is_inside
from isekai_core.slicing.placeholders import placeholder
from isekai_core.types.slices import BundleWriter, SlicePlan, SliceProgress, TablePlan

Change = Callable[[Iterable[bytes]], Iterable[bytes]]
PLACEHOLDER = "placeholder"
MISSING = ("error", "skip")
_SHOWN = 5


def check_options(files: bool | str, missing: str) -> None:
    """Raise `PlanError` for values that the options `files` and `missing_files` do not have."""
    if not isinstance(files, bool) and files != PLACEHOLDER:
        msg = f"files: expected True, False or {PLACEHOLDER!r}, got {files!r}"
        raise PlanError(msg)
    if missing not in MISSING:
        msg = f"missing_files: expected {' or '.join(map(repr, MISSING))}, got {missing!r}"
        raise PlanError(msg)


def file_fields(model: type[Model]) -> list[Any]:
    """The file fields whose columns are in the model's own table."""
    return [field for field in model._meta.local_concrete_fields if isinstance(field, FileField)]


def with_files(plan: SlicePlan) -> SlicePlan:
    """The same plan, with the files of all its columns that name some."""
    return replace(plan, tables=tuple(_with_files(table) for table in plan.tables))


def _with_files(table: TablePlan) -> TablePlan:
    there = {column.field for column in table.columns}
    return replace(table, files=tuple(one.name for one in file_fields(table.model_class) if one.name in there))


@dataclass(frozen=True)
class _Named:
    """A file field, and the names that its rows have.

    label: `shop.Person.picture`.
    is_placeholder: whether contents stay where they are, because that is asked for, or the names are masked.
    """

    label: str
    column: str
    storage: Any
    is_placeholder: bool
    names: dict[str, None]


class Files:
    """The files of a plan.

    missing: what becomes of a file that is not in its storage: `error`, or `skip`, and the manifest says so.
    """

    def __init__(self, plan: SlicePlan, mode: bool | str, missing: str) -> None:
        self._missing = missing
        self._fields = {table.model: _fields(table, mode) for table in plan.tables if table.files}

    def watching(self, masks: Mapping[str, Change]) -> dict[str, Change]:
        """The same masks; rows with files are looked at when they come out of them."""
        return {**masks, **{label: self._watched(label, masks.get(label)) for label in self._fields}}

    def write(self, bundle: BundleWriter, progress: SliceProgress, workers: int = 1) -> list[str]:
        """Write the files of the rows that have passed into `bundle`; the names of those that are not there.

        workers: so many are read at the same time.

        Raises `ExportError` for names that lead out of their storage, for what cannot be read, and, if that is what is
        asked for, for files that are not there: all of them are looked for first.
        """
        fields = [one for some in self._fields.values() for one in some]
        for one in fields:
            _check_names(one)
        lost: list[str] = []

        def take(one: _Named, name: str) -> None:
            # Where it fails in the end, nothing more needs to be read.
            is_there = _exists(one, name) if lost and self._missing == "error" else _write(one, name, bundle)
            if not is_there:
                lost.append(f"{one.label} {name!r}")
            progress.advance("files", 1, 0)

        if number := sum(len(one.names) for one in fields):
            progress.begin("files", number)
            _do_all(take, [(one, name) for one in fields for name in one.names], workers)
            progress.end("files")
        if lost and self._missing == "error":
            msg = (
                f"files that are not in their storage ({len(lost)}): {shortened(lost)}; put them back, or leave them"
                " out with missing_files='skip'"
            )
            raise ExportError(msg)
        return lost

    def _watched(self, label: str, mask: Change | None) -> Change:
        return lambda chunks: self._passed(label, mask(chunks) if mask else chunks)

    def _passed(self, label: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks."""
        seen: deque[bytes] = deque()
        rows = read_rows(_remembered(chunks, seen))
        header = next(rows, [])
        places = [(header.index(one.column), one.names) for one in self._fields[label]]
        for row in rows:
            for place, names in places:
                if name := row[place]:
                    names[name] = None
            while seen:
                yield seen.popleft()
        yield from seen


def _do_all(take: Callable[[_Named, str], None], wanted: Sequence[tuple[_Named, str]], workers: int) -> None:
    """Take all; the first failure ends it."""
    if workers == 1:
        for one, name in wanted:
            take(one, name)
        return
    failed = Event()

    def take_unless_failed(one: _Named, name: str) -> None:
        if failed.is_set():
            return
        try:
            take(one, name)
        except BaseException:
            failed.set()
            raise

    pool = ThreadPoolExecutor(workers, thread_name_prefix="isekai-files")
    try:
        for done in [pool.submit(take_unless_failed, one, name) for one, name in wanted]:
            done.result()
    finally:
        failed.set()
        pool.shutdown(cancel_futures=True)


def shortened(told: list[str]) -> str:
    """The first few, and how many more there are."""
    more = len(told) - _SHOWN
    return ", ".join(told[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _fields(table: TablePlan, mode: bool | str) -> list[_Named]:
    found = []
    for name in table.files:
        field: Any = table.model_class._meta.get_field(name)
        is_placeholder = mode == PLACEHOLDER or mask_of(field) is not None
        found.append(_Named(f"{table.model}.{name}", field.column, field.storage, is_placeholder, {}))
    return found


def _remembered(chunks: Iterable[bytes], seen: deque[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        seen.append(chunk)
        yield chunk


def _check_names(one: _Named) -> None:
    if bad := [name for name in one.names if not is_inside(name)]:
        msg = f"{one.label}: these names of files lead out of their storage: {shortened(list(map(repr, bad)))}"
        raise ExportError(msg)


def _exists(one: _Named, name: str) -> bool:
    return one.is_placeholder or bool(one.storage.exists(name))


def _write(one: _Named, name: str, bundle: BundleWriter) -> bool:
    """Whether the file was there."""
    try:
        with closing(_opened(one, name)) as content:
            bundle.write_file(name, content, one.label, placeholder=one.is_placeholder)
    except FileNotFoundError:
        return False
    except SliceError:
        raise
    except Exception as error:  # Storages raise what their services do.
        why = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        msg = f"{one.label}: its file {name!r} cannot be read: {why}"
        raise ExportError(msg) from error
    return True


def _opened(one: _Named, name: str) -> BinaryIO:
    if one.is_placeholder:
        return BytesIO(placeholder(name))
    content: BinaryIO = one.storage.open(name)
    return content
