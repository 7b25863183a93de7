"""What `isekai show` shows: one resource with all that belongs to it."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from isekai_core.cli.output import print_json
from isekai_core.cli.tables import indented, moment, print_lines, size
from isekai_core.models import Resource
from isekai_core.pipeline.reports.details import Details, Link, Links, Preview, Target, details_of
from isekai_core.pipeline.reports.lookup import find_resource
from isekai_core.pipeline.reports.readable import printable, readable, spec_lines
from isekai_core.types import Stage

_TEXT_LIMIT = 4 * 1024
_LINES_SHOWN = 10
_LONGEST_LINE = 160
_LINKS_SHOWN = 10


def show(key: str, pipeline: str | None, *, as_json: bool) -> None:
    """Print the resource with that key."""
    details = details_of(find_resource(key, pipeline), text_limit=_TEXT_LIMIT, links_limit=_LINKS_SHOWN)
    if as_json:
        print_json(resource_json(details))
    else:
        print_lines(_told(details))


def _told(details: Details) -> Iterator[str]:
    row = details.row
    yield printable(row.key)
    yield from _facts(row)
    yield from _trouble(row)
    yield from _provenance(details)
    yield from _payload(details.payload)
    yield from _metadata(details)
    yield from _links("found in", details.found_in)
    yield from _links("finds", details.finds)
    yield from _spec(details.spec)
    yield from _links("refers to", details.refers_to)
    yield from _links("referred to by", details.referred_by)
    yield from _target(details.target)


def _facts(row: Resource) -> Iterator[str]:
    yield f"  pipeline   {row.pipeline}"
    yield f"  completed  {row.stage}" + (" (the last stage)" if row.stage == Stage.LOADED else "")
    yield f"  state      {row.state}"
    if row.message:
        # What is done may have a remark, too.
        yield f"  message    {printable(row.message)}"
    yield f"  depth      {row.depth}"
    if row.version:
        yield f"  version    {printable(row.version)}"
    if row.alias_of is not None:
        yield f"  redirects  to {printable(row.alias_of.key)}"
    yield f"  since      {moment(row.created_at)}, last changed {moment(row.updated_at)}"


def _trouble(row: Resource) -> Iterator[str]:
    if row.error_stage:
        parts = filter(None, (f"in {row.error_stage}", row.error_processor and f"by {row.error_processor}"))
        yield f"  stopped    {' '.join(parts)}" + (f", {row.error_class}" if row.error_class else "")
    if row.cause:
        yield f"  cause      {row.cause}"
    if row.blocked_by is not None:
        yield f"  blocked by {printable(row.blocked_by.key)}, which is {row.blocked_by.state}"
    if row.attempts:
        yield f"  attempts   {row.attempts}"
    if row.next_attempt_at is not None:
        yield f"  next try   {moment(row.next_attempt_at)}"
    if row.traceback:
        yield "  traceback"
        yield indented(row.traceback.rstrip(), 4)


def _provenance(details: Details) -> Iterator[str]:
    if not details.provenance:
        return
    yield ""
    yield "who did what"
    before = ""
    for step in details.provenance:
        version = " ".join(filter(None, (step.plugin, step.version)))
        # Several miners are one stage.
        stage = step.stage if step.stage != before else ""
        yield f"  {stage:<9}  {step.who}" + (f" ({version})" if version else "")
        before = step.stage


def _payload(preview: Preview | None) -> Iterator[str]:
    if preview is None:
        return
    charset = f", {preview.charset}" if preview.charset else ""
    yield ""
    yield f"payload: {preview.kind}, {printable(preview.media_type)}{charset}, {size(preview.size)}"
    if preview.problem:
        yield indented(preview.problem, 2)
    if preview.text is None:
        return
    lines = preview.text.splitlines()
    yield from (f"  {printable(line, _LONGEST_LINE)}" for line in lines[:_LINES_SHOWN])
    if len(lines) > _LINES_SHOWN or not preview.is_whole:
        yield "  …"


def _metadata(details: Details) -> Iterator[str]:
    if details.metadata:
        yield ""
        yield "metadata"
        yield from (f"  {stage:<9}  {printable(readable(said))}" for stage, said in details.metadata.items())


def _spec(spec: Any) -> Iterator[str]:
    if spec is None:
        return
    yield ""
    if isinstance(spec, str):
        yield f"spec {spec}"
        return
    matched = f", matched by {', '.join(spec['match'])}" if spec["match"] else ""
    yield f"spec of {spec['model']}{matched}"
    width = max((len(name) for name in spec["values"]), default=0)
    yield from (f"  {name.ljust(width)}  {printable(value)}" for name, value in spec_lines(spec))


def _links(title: str, links: Links) -> Iterator[str]:
    if not links.number:
        return
    yield ""
    yield f"{title} ({links.number:,})"
    for link in links.shown:
        yield f"  {printable(link.key)}  {_said(link)}"
    if links.number > len(links.shown):
        yield f"  … and {links.number - len(links.shown):,} more"


def _said(link: Link) -> str:
    said = (
        f"{link.ref} ref" if link.ref else "",
        link.state,
        printable(readable(link.metadata)) if link.metadata else "",
    )
    return ", ".join(filter(None, said))


def _target(target: Target | None) -> Iterator[str]:
    if target is None:
        return
    yield ""
    yield f"became {target.model} {target.pk}"
    for text in filter(None, (target.name, target.address, target.problem)):
        yield f"  {printable(text)}"


def resource_json(details: Details) -> dict[str, Any]:
    """The same for machines: every key is always there."""
    row = details.row
    return {
        "schema": 1,
        "key": row.key,
        "pipeline": row.pipeline,
        "stage": row.stage,
        "state": row.state,
        "message": row.message,
        "depth": row.depth,
        "version": row.version,
        "alias_of": row.alias_of.key if row.alias_of else None,
        "blocked_by": row.blocked_by.key if row.blocked_by else None,
        "error": {"stage": row.error_stage, "processor": row.error_processor, "class": row.error_class},
        "cause": row.cause,
        "traceback": row.traceback,
        "attempts": row.attempts,
        "next_attempt_at": row.next_attempt_at.isoformat() if row.next_attempt_at else None,
        "created_at": row.created_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
        "provenance": [asdict(step) for step in details.provenance],
        "payload": asdict(details.payload) if details.payload else None,
        "metadata": details.metadata,
        "spec": details.spec,
        "target": asdict(details.target) if details.target else None,
        "found_in": _links_json(details.found_in),
        "finds": _links_json(details.finds),
        "refers_to": _links_json(details.refers_to),
        "referred_by": _links_json(details.referred_by),
    }


def _links_json(links: Links) -> dict[str, Any]:
    shown = [
        {"key": one.key, "stage": one.stage, "state": one.state, "ref": one.ref, "metadata": one.metadata}
        for one in links.shown
    ]
    return {"number": links.number, "shown": shown}
