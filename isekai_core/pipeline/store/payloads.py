"""Payloads in the database and in storage: written once for the same bytes, read lazily."""

import contextlib
import io
import os
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, NamedTuple

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.db import connections, router

from isekai_core.conf import settings
from isekai_core.errors import RunError
from isekai_core.models import Payload as PayloadRow
from isekai_core.pipeline.store.packing import Packer, unpacked
from isekai_core.pipeline.store.rows import insert_rows, one_of
from isekai_core.types import Body, Payload, PayloadKind

PREFETCH_LIMIT = 64 * 1024
"""Bytes up to which a stored text is read together with its batch; larger ones one by one, when needed."""


_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_CHUNK = 1024 * 1024

_COLUMNS = ("sha256", "kind", "media_type", "charset", "size", "blob", "packing", "data")
_PLAIN = Packer(is_on=False)


class Identity(NamedTuple):
    """What a payload is unique by."""

    sha256: str
    kind: str
    media_type: str
    charset: str

    @classmethod
    def of(cls, payload: Payload) -> "Identity":
        return cls(payload.sha256, payload.kind.value, payload.media_type[:255], (payload.charset or "")[:40])

    @classmethod
    def of_row(cls, row: PayloadRow) -> "Identity":
        return cls(row.sha256, row.kind, row.media_type, row.charset)


class StoredBody:
    """Bytes that lie in the database or in the storage; read when they are asked for."""

    def __init__(self, row: PayloadRow) -> None:
        self._row = row

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self._row.size

    @property
    def sha256(self) -> str:
        """The hash of the bytes."""
        return self._row.sha256

    def open(self) -> BinaryIO:
        """A new reader at the first byte; `FileNotFoundError` when the storage lost the blob."""
        if self._row.blob:
            return payload_storage().open(self._row.blob)  # type: ignore[return-value]
        return io.BytesIO(unpacked(self._row.packing, bytes(self._row.data or b"")))


def payload_storage() -> Storage:
    """The storage of blobs, by the setting STORAGE."""
    return storages[settings().storage]


def view_of(row: PayloadRow) -> Payload:
    """The stored payload as processors see it."""
    return Payload(PayloadKind(row.kind), row.media_type, StoredBody(row), row.charset or None)


def fetch(ids: Iterable[int]) -> dict[int, PayloadRow]:
    """The rows of `ids`, with their bytes where those are few."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = PayloadRow.objects.filter(one_of("pk", wanted))
    small = {row.pk: row for row in rows.filter(size__lte=PREFETCH_LIMIT)}
    return small | {row.pk: row for row in rows.filter(size__gt=PREFETCH_LIMIT).defer("data")}


def store_blobs(payloads: Iterable[Payload]) -> None:
    """Save what is not for the database under its content's address; a whole file that is there is reused."""
    for payload in payloads:
        if name := blob_name(payload):
            _save_blob(name, payload.body)


def _save_blob(name: str, body: Body) -> None:
    """`RunError` when the storage takes nothing more: a full disk, say, or a server that refuses."""
    try:
        save_file(payload_storage(), name, body)
    except Exception as error:
        what = f"{name} ({body.size:,} bytes) cannot be saved in the storage {settings().storage!r}"
        msg = f"{what}: {type(error).__name__}: {error}; the same command goes on where it was"
        raise RunError(msg) from error


def store_rows(payloads: Iterable[Payload], packer: Packer = _PLAIN) -> dict[Identity, int]:
    """The row of each payload, made where there was none. Blobs must be stored before."""
    wanted = {Identity.of(payload): payload for payload in payloads}
    known = _known(wanted)
    _bring_home(wanted, known)
    missing = [identity for identity in wanted if identity not in known]
    if missing:
        # One that another worker stored in between is left as it is; either way it is there now.
        connection = connections[router.db_for_write(PayloadRow)]
        insert_rows(
            connection, PayloadRow, _COLUMNS, [_row(identity, wanted[identity], packer) for identity in missing]
        )
        known |= _known(missing)
    packer.forget()
    return {identity: pk for identity, (pk, _) in known.items()}


