"""Links that were left as they were: texts that are loaded, and point to what is not."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import Coalesce, RowNumber

from isekai_core.models import Dependency, Resource
from isekai_core.pipeline.store.rows import one_of
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
    counted = edges.values_list("leads_to").annotate(number=Count("pk")).order_by("-number", "leads_to")
    totals = edges.aggregate(number=Count("pk"), targets=Count("leads_to", distinct=True))
    shown = list(counted[:examples] if examples is not None else counted)
    ids = [pk for pk, _ in shown]
    targets = Resource.objects.only("key", "state", "message").in_bulk(ids)
    leading = _sources(edges, ids, sources)
    found = [
        LeftLink(row.key, row.state, row.message, number, leading.get(row.pk, []))
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
    # Not called `true`: outside a subquery, SQLite would take the name for the text.
    edges = edges.annotate(
        leads_to=Coalesce("child__alias_of__alias_of_id", "child__alias_of_id", "child_id"),
        end_state=Coalesce("child__alias_of__alias_of__state", "child__alias_of__state", "child__state"),
        row=Coalesce("child__alias_of__alias_of__target_pk", "child__alias_of__target_pk", "child__target_pk"),
    )
    # A resource points to itself by a link to a place in its own page.
    return edges.filter(row="", end_state__in=_FINAL).exclude(leads_to=F("parent_id"))


def _sources(edges: "QuerySet[Any]", targets: list[int], number: int) -> dict[int, list[str]]:
    """The keys of the first few that link to each of `targets`: for all of them by one reading of the links."""
    place = Window(RowNumber(), partition_by="leads_to", order_by="parent_id")
    first = edges.filter(one_of("leads_to", targets)).annotate(place=place).filter(place__lte=number)
    found: dict[int, list[str]] = {}
    for target, key in first.order_by("leads_to", "place").values_list("leads_to", "parent__key"):
        found.setdefault(target, []).append(key)
    return found
