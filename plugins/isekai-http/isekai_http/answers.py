"""What a server's answer, or its silence, means: go on, try again later, or give up."""

import datetime as dt
import re
import ssl
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import httpx

from isekai_core.errors import ExtractError, TemporaryError

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRY_AGAIN = frozenset({408, 425, 429})
_ADVICE = {
    401: "; give username, password and hosts, or headers and hosts",
    407: "; the proxy asks for a password",
}
_FAILED = (
    (httpx.ConnectError, "the connection failed"),
    (httpx.ProxyError, "the proxy of the environment failed"),
    (httpx.RemoteProtocolError, "the answer is no HTTP"),
)
_USER = re.compile(r"^([a-z][a-z0-9+.-]*://)[^/?#]*@", re.IGNORECASE)
_LONGEST_URL = 300
_LONGEST_REASON = 200


def shown(url: str) -> str:
    """`url` for a message: without its password, and not longer than anyone reads."""
    url = _USER.sub(r"\1…@", url)
    return url if len(url) <= _LONGEST_URL else f"{url[:_LONGEST_URL]}… ({len(url)} characters)"


def without_user(url: str) -> str:
    """`url` as a key may hold it: without user and password."""
    return _USER.sub(r"\1", url)


def headers_of(response: httpx.Response) -> dict[str, str]:
    """The headers by lower-case name, byte by byte; looking one up costs nothing here, and much in httpx."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}


def refusal(url: str, response: httpx.Response) -> ExtractError | None:
    """Why the body of `response` is not what was asked for; None when it is. Redirects are not its business."""
    status = response.status_code
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES and status != HTTPStatus.PARTIAL_CONTENT:
        return None
    message = f"{shown(url)}: {status} {_reason(response)}".rstrip()
    if status in _TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TemporaryError(message, retry_after=retry_after(response.headers.get("retry-after", "")))
    return ExtractError(message + _ADVICE.get(status, ""))


def failure(url: str, error: Exception, timeout: httpx.Timeout) -> ExtractError:
    """What `error`, raised while `url` was being fetched, means."""
    where = shown(url)
    if isinstance(error, httpx.RemoteProtocolError) and error.__cause__ is None:
        return ExtractError(f"{where}: redirects to what is no address: {_cut(str(error))}")
    if isinstance(error, httpx.ConnectTimeout):
        return TemporaryError(f"{where}: no connection within {timeout.connect:g} s (connect_timeout)")
    if isinstance(error, httpx.TimeoutException):
        return TemporaryError(f"{where}: the server sent nothing for {timeout.read:g} s (timeout)")
    if certificate := _certificate_error(error):
        return ExtractError(f"{where}: its certificate is not trusted: {certificate}; verify=False accepts it")
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError | ValueError):
        return ExtractError(f"{where}: not an address that can be fetched: {_cut(str(error))}")
    what = next((said for kind, said in _FAILED if isinstance(error, kind)), "the answer broke off")
    return TemporaryError(f"{where}: {what}: {_cut(str(error)) or type(error).__name__}")


def next_address(url: str, response: httpx.Response) -> str:
    """Where a redirect leads, absolute and without fragment; `ExtractError` when that is nowhere to go."""
    location = _location(response).strip()
    if not location:
        msg = f"{shown(url)}: {response.status_code} {_reason(response)} without a Location"
        raise ExtractError(msg)
    try:
        absolute = urljoin(url, location)
        parts = urlsplit(absolute)
        target = httpx.URL(absolute)
        # Ports beyond the last one, and brackets that stay open, are found out here.
        _ = parts.port
    except (ValueError, httpx.InvalidURL) as error:
        msg = f"{shown(url)}: redirects to what is no address: {_cut(location)!r} ({_cut(str(error))})"
        raise ExtractError(msg) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        msg = f"{shown(url)}: redirects to {shown(absolute)!r}, expected an http or https address"
        raise ExtractError(msg)
    return str(target.copy_with(raw_path=target.raw_path, fragment=None))


def _location(response: httpx.Response) -> str:
    """The first Location, as browsers read it: UTF-8, or bytes that are sent back as they came."""
    raw = next((value for name, value in response.headers.raw if name.lower() == b"location"), b"")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in raw)  # noqa: PLR2004 - ASCII


def is_downgrade(source: str, target: str) -> bool:
    """Whether a redirect from `source` to `target` leaves encryption behind."""
    return source.startswith("https:") and not target.startswith("https:")


def retry_after(header: str) -> float | None:
    """The seconds that a Retry-After header asks for, given as seconds or as a date; None without a usable one.

    >>> retry_after("120")
    120.0
    """
    header = header.strip()
    if re.fullmatch(r"[0-9]{1,9}", header):
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - dt.datetime.now(dt.UTC)).total_seconds())


def _reason(response: httpx.Response) -> str:
    said = response.extensions.get("reason_phrase", b"").decode("latin-1")
    return _cut(said) or httpx.codes.get_reason_phrase(response.status_code)


def _cut(text: str) -> str:
    printable = "".join(char for char in " ".join(text.split()) if char.isprintable())
    return printable if len(printable) <= _LONGEST_REASON else printable[:_LONGEST_REASON] + "…"


def _certificate_error(error: BaseException | None) -> str:
    """What is wrong with the certificate, from wherever in the chain of causes OpenSSL said it."""
    while error is not None:
        # aiohttp's own error of that kind has no such message.
        if isinstance(error, ssl.SSLCertVerificationError) and hasattr(error, "verify_message"):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return ""
