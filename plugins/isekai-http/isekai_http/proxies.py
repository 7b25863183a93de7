"""The proxies that the environment names: which one a host is asked through, each looked at before anything is sent."""

from functools import lru_cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

LOCAL = ("localhost", "127.0.0.1", "::1")
"""The hosts that are this machine: no proxy is asked for them."""


class Proxies:
    """What the environment says now of proxies (`http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`)."""

    def __init__(self) -> None:
        self._named = {scheme: text for scheme, text in getproxies().items() if scheme in ("http", "https", "all")}

    def __bool__(self) -> bool:
        return bool(self._named)

    def check(self) -> None:
        """`ValueError`, without its password, for a proxy that cannot be one."""
        for text in self._named.values():
            proxy_address(text)

    def for_host(self, scheme: str, host: str) -> str | None:
        """The proxy for `host`, None without one; `ValueError` as in `check`."""
        text = self._named.get(scheme) or self._named.get("all")
        return None if text is None or host in LOCAL or proxy_bypass(host) else proxy_address(text)


@lru_cache(maxsize=64)
def proxy_address(text: str) -> str:
    """`text` as an address, which may be a host and a port alone, as everywhere; `ValueError` for what is none.

    >>> proxy_address("proxy.example.org:3128")
    'http://proxy.example.org:3128'
    """
    address = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(map(str.isspace, address)):
        scheme, _, rest = address.partition("://")
        shown = f"{scheme}://…@{rest.rpartition('@')[2]}" if "@" in rest else address
        msg = f"the environment names the proxy {shown!r}, expected an http one such as http://proxy.example.org:3128"
        # Not by a chain of errors: what could not be read may hold the password.
        raise ValueError(msg) from None
    return address
