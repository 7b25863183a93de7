"""The secret that masks are made by: never shown, and in no manifest."""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field

from isekai_core.errors import PlanError

_ENVIRONMENT = "ISEKAI_SLICE_SECRET"


@dataclass(frozen=True)
class Secret:
    """What masks are made by.

    origin: `option`, `environment` or `random`; masks of a random one are other ones in the next run.
    """

    key: bytes = field(repr=False)
    origin: str

    def digest(self, text: str | None) -> bytes:
        """The hash of a value's text."""
        return hmac.digest(self.key, b"\0NULL" if text is None else text.encode(), hashlib.sha256)


def secret_of(given: "str | bytes | Secret | None" = None) -> Secret:
    """The secret of a run: the one that is given, else ISEKAI_SLICE_SECRET, else a random one.

    Raises `PlanError` for an empty one.
    """
    if isinstance(given, Secret):
        return given
    if given is None:
        there = os.environ.get(_ENVIRONMENT)
        return Secret(there.encode(), "environment") if there else Secret(secrets.token_bytes(32), "random")
    if not given:
        msg = f"secret: expected a text that is hard to guess, got an empty one; leave it out, or set {_ENVIRONMENT}"
        raise PlanError(msg)
    return Secret(given.encode() if isinstance(given, str) else given, "option")
