"""An encrypted connection, which the driver's library has to read: the same files, and the same errors."""

import socket
import ssl
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest
from isekai_postgres.slices import Postgres

from isekai_core.errors import ExportError
from isekai_core.testing.shop.models import Customer, Label, Order, OrderItem

CERTIFICATE = Path(__file__).with_name("tls.pem")
ASKS_FOR_TLS = (8).to_bytes(4) + (80877103).to_bytes(4)


class Tunnel:
    """A port of this machine that speaks TLS, before a server that does not."""

    def __init__(self, server):
        self._server = server
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(CERTIFICATE)
        self._stack = ExitStack()
        self._listening = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._stack.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                client = self._stack.enter_context(self._listening.accept()[0])
                server = self._stack.enter_context(self._connected())
                first = client.recv(8)
                if first == ASKS_FOR_TLS:
                    client.sendall(b"S")
                    client = self._stack.enter_context(self._context.wrap_socket(client, server_side=True))
                else:  # To cancel, the library may connect without.
                    server.sendall(first)
                self._threads += [threading.Thread(target=_relay, args=ends) for ends in _both(client, server)]
                for thread in self._threads[-2:]:
                    thread.start()

    def _connected(self):
        with psycopg.connect(self._server) as connection:
            host, port = connection.info.host, connection.info.port
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        there = socket.socket(socket.AF_UNIX)
        there.connect(f"{host}/.s.PGSQL.{port}")
        return there


def _both(client, server):
    return (client, server), (server, client)


def _relay(source, sink):
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def encrypted(source):
    """The source by TLS."""
    tunnel = Tunnel(source.url)
    given = psycopg.conninfo.conninfo_to_dict(source.url)
    user = f"{given['user']}:{given.get('password', '')}"
    yield Postgres(f"postgresql://{user}@127.0.0.1:{tunnel.port}/{given['dbname']}?sslmode=require")
    tunnel.close()


def test_the_files_are_the_same(source, encrypted):
    source.fill(customers=60, orders=10)
    tables = [source.table(model, whole=True) for model in (Customer, Order, OrderItem)]
    plain = source.cut(*tables)
    assert source.cut(*tables, postgres=encrypted).content == plain.content
    assert source.cut(*tables, postgres=encrypted, workers=2).rows == plain.rows


def test_an_error_in_the_middle_of_a_table_is_told(source, encrypted):
    source.create(Label)
    source.sql("ALTER TABLE shop_label RENAME TO shop_label_rows")
    source.sql("INSERT INTO shop_label_rows SELECT md5(i::text)::uuid, i FROM generate_series(1, 2000) i")
    source.sql(
        "CREATE VIEW shop_label AS SELECT id, name || 1 / (1999 - name::int) AS name FROM shop_label_rows OFFSET 0"
    )
    for postgres in (encrypted, Postgres(source.url)):
        with pytest.raises(ExportError, match=r"shop\.Label .*division by zero"):
            source.cut(source.table(Label), postgres=postgres)
        assert source.is_left_alone()
