"""Reading a manifest: no name in it is taken on trust, and what is unknown is left alone."""

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from isekai_core.errors import BundleError
from isekai_core.slicing.manifest import NAME, SCHEMA, Manifest, Stored, digest_of, sealed, version
from isekai_core.types.slices import BundleTable, Column, Reference


def parse(content: bytes, where: str) -> Manifest:
    """The manifest in `content`; `BundleError`, naming `where`, says what is wrong with it."""
    try:
        return _parsed(content)
    except BundleError as error:
        msg = f"{NAME} of {where}: {error}"
        raise BundleError(msg) from error


def is_safe(file: str) -> bool:
    """Whether a name in a manifest stays inside the bundle, on every system.

    >>> is_safe("shop.Order.csv"), is_safe("../shop.Order.csv"), is_safe("/etc/passwd")
    (True, False, False)
    """
    parts = PurePosixPath(file).parts
    is_plain = not any(char in file for char in "\\:\x00") and "/".join(parts) == file
    return bool(parts) and is_plain and parts[0] != "/" and ".." not in parts


def is_inside(name: str) -> bool:
    """Whether the name of a file stays inside of a storage, on every system.

    >>> is_inside("people/a.jpg"), is_inside("people/../../a.jpg"), is_inside("/etc/passwd"), is_inside("C:a.jpg")
    (True, False, False, False)
    """
    parts = name.replace("\\", "/").split("/")
    is_plain = "\x00" not in name and parts[0] != "" and name[1:2] != ":"
    return is_plain and ".." not in parts and parts[-1] not in ("", ".")


def _parsed(content: bytes) -> Manifest:
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError) as error:
        msg = f"expected JSON, got what cannot be read: {error}"
        raise BundleError(msg) from error
    if not isinstance(raw, dict):
        msg = f"expected a JSON object, got {type(raw).__name__}"
        raise BundleError(msg)
    _check_schema(raw)
    # Without one it is refused: a damaged byte in the name of the entry would make the check go away.
    if sealed(raw)["checksum"] != _get(raw, "checksum", str, ""):
        msg = "it was changed after it was written: its checksum is another one"
        raise BundleError(msg)
    tables = _get(raw, "tables", list, "")
    files = _get(raw, "files", list, "") if "files" in raw else []
    read = [_read_table(_object(one, f"tables[{number}]"), f"tables[{number}].") for number, one in enumerate(tables)]
    kept = [_read_file(_object(one, f"files[{number}]"), f"files[{number}].") for number, one in enumerate(files)]
    # Files with the same content may be one file.
    _check_twice([table.file for table, _ in read] + list({one.file for one in kept}))
    _check_twice([table.model for table, _ in read])
    _check_twice([f"{one.name} of {one.field}" if one.field else one.name for one in kept])
    stored = {table.model: one for table, one in read}
    return Manifest(digest_of(tables, files), tuple(table for table, _ in read), stored, tuple(kept), raw)


def _check_schema(raw: Mapping[str, Any]) -> None:
    schema = _get(raw, "schema", int, "")
    if schema > SCHEMA:
        by = raw.get("isekai_core")
        msg = (
            f"schema {schema} was written by a newer isekai-core ({by}), and this one, {version()}, knows"
            f" {SCHEMA}: pip install -U isekai-core"
        )
        raise BundleError(msg)
    if schema < 1:
        msg = f"schema: expected a number from 1 to {SCHEMA}, got {schema}"
        raise BundleError(msg)


def _check_twice(names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            msg = f"{name!r} is in it twice"
            raise BundleError(msg)
        seen.add(name)


def _read_table(one: Mapping[str, Any], path: str) -> tuple[BundleTable, Stored]:
    model = str(_get(one, "model", str, path))
    columns = tuple(
        _read_column(_object(column, f"{path}columns[{number}]"), f"{path}columns[{number}].")
        for number, column in enumerate(_get(one, "columns", list, path))
    )
    table = BundleTable(
        model=model,
        file=_safe(one, path),
        rows=_get(one, "rows", int, path),
        bytes=_get(one, "bytes", int, path),
        sha256=_get(one, "sha256", str, path),
        key=_get(one, "key", str, path),
        columns=columns,
    )
    if table.key not in [column.name for column in columns]:
        msg = f"{path}key: expected one of its columns, got {table.key!r}"
        raise BundleError(msg)
    size = _get(one, "file_bytes", int, path)
    return table, Stored(model, table.file, size, _get(one, "file_sha256", str, path))


def _read_column(one: Mapping[str, Any], path: str) -> Column:
    reference = None
    if one.get("reference") is not None:
        given = _object(one["reference"], f"{path}reference")
        model = _get(given, "model", str, f"{path}reference.")
        column = _get(given, "column", str, f"{path}reference.")
        reference = Reference(model, column, declared=bool(given.get("declared")))
    limit = None if one.get("max_length") is None else _get(one, "max_length", int, path)
    return Column(
        name=_get(one, "name", str, path),
        field=_get(one, "field", str, path),
        type=_get(one, "type", str, path),
        null=bool(one.get("null")),
        max_length=limit,
        unique=bool(one.get("unique")),
        reference=reference,
        mask=str(one.get("mask") or ""),
    )


def _read_file(one: Mapping[str, Any], path: str) -> Stored:
    name = _get(one, "name", str, path)
    if not is_inside(name):
        msg = f"{path}name: expected the name of a file in a storage, got {name!r:.60}, which leads out of it"
        raise BundleError(msg)
    size, digest = _get(one, "bytes", int, path), _get(one, "sha256", str, path)
    return Stored(name, _safe(one, path), size, digest, str(one.get("field") or ""), bool(one.get("placeholder")))


def _safe(one: Mapping[str, Any], path: str) -> str:
    file = str(_get(one, "file", str, path))
    if not is_safe(file):
        msg = f"{path}file: expected the name of a file in the bundle, got {file!r}, which leads out of it"
        raise BundleError(msg)
    return file


def _object(value: Any, path: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    msg = f"{path}: expected an object, got {value!r:.60}"
    raise BundleError(msg)


def _get(one: Mapping[str, Any], name: str, kind: type, path: str) -> Any:
    value = one.get(name)
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    expected = {int: "a whole number", str: "a text", list: "a list"}[kind]
    got = f"got {value!r:.60}" if name in one else "and it is missing"
    msg = f"{path}{name}: expected {expected}, {got}"
    raise BundleError(msg)