def _known(wanted: Iterable[Identity]) -> dict[Identity, tuple[int, str]]:
    """The primary keys of those that are there, and their names in the storage; "" for those in the database."""
    hashes = {identity.sha256 for identity in wanted}
    rows = PayloadRow.objects.filter(one_of("sha256", hashes))
    columns = ("pk", "blob", "sha256", "kind", "media_type", "charset")
    return {Identity(*row[2:]): row[:2] for row in rows.values_list(*columns)}


def _bring_home(wanted: Mapping[Identity, Payload], known: Mapping[Identity, tuple[int, str]]) -> None:
    """What lay in the storage by an earlier limit, and perhaps was lost there, lies in the database from now on."""
    for identity, (pk, blob) in known.items():
        if blob and identity in wanted and not blob_name(wanted[identity]):
            PayloadRow.objects.filter(pk=pk).update(blob="", packing="", data=wanted[identity].read())


def _row(identity: Identity, payload: Payload, packer: Packer) -> tuple[Any, ...]:
    name = blob_name(payload)
    return (*identity, payload.size, name, *(("", None) if name else packer.packed(payload)))


def blob_name(payload: Payload) -> str:
    """Where the payload lies in the storage; "" when it lies in the database."""
    limits = settings()
    if payload.size <= (limits.inline_blob_limit if payload.kind == PayloadKind.BLOB else limits.inline_limit):
        return ""
    digest = payload.sha256
    return f"payloads/{digest[:2]}/{digest}"


def is_kept(blob: str) -> bool:
    """Whether what lies in the storage under that name is still there; "" lies in the database."""
    return not blob or payload_storage().exists(blob)


def save_file(storage: Storage, name: str, body: Body) -> None:
    """Save `body` under exactly `name`, unless it is there already, whole.

    A save that was killed leaves a short file under its final name, so size and hash are compared.
    """
    if storage.exists(name):
        if same_file(storage, name, body):
            return
        storage.delete(name)
    saved = save_new(storage, name, body)
    if saved != name and storage.exists(name):
        # Another process was faster. Whether it came to an end with it is not known.
        storage.delete(saved)
        if not same_file(storage, name, body):
            storage.delete(name)
            save_new(storage, name, body)


def save_new(storage: Storage, name: str, body: Body) -> str:
    """Save `body` under `name`, which is free, or as the storage finds one when it is not; the name it has."""
    # Not the type: a field's storage may be a proxy. A subclass may do anything when it saves.
    if storage.__class__ is FileSystemStorage and os.name == "posix" and _is_written(storage, name, body):
        return name
    with body.open() as reader:
        return str(storage.save(name, File(reader, name=name)))


def _is_written(storage: FileSystemStorage, name: str, body: Body) -> bool:
    """Write a new file as Django does, without its locks and checks, which cost as much as the writing.

    False when that cannot be, such as for the first file of a folder, which Django makes.
    """
    path = storage.path(name)
    try:
        number = os.open(path, _NEW_FILE, 0o666)
    except OSError:
        return False
    # Not as a file object, which costs as much as what is done with it.
    try:
        with body.open() as reader:
            while chunk := reader.read(_CHUNK):
                _write_all(number, chunk)
        if storage.file_permissions_mode is not None:
            os.fchmod(number, storage.file_permissions_mode)
        if os.fstat(number).st_gid != (group := os.stat(storage.location).st_gid):  # noqa: PTH116 - for each file
            with contextlib.suppress(PermissionError):
                os.fchown(number, -1, group)
    finally:
        os.close(number)
    return True


def _write_all(number: int, chunk: bytes) -> None:
    """All of it: a disk that is nearly full takes a part."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(number, rest) :]


def same_file(storage: Storage, name: str, body: Body) -> bool:
    """Whether the file `name` holds exactly `body`: compared by size, then by hash."""
    import hashlib  # noqa: PLC0415 - only where a file is there already

    if storage.size(name) != body.size:
        return False
    digest: Any = hashlib.sha256()
    with storage.open(name) as file:
        for chunk in file.chunks():
            digest.update(chunk)
    return bool(digest.hexdigest() == body.sha256)
