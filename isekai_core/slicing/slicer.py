"""DataSlicer: from a source through a bundle on disk to a target, in one call that fits into a notebook's cell."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isekai_core.conf import did_you_mean
from isekai_core.errors import BundleError, PlanError
from isekai_core.plugins.registry import HOMES, registry
from isekai_core.slicing.budget import Proposal, propose
from isekai_core.slicing.decided import check_masks, kept_unasked
from isekai_core.slicing.derive import derive
from isekai_core.slicing.estimates import Estimates
from isekai_core.slicing.files import PLACEHOLDER, Files, check_options, with_files
from isekai_core.slicing.given import (
    check_database,
    check_ends,
    check_progress,
    check_workers,
    keys_of,
    named,
    one_of,
    text_of,
)
from isekai_core.slicing.job import ImportJob
from isekai_core.slicing.masking import guarded, masks_for
from isekai_core.slicing.plan import MASKS, plan_of
from isekai_core.slicing.progress import Bars, Silent
from isekai_core.slicing.storing import load, notes_of
from isekai_core.types.slices import (
    BundleReader,
    BundleStore,
    LoadChoice,
    SlicePlan,
    SliceProgress,
    SliceSource,
    SliceTarget,
    TableReport,
)
from isekai_core.types.tables import table_html

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

_IDS = ("remap", "keep", "natural")


@dataclass(frozen=True)
class SliceResult(Sequence["TableReport"]):
    """What became of each table, in the order of the plan.

    tables: model and rows; with a database as the target also what was created, updated and unchanged.
    source, target: as messages call them.
    notes: what else there is to know, a line each: of files that are not there, or have another name now; of rows
        that a limit left without those that they need.
    """

    tables: Sequence[TableReport]
    source: str
    target: str
    notes: Sequence[str] = ()

    def __getitem__(self, index: Any) -> Any:
        return self.tables[index]

    def __len__(self) -> int:
        return len(self.tables)

    @property
    def rows(self) -> int:
        """Of all tables together."""
        return sum(table.rows for table in self.tables)

    def __str__(self) -> str:
        lines = [f"{self.source} → {self.target}: {self.rows:,} rows"]
        return "\n".join([*lines, *(f"  {table.model}: {table.rows:,}" for table in self.tables), *self.notes])

    def _repr_html_(self) -> str:
        head, numbers = ["model", "rows"], [[t.model, t.rows] for t in self.tables]
        if any(t.created or t.updated or t.unchanged for t in self.tables):
            head += ["created", "updated", "unchanged"]
            numbers = [[t.model, t.rows, t.created, t.updated, t.unchanged] for t in self.tables]
        return table_html(f"{self.source} → {self.target}: {self.rows:,} rows", head, numbers, self.notes)


class _Named(type):
    """`DataSlicer.Postgres` is the slice source or target that a plugin registers as `postgres`."""

    def __getattr__(cls, name: str) -> Any:
        if not name[:1].isupper():
            raise AttributeError(name)
        return _class_of(name)

    def __dir__(cls) -> list[str]:
        kinds = ("slice_source", "slice_target")
        return sorted({*super().__dir__(), *(_camel(e.name) for kind in kinds for e in registry().entries(kind))})


def _class_of(name: str) -> Any:
    short = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
    known = {entry.name for kind in ("slice_source", "slice_target") for entry in registry().entries(kind)}
    for kind in ("slice_source", "slice_target"):
        if (kind, short) in HOMES or short in {entry.name for entry in registry().entries(kind)}:
            return registry().find(kind, short).load()
    there = ", ".join(f"DataSlicer.{_camel(one)}" for one in sorted(known))
    hint = did_you_mean(name, [_camel(one) for one in known])
    msg = f"no installed plugin brings DataSlicer.{name}{hint}; there are {there}"
    raise AttributeError(msg)


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))


class DataSlicer(metaclass=_Named):
    """Cuts slices out of databases, and loads them elsewhere.

    `DataSlicer.Postgres(url)`, `DataSlicer.File(path)`, `DataSlicer.Storage(alias)` and `DataSlicer.Orm(alias)` are
    what plugins register as slice sources and targets.
    """

    @staticmethod
    def plan(
        *roots: "QuerySet[Any]", follow: Iterable[str] = (), seed: object = 0, jobs: Sequence[ImportJob] | None = None
    ) -> SlicePlan:
        """The plan of some rows, of all that they need, and of what is named in `follow`; or that of `jobs`.

        follow: relations as in a filter, from the roots' models on: `["shop", "shop__customer__order"]`.

        Raises `PlanError`.
        """
        if jobs is not None:
            return plan_of(jobs, seed=seed)
        return derive(roots, follow, seed)

    @staticmethod
    def estimate(source: SliceSource, jobs: Sequence[ImportJob] | SlicePlan) -> Estimates:
        """Model to rows and bytes, as the database believes, before anything is read."""
        check_database(source)
        return Estimates(source.estimate(jobs if isinstance(jobs, SlicePlan) else plan_of(jobs)))

    @staticmethod
    def propose(source: SliceSource, jobs: Sequence[ImportJob] | SlicePlan, *, budget: str | int) -> Proposal:
        """Limits with which `jobs` come to about `budget`, as far as the source can tell without reading anything.

        budget: `"50MB"`, of CSV before it is compressed, or `"100k rows"`.

        The result holds the jobs with their limits (`.jobs`), and prints as lines for those that stand in your file.

        Raises `PlanError` where no limits do, and for a plan that is made of rows, which can have none.
        """
        return propose(source, jobs, budget)

    @staticmethod
    def run(
        source: SliceSource | BundleStore,
        target: SliceTarget | BundleStore,
        jobs: Sequence[ImportJob] | SlicePlan | None = None,
        *,
        seed: object = 0,
        order: str = "sort",
        masks: str = "optional",
        secret: str | None = None,
        files: bool | str = False,
        missing_files: str = "error",
        workers: int = 1,
        ids: "str | Mapping[type[Model], Mapping[Any, Any]]" = "remap",
        on_conflict: str = "update",
        dangling: str = "error",
        constraints: str = "check",
        name: str = "",
        progress: bool | SliceProgress = True,
    ) -> SliceResult:
        """Export the rows of `jobs` from `source`, and bring them into `target`; the data lies in a bundle between.

        jobs: of a source that is a database; a bundle is taken whole.
        seed: what samples are chosen by.
        order: `sort` puts jobs into the right order, `refuse` says what it is.
        masks: `required` refuses text columns of which no importer says what becomes of them.
        secret: what masks are made by; ISEKAI_SLICE_SECRET, or a random one, without it.
        files: also the files of file fields; `placeholder` for small files in their place. Of a column with a mask it
            is always placeholders. With a bundle as the source: store the files that it holds.
        missing_files: what becomes of a file that is not in its storage: `error`, or `skip`, and the result says so.
        workers: connections that read at the same time, all in one snapshot; and after them as many files.
        ids: `remap`, `keep`, `natural`, or a mapping of models to old and new keys (`{Tenant: {1060: 10}}`), the
            others being new.
        on_conflict, dangling, constraints, name: see `LoadChoice`.
        progress: a bar for each table, or your own.

        Raises `SliceError` of one kind or another; then there is no half bundle, and the target is as it was.
        """
        check_ends(source, target)
        check_workers(workers)
        shown = _shown(progress)
        choice = choice_of(ids, on_conflict, dangling, constraints, name)
        check_options(files, missing_files)
        if isinstance(source, BundleStore):
            return _from_bundle(source, target, choice, jobs, shown, files)
        plan = _planned(jobs, seed, order, masks)
        plan = with_files(plan) if files else plan
        cut = _Cut(source, plan, secret, workers, shown, Files(plan, files, missing_files), masks == "required")
        if isinstance(target, BundleStore):
            return _result(cut.into(target), plan, source.name, target.name)
        return _through_bundle(cut, target, choice)


def _shown(progress: bool | SliceProgress) -> SliceProgress:
    if isinstance(progress, bool):
        return Bars() if progress else Silent()
    check_progress(progress)
    return progress


def _planned(jobs: Sequence[ImportJob] | SlicePlan | None, seed: object, order: str, masks: str) -> SlicePlan:
    if jobs is None:
        msg = "jobs are missing: a database as the source needs them; see ImportJob and DataSlicer.plan"
        raise PlanError(msg)
    one_of("masks", masks, MASKS)
    if not isinstance(jobs, SlicePlan):
        return plan_of(jobs, seed=seed, order=order, masks=masks)
    if masks == "required":
        # A plan that is given is no way around it. Of tables that may stay empty, it is told when they do not.
        check_masks(table for table in jobs.tables if not table.is_optional)
    return jobs


@dataclass(frozen=True)
class _Cut:
    """A slice that is going to be cut."""

    source: SliceSource
    plan: SlicePlan
    secret: str | None
    workers: int
    shown: SliceProgress
    files: Files
    is_guarded: bool

    def into(self, store: BundleStore) -> BundleReader:
        """Cut it; nothing is left of a bundle that is not whole."""
        masks = masks_for(self.plan, self.secret)
        masks = guarded(self.plan, masks) if self.is_guarded else masks
        bundle = store.writer(self.plan, self.files.watching(masks))
        try:
            facts = self.source.export(self.plan, bundle, self.shown, self.workers)
            lost = self.files.write(bundle, self.shown, self.workers)
            return bundle.finish({"source": self.source.name, **facts, **({"missing_files": lost} if lost else {})})
        except BaseException:
            bundle.abandon()
            raise


def _through_bundle(cut: _Cut, target: SliceTarget, choice: LoadChoice) -> SliceResult:
    with tempfile.TemporaryDirectory(prefix="isekai-slice-") as folder:
        between: BundleStore = DataSlicer.File(Path(folder) / "bundle")
        tables, notes = load(cut.into(between), target, choice, cut.shown, files=True)
        return SliceResult(tables, cut.source.name, target.name, notes)


def _from_bundle(
    store: BundleStore,
    target: SliceTarget | BundleStore,
    choice: LoadChoice,
    jobs: Any,
    shown: SliceProgress,
    files: bool | str,
) -> SliceResult:
    if jobs is not None:
        msg = "a bundle is loaded whole: leave jobs away, or cut a smaller slice from the database"
        raise PlanError(msg)
    if isinstance(target, BundleStore):
        msg = f"{store.name} and {target.name} are both places for bundles; copy the files"
        raise BundleError(msg)
    if files == PLACEHOLDER:
        msg = "placeholders are made when a slice is cut: export with files='placeholder', and load with files=True"
        raise PlanError(msg)
    tables, notes = load(store.reader(), target, choice, shown, files=bool(files))
    return SliceResult(tables, store.name, target.name, notes)


def _result(bundle: BundleReader, plan: SlicePlan, source: str, target: str) -> SliceResult:
    tables = [TableReport(table.model, table.rows, 0, 0, 0) for table in bundle.tables]
    kept = kept_unasked(plan.table(table.model) for table in tables if table.rows)
    return SliceResult(tables, source, target, [*notes_of(bundle), *kept])


def choice_of(ids: Any, on_conflict: str, dangling: str, constraints: str, name: str) -> LoadChoice:
    """The choice that `run` is given in words; `PlanError` for words that it does not know."""
    one_of("on_conflict", on_conflict, ("skip", "update", "error"))
    one_of("dangling", dangling, ("error", "null", "keep"))
    one_of("constraints", constraints, ("check", "rebuild"))
    fixed: dict[str, Mapping[Any, Any]] = {}
    if isinstance(ids, Mapping):
        fixed = {_label(model): keys_of(_label(model), keys) for model, keys in ids.items()}
        ids = "remap"
    if ids not in _IDS:
        msg = f"ids: expected {' or '.join(map(repr, _IDS))}, or a mapping of models, got {named(ids)}"
        raise PlanError(msg)
    return LoadChoice(ids, fixed, on_conflict, dangling, constraints, text_of("name", name or ""))  # type: ignore[arg-type]


def _label(model: Any) -> str:
    if isinstance(model, str):
        return model
    if not hasattr(model, "_meta"):
        msg = f"ids: expected models as keys, such as {{Tenant: {{1060: 10}}}}, got {named(model)}"
        raise PlanError(msg)
    return str(model._meta.label)
