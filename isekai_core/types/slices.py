"""What flows between the steps of a slice: the plan, the columns, the id choices, and the two protocols.

`plan → export → bundle → staging → merge`: a plan says which rows of which tables, in the database's own
words nowhere; a source exports them as CSV into a bundle; a target stages and merges what is in a bundle.
Models and querysets are Django's, and typed `Any` here, because this layer needs no Django.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Literal, Protocol, runtime_checkable

from isekai_core.types.estimates import Estimate
from isekai_core.types.tables import plan_html, plan_text, short, table_text

SLICE_STEPS = ("plan", "export", "bundle", "staging", "merge")
"""The steps of a slice, in order. Modules, errors, tests and headings carry these names."""

SLICE_KINDS = ("slice_source", "slice_target")
"""What a plugin can register for slices."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a foreign key points.

    model: label of the model, `shop.Customer`.
    column: the database column there; its primary key, or what `to_field` names.
    declared: whether the importer declares it: a row stays only when the row it points to is in the slice.
    """

    model: str
    column: str
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table in a slice.

    name: in the database, and in the CSV's header.
    field: the model field's name.
    type: Django's name for the type of its values, that of the referred field for a foreign key (`BigAutoField`).
    null: whether it may be NULL.
    max_length: of a text, in characters; None for no limit.
    unique: whether it alone is unique.
    reference: where it points, if it is a foreign key.
    mask: the name of the mask that is applied to it; "" for none.
    """

    name: str
    field: str
    type: str
    null: bool = False
    max_length: int | None = None
    unique: bool = False
    reference: Reference | None = None
    mask: str = ""

    def __repr__(self) -> str:
        return short(self)


@dataclass(frozen=True, slots=True)
class GenericKey:
    """A generic foreign key: the column `key` points to a row, of the model that the column `kind` says, row by row.

    model: label of the model whose rows point, `shop.Note`.
    kind: the foreign key column to the content type.
    key: the column that holds the other row's key, as a number, a text or a UUID.
    """

    model: str
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Per:
    """At most `limit` rows for each row that the foreign key `field` points to.

    order_by: which ones come first; by primary key after that, so that the choice is always the same.
    """

    field: str
    limit: int
    order_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TablePlan:
    """Which rows of one model, and which of its columns.

    model: label, `shop.Order`.
    model_class: the Django model.
    table, key: the table and its primary key column.
    columns: what is exported, in this order; the key is among them.
    queryset: of the rows to choose from, without slices and order; None for all rows.
    is_whole: whether every row of the table is meant, so that nothing needs to be compared.
    limit, order_by: at most so many rows, and which come first: model fields, `-` before one for downwards.
    per: at most so many for each parent; all of them hold.
    sample: the share of rows that is taken, by hash; None for all.
    closure: rows of this table are also taken when these columns of other tables point to them: `(model, column)`.
        Only of such a table may rows be added after its own choice.
    generic: rows of this table are also taken when these generic foreign keys point to them.
    is_optional: whether a source leaves the table out when none of its rows is in the slice.
    files: model fields whose files belong to the slice.
    """

    model: str
    model_class: Any
    table: str
    key: str
    columns: tuple[Column, ...]
    queryset: Any = None
    is_whole: bool = False
    limit: int | None = None
    order_by: tuple[str, ...] = ()
    per: tuple[Per, ...] = ()
    sample: float | None = None
    closure: tuple[tuple[str, str], ...] = ()
    generic: tuple[GenericKey, ...] = ()
    is_optional: bool = False
    files: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"TablePlan({table_text(self)})"

    def column(self, name: str) -> Column:
        """The column of that name; `KeyError` without one."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def parents(self) -> tuple[Column, ...]:
        """The declared foreign keys: a row stays only when the rows they point to are in the slice."""
        return tuple(column for column in self.columns if column.reference and column.reference.declared)

    @property
    def grows(self) -> bool:
        """Whether rows are added because rows of other tables point to them."""
        return bool(self.closure or self.generic)

    @property
    def is_limited(self) -> bool:
        """Whether less is taken than the queryset and the parents would give."""
        return self.limit is not None or self.sample is not None or bool(self.per)


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """The tables of a slice, parents before children; tables that need one another stand side by side.

    groups: the models, in the order of `tables`; those of one group need one another (or themselves).
    seed: what samples are chosen by.
    """

    tables: tuple[TablePlan, ...]
    groups: tuple[tuple[str, ...], ...]
    seed: str = ""

    def table(self, model: str) -> TablePlan:
        """The table of the model with this label; `KeyError` without one."""
        for table in self.tables:
            if table.model == model:
                return table
        raise KeyError(model)

    def only(self, models: Collection[str]) -> "SlicePlan":
        """The same plan without the tables of other models, and without what those would bring."""
        groups = [tuple(label for label in group if label in models) for group in self.groups]
        tables = [
            replace(
                table,
                closure=tuple(one for one in table.closure if one[0] in models),
                generic=tuple(one for one in table.generic if one.model in models),
            )
            for table in self.tables
            if table.model in models
        ]
        return replace(self, tables=tuple(tables), groups=tuple(filter(None, groups)))

    def __repr__(self) -> str:
        return f"SlicePlan({', '.join(table.model for table in self.tables)})"

    def __str__(self) -> str:
        return plan_text(self)

    def _repr_html_(self) -> str:
        return plan_html(self)


class SliceProgress(Protocol):
    """Who shows how far an export or a load is, from any thread; files of file fields are told as the table `files`."""

    def begin(self, model: str, total: int | None) -> None:
        """A table begins; `total` rows are expected, None when nobody knows."""
        ...

    def advance(self, model: str, rows: int, size: int) -> None:
        """So many rows and bytes more have passed."""
        ...

    def end(self, model: str) -> None:
        """The table is done."""
        ...


class BundleWriter(Protocol):
    """Where an export writes: nothing is visible under its final name before all of it is there."""

    def write(self, table: TablePlan, chunks: Iterable[bytes]) -> int:
        """Write one table's CSV, header first; the number of bytes written. May be called from several threads.

        chunks: pieces of it, which need not end where rows do. They are masked on their way.
        """
        ...

    def count(self, model: str, rows: int) -> None:
        """The table of `model` has so many rows, as the database told: lines of a file are no rows."""
        ...

    def write_file(self, name: str, content: BinaryIO, field: str = "", *, placeholder: bool = False) -> None:
        """Keep a file of `field`, `shop.Person.picture`, under its name in its storage; sources need not, rows tell it.

        placeholder: whether the content stands for another, which is not in the bundle.
        """
        ...


@dataclass(frozen=True, slots=True)
class BundleTable:
    """A table in a bundle, as its manifest tells it."""

    model: str
    file: str
    rows: int
    bytes: int
    sha256: str
    key: str
    columns: tuple[Column, ...]


class BundleReader(Protocol):
    """A complete bundle, verified.

    digest: 64 hexadecimal characters that are the same for the same content.
    tables: in the order in which they are loaded, parents first.
    manifest: as it is written there.
    """

    digest: str
    tables: Sequence[BundleTable]
    manifest: Mapping[str, Any]

    def open(self, model: str) -> BinaryIO:
        """The table's CSV, uncompressed, header first."""
        ...

    def files(self) -> Iterator[tuple[str, BinaryIO]]:
        """The files of file fields, by their names, in the order of `files` in the manifest."""
        ...


