"""Texts of masks that fit their column: no longer than it takes, unique where it is, an address still an address."""

import base64
import re
from ipaddress import IPv6Address
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from isekai_core.errors import PlanError
from isekai_core.slicing.values import TEXTS

PIECE = 12
"""Characters of a hash that are woven into a text: 60 bits."""

_HASH = 24
_LONGEST_SUFFIX = 10
# Each part ends in one place only: a long text that is no address after all is looked at once.
_MAIL = re.compile(r"([^@\s]+)@([^@\s][^@\s.]*+\.[^@\s]+)")
_LOCAL = 64
"""What an address may hold before the @."""
_SHORT_DOMAIN = "x.test"
_BITS = {"BigIntegerField": 63, "PositiveBigIntegerField": 63, "BigAutoField": 63, "IntegerField": 31, "AutoField": 31,
         "PositiveIntegerField": 31, "SmallIntegerField": 15, "PositiveSmallIntegerField": 15,
         "SmallAutoField": 15}  # fmt: skip


def piece_of(digest: bytes, length: int = PIECE) -> str:
    """So many lower-case characters of a hash."""
    return base64.b32encode(digest).decode().lower()[:length]


def is_mail(text: str) -> bool:
    """Whether `text` is an e-mail address.

    >>> is_mail("a@b.org"), is_mail("write to a@b.org")
    (True, False)
    """
    return _MAIL.fullmatch(text) is not None


def hashed_value(value: Any, digest: bytes, kind: str) -> Any:
    """A hash as a value of a column whose type Django calls `kind`.

    Raises `PlanError` for a type that has none.
    """
    if kind == "UUIDField":
        return UUID(bytes=digest[:16], version=4)
    if kind in _BITS:
        return 1 + int.from_bytes(digest[:8]) % (2 ** _BITS[kind] - 1)
    if kind == "BinaryField":
        return digest
    if kind == "GenericIPAddressField":
        # Of the range that is nobody's outside a network of his own.
        return str(IPv6Address(b"\xfd" + digest[:15]))
    if kind == "FileField" and isinstance(value, str):
        # What kind of a file it is, is no secret, and programs go by it.
        return f"{piece_of(digest, _HASH)}{PurePosixPath(value).suffix[:_LONGEST_SUFFIX]}"
    if kind not in TEXTS and kind != "JSONField":
        msg = f"hashed makes texts, whole numbers and UUIDs, and no {kind}; use a constant, null or a function"
        raise PlanError(msg)
    mail = isinstance(value, str) and is_mail(value)
    return f"{piece_of(digest, _HASH)}@example.com" if mail else piece_of(digest, _HASH)


def fitted(text: str, limit: int | None) -> str:
    """`text` in at most `limit` characters; an address loses characters before its @.

    >>> fitted("somebody.of.some.name@example.com", 30), fitted("somebody", 4)
    ('somebody.of.some.n@example.com', 'some')
    """
    if limit is None or len(text) <= limit:
        return text
    if mail := _MAIL.fullmatch(text):
        local, domain = mail.groups()
        return _address(local, domain, limit)
    return text[:limit]


def woven(text: str, digest: bytes, limit: int | None) -> str:
    """`text` with a piece of the hash in it, in at most `limit` characters.

    >>> woven("ann@example.com", bytes(32), 30), woven("ann", bytes(32), None), woven("ann", bytes(32), 4)
    ('ann-aaaaaaaaaaaa@example.com', 'ann-aaaaaaaaaaaa', 'aaaa')
    """
    piece = piece_of(digest)
    if mail := _MAIL.fullmatch(text):
        local, domain = mail.groups()
        room = min(_LOCAL, _LOCAL if limit is None else limit - len(domain) - 1) - len(piece) - 1
        return _address(f"{local[:room]}-{piece}" if room > 0 else piece, domain, limit)
    if text.startswith(("http://", "https://")):
        text, mark = text.rstrip("/"), "/"
    else:
        mark = "-"
    if limit is None:
        return f"{text}{mark}{piece}"
    room = limit - len(piece) - 1
    return f"{text[:room]}{mark}{piece}" if room > 0 else piece[:limit]


def _address(local: str, domain: str, limit: int | None) -> str:
    if limit is None or len(local) + 1 + len(domain) <= limit:
        return f"{local}@{domain}"
    room = limit - 1 - len(domain)
    if room < PIECE and len(domain) > len(_SHORT_DOMAIN):
        # Rather another domain than too few characters to be unique.
        return _address(local, _SHORT_DOMAIN, limit)
    return f"{local[:room]}@{domain}" if room > 0 else local[:limit]
