"""Plan: jobs become tables in an order in which everything comes after what it needs.

A plan is in no database's words: it says which rows and columns, and a source makes its queries of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model

from isekai_core.errors import PlanError
from isekai_core.slicing.columns import columns_of, is_enforced
from isekai_core.slicing.decided import check_masks, masks_of, planned_masks
from isekai_core.slicing.given import named, one_of, text_of
from isekai_core.slicing.importer import check_targets, how_to_declare, importer_of
from isekai_core.slicing.job import ImportJob
from isekai_core.slicing.order import groups_of
from isekai_core.types.slices import SlicePlan, TablePlan

MASKS = ("optional", "required")


def plan_of(
    jobs: Sequence[ImportJob],
    *,
    seed: object = 0,
    order: str = "sort",
    masks: str = "optional",
) -> SlicePlan:
    """The plan of `jobs`.

    seed: what samples are chosen by.
    order: `sort` puts jobs into the right order; `refuse` says what it is.
    masks: `required` refuses text columns of which no importer says whether they are masked or kept.

    Raises `PlanError`, naming the job.
    """
    one_of("order", order, ("sort", "refuse"))
    one_of("masks", masks, MASKS)
    text = text_of("seed", seed)
    _check_jobs(jobs)
    by_label = {job.label: job for job in jobs}
    check_targets([job.model for job in jobs])
    groups = groups_of({label: _needs(job, by_label) for label, job in by_label.items()})
    if order == "refuse":
        _check_order([job.label for job in jobs], groups)
    whole: set[str] = set()
    tables = [_table(by_label[label], by_label, whole, len(group)) for group in groups for label in group]
    if masks == "required":
        check_masks(tables)
    return SlicePlan(tuple(tables), tuple(tuple(group) for group in groups), text)


def _check_jobs(jobs: Sequence[ImportJob]) -> None:
    if not isinstance(jobs, Sequence):
        msg = f"jobs: expected a list of ImportJob objects, got {named(jobs)}"
        raise PlanError(msg)
    seen: set[str] = set()
    for job in jobs:
        if not isinstance(job, ImportJob):
            msg = f"jobs: expected ImportJob objects, got {named(job)}"
            raise PlanError(msg)
        if job.label in seen:
            msg = f"there are two jobs for {job.label}; join their queries by | in one job"
            raise PlanError(msg)
        seen.add(job.label)
        if importer_of(job.model) is None:
            msg = f"there is no importer for {job.label}: {how_to_declare(job.model)}"
            raise PlanError(msg)
    if not jobs:
        msg = "a slice needs at least one job"
        raise PlanError(msg)


def _needs(job: ImportJob, jobs: Mapping[str, ImportJob]) -> list[str]:
    """The models of other jobs (or its own) that its table points to: those it needs to be there first."""
    columns = columns_of(job.model, exclude=job.exclude)
    return [column.reference.model for column in columns if column.reference and column.reference.model in jobs]


def _check_order(given: Sequence[str], groups: Sequence[Sequence[str]]) -> None:
    place = {label: number for number, group in enumerate(groups) for label in group}
    if [place[label] for label in given] != sorted(place[label] for label in given):
        right = ", ".join(label for group in groups for label in group)
        msg = f"the jobs are in the wrong order: parents come first; a right order is {right}"
        raise PlanError(msg)


def _table(job: ImportJob, jobs: Mapping[str, ImportJob], whole: set[str], size: int) -> TablePlan:
    importer = importer_of(job.model)
    assert importer is not None
    model: type[Model] = job.model
    declared = [name for name in importer.parents() if _label_of(model, name) in jobs]
    columns = columns_of(model, declared, masks_of(model), job.exclude)
    planned_masks(model, columns)
    parents = {column.reference.model for column in columns if column.reference and column.reference.declared}
    is_limited = job.number is not None or job.sample is not None or bool(job.pers)
    # A row whose parents are all there needs no comparing: the database's constraints have done it.
    is_bound = parents - {job.label} <= whole and all(is_enforced(model._meta.get_field(name)) for name in declared)
    is_whole = not is_limited and _is_everything(job.query) and is_bound and size == 1
    if is_whole:
        whole.add(job.label)
    return TablePlan(
        model=job.label,
        model_class=model,
        table=model._meta.db_table,
        key=str(model._meta.pk.column),
        columns=columns,
        queryset=None if _is_everything(job.query) else job.query,
        is_whole=is_whole,
        limit=job.number,
        order_by=job.orders,
        per=job.pers,
        sample=job.sample,
    )


def _is_everything(query: Any) -> bool:
    if query is None:
        return True
    return not query.query.where and not query.query.extra_tables and not query.query.distinct


def _label_of(model: type[Model], name: str) -> str:
    field: Any = model._meta.get_field(name)
    return str(field.target_field.model._meta.concrete_model._meta.label)
