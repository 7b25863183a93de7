"""A claimed resource in memory, and what the stages made of it, until the journal writes it."""

import datetime as dt
import hashlib
import json
import re
import traceback as tracebacks
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from django.db.models import QuerySet

from isekai_core.errors import IsekaiError, SkipResource
from isekai_core.models import Resource
from isekai_core.plugins.hidden import without_secrets
from isekai_core.types import (
    BlobRef,
    Key,
    LoadItem,
    MemoryBody,
    Mined,
    Payload,
    PayloadKind,
    ResourceView,
    Spec,
    Stage,
    State,
    decode,
    encode,
)

SPEC_MEDIA_TYPE = "application/vnd.isekai.spec+json"

_CHANGED_BY_LOAD = ("stage", "state", "target_pk", "loaded_hash", "written", "loaded_in", "changed_in", "message")
_VARIABLE = re.compile(r"'[^']*'|\"[^\"]*\"|\b(?:url|file|row):\S+|https?://\S+|0x[0-9a-fA-F]+|\d+")


@dataclass
class Failure:
    """Why a resource did not pass a stage, as it is stored: class, message, traceback, cause."""

    stage: str
    processor: str
    error_class: str
    message: str
    traceback: str

    @classmethod
    def of(cls, error: BaseException, stage: str, processor: str) -> "Failure":
        """What is kept of `error`; a traceback only where the error was none of ISEKAI's own."""
        expected = isinstance(error, IsekaiError)
        trace = "" if expected and error.__cause__ is None else "".join(tracebacks.format_exception(error))
        name = type(error).__name__ if expected else f"{type(error).__module__}.{type(error).__qualname__}"
        return cls(stage, processor, name.removeprefix("builtins."), clean(_text_of(error)) or name, clean(trace))

    @property
    def cause(self) -> str:
        """8 hexadecimal characters, the same for messages that differ only in names and numbers."""
        common = _VARIABLE.sub("…", self.message)
        return hashlib.sha256(f"{self.stage} {self.processor} {self.error_class} {common}".encode()).hexdigest()[:8]


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except KeyboardInterrupt:  # the user's
        raise
    except BaseException:  # it is the error of somebody else's code, and so is its text
        return ""


def clean(text: str) -> str:
    """`text` without secrets, and without what a database may refuse: NUL and lone surrogates are shown, not stored."""
    return without_secrets(text).replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()


@dataclass(slots=True, eq=False)
class Claimed:
    """The columns of a resource that the stages read and set; an instance of the model costs four times as much."""

    pk: int
    key: str
    depth: int
    stage: str
    state: str
    metadata: str
    extracted: str
    lead: str
    payload_id: int | None
    spec_id: int | None
    spec_hash: str
    target_model: str
    target_pk: str
    loaded_hash: str
    written: str
    loaded_in: int
    changed_in: int
    alias_of_id: int | None
    blocked_by_id: int | None
    extract_step_id: int | None
    mine_step_id: int | None
    transform_step_id: int | None
    load_step_id: int | None
    attempts: int
    next_attempt_at: dt.datetime | None
    error_stage: str
    error_processor: str
    error_class: str
    message: str
    traceback: str
    cause: str
    lease_owner: str
    lease_until: dt.datetime | None = None
    updated_at: dt.datetime | None = None

    @classmethod
    def all_of(cls, rows: "QuerySet[Resource]") -> "list[Claimed]":
        """Those of `rows`, which were just claimed: the end of the lease is not read."""
        return [cls(*row) for row in rows.values_list(*_CLAIMED)]


_CLAIMED = tuple(field.name for field in fields(Claimed) if field.name not in ("lease_until", "updated_at"))


