"""What core hands to a loader, and what the loader says of it: one item a row."""

from dataclasses import dataclass, field
from typing import Any, Literal

from isekai_core.types.keys import Key
from isekai_core.types.payloads import Payload

Action = Literal["create", "update", "unchanged", "error"]


@dataclass(slots=True)
class LoadItem:
    """One row to write. Core fills the first part; `plan` the second; `write` the third.

    key: the resource.
    model: `app_label.ModelName`.
    values: field name to resolved value: a relation holds the target's primary key, a many-to-many
        field a list of them, a file field a `FileValue`.
    match: the fields that told whether the row exists.
    pk: the row that exists, or the key that was preallocated (see `preallocated`), or None.
    written: field name to the hash of what was last written; a field whose row differs from it was
        edited by hand since.

    action: what is to be done; `error` with its reason in `error`.
    changed: the fields that differ, for an update.
    kept: the fields that were edited by hand and are left alone.
    row: the loader's own, between `plan` and `write`: the instance, say. Core does not look at it.

    After `write`, `pk` is set and `written` holds the hashes of what stands in the row now.
    """

    key: Key
    model: str
    values: dict[str, Any]
    match: tuple[str, ...] = ()
    pk: Any = None
    preallocated: bool = False
    written: dict[str, str] = field(default_factory=dict)

    action: Action = "create"
    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    error: Exception | None = None
    row: Any = None


@dataclass(frozen=True, slots=True)
class FileValue:
    """A file to stand in a file field: its bytes and the name it would like."""

    payload: Payload
    name: str
