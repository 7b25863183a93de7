"""Who we say we are, and to whom: headers and passwords go to the hosts that were named, to nobody else.

A page may link or redirect anywhere. Whatever an option says that may be a secret must not follow.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from urllib.parse import unquote, urlsplit

from isekai_core.types import Key

EVERY_HOST = "*"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset({"accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"})


def default_user_agent() -> str:
    """`isekai-http/` and the installed version."""
    return f"isekai-http/{version('isekai-http')}"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The request headers for each host. Raises `ValueError`, without showing a value, for what cannot be sent.

    One header is sent once, however its name is written: what stands in the address goes before what is given here,
    and that before what is sent to everyone.
    """

    user_agent: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    hosts: Iterable[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "hosts", frozenset(host_name(host) for host in self.hosts))
        self._check_headers()
        if not _sendable(self.user_agent):
            msg = f"user_agent must be printable ASCII, got {self.user_agent!r}"
            raise ValueError(msg)
        self._check_credentials()

    def _check_headers(self) -> None:
        written: dict[str, str] = {}
        for name, value in self.headers.items():
            _check_header(name, value)
            if (other := written.setdefault(name.lower(), name)) != name:
                msg = f"headers has one header twice, as {other!r} and as {name!r}; give one of them"
                raise ValueError(msg)

    def _check_credentials(self) -> None:
        if self.password and not self.username:
            msg = "password is given without username"
            raise ValueError(msg)
        if ":" in self.username:
            msg = "username must not hold a colon: what stands after it would be taken for the password"
            raise ValueError(msg)
        if self.username and (given := next((name for name in self.headers if name.lower() == "authorization"), "")):
            msg = f"username and the header {given!r} are two ways to say who asks; give one of them"
            raise ValueError(msg)
        if (self.headers or self.username) and not self.hosts:
            msg = (
                "headers, username and password are sent only to the hosts that are named: "
                "give hosts=['old.example.org'], or hosts=['*'] for every host"
            )
            raise ValueError(msg)

    def headers_for(self, url: str, *, downgraded: bool = False) -> dict[str, str]:
        """The headers of a request for `url`.

        downgraded: an encrypted address redirected to this one, which is not; it gets no credentials.
        """
        parts = urlsplit(url)
        named = EVERY_HOST in self.hosts or (parts.hostname or "") in self.hosts
        sent = {"Accept": "*/*", "User-Agent": self.user_agent or default_user_agent()}
        if named and not downgraded:
            sent = _replaced(sent, self.headers)
            if self.username:
                sent["Authorization"] = _basic(self.username, self.password)
        if parts.username is not None:
            theirs = _basic(unquote(parts.username), unquote(parts.password or ""))
            sent = _replaced(sent, {"Authorization": theirs})
        return sent | {"Accept-Encoding": "gzip, deflate"}


def _replaced(sent: Mapping[str, str], by: Mapping[str, str]) -> dict[str, str]:
    """The headers of both, where those of `by` stand for others of the same name, however that is written."""
    names = {name.lower() for name in by}
    return {name: value for name, value in sent.items() if name.lower() not in names} | dict(by)


def _basic(username: str, password: str) -> str:
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def host_name(host: str) -> str:
    """A host as keys have it; `*` means every one. Raises `ValueError` for what is none.

    >>> host_name("Bücher.example")
    'xn--bcher-kva.example'
    """
    if not re.fullmatch(r"\*|[^\s/:@*]+|\[?[0-9a-fA-F:]+\]?", host):
        msg = f"hosts are names such as 'old.example.org', without scheme, port or path, or '*', got {host!r}"
        raise ValueError(msg)
    host = host.strip("[]").rstrip(".").lower()
    # As keys have it.
    return urlsplit(Key("url", f"http://{host}").value).hostname or host if not host.isascii() else host


def _sendable(value: str) -> bool:
    return value.isascii() and (value.isprintable() or not value)


def _check_header(name: str, value: str) -> None:
    if not _NAME.fullmatch(name):
        msg = f"not a name of a header: {name!r}"
        raise ValueError(msg)
    if name.lower() in _OURS:
        msg = f"the header {name!r} cannot be set here{'; use user_agent' if name.lower() == 'user-agent' else ''}"
        raise ValueError(msg)
    if not _sendable(value):
        msg = f"the value of the header {name!r} must be printable ASCII"
        raise ValueError(msg)
