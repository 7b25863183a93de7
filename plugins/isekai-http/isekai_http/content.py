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

# What is written where nothing is known: by object storages, and by what the type standard calls unknown.
_SAID = {
    "binary/octet-stream": "application/octet-stream",
    "application/x-unknown-content-type": "",
    "application/unknown": "",
    "unknown/unknown": "",
}
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
_NOT_LATIN_1 = re.compile("[^\x00-\xff\udc80-\udcff]")
_DAMAGED = re.compile("[\udc80-\udcff]")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

# Labels that browsers know and Python does not, without the `x-` that some begin with.
_LABELS = {
    "cn-big5": "big5",
    "x-big5": "big5",
    "csgb2312": "gb18030",
    "gb_2312": "gb18030",
    "gb_2312-80": "gb18030",
    "windows-31j": "cp932",
    "cseucpkdfmtjapanese": "euc_jp",
    "cseuckr": "cp949",
    "csksc56011987": "cp949",
    "iso-ir-149": "cp949",
    "ks_c_5601-1989": "cp949",
    "ksc_5601": "cp949",
    "windows-949": "cp949",
    "dos-874": "cp874",
    "windows-874": "cp874",
    "csiso88598e": "iso8859-8",
    "csiso88598i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-8-i": "iso8859-8",
    "logical": "iso8859-8",
    "visual": "iso8859-8",
    "csiso88596e": "iso8859-6",
    "csiso88596i": "iso8859-6",
    "iso-8859-6-e": "iso8859-6",
    "iso-8859-6-i": "iso8859-6",
    "koi": "koi8-r",
    "koi8": "koi8-r",
    "koi8-ru": "koi8-u",
    "csmacintosh": "mac-roman",
    "mac": "mac-roman",
    "mac-ukrainian": "mac-cyrillic",
}
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
        *("gb18030", "big5hkscs", "cp932", "euc_jp", "euc_jis_2004", "iso2022_jp", "cp949"),
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
    media_type = found[1].lower() if found else ""
    return _SAID.get(media_type, media_type), codec_of(charset[1]) if charset else None


@lru_cache(maxsize=512)
def codec_of(label: str) -> str | None:
    """The Python codec that a page means by `label`; None when it is no charset of the web."""
    label = label.strip().lower().removeprefix("x-")
    try:
        name = codecs.lookup(_LABELS.get(label, label)).name
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
    tried: list[str] = []
    for codec in _candidates(media_type, declared, head):
        if codec not in tried and _fits(codec, blocks()):
            return codec
        tried.append(codec)
    return _least_damaged(tried, blocks)


def _candidates(media_type: str, declared: str | None, head: bytes) -> Iterator[str]:
    if declared is not None:
        yield from _spellings(declared)
    found = None
    if _MARKUP_TYPE.fullmatch(media_type):
        found = _XML_DECLARATION.match(head) or _META.search(_COMMENT.sub(b"", head) if b"<!--" in head else head)
    codec = codec_of(found[1].decode("ascii")) if found else None
    if codec is not None:
        # Whoever could read the declaration byte by byte was not reading UTF-16.
        yield from _spellings("utf-8" if codec.startswith("utf-16") else codec)
    yield "utf-8"


def _spellings(codec: str) -> Iterator[str]:
    yield codec
    if codec == "euc_jp":
        # What pages write in it has more characters than Python's codec, such as numbers in circles.
        yield "euc_jis_2004"


def _fits(codec: str, blocks: Iterable[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        for block in blocks:
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _least_damaged(tried: Iterable[str], blocks: Blocks) -> str:
    """The codec of a text that none of those fits as a whole.

    Some damaged bytes do not make another charset of a text: that would read all the rest as rubbish, and nobody
    would be told. UTF-8 goes first, since no other text looks like it by chance.
    """
    counts = {codec: _read_and_damaged(codec, blocks()) for codec in tried if codec != "cp1252"}
    damages = {codec: damaged for codec, (read, damaged) in counts.items() if read > damaged}
    if damages:
        return "utf-8" if "utf-8" in damages else min(damages, key=damages.__getitem__)
    # The two differ in 32 bytes. Where some of those are letters of windows-1252, the five that are none are damage.
    is_windows = _fits("cp1252", blocks()) or any(map(_NOT_LATIN_1.search, _texts("cp1252", blocks())))
    return "cp1252" if is_windows else "latin-1"


def _read_and_damaged(codec: str, blocks: Iterable[bytes]) -> tuple[int, int]:
    """How many characters beyond ASCII the codec reads, and how many bytes it does not."""
    found = damaged = 0
    try:
        for text in _texts(codec, blocks):
            found += len(_NOT_ASCII.findall(text))
            damaged += len(_DAMAGED.findall(text))
    except UnicodeDecodeError:
        # A charset whose damage cannot be told byte by byte.
        return 0, 1
    return found - damaged, damaged


def _texts(codec: str, blocks: Iterable[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(codec)("surrogateescape")
    for block in blocks:
        yield decoder.decode(block)
    yield decoder.decode(b"", final=True)
