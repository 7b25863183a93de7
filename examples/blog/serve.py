#!/usr/bin/env python
"""Serves the old site on loopback, as its old web server did: `python serve.py`, until Ctrl-C.

`/-/requests` says, as JSON, how often each path was asked for, so that "nothing was fetched" can be seen.
"""

import argparse
import json
import mimetypes
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from legacy.site import FOLDER, build

HOST, PORT = "127.0.0.1", 8765
COUNTS = "/-/requests"
TYPES = {".gz": "application/gzip", ".webp": "image/webp", ".csv": "text/csv", ".xml": "application/xml"}


class LegacyServer(ThreadingHTTPServer):
    """The files below `folder`, and a count of who asked for what."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder: Path, port: int = PORT) -> None:
        super().__init__((HOST, port), LegacyHandler)
        self.folder = folder.resolve()
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def count(self, path: str) -> None:
        with self._lock:
            self._counts[path] += 1

    @property
    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)


class LegacyHandler(BaseHTTPRequestHandler):
    """GET and HEAD of plain files. Pages come without a charset: what they are in, they say themselves, or not."""

    protocol_version = "HTTP/1.1"
    server: LegacyServer
    timeout = 30

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == COUNTS:
            self._answer(HTTPStatus.OK, "application/json", json.dumps(self.server.counts).encode())
            return
        self.server.count(path)
        file = self._file(path)
        if file is None:
            self._answer(HTTPStatus.NOT_FOUND, "text/html", b"<!DOCTYPE html><title>404</title><h1>No such page</h1>")
        else:
            self._answer(HTTPStatus.OK, media_type(file), file.read_bytes())

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def _file(self, path: str) -> Path | None:
        """The file at `path`, or None; never one outside the folder."""
        file = (self.server.folder / unquote(path).lstrip("/")).resolve()
        if path.endswith("/"):
            file = file / "index.html"
        return file if file.is_relative_to(self.server.folder) and file.is_file() else None

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing: the counts say it shorter."""


def media_type(file: Path) -> str:
    return TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"


@contextmanager
def serving(folder: Path, port: int = PORT) -> Iterator[LegacyServer]:
    """The server, at work in a thread until the block ends."""
    with LegacyServer(folder, port) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def main() -> int:
    parser = argparse.ArgumentParser(description="serve the old site on loopback")
    parser.add_argument("--port", type=int, default=PORT, help=f"default {PORT}: the port that the pipeline knows")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where its files are; written when missing")
    args = parser.parse_args()
    if not args.folder.exists():
        build(f"http://{HOST}:{args.port}").write(args.folder)
    try:
        server = LegacyServer(args.folder, args.port)
    except OSError as error:
        print(f"cannot serve on {HOST}:{args.port}: {error.strerror}; stop what uses the port", file=sys.stderr)
        return 1
    with server:
        print(f"the old site is at http://{HOST}:{args.port}/, until Ctrl-C", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
