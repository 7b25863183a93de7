"""What is done again: by a change of the pipeline, because it is asked for, or by a better word of another page."""

from django.db.models import QuerySet
from django.utils import timezone

from isekai_core.models import Resource
from isekai_core.pipeline.journal import Journal
from isekai_core.types import Stage, State


def reset_stale(journal: Journal) -> None:
    """Make ready again what mine, transform or load did with another composition than today's."""
    journal.family.open_depths()
    for verb, before in (("load", Stage.TRANSFORMED), ("transform", Stage.MINED), ("mine", Stage.EXTRACTED)):
        if stale := journal.stale_steps(verb):
            rows = journal.resources.filter(**{f"{verb}_step__in": stale})
            _reset(rows.exclude(stage__in=[stage.value for stage in Stage if stage < before]), before)


def reset_to(journal: Journal, stage: Stage) -> None:
    """Make ready again, at `stage`, whatever completed it and was not given its payload by a seeder."""
    rows = journal.resources.filter(stage__in=[later.value for later in Stage if later >= stage])
    if stage == Stage.SEEDED:
        rows = rows.exclude(extract_step=None)
    _reset(rows, stage)


def reset_leads(journal: Journal) -> bool:
    """Make ready for transform again of whom a smaller parent key spoke since; whether there is any."""
    stale, mark = journal.family.stale_leads(journal.run.edge_mark)
    journal.run.edge_mark = mark
    return _reset(journal.resources.filter(pk__in=stale), Stage.MINED) > 0


def _reset(rows: "QuerySet[Resource]", stage: Stage) -> int:
    # What waits for a better depth or for somebody to find it is not done again by looking again.
    rows = rows.exclude(state=State.RUNNING.value).exclude(state=State.SKIPPED.value, error_stage="seed")
    return rows.update(stage=stage.value, state=State.READY.value, attempts=0, updated_at=timezone.now())
