"""The manifest of a bundle: what it holds, where that came from, and how to see that nothing was changed."""

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import importlib_metadata

from isekai_core.errors import BundleError
from isekai_core.types.slices import BundleTable, SlicePlan, TablePlan

SCHEMA = 1
NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as it lies in the bundle, compressed or not.

    name: of a file field's file, its name in its storage; of a table, its model.
    field: whose file it is, `shop.Person.picture`; "" for a table.
    placeholder: whether it stands for another content.
    """

    name: str
    file: str
    bytes: int
    sha256: str
    field: str = ""
    placeholder: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A table as it was written: the file, and the CSV in it."""

    stored: Stored
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read.

    stored: model to the table's file.
    raw: everything in it.
    """

    digest: str
    tables: tuple[BundleTable, ...]
    stored: Mapping[str, Stored]
    files: tuple[Stored, ...]
    raw: Mapping[str, Any]


def build(
    plan: SlicePlan,
    written: Mapping[str, Written],
    rows: Mapping[str, int],
    files: Iterable[Stored],
    masked: Collection[str],
    heads: Mapping[str, Sequence[str]],
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """The manifest of what was written.

    masked: labels of the models to which masks were applied.
    heads: app to its last migrations, as the code has them.
    facts: of the source; `source` is its name, `migrations` maps an app to the last migrations applied there.
    """
    applied = facts.get("migrations") or {}
    tables = [_table(table, written[table.model], rows[table.model]) for table in plan.tables]
    kept = [asdict(one) for one in sorted(files, key=lambda one: (one.name, one.field))]
    return sealed(
        {
            "schema": SCHEMA,
            "isekai_core": version(),
            "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "digest": digest_of(tables, kept),
            "source": str(facts.get("source", "")),
            "facts": {name: value for name, value in facts.items() if name not in ("source", "migrations")},
            "seed": plan.seed,
            "migrations": {
                app: {"code": list(names), "applied": list(applied[app]) if app in applied else None}
                for app, names in heads.items()
            },
            "masks": {
                table.model: names
                for table in plan.tables
                if table.model in masked and (names := _masked_columns(table))
            },
            "groups": [list(group) for group in plan.groups],
            "tables": tables,
            "files": kept,
        }
    )


def sealed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with the checksum of all the rest of it."""
    # As it will be read again: what JSON does not know is a text by then.
    plain = json.loads(json.dumps({name: value for name, value in raw.items() if name != "checksum"}, default=str))
    return {**plain, "checksum": _hash(plain)}


def moved(raw: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """The manifest of the same bundle with its files in `folder`, beside the manifest."""
    new = {name: [{**one, "file": f"{folder}/{one['file']}"} for one in raw[name]] for name in ("tables", "files")}
    return sealed({**raw, **new})


def dumped(raw: Mapping[str, Any]) -> bytes:
    """The bytes of manifest.json."""
    text = json.dumps(raw, indent=1, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def digest_of(tables: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, Any]]) -> str:
    """The same for the same rows and columns, whatever the time, the source and the compression."""
    content = [
        [one["model"], one["key"], [[column["name"], column["type"]] for column in one["columns"]], one["sha256"]]
        for one in tables
    ]
    return _hash([sorted(content), sorted([one["name"], one["sha256"]] for one in files)])


def version() -> str:
    """That of isekai-core."""
    return importlib_metadata.version("isekai-core")


def migration_heads(labels: Iterable[str]) -> dict[str, list[str]]:
    """The last migrations, as the code has them, of the apps of these models."""
    from django.db.migrations.loader import MigrationLoader  # noqa: PLC0415 - reading manifests needs no project

    try:
        graph = MigrationLoader(None, ignore_no_migrations=True).graph
    except Exception as error:
        msg = f"the project's migrations cannot be read, and the manifest names the last ones: {error}"
        raise BundleError(msg) from error
    apps = sorted({label.partition(".")[0] for label in labels})
    return {app: sorted(name for _, name in graph.leaf_nodes(app)) for app in apps}


def _table(table: TablePlan, written: Written, rows: int) -> dict[str, Any]:
    return {
        "model": table.model,
        "file": written.stored.file,
        "file_bytes": written.stored.bytes,
        "file_sha256": written.stored.sha256,
        "bytes": written.bytes,
        "sha256": written.sha256,
        "rows": rows,
        "key": table.key,
        "columns": [asdict(column) for column in table.columns],
    }


def _masked_columns(table: TablePlan) -> list[str]:
    return [column.name for column in table.columns if column.mask]


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
