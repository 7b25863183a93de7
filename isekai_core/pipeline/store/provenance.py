"""Who did what: a row for each processor as it was configured, and what those of a resource tell.

One transformer makes the spec of a resource, but all miners together find what is in it: its step of mine stands
for the whole composition. The miners have rows of their own, one for each composition and not for each resource.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import router, transaction

from isekai_core.models import Resource, Step
from isekai_core.pipeline.composing.compose import Composed, Processor
from isekai_core.types import STAGES

TOGETHER = "*"
"""What a step has for a processor when it is of none in particular: all of the stage together."""


@dataclass(frozen=True)
class Provenance:
    """Who did a stage, as it was configured then."""

    stage: str
    processor: str
    plugin: str
    version: str
    fingerprint: str

    @property
    def who(self) -> str:
        """The processor; in words where it is none in particular.

        >>> Provenance("transform", "*", "", "", "").who
        'no processor took it'
        """
        if self.processor != TOGETHER:
            return self.processor
        if self.stage != "mine":
            return "no processor took it"
        return "no miner: the pipeline has none" if self.fingerprint == _digest([]) else "all miners together"


def store_step(composed: Composed, stage: str, processor: Processor | None) -> int:
    """The row that stands for `processor` (None: all of the stage's together) as it is configured now."""
    if processor is not None:
        return _stored(composed, stage, processor.name, fingerprint_of(processor), processor.plugin, processor.version)
    if stage != "mine":
        return _stored(composed, stage, TOGETHER, composed.chains[stage])
    miners = composed["miner"]
    # The chain is no name for them: it stays when a plugin is upgraded whose miner says that it is the same.
    fingerprint = _digest([fingerprint_of(miner) for miner in miners])
    with transaction.atomic(using=router.db_for_write(Step)):
        members = [_member(composed.name, miner, fingerprint) for miner in miners]
        Step.objects.bulk_create(members, ignore_conflicts=True)
        return _stored(composed, stage, TOGETHER, fingerprint)


def _stored(
    composed: Composed, stage: str, processor: str, fingerprint: str, plugin: str = "", version: str = ""
) -> int:
    step, _ = Step.objects.get_or_create(
        pipeline=composed.name,
        stage=stage,
        processor=processor,
        fingerprint=fingerprint,
        chain=composed.chains[stage],
        defaults={"plugin": plugin, "version": version},
    )
    return int(step.pk)


def _member(pipeline: str, miner: Processor, composition: str) -> Step:
    return Step(
        pipeline=pipeline,
        stage="mine",
        processor=miner.name,
        plugin=miner.plugin,
        version=miner.version,
        fingerprint=fingerprint_of(miner),
        chain=composition,
    )


def fingerprint_of(processor: Processor) -> str:
    """Of the processor as it is told: also of its plugin's version, where that changes nothing of what it does."""
    return _digest([processor.fingerprint, processor.version])


def stale_steps(composed: Composed, stage: str) -> list[int]:
    """The steps of `stage` that belong to another composition than today's, of those that resources have."""
    steps = Step.objects.filter(pipeline=composed.name, stage=stage).exclude(chain=composed.chains[stage])
    if stage == "mine":
        steps = steps.filter(processor=TOGETHER)
    return list(steps.values_list("pk", flat=True))


def provenance_of(row: Resource) -> list[Provenance]:
    """Who did its stages, in their order, and of mine all miners; a stage that is still before it is missing."""
    steps = {stage: getattr(row, f"{stage}_step_id") for stage in STAGES}
    found = Step.objects.in_bulk([pk for pk in steps.values() if pk])
    told: list[Provenance] = []
    for stage, pk in steps.items():
        if (step := found.get(pk or 0)) is not None:
            who = _miners(step) if stage == "mine" else []
            told += [Provenance(stage, s.processor, s.plugin, s.version, s.fingerprint) for s in who or [step]]
    return told


def _miners(step: Step) -> Sequence[Step]:
    """The miners of a composition, in their order; none where nobody stored them, or there was none."""
    miners = Step.objects.filter(pipeline=step.pipeline, stage="mine", chain=step.fingerprint)
    return list(miners.exclude(processor=TOGETHER).order_by("pk"))


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
