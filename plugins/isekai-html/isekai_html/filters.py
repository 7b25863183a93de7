"""The filters of the field language: small functions on one value, put behind a source with `|`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from django.utils.text import slugify
from selectolax.lexbor import LexborHTMLParser

from isekai_core.types import Key, ResourceRef, Text
from isekai_html.dates import read_date, read_datetime


class Links(Protocol):
    """What filters ask of the page."""

    def absolute(self, link: str) -> str | None:
        """The whole address that `link` leads to, with its `#part`; None when it is no web address."""
        ...

    def key(self, link: str) -> Key | None:
        """The resource that `link` leads to; None when it is no web address."""
        ...


Apply = Callable[[Any, Links], Any]
Make = Callable[[str | None], Apply]
