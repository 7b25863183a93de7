"""What an address ends with when it leads to an image, to a document, or to neither a page nor those."""

import re
from collections.abc import Sequence

_SUFFIX = re.compile(r"\.?[^\s./?#]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


IMAGES = _words("apng avif bmp gif heic heif ico jfif jpe jpeg jpg png svg svgz tif tiff webp")

DOCUMENTS = _words(
    """
    pdf ps djvu doc docm docx dot dotx odt ott rtf tex txt md xls xlsm xlsx xlt ods csv tsv ppt pptx pps ppsx odp odg
    epub mobi azw3 vcf ics zip gz tgz bz2 xz 7z rar tar
    mp3 m4a ogg oga opus wav flac aac mp4 m4v mov avi mkv webm mpg mpeg ogv wmv
    """
)

_OTHERS = _words("css js mjs json xml rss atom rdf exe msi dmg iso apk deb rpm jar swf woff woff2 ttf eot")

NO_PAGES = IMAGES | DOCUMENTS | _OTHERS


def suffix_set(option: str, suffixes: Sequence[str] | None, default: frozenset[str]) -> frozenset[str]:
    """What an option names, `["PDF", ".doc"]`; `ValueError` for what is no suffix.

    >>> sorted(suffix_set("suffixes", ["PDF", ".doc"], DOCUMENTS))
    ['doc', 'pdf']
    """
    if suffixes is None:
        return default
    for suffix in suffixes:
        if not _SUFFIX.fullmatch(suffix):
            msg = f"{option}: expected suffixes such as 'pdf', got {suffix!r}"
            raise ValueError(msg)
    return frozenset(suffix.lower().removeprefix(".") for suffix in suffixes)