@dataclass(eq=False)
class Work:
    """A resource under lease.

    row: as it was claimed; its columns are set by the stages and written by the journal.
    view: what processors see.
    payload: new bytes that are not stored yet; None when the stored ones stand.
    mined: key to what miners said; None when it was not mined in this claim.
    refs: key to whether a hard ref points to it; None when it was not transformed in this claim.
    alias: where a redirect led.
    lead: hash of what the smallest parent key says of it now.
    known_edges: what miners said in an earlier claim; None when it was never mined.
    stored: the identity of the payload that is stored already.
    stored_blob: its name in the storage; "" when it lies in the database.
    unchanged: it was fetched again, and is the same.
    spec: what it becomes: new in the front, as stored in load.
    item: what the loader sees of it.
    links: the fields of its spec that hold soft refs.
    is_ahead: its texts show addresses of rows that are not written yet.
    is_as_foretold: its row has the address that texts showed before it was there.
    error: why it was not loaded.
    kept: what load changes of the row, as it was claimed.
    events: stage and outcome, to be counted once they are written.
    """

    row: Claimed
    key: Key
    view: ResourceView
    token: str
    payload: Payload | None = None
    mined: dict[Key, Mined] | None = None
    refs: dict[Key, bool] | None = None
    alias: Key | None = None
    lead: str = ""
    known_edges: dict[Key, Mined] | None = None
    stored: Any = None
    stored_blob: str = ""
    unchanged: bool = False
    spec: Payload | None = None
    item: LoadItem | None = None
    links: frozenset[str] = frozenset()
    is_ahead: bool = False
    is_as_foretold: bool = False
    error: Exception | None = None
    kept: dict[str, Any] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)

    @property
    def stage(self) -> Stage:
        """The last stage it completed."""
        return Stage(self.row.stage)

    def let_go(self) -> None:
        """No processor sees it any more: parsed pages and decoded texts are many times what is to be written."""
        self.view = ResourceView(self.key)
        if self.payload is not None:
            vars(self.payload).pop("text", None)

    @property
    def touched_edges(self) -> bool:
        """Whether this claim mined or transformed it."""
        return any(stage in ("mine", "transform") and outcome != "unchanged" for stage, outcome in self.events)

    @property
    def has_heard(self) -> bool:
        """Whether transform made something of it, or could make nothing, by what pages said of it."""
        if self.row.stage in (Stage.TRANSFORMED.value, Stage.LOADED.value):
            return self.row.state != State.FAILED.value
        return self.row.stage == Stage.MINED.value and self.row.error_stage == "transform"

    def finish(self, verb: str) -> None:
        """It passed the stage `verb`."""
        self.row.stage = Stage.after(verb).value
        self.row.state = State.READY.value
        self.row.attempts = 0
        self.clear_error()
        self.events.append((verb, "done"))

    def keep(self) -> None:
        """Remember the row as it is claimed for load."""
        self.kept = {name: getattr(self.row, name) for name in _CHANGED_BY_LOAD}

    def rewind(self) -> None:
        """The transaction was undone: nothing of what load wrote is there."""
        for name, value in self.kept.items():
            setattr(self.row, name, value)
        self.item, self.error, self.events = None, None, []
        self.is_ahead = self.is_as_foretold = False

    def clear_error(self) -> None:
        """Nothing is wrong with it any more."""
        row = self.row
        row.error_stage = row.error_processor = row.error_class = row.message = row.traceback = row.cause = ""
        row.next_attempt_at = None

    def fail(self, error: BaseException, stage: str, processor: str) -> None:
        """It did not pass: the error is kept, whatever it was."""
        failure = Failure.of(error, stage, processor)
        row = self.row
        row.state = State.FAILED.value
        row.error_stage, row.error_processor, row.error_class = failure.stage, failure.processor, failure.error_class
        row.message, row.traceback, row.cause = failure.message, failure.traceback, failure.cause
        self.events.append((stage, "failed"))

    def skip(self, stage: str, reason: str | SkipResource) -> None:
        """It is not wanted, or nobody handles it."""
        said = reason if isinstance(reason, str) else _text_of(reason)
        self.clear_error()
        self.row.state = State.SKIPPED.value
        self.row.error_stage = stage
        self.row.message = clean(said)
        self.events.append((stage, "skipped"))

    def set_spec(self, spec: Spec) -> None:
        """What it becomes; `TypeError`, naming the path, when a value cannot be kept."""
        node = {"model": spec.model, "values": encode(spec.values, "values"), "match": list(spec.match)}
        text = json.dumps(node, separators=(",", ":"))
        self.spec = Payload(PayloadKind.RECORD, SPEC_MEDIA_TYPE, MemoryBody(text.encode()), "utf-8")
        self.row.spec_hash = self.spec.sha256
        if any(isinstance(ref, BlobRef) and ref.key in (None, self.key) for ref in spec.refs()):
            # The spec names the file and does not hold it: other bytes are another row.
            both = self.spec.sha256 + self.view.payload.sha256
            self.row.spec_hash = hashlib.sha256(both.encode()).hexdigest()
        self.row.target_model = spec.model


def read_spec(payload: Payload | None) -> Spec:
    """The spec that `Work.set_spec` made."""
    assert payload is not None, "a transformed resource has a spec"
    node = json.loads(payload.read())
    return Spec(node["model"], decode(node["values"]), node["match"])


def dump_metadata(metadata: Mapping[str, Any], path: str = "metadata") -> str:
    """Metadata as tagged JSON text, the same for the same metadata; "" for none."""
    if not isinstance(metadata, Mapping):
        msg = f"{path}: expected a mapping, got {metadata!r}"[:500]
        raise TypeError(msg)
    if not metadata:
        return ""
    return json.dumps(encode(dict(metadata), path), sort_keys=True, separators=(",", ":"))


def load_metadata(text: str) -> dict[str, Any]:
    """What `dump_metadata` was given."""
    loaded: dict[str, Any] = decode(json.loads(text)) if text else {}
    return loaded


def short_hash(text: str) -> str:
    """16 hexadecimal characters; "" for ""."""
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""


def unique_keys(found: Iterable[Mined]) -> dict[Key, Mined]:
    """The first of each key."""
    unique: dict[Key, Mined] = {}
    for item in found:
        unique.setdefault(item.key, item)
    return unique
