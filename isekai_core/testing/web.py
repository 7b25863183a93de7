"""A small real web site on loopback whose pages a test sets: it counts requests, stalls and breaks."""

import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

When = Literal["", "at once", "in the body"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the site got it. `path` is with the query; header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What the site answers.

    body: text is sent as UTF-8.
    content_type: empty for no such header.
    headers: further ones; a Content-Length given here is sent as it is, right or wrong.
    stall: send nothing `at once`, or half of the body and then nothing (`in the body`), and hold the
        connection until the test is over.
    broken: close the connection `at once`, or after half of the body (`in the body`).
    chunked: send the body in chunks, without a Content-Length.

    >>> Response("gone", status=410).status
    410
    """

    body: str | bytes = ""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    stall: When = ""
    broken: When = ""
    chunked: bool = False

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        return self.body.encode() if isinstance(self.body, str) else self.body

    @classmethod
    def redirect(cls, to: str, status: int = 302) -> "Response":
        """A redirect to an address or a path."""
        return cls(status=status, headers={"Location": to}, content_type="")


Page = Response | str | bytes | Callable[[Request], Response] | Sequence[Response]


class Site:
    """The site of a test.

    pages: path to what is answered there: a `Response`, text of a page, a function of the `Request`, or
        a list of responses, one for each request (the last one again and again). A path with a query is
        looked up with it first, then without. What is not there is a 404.
    requests: what was asked for, in the order of arrival.
    most_at_once: how many requests were being answered at the same time, at most.
    released: set when the test is over; a function that waits should wait for it.
    """

    def __init__(self, port: int = 0) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: list[Request] = []
        self.most_at_once = 0
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._at_once = 0
        self._connections: set[socket.socket] = set()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.site = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def port(self) -> int:
        """The port that it listens on."""
        port: int = self._server.server_address[1]
        return port

    def url(self, path: str = "/") -> str:
        """The address of a path: `http://127.0.0.1:<port>/…`."""
        return f"http://127.0.0.1:{self.port}{path}"

    def count(self, path: str | None = None) -> int:
        """How many requests came, for a path or in all."""
        with self._lock:
            return len(self.requests) if path is None else Counter(seen.path for seen in self.requests)[path]

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Let go of what is stalled, close every connection, and wait until no thread is left."""
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def answer(self, request: Request) -> Response:
        """What is answered to a request, which is counted."""
        with self._lock:
            self.requests.append(request)
            page = self.pages.get(request.path, self.pages.get(request.path.partition("?")[0]))
            if isinstance(page, Sequence) and not isinstance(page, str | bytes):
                before = sum(seen.path == request.path for seen in self.requests) - 1
                page = page[min(before, len(page) - 1)]
        if page is None:
            return Response("not here", status=404)
        if isinstance(page, str | bytes):
            return Response(page)
        return page if isinstance(page, Response) else page(request)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    @contextmanager
    def _connected(self, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._connections.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)


@contextmanager
def running_site(port: int = 0) -> Iterator[Site]:
    """A site that answers until the block ends; without a `port`, on one that is free."""
    site = Site(port)
    site.start()
    try:
        yield site
    finally:
        site.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that close() waits for them, and no thread outlives its test
    request_queue_size = 128
    site: Site

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what many tests are about; anything else is the test's own mistake."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        with self.server.site._connected(self.connection):  # noqa: SLF001 - the other half of the site
            super().handle()

    def do_GET(self) -> None:
        site = self.server.site
        with site._answering():  # noqa: SLF001 - the other half of the site
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(site.answer(Request(self.command, self.path, headers, body)))

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815 - the names of the base class

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Tests read `site.requests` instead."""

    def _send(self, response: Response) -> None:
        trouble = response.broken or response.stall
        if trouble != "at once":
            self._send_head(response)
            content = b"" if self.command == "HEAD" else response.content
            self._send_body(content[: len(content) // 2] if trouble else content, response)
        if response.stall:
            self.server.site.released.wait()
        if trouble:
            self.close_connection = True

    def _send_head(self, response: Response) -> None:
        self.send_response_only(response.status, _phrase(response.status))
        given = {name.lower() for name in response.headers}
        if response.content_type and "content-type" not in given:
            self.send_header("Content-Type", response.content_type)
        if response.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif "content-length" not in given and response.status not in _WITHOUT_BODY:
            self.send_header("Content-Length", str(len(response.content)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_body(self, content: bytes, response: Response) -> None:
        if response.chunked and self.command != "HEAD":
            for start in range(0, len(content), _CHUNK):
                chunk = content[start : start + _CHUNK]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            if not (response.broken or response.stall):
                self.wfile.write(b"0\r\n\r\n")
        elif response.status not in _WITHOUT_BODY:
            self.wfile.write(content)
        self.wfile.flush()


_CHUNK = 8192
_WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


def _phrase(status: int) -> str:
    with suppress(ValueError):
        return HTTPStatus(status).phrase
    return "Status"
