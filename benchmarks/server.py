"""A web server for plain files that is no bottleneck: one asyncio process, hand-written HTTP/1.1, GET only.

    python server.py FOLDER PORT

For machines without nginx. A response is made once and kept, 200 MB of them at most.
"""

import asyncio
import mimetypes
import signal
import sys
from pathlib import Path
from urllib.parse import unquote

CACHE_BYTES = 200_000_000


class Files:
    """Path to whole response."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.cache: dict[bytes, bytes] = {}
        self.room = CACHE_BYTES

    def response(self, target: bytes) -> bytes:
        kept = self.cache.get(target)
        if kept is not None:
            return kept
        made = self._make(target.partition(b"?")[0].decode("latin-1"))
        if len(made) <= self.room:
            self.room -= len(made)
            self.cache[target] = made
        return made

    def _make(self, path: str) -> bytes:
        file = (self.folder / unquote(path).lstrip("/")).resolve()
        file = file / "index.html" if path.endswith("/") else file
        if not file.is_relative_to(self.folder) or not file.is_file():
            return b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nnot found"
        body = file.read_bytes()
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        head = f"HTTP/1.1 200 OK\r\nServer: files\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body


class Connection(asyncio.Protocol):
    """One connection: answers request after request, in order."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self.rest = (self.rest + data).split(b"\r\n\r\n")
        for request in requests:
            target = request.split(b" ", 2)[1]
            self.transport.write(self.files.response(target))
            if b"connection: close" in request.lower():
                self.transport.close()


async def serve(folder: Path, port: int) -> None:
    """Until SIGTERM."""
    files = Files(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(files), "127.0.0.1", port, backlog=1024, reuse_address=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with server:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
