"""Files into their storage: never twice for the same bytes, never a short one taken for whole."""

from pathlib import PurePath
from typing import Any

from django.core.files.base import File
from django.db.models import Model

from isekai_core.pipeline.payloads import same_file
from isekai_core.types import FileValue


def store_file(field: Any, row: Model, value: FileValue) -> str:
    """Save the bytes under the name that `field` makes of the wanted one; the name they have.

    A file with that name and the same bytes is reused. One with other bytes that no row refers to was
    left by a save that was killed: it is replaced. Otherwise the name gets a part of the hash, so that
    it is the same however often this is done.
    """
    storage = field.storage
    body = value.payload.body
    name = field.generate_filename(row, value.name)
    own = getattr(row, field.attname)
    for candidate in (name, _with_hash(name, body.sha256)):
        candidate_name = _fitting(candidate, field.max_length)
        if not storage.exists(candidate_name):
            return _save(storage, candidate_name, body)
        if same_file(storage, candidate_name, body):
            return candidate_name
        if not _is_used(field, candidate_name) or (
            own and own.name == candidate_name and not _is_used(field, candidate_name, row.pk)
        ):
            storage.delete(candidate_name)
            return _save(storage, candidate_name, body)
    return _save(storage, storage.get_available_name(name, field.max_length), body)


def _save(storage: Any, name: str, body: Any) -> str:
    with body.open() as reader:
        return str(storage.save(name, File(reader, name=name)))


def _is_used(field: Any, name: str, except_pk: Any = None) -> bool:
    rows = field.model._base_manager.filter(**{field.name: name})
    return bool(rows.exclude(pk=except_pk).exists())


def _with_hash(name: str, digest: str) -> str:
    path = PurePath(name)
    return str(path.with_name(f"{path.stem}-{digest[:8]}{path.suffix}"))


def _fitting(name: str, limit: int | None) -> str:
    """`name`, its stem cut so that the column holds it."""
    if limit is None or len(name) <= limit:
        return name
    path = PurePath(name)
    return str(path.with_name(path.stem[: len(path.stem) - (len(name) - limit)] + path.suffix))
