"""Is a bundle what it was, and how do two of them differ: as data, and as text for people."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from isekai_core.errors import BundleError
from isekai_core.slicing.rowdiff import OutOfOrder, RowDiff, compare, in_order, sorted_on_disk
from isekai_core.slicing.tablerows import TableRows, read_table
from isekai_core.types.slices import BundleReader, BundleStore, BundleTable, Column

SHOWN = 20
"""So many keys of each kind of difference are kept."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that is in both bundles, and the columns whose values differ."""

    key: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableDiff:
    """How a table differs: what the second bundle has more is added, what it lacks is removed.

    rows_added, rows_removed, rows_changed: their numbers. Rows are changed when columns of both bundles differ.
    added, removed, changed: the first of them by key.
    """

    model: str
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_changed: tuple[str, ...] = ()
    rows_added: int = 0
    rows_removed: int = 0
    rows_changed: int = 0
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[RowChange, ...] = ()


@dataclass(frozen=True, slots=True)
class BundleDiff:
    """How two bundles differ. Its text is for people; `as_dict()` is for programs.

    tables: those of both bundles that differ.
    """

    tables_added: tuple[str, ...] = ()
    tables_removed: tuple[str, ...] = ()
    tables: tuple[TableDiff, ...] = ()
    files_added: tuple[str, ...] = ()
    files_removed: tuple[str, ...] = ()
    files_changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(asdict(self).values())

    def as_dict(self) -> dict[str, Any]:
        """Mappings, lists, texts and numbers."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join(_told(self)) or "no difference"


def verify(store: BundleStore) -> list[str]:
    """What is wrong with the bundle; nothing, when it is what was written and every row is whole."""
    try:
        reader = store.reader()
    except BundleError as error:
        return list(getattr(error, "problems", ())) or [str(error)]
    return [told for table in reader.tables if (told := _problem(reader, table))]


def diff(first: BundleStore | BundleReader, second: BundleStore | BundleReader) -> BundleDiff:
    """How `second` differs from `first`: tables, columns, rows by key, and files.

    Raises `BundleError` where one of them is no whole bundle.
    """
    old, new = _reader(first), _reader(second)
    before = {table.model: table for table in old.tables}
    after = {table.model: table for table in new.tables}
    both = [(before[model], after[model]) for model in before if model in after]
    tables = [_table_diff(old, new, one, other) for one, other in both]
    files = [_files(reader) for reader in (old, new)]
    return BundleDiff(
        tables_added=_less(after, before),
        tables_removed=_less(before, after),
        tables=tuple(table for table in tables if any(list(asdict(table).values())[1:])),
        files_added=_less(files[1], files[0]),
        files_removed=_less(files[0], files[1]),
        files_changed=tuple(name for name, digest in files[0].items() if files[1].get(name, digest) != digest),
    )


def _reader(bundle: BundleStore | BundleReader) -> BundleReader:
    return bundle.reader() if isinstance(bundle, BundleStore) else bundle


def _files(reader: BundleReader) -> dict[str, str]:
    """Name to hash. Several fields may have a file of one name, in storages of their own: then both are named."""
    found: dict[str, str] = {}
    for one in reader.manifest.get("files", ()):
        is_taken = found.get(one["name"], one["sha256"]) != one["sha256"]
        found[f"{one['name']} of {one['field']}" if is_taken else one["name"]] = one["sha256"]
    return found


def _less(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    there = set(other)
    return tuple(name for name in one if name not in there)


def _problem(reader: BundleReader, table: BundleTable) -> str:
    """The first row that is not whole, or another number of rows."""
    place = [column.name for column in table.columns].index(table.key)
    number = 0
    try:
        for number, row in enumerate(islice(read_table(reader, table.model), 1, None), start=1):
            if len(row) != len(table.columns):
                return f"{table.file}: row {number} has {len(row)} fields instead of {len(table.columns)}"
            if row[place] is None:
                return f"{table.file}: row {number} has no {table.key}, which is its key"
    except BundleError as error:
        return f"{table.file}: {error}"
    return "" if number == table.rows else f"{table.file} has {number:,} rows, the manifest says {table.rows:,}"


def _table_diff(old: BundleReader, new: BundleReader, one: BundleTable, other: BundleTable) -> TableDiff:
    before = {column.name: column for column in one.columns}
    after = {column.name: column for column in other.columns}
    found = TableDiff(
        one.model,
        columns_added=_less(after, before),
        columns_removed=_less(before, after),
        columns_changed=tuple(name for name in before if name in after and _differ(before[name], after[name])),
    )
    if one.sha256 == other.sha256 and one.key == other.key:
        return found
    if one.key != other.key:
        msg = f"{one.model} has the key {one.key} in one bundle and {other.key} in the other: rows cannot be compared"
        raise BundleError(msg)
    common = [name for name in before if name in after]
    was, now = TableRows(old, one, common), TableRows(new, other, common)
    rows = _compared(was, now)
    return replace(
        found,
        rows_added=rows.added.number,
        rows_removed=rows.removed.number,
        rows_changed=rows.changed.number,
        added=rows.added.keys,
        removed=rows.removed.keys,
        changed=_changes(rows.changed.keys, common, was, now),
    )


def _compared(old: TableRows, new: TableRows) -> RowDiff:
    try:
        one, other = in_order(old.texts(), old.order), in_order(new.texts(), new.order)
        return compare(one, other, SHOWN, lambda was, now: old.values(was) != new.values(now))
    except OutOfOrder:
        with sorted_on_disk(old.keyed()) as before, sorted_on_disk(new.keyed()) as after:
            return compare(before, after, SHOWN)


def _changes(keys: Sequence[str], common: Sequence[str], old: TableRows, new: TableRows) -> tuple[RowChange, ...]:
    before, after = (_found(keys, rows) for rows in (old, new))
    return tuple(
        RowChange(
            key,
            tuple(name for name, was, now in zip(common, before[key], after[key], strict=True) if was != now),
        )
        for key in keys
    )


def _found(keys: Sequence[str], rows: TableRows) -> dict[str, Sequence[str | None]]:
    """The values of some rows; what comes after the last of them is not read."""
    wanted = frozenset(keys)
    there = (row for row in rows.keyed() if row[0] in wanted) if wanted else ()
    return dict(islice(there, len(wanted)))


def _differ(one: Column, other: Column) -> bool:
    return any(getattr(one, name) != getattr(other, name) for name in ("type", "null", "max_length", "unique"))


def _told(diff: BundleDiff) -> Iterator[str]:
    yield from (f"+ {model}: the whole table" for model in diff.tables_added)
    yield from (f"- {model}: the whole table" for model in diff.tables_removed)
    for table in diff.tables:
        numbers = (table.rows_added, "added"), (table.rows_removed, "removed"), (table.rows_changed, "changed")
        yield f"{table.model}: {', '.join(f'{number:,} {what}' for number, what in numbers)}"
        yield from (f"  + column {name}" for name in table.columns_added)
        yield from (f"  - column {name}" for name in table.columns_removed)
        yield from (f"  ~ column {name}: declared otherwise" for name in table.columns_changed)
        yield from _keys("+", table.added, table.rows_added)
        yield from _keys("-", table.removed, table.rows_removed)
        changed = [f"{one.key}: {', '.join(one.columns)}" for one in table.changed]
        yield from _keys("~", changed, table.rows_changed)
    yield from (f"+ file {name}" for name in diff.files_added)
    yield from (f"- file {name}" for name in diff.files_removed)
    yield from (f"~ file {name}" for name in diff.files_changed)


def _keys(sign: str, keys: Sequence[str], number: int) -> Iterator[str]:
    yield from (f"  {sign} {key}" for key in keys)
    if number > len(keys):
        yield f"  {sign} and {number - len(keys):,} more"
