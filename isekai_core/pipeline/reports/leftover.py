"""Links that were left as they were: texts that are loaded, and point to what is not."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce

from isekai_core.models import Dependency, Resource
from isekai_core.types import Stage, State

_FINAL = (State.FAILED.value, State.SKIPPED.value, State.BLOCKED.value)


@dataclass(frozen=True)
class LeftLink:
    """What some loaded texts link to, though it did not become a row.

    number: how many resources link to it.
    sources: the keys of the first of them.
    """

    key: str
    state: str
    message: str
    number: int
    sources: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LeftLinks:
    """The links of a pipeline that were left as they were.

    number: of all of them, a link for each pair of resources.
    targets: how many resources they lead to.
    examples: those that most link to.
    """

    number: int
    targets: int
    examples: list[LeftLink]


def left_links(pipeline: str, *, examples: int | None = 5, sources: int = 3) -> LeftLinks:
    """The soft refs of what is loaded to what failed, was skipped, or is blocked."""
    edges = _edges(pipeline)
    counted = edges.values_list("true").annotate(number=Count("pk")).order_by("-number", "true")
    totals = edges.aggregate(number=Count("pk"), targets=Count("true", distinct=True))
    shown = list(counted[:examples] if examples is not None else counted)
    targets = Resource.objects.only("key", "state", "message").in_bulk([pk for pk, _ in shown])
    found = [
        LeftLink(row.key, row.state, row.message, number, _sources(edges, row.pk, sources))
        for row, number in ((targets[pk], number) for pk, number in shown if pk in targets)
    ]
    return LeftLinks(totals["number"], totals["targets"], found)


def _edges(pipeline: str) -> "QuerySet[Any]":
    """A redirect is followed, twice when it was redirected again: the link leads where the redirect led."""
    edges = Dependency.objects.filter(
        parent__pipeline=pipeline,
        parent__stage=Stage.LOADED.value,
        parent__state=State.DONE.value,
        ref=Dependency.Ref.SOFT,
    )
    edges = edges.annotate(
        true=Coalesce("child__alias_of__alias_of_id", "child__alias_of_id", "child_id"),
        true_state=Coalesce("child__alias_of__alias_of__state", "child__alias_of__state", "child__state"),
        row=Coalesce("child__alias_of__alias_of__target_pk", "child__alias_of__target_pk", "child__target_pk"),
    )
    # A resource points to itself by a link to a place in its own page.
    return edges.filter(row="", true_state__in=_FINAL).exclude(true=F("parent_id"))


def _sources(edges: "QuerySet[Any]", target: int, number: int) -> list[str]:
    """By the index: what leads to the target is few, all links are many."""
    leading = Resource.objects.filter(Q(pk=target) | Q(alias_of=target) | Q(alias_of__alias_of=target))
    found = edges.filter(child__in=list(leading.values_list("pk", flat=True)), true=target)
    return list(found.order_by("parent_id").values_list("parent__key", flat=True)[:number])