class OpenBundle(BundleWriter, Protocol):
    """A bundle that is being written."""

    def finish(self, facts: Mapping[str, Any]) -> BundleReader:
        """Write the manifest, with these facts of the source, and give the bundle its final names."""
        ...

    def abandon(self) -> None:
        """Take away what was written."""
        ...


@runtime_checkable
class BundleStore(Protocol):
    """Where bundles lie: a folder, a storage. It is registered as a slice source and as a slice target."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    def writer(self, plan: SlicePlan, masks: Any = None) -> OpenBundle:
        """A new bundle; `BundleError`, naming `overwrite=True`, where there is one already: before anything is read.

        masks: label of a model to a function that changes its CSV: pieces in, pieces out.
        """
        ...

    def reader(self) -> BundleReader:
        """The bundle that is there, verified: `BundleError` names the file that is missing or was changed."""
        ...


Ids = Literal["remap", "keep", "natural"]
OnConflict = Literal["skip", "update", "error"]
Dangling = Literal["error", "null", "keep"]
Constraints = Literal["check", "rebuild"]


@dataclass(frozen=True, slots=True)
class LoadChoice:
    """How a bundle is merged into a target.

    ids: `remap` gives new keys, `keep` takes those of the bundle, `natural` those of the rows with the same
        unique values; rows that have none get new ones.
    fixed: label of a model to old key to the key it gets.
    on_conflict: what becomes of a row whose key or unique values are there already.
    dangling: what becomes of a reference to a row that is not in the bundle: refused, NULL, or kept as it is.
    constraints: `check` leaves all constraints and indexes on; `rebuild` drops and recreates foreign keys,
        secondary indexes, and primary keys of empty tables, in the same transaction.
    name: what the id map is kept under; a slice of the same name is loaded with the same keys again.
    """

    ids: Ids = "remap"
    fixed: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)
    on_conflict: OnConflict = "update"
    dangling: Dangling = "error"
    constraints: Constraints = "check"
    name: str = ""


@dataclass(frozen=True, slots=True)
class TableReport:
    """What became of one table of a load."""

    model: str
    rows: int
    created: int
    updated: int
    unchanged: int


@runtime_checkable
class SliceSource(Protocol):
    """Reads the rows of a plan from a database, all in one snapshot.

    >>> class Nothing:
    ...     name = "nothing"
    ...     def export(self, plan, bundle, progress, workers=1):
    ...         return {}
    ...     def estimate(self, plan):
    ...         return {}
    >>> isinstance(Nothing(), SliceSource)
    True
    """

    @property
    def name(self) -> str:
        """What messages and manifests call it; never with a password in it."""
        ...

    def export(
        self, plan: SlicePlan, bundle: BundleWriter, progress: SliceProgress, workers: int = 1
    ) -> Mapping[str, Any]:
        """Write every table of `plan` into `bundle`; facts for the manifest: snapshot, server version.

        Raises `ExportError`, and leaves no connection open in any case.
        """
        ...

    def estimate(self, plan: SlicePlan) -> Mapping[str, Estimate]:
        """What each model's table would hold, without reading it."""
        ...


@runtime_checkable
class SliceTarget(Protocol):
    """Merges a bundle into a database: all of it in one transaction, or nothing."""

    @property
    def name(self) -> str:
        """What messages call it; never with a password in it."""
        ...

    def load(self, bundle: BundleReader, choice: LoadChoice, progress: SliceProgress) -> Sequence[TableReport]:
        """Load every table of `bundle`.

        Raises `StagingError` for what does not fit the target, before anything is changed; `MergeError` for what the
        database refuses, with everything as it was.
        """
        ...

    def unload(self, name: str) -> Sequence[TableReport]:
        """Remove exactly the rows that loads under `name` created; the rows removed are in `rows`."""
        ...
