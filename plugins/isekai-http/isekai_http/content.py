"""What the bytes are: media type, text or not, and the charset that reads them.

Browsers guess because servers are wrong so often; the order of the guesses is theirs (the WHATWG
encoding and sniffing standards), cut to what a migration needs. Nothing here changes a byte.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

HEAD = 4096
"""The first bytes that are looked at for a declaration or a signature."""

Blocks = Callable[[], Iterable[bytes]]
"""Gives the bytes of a body, block by block, from the beginning, each time it is called."""

_MEDIA_TYPE = re.compile(r"\s*([\w!#$&^.+-]+/[\w!#$&^.+-]+)\s*(?:;|,|$)", re.ASCII)
# Possessive, here and below: what was passed over is never tried in another way, however much of it a server sends.
_CHARSET = re.compile(r";\s*charset\s*+=\s*+[\"']?+\s*+([\w.:+-]+)", re.ASCII | re.IGNORECASE)
_TEXT_TYPE = re.compile(r"text/.+|.+\+(xml|json)|[^/]+/xml|[^/]+/json|application/(x-)?(java|ecma)script", re.ASCII)
_MARKUP_TYPE = re.compile(r"text/html|.+\+xml|[^/]+/xml", re.ASCII)

_XML_DECLARATION = re.compile(rb"\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*[\"']([\w.:+-]+)", re.IGNORECASE)
_META = re.compile(rb"<meta\s[^>]*?charset\s*+=\s*+[\"']?+\s*+([\w.:+-]+)", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?(?:-->|$)", re.DOTALL)
_HTML = re.compile(
    rb"\s*+(?:<\?xml[^>]*+>\s*+)?+(?:(?><!--.*?-->)\s*+)*+"
    rb"<(?:!doctype\s+html|(?:html|head|title|meta|body|script|style|h1|div|p|table|a|b|br|font|iframe|ul)[\s/>])",
    re.IGNORECASE | re.DOTALL,
)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
_NOT_ASCII = re.compile("[^\x00-\x7f]")
_DAMAGED = re.compile("[\udc80-\udcff]")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

# Labels that mean another charset than they say: pages that declare the left one are written in the right.
_MEANT = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "utf-16": "utf-16-le",
    "utf-8-sig": "utf-8",
}
# Python knows more codecs than pages may name: some are no charsets (`rot13`), some are dangerous (`utf-7`).
_KNOWN = frozenset(
    {
        *("utf-8", "utf-16-le", "utf-16-be", "cp866", "koi8-r", "koi8-u", "cp874", "mac-roman", "mac-cyrillic"),
        *("gb18030", "big5hkscs", "cp932", "euc_jp", "iso2022_jp", "cp949"),
        *(f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
        *(f"cp125{digit}" for digit in range(9)),
    }
)


@lru_cache(maxsize=512)
def parse_content_type(header: str) -> tuple[str, str | None]:
    """The media type, lower-case, and the codec of the charset; "" and None for what is not there or not known.

    >>> parse_content_type("Text/HTML ; charset=ISO-8859-1")
    ('text/html', 'cp1252')
    """
    found = _MEDIA_TYPE.match(header)
    charset = _CHARSET.search(header)
    return (found[1].lower() if found else "", codec_of(charset[1]) if charset else None)


@lru_cache(maxsize=512)
def codec_of(label: str) -> str | None:
    """The Python codec that a page means by `label`; None when it is no charset of the web."""
    try:
        name = codecs.lookup(label.strip()).name
    except (LookupError, ValueError):
        return None
    name = _MEANT.get(name, name)
    return name if name in _KNOWN else None


@lru_cache(maxsize=512)
def is_text(media_type: str) -> bool:
    """Whether bytes of this type are read as text."""
    return _TEXT_TYPE.fullmatch(media_type) is not None


def sniff(head: bytes) -> str:
    """The media type by the first bytes, for a server that does not say.

    >>> sniff(b"<!DOCTYPE html><title>a</title>")
    'text/html'
    """
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text/plain"
    head = head.removeprefix(codecs.BOM_UTF8)
    if _HTML.match(head):
        return "text/html"
    if head.lstrip().startswith(b"<?xml"):
        return "application/xml"
    return "application/octet-stream" if _BINARY.search(head) else "text/plain"


def charset(media_type: str, declared: str | None, head: bytes, blocks: Blocks) -> str:
    """The codec that reads a text: what its bytes begin with, then the declared ones that fit, then guesses.

    declared: the codec of the Content-Type header.
    head: the first bytes, `HEAD` of them.
    """
    for mark, codec in _BOMS:
        if head.startswith(mark):
            return codec
    tried: set[str] = set()
    for codec in _candidates(media_type, declared, head):
        if codec not in tried and _fits(codec, blocks()):
            return codec
        tried.add(codec)
    return _without_declaration(blocks)


def _candidates(media_type: str, declared: str | None, head: bytes) -> Iterator[str]:
    if declared is not None:
        yield declared
    found = None
    if _MARKUP_TYPE.fullmatch(media_type):
        found = _XML_DECLARATION.match(head) or _META.search(_COMMENT.sub(b"", head) if b"<!--" in head else head)
    codec = codec_of(found[1].decode("ascii")) if found else None
    if codec is not None:
        # Whoever could read the declaration byte by byte was not reading UTF-16.
        yield "utf-8" if codec.startswith("utf-16") else codec
    yield "utf-8"


def _fits(codec: str, blocks: Iterable[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        for block in blocks:
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _without_declaration(blocks: Blocks) -> str:
    """The codec of a text that is in none of those that it declares.

    A text that is UTF-8 but for some damaged bytes stays UTF-8: another charset would read all the rest
    as rubbish, and nobody would be told.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    for block in blocks():
        text = decoder.decode(block)
        damaged = len(_DAMAGED.findall(text))
        bad += damaged
        good += len(_NOT_ASCII.findall(text)) - damaged
    if good > bad:
        return "utf-8"
    return "cp1252" if _fits("cp1252", blocks()) else "latin-1"
