"""What the first bytes of a file say it is, for the cases in which a server says otherwise."""

import re

from isekai_core.types import Payload

_BEGINNING = 4096
# Atomic groups: a comment that was read is never read in another way, however many there are.
_COMMENT = rb"(?><!--.*?-->)"
_PAGE = re.compile(rb"(?:\s|" + _COMMENT + rb")*+<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_SVG = re.compile(
    rb"(?:\s|(?><\?.*?\?>)|" + _COMMENT + rb"|(?><!doctype[^>\[]*(?:\[.*?\]\s*)?>))*+<(?:\w+:)?svg[\s/>]",
    re.IGNORECASE | re.DOTALL,
)


def beginning_of(payload: Payload) -> bytes:
    """Its first bytes, without a byte order mark."""
    with payload.open() as file:
        return file.read(_BEGINNING).removeprefix(b"\xef\xbb\xbf")


def is_page(beginning: bytes) -> bool:
    """Whether a file that begins so is a web page: what servers send instead of a file that is gone."""
    return _PAGE.match(beginning) is not None


def is_svg(beginning: bytes) -> bool:
    """Whether a file that begins so is an SVG image."""
    return _SVG.match(beginning) is not None
