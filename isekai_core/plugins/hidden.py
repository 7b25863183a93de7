"""The values of secret options, so that they stand in nothing that is told or kept of an error.

What a library says of a wrong header holds the header. It is known in this process which values must not be shown.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

INSTEAD = "***"
_LEAST = 8  # What is shorter stands in ordinary words, too.

_known: set[str] = set()


def hide(value: Any) -> None:
    """Hide what is text in `value`, the value of a secret option, at any depth, from now on."""
    for text in _texts(value):
        written = {text, text.strip(), repr(text)[1:-1], quote(text, safe="")}
        _known.update(one for one in written if len(one) >= _LEAST)


def without_secrets(text: str) -> str:
    """`text` with stars for everything that is hidden.

    >>> hide({"Authorization": "Bearer s3cr3t-t0ken"})
    >>> without_secrets("illegal header b'Bearer s3cr3t-t0ken'")
    "illegal header b'***'"
    """
    # The longest first: one secret may be a part of another.
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, INSTEAD)
    return text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("latin-1")
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _texts(one)
