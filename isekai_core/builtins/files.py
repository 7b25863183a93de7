"""Files into their storage: never twice for the same bytes, never a short one taken for whole."""

from pathlib import PurePath, PurePosixPath
from typing import Any

from django.db.models import Model

from isekai_core.pipeline.store.payloads import same_file, save_new
from isekai_core.types import Body, FileValue


def store_file(field: Any, row: Model, value: FileValue) -> str:
    """Save the bytes under the name that `field` makes of the wanted one; the name they have.

    A file with that name and the same bytes is reused. One that holds only the beginning of them was left
    by a save that was killed: it is replaced. Any other file may be somebody's, of whatever model, and
    stays: the name gets a part of the hash then, so that it is the same however often this is done.
    """
    storage = field.storage
    body = value.payload.body
    name = field.generate_filename(row, plain_name(value.name))
    for wanted in (name, _with_hash(name, body.sha256)):
        candidate = _fitting(wanted, field.max_length)
        if not storage.exists(candidate):
            return save_new(storage, candidate, body)
        if same_file(storage, candidate, body):
            return candidate
        if _is_cut_off(storage, candidate, body) and not _is_used(field, candidate):
            storage.delete(candidate)
            return save_new(storage, candidate, body)
    return save_new(storage, storage.get_available_name(name, field.max_length), body)


def plain_name(name: str) -> str:
    """A name that leads nowhere, whatever a source called its file.

    >>> plain_name("../../etc/a.pdf"), plain_name("..")
    ('a.pdf', 'file')
    """
    last = PurePosixPath(name.replace("\\", "/")).name
    shown = "".join(char for char in last if char.isprintable())
    return shown if shown.strip(". ") else "file"


def _is_cut_off(storage: Any, name: str, body: Body) -> bool:
    """Whether the file holds the first bytes of `body`, and no others."""
    if storage.size(name) >= body.size:
        return False
    with storage.open(name) as file, body.open() as reader:
        return all(chunk == reader.read(len(chunk)) for chunk in file.chunks())


def _is_used(field: Any, name: str) -> bool:
    return bool(field.model._base_manager.filter(**{field.name: name}).exists())


def _with_hash(name: str, digest: str) -> str:
    path = PurePath(name)
    return str(path.with_name(f"{path.stem}-{digest[:8]}{path.suffix}"))


def _fitting(name: str, limit: int | None) -> str:
    """`name`, its stem cut so that the column holds it."""
    if limit is None or len(name) <= limit:
        return name
    path = PurePath(name)
    return str(path.with_name(path.stem[: len(path.stem) - (len(name) - limit)] + path.suffix))
