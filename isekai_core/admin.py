"""Resources and runs in the admin: to be looked at, and resources to be retried. Nothing else can be changed.

What came from a page is text here: it is always escaped, and never more of it is read than is shown.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from isekai_core.models import Resource, Run
from isekai_core.pipeline.costs import PROJECT
from isekai_core.pipeline.reports.details import Details, Links, details_of
from isekai_core.pipeline.reports.lookup import with_key
from isekai_core.pipeline.reports.readable import readable, spec_lines
from isekai_core.pipeline.reports.standing import duration_of, run_pipelines, stage_reports, state_of
from isekai_core.pipeline.retry import retry
from isekai_core.pipeline.store import payloads
from isekai_core.pipeline.work import clean

_TEXT_LIMIT = 10 * 1024
_IMAGE_LIMIT = 1024 * 1024
_LINKS_SHOWN = 20
_SHORT_KEY = 90
_SHORT_MESSAGE = 120
_LONGEST_VALUE = 2_000
# Pixels only: SVG is a document that can do more than be looked at.
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"})
# Keys and messages may be one long word, and would push everything else out of sight. What is of others runs in its
# own direction: in a page from right to left, brackets and quotes would stand on the wrong side.
_CELL = '<span dir="auto" style="display: inline-block; min-width: 12em; overflow-wrap: anywhere">{}</span>'
_WRAPPED = '<div dir="auto" style="white-space: pre-wrap; overflow-wrap: anywhere">{}</div>'
_PRE = '<pre dir="auto" style="white-space: pre-wrap; overflow-wrap: anywhere; margin: 0">{}</pre>'
_NONE = "-"


def _names(fieldsets: Iterable[tuple[Any, Mapping[str, Any]]]) -> tuple[str, ...]:
    return tuple(name for _title, section in fieldsets for name in section["fields"])


class PipelineFilter(admin.SimpleListFilter):
    """By pipeline: the names come from the runs, which are few, not from the resources."""

    title = _("pipeline")
    parameter_name = "pipeline"

    def lookups(self, *_: Any) -> list[tuple[str, str]]:
        """The pipelines that were ever run."""
        return [(name, name) for name in run_pipelines()]

    def queryset(self, _request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """Those of the chosen one."""
        return queryset.filter(pipeline=self.value()) if self.value() else queryset


if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    # Django's own takes no type arguments when it runs.
    ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(ModelAdmin):
    """To be looked at: what is here is the engine's to write."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        """Nobody adds by hand."""
        return False

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        """Nobody changes a field; who may change resources may retry them."""
        return False

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        """Nobody deletes: what was done would be done again."""
        return False


