"""What the tests share. The web site itself is the `site` fixture of isekai-core's kit."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from isekai_http.extract import HttpExtractor

from isekai_core.errors import ExtractError
from isekai_core.loops import new_loop
from isekai_core.testing import Site
from isekai_core.types import Extraction, Key, ResourceView


@pytest.fixture
def extract() -> Callable[..., Extraction]:
    """`extract(url, **options)`: what a fresh `http` extractor brings; `depth` is the resource's."""

    def run(url: str, *, depth: int = 0, **options) -> Extraction:
        async def once() -> Extraction:
            async with HttpExtractor(**options) as extractor:
                return await extractor.extract(ResourceView(Key("url", url), depth=depth))

        # On the loop that the engine fetches with.
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(once())

    return run


@pytest.fixture
def refused(extract: Callable[..., Extraction]) -> Callable[..., str]:
    """`refused(url, **options)`: the message of an error that no second try would heal."""

    def run(url: str, **options) -> str:
        with pytest.raises(ExtractError) as caught:
            extract(url, **options)
        assert caught.value.then == "fail"
        return str(caught.value)

    return run


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """`raw_server(answer)`: the address of a server that reads a request, and then lets `answer` do as it likes."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(_raw_server(answer))


@contextmanager
def _raw_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                answer(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        # A listener that is only closed stays in accept() on Linux.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.fixture
def https_site(site: Site) -> Site:
    """The site behind a certificate that nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).parent / "localhost.pem")
    site._server.socket = context.wrap_socket(site._server.socket, server_side=True, do_handshake_on_connect=False)
    return site
