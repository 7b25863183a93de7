"""Everything that is known of one resource, as plain data: what the command `show` and the admin tell of it."""

import codecs
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from isekai_core.errors import LoadError, TransformError
from isekai_core.models import Dependency, Resource
from isekai_core.pipeline.loading.answers import url_of
from isekai_core.pipeline.store import payloads
from isekai_core.pipeline.store.provenance import Provenance, provenance_of
from isekai_core.pipeline.transform import find_model
from isekai_core.types import Payload, PayloadKind

SPEC_LIMIT = 2 * 1024 * 1024
"""Bytes of a spec that are read to be shown; a larger one is not."""


@dataclass(frozen=True)
class Preview:
    """A payload, and the beginning of it.

    text: the beginning, decoded; None for bytes that are no text.
    is_whole: whether that is all of it.
    problem: why it cannot be read; "" when it can.
    """

    kind: str
    media_type: str
    charset: str
    size: int
    sha256: str
    text: str | None
    is_whole: bool
    problem: str = ""


@dataclass(frozen=True)
class Link:
    """Another resource, seen from this one.

    metadata: what was said of it where it was found, as tagged JSON.
    ref: `hard` or `soft` when the spec points to it.
    """

    id: int
    key: str
    stage: str
    state: str
    ref: str = ""
    metadata: Any = None


@dataclass(frozen=True)
class Links:
    """Some of the resources of one direction, and how many there are."""

    number: int
    shown: list[Link]


@dataclass(frozen=True)
class Target:
    """The row that a resource became.

    name, address: what the row says of itself; "" when it does not.
    problem: why it cannot be shown; "" when it can.
    """

    model: str
    pk: str
    name: str = ""
    address: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Details:
    """A resource with all that belongs to it. `row` has its own columns."""

    row: Resource
    provenance: list[Provenance]
    payload: Preview | None
    spec: Any
    target: Target | None
    found_in: Links
    finds: Links
    refers_to: Links
    referred_by: Links
    metadata: Mapping[str, Any] = field(default_factory=dict)


def details_of(row: Resource, *, text_limit: int = 10 * 1024, links_limit: int = 20) -> Details:
    """Everything about `row`: at most `text_limit` bytes of its payload, and `links_limit` of each kind of link."""
    parents = Dependency.objects.filter(child=row)
    children = Dependency.objects.filter(parent=row)
    return Details(
        row=row,
        provenance=provenance_of(row),
        payload=preview_of(row, text_limit),
        spec=spec_of(row),
        target=target_of(row),
        found_in=_found(parents, "parent", links_limit),
        finds=_found(children, "child", links_limit),
        refers_to=_referred(children, "child", links_limit),
        referred_by=_referred(parents, "parent", links_limit),
        metadata=metadata_of(row),
    )


def metadata_of(row: Resource) -> dict[str, Any]:
    """What the seeder and the extractor said of it, as tagged JSON."""
    said = {"seed": row.metadata, "extract": row.extracted}
    return {stage: json.loads(text) for stage, text in said.items() if text}


def preview_of(row: Resource, limit: int) -> Preview | None:
    """The payload and at most `limit` bytes of its text; None when nothing was extracted."""
    stored = payloads.fetch([row.payload_id]).get(row.payload_id) if row.payload_id else None
    if stored is None:
        return None
    payload = payloads.view_of(stored)
    facts = (stored.kind, stored.media_type, stored.charset, stored.size, stored.sha256)
    if payload.kind == PayloadKind.BLOB:
        return Preview(*facts, text=None, is_whole=False)
    try:
        content = read_beginning(payload, limit)
    except Exception as error:
        return Preview(*facts, text=None, is_whole=False, problem=f"cannot be read: {error}")
    is_whole = len(content) >= stored.size
    return Preview(*facts, text=_text(payload, content, is_whole=is_whole), is_whole=is_whole)


def read_beginning(payload: Payload, limit: int) -> bytes:
    """At most `limit` bytes of `payload`."""
    with payload.open() as file:
        return file.read(limit)


def _text(payload: Payload, content: bytes, *, is_whole: bool) -> str:
    try:
        text = _decoded(content, payload.charset or "utf-8", is_whole=is_whole)
    except (LookupError, ValueError):
        # As `Payload.text` reads it.
        text = _decoded(content, "utf-8", is_whole=is_whole)
    if payload.kind == PayloadKind.RECORD and is_whole:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text


def _decoded(content: bytes, charset: str, *, is_whole: bool) -> str:
    # Codecs that are none of texts have decoders, too, which give anything.
    "".encode(charset)
    # Where it was cut, a character may be in pieces: not final.
    return codecs.getincrementaldecoder(charset)("replace").decode(content, final=is_whole)


def spec_of(row: Resource) -> Any:
    """What it becomes: model, values and match, as tagged JSON; a text that says why it cannot be shown; or None."""
    stored = payloads.fetch([row.spec_id]).get(row.spec_id) if row.spec_id else None
    if stored is None:
        return None
    if stored.size > SPEC_LIMIT:
        return f"too large to be shown: {stored.size} bytes"
    try:
        return json.loads(payloads.view_of(stored).read())
    except Exception as error:
        return f"cannot be read: {error}"


def target_of(row: Resource) -> Target | None:
    """The row that it became; None while it is not loaded."""
    if not row.target_pk:
        return None
    try:
        found = find_model(row.target_model)._base_manager.filter(pk=row.target_pk).first()
    except (TransformError, ValueError, ValidationError) as error:
        return Target(row.target_model, row.target_pk, problem=str(error))
    if found is None:
        return Target(row.target_model, row.target_pk, problem="the row is not there any more")
    return Target(row.target_model, row.target_pk, _said(found), _address(found))


def _said(found: Model) -> str:
    """Its name; what a project writes in `__str__` may fail, and is no reason to show nothing."""
    try:
        return str(found)
    except Exception:
        return ""


def _address(found: Model) -> str:
    try:
        return url_of(found)
    except LoadError:
        return ""
    except Exception:  # the project's own get_absolute_url()
        return ""


def _found(edges: "QuerySet[Dependency]", side: str, limit: int) -> Links:
    """Who found it or what it found, with what was said there."""
    links = _links(edges.filter(found=True), side, limit, "metadata")
    said = [replace(link, metadata=json.loads(metadata) if metadata else None) for link, metadata in links]
    return _counted(edges.filter(found=True), said, limit)


def _referred(edges: "QuerySet[Dependency]", side: str, limit: int) -> Links:
    """What its spec points to, or whose spec points to it."""
    edges = edges.exclude(ref=Dependency.Ref.NONE)
    return _counted(edges, [replace(link, ref=ref) for link, ref in _links(edges, side, limit, "ref")], limit)


def _links(edges: "QuerySet[Dependency]", side: str, limit: int, further: str) -> list[tuple[Link, str]]:
    columns = (f"{side}_id", f"{side}__key", f"{side}__stage", f"{side}__state", further)
    return [(Link(*values), said) for *values, said in edges.order_by("pk").values_list(*columns)[:limit]]


def _counted(edges: "QuerySet[Dependency]", shown: list[Link], limit: int) -> Links:
    return Links(edges.count() if len(shown) == limit else len(shown), shown)