@admin.register(Resource)
class ResourceAdmin(ReadOnlyAdmin):
    """What flows through the pipelines, where it stands and why."""

    list_display = ("short_key", "pipeline", "stage", "state", "short_message")
    list_filter = (PipelineFilter, "stage", "state")
    search_fields = ("key",)
    search_help_text = _("a whole key or address, or a part of one")
    ordering = ("-pk",)
    actions = ("retry_chosen",)
    fieldsets = (
        (None, {"fields": ("full_key", "pipeline", "stage", "state", "why", "stopped", "trace", "became")}),
        (_("Payload"), {"fields": ("payload_facts", "payload_content", "metadata_said")}),
        (_("Spec"), {"fields": ("spec_values",)}),
        (_("Links"), {"fields": ("found_in", "finds", "refers_to", "referred_by")}),
        (_("Who did what"), {"fields": ("provenance", "depth", "version", "created_at", "updated_at")}),
    )
    readonly_fields = _names(fieldsets)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Resource]":
        """The list needs few columns; texts that may be long are read with the page of the one resource."""
        return super().get_queryset(request).only("pk", "key", "pipeline", "stage", "state", "message")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Resource | None:
        """The whole row, with what it points to."""
        found = super().get_object(request, object_id, from_field)
        return found and Resource.objects.select_related("alias_of", "blocked_by").get(pk=found.pk)

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Resource]", search_term: str
    ) -> "tuple[QuerySet[Resource], bool]":
        """A whole key is found by the index; only a part of one needs all of them to be read."""
        exact = with_key(search_term.strip(), queryset)
        return (exact, False) if exact.exists() else super().get_search_results(request, queryset, search_term)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Who may change resources."""
        return bool(request.user.has_perm("isekai.change_resource"))

    @admin.action(description=_("Retry: make ready for the next run"), permissions=["retry"])
    def retry_chosen(self, request: HttpRequest, queryset: "QuerySet[Resource]") -> None:
        """The same as `isekai retry` with their keys."""
        pipelines = sorted(set(queryset.order_by().values_list("pipeline", flat=True).distinct()))
        number = retry(queryset)
        if not number:
            self.message_user(request, _("None of them is failed, blocked, skipped or waiting."), messages.WARNING)
            return
        told = ngettext("%(number)d resource is ready", "%(number)d resources are ready", number) % {"number": number}
        commands = ", ".join(f"isekai run {name}" for name in pipelines)
        self.message_user(request, f"{told}: {commands}", messages.SUCCESS)

    # The list

    @admin.display(description=_("key"))
    def short_key(self, row: Resource) -> str:
        return format_html(_CELL, Truncator(row.key).chars(_SHORT_KEY))

    @admin.display(description=_("message"))
    def short_message(self, row: Resource) -> str:
        return format_html(_CELL, Truncator(row.message).chars(_SHORT_MESSAGE)) if row.message else ""

    # The page

    @admin.display(description=_("key"))
    def full_key(self, row: Resource) -> str:
        return format_html(_WRAPPED, _linked(row.key.removeprefix("url:"), row.key))

    @admin.display(description=_("message"))
    def why(self, row: Resource) -> str:
        """Why it failed, waits, is blocked or was skipped; what is done may have a remark, too."""
        return format_html(_WRAPPED, row.message) if row.message else _NONE

    @admin.display(description=_("stopped"))
    def stopped(self, row: Resource) -> str:
        """Where it was stopped, and by what."""
        parts = [f"in {row.error_stage}"] if row.error_stage else []
        parts += [text for text in (row.error_processor, row.error_class, row.cause and self._cause(row)) if text]
        parts += [f"{row.attempts} attempts"] if row.attempts else []
        parts += [f"next try at {row.next_attempt_at}"] if row.next_attempt_at else []
        others = [("blocked by", row.blocked_by), ("redirects to", row.alias_of)]
        linked = format_html_join("", "<br>{} {}", ((how, self._to(one.pk, one.key)) for how, one in others if one))
        said = format_html_join(", ", "{}", ((part,) for part in parts))
        told = format_html("{}{}", said or ("" if linked else _NONE), linked)
        return format_html(_WRAPPED, told)

    @admin.display(description=_("became"))
    def became(self, row: Resource) -> str:
        """The row that it became: in the admin, and where visitors see it."""
        target = _details(row).target
        if target is None:
            return _NONE
        label = f"{target.model} {target.pk}"
        page = self._admin_page(target.model, target.pk) if not target.problem else ""
        named = _linked(page, label) if page else label
        said = target.problem or target.name
        return format_html(_WRAPPED, format_html("{} {}<br>{}", named, said, _linked(target.address, target.address)))

    @admin.display(description=_("payload"))
    def payload_facts(self, row: Resource) -> str:
        preview = _details(row).payload
        if preview is None:
            return _NONE
        facts = (preview.kind, preview.media_type, preview.charset, f"{preview.size:,} bytes", preview.problem)
        return ", ".join(filter(None, facts))

    @admin.display(description=_("content"))
    def payload_content(self, row: Resource) -> str:
        """The beginning of a text; a small image."""
        preview = _details(row).payload
        if preview is None or preview.problem:
            return _NONE
        if preview.text is not None:
            return format_html(_PRE, clean(preview.text if preview.is_whole else f"{preview.text}…"))
        if preview.media_type in _IMAGES and preview.size <= _IMAGE_LIMIT:
            return _inline_image(row, preview.media_type)
        return _NONE

    @admin.display(description=_("metadata"))
    def metadata_said(self, row: Resource) -> str:
        said = _details(row).metadata.items()
        return _table((stage, readable(what, _LONGEST_VALUE)) for stage, what in said) if said else _NONE

    @admin.display(description=_("spec"))
    def spec_values(self, row: Resource) -> str:
        spec = _details(row).spec
        if spec is None or isinstance(spec, str):
            return spec or _NONE
        head = [("model", spec["model"]), ("match", ", ".join(spec["match"]) or _NONE)]
        return _table([*head, *spec_lines(spec, _LONGEST_VALUE)])

    @admin.display(description=_("found in"))
    def found_in(self, row: Resource) -> str:
        return self._links(_details(row).found_in)

    @admin.display(description=_("finds"))
    def finds(self, row: Resource) -> str:
        return self._links(_details(row).finds)

    @admin.display(description=_("refers to"))
    def refers_to(self, row: Resource) -> str:
        return self._links(_details(row).refers_to)

    @admin.display(description=_("referred to by"))
    def referred_by(self, row: Resource) -> str:
        return self._links(_details(row).referred_by)

    @admin.display(description=_("processors"))
    def provenance(self, row: Resource) -> str:
        steps = _details(row).provenance
        return _table((s.stage, f"{s.who} {s.plugin} {s.version}".strip()) for s in steps) if steps else _NONE

    @admin.display(description=_("traceback"))
    def trace(self, row: Resource) -> str:
        return format_html(_PRE, row.traceback) if row.traceback else _NONE

    def _links(self, links: Links) -> str:
        if not links.number:
            return _NONE
        rows = (
            (self._to(link.id, link.key), ", ".join(filter(None, (link.ref, link.state))), _said(link.metadata))
            for link in links.shown
        )
        more = links.number - len(links.shown)
        shown = format_html_join("", "{} ({}) {}<br>", rows)
        return format_html(_WRAPPED, format_html("{}{}", shown, f"… and {more:,} more" if more else ""))

    def _cause(self, row: Resource) -> str:
        """The cause, with a link to all that stand so because of it: there they can be retried together."""
        same = urlencode({"pipeline": row.pipeline, "state__exact": row.state, "cause__exact": row.cause})
        return format_html('cause <a href="{}?{}">{}</a>', self._url("isekai_resource_changelist"), same, row.cause)

    def _to(self, pk: int, key: str) -> str:
        return format_html('<a href="{}">{}</a>', self._url("isekai_resource_change", pk), key)

    def _url(self, name: str, *pks: Any) -> str:
        return reverse(f"admin:{name}", args=[quote(pk) for pk in pks], current_app=self.admin_site.name)

    def _admin_page(self, label: str, pk: str) -> str:
        """Where the row is changed; "" when its model is not in the admin."""
        try:
            return self._url(f"{label.lower().replace('.', '_')}_change", pk)
        except NoReverseMatch:
            return ""


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """What was run, by which process, and what it did."""

    list_display = ("pk", "pipeline", "started_at", "took", "standing", "who")
    list_display_links = ("pk", "pipeline")
    list_filter = (PipelineFilter, "outcome")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("pipeline", "standing", "started_at", "finished_at", "took", "who", "heartbeat_at")}),
        (_("Report"), {"fields": ("stages", "processors", "models", "seed_errors")}),
    )
    readonly_fields = _names(fieldsets)

    @admin.display(description=_("took"))
    def took(self, run: Run) -> str:
        duration = duration_of(run)
        return _NONE if duration is None else f"{duration.total_seconds():.1f} s"

    @admin.display(description=_("state"))
    def standing(self, run: Run) -> str:
        return state_of(run)

    @admin.display(description=_("process"))
    def who(self, run: Run) -> str:
        return f"{run.pid} on {run.host}"

    @admin.display(description=_("stages"))
    def stages(self, run: Run) -> str:
        reports = [report for report in stage_reports(run) if report.resources]
        return _table((r.stage, f"{_numbers(r.outcomes)}; {r.seconds:.2f} s") for r in reports) if reports else _NONE

    @admin.display(description=_("processors"))
    def processors(self, run: Run) -> str:
        """What each of them cost, the slowest first."""
        costs = sorted(run.report.get("processors", []), key=lambda cost: -cost["seconds"])
        return _table((cost["processor"], _cost(cost)) for cost in costs) if costs else _NONE

    @admin.display(description=_("models"))
    def models(self, run: Run) -> str:
        models = run.report.get("models", {})
        return _table((label, _numbers(counts)) for label, counts in models.items()) if models else _NONE

    @admin.display(description=_("errors of seeders"))
    def seed_errors(self, run: Run) -> str:
        errors = run.report.get("seed_errors", [])
        told = ((e["processor"], f"{e['error_class']}: {e['message']}\n{e['traceback']}") for e in errors)
        return _table(told) if errors else _NONE


def _details(row: Resource) -> Details:
    """Asked once for a page, however many of its fields need it."""
    known: Details | None = row.__dict__.get("_details")
    if known is None:
        known = row.__dict__["_details"] = details_of(row, text_limit=_TEXT_LIMIT, links_limit=_LINKS_SHOWN)
    return known


def _linked(address: str, text: str) -> str:
    """A link where the address is one that cannot do harm; else only the text."""
    if not address.startswith(("http://", "https://", "/")):
        return text
    return format_html('<a href="{}" rel="noopener noreferrer">{}</a>', address, text)


def _table(rows: Iterable[tuple[str, str]]) -> str:
    # What is stored may hold lone surrogates, which no page can.
    cells = ((clean(name), format_html(_PRE, clean(value))) for name, value in rows)
    return format_html("<table>{}</table>", format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", cells))


def _said(metadata: Any) -> str:
    return clean(readable(metadata, _LONGEST_VALUE)) if metadata else ""


def _numbers(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items() if number) or _NONE


def _cost(cost: Mapping[str, Any]) -> str:
    who = f"{cost['plugin'] or PROJECT} {cost['version']}".rstrip()
    counts = _numbers({name: cost[name] for name in ("resources", "rows", "errors")})
    return "; ".join(filter(None, (cost["stage"], who, counts, f"{cost['seconds']:.2f} s")))


def _inline_image(row: Resource, media_type: str) -> str:
    try:
        content = _content(row)
    except Exception as error:
        return f"cannot be read: {error}"
    encoded = base64.b64encode(content).decode()
    return format_html('<img src="data:{};base64,{}" alt="" style="max-width: 100%">', media_type, encoded)


def _content(row: Resource) -> bytes:
    stored = payloads.fetch([row.payload_id or 0])[row.payload_id or 0]
    return payloads.view_of(stored).read()
